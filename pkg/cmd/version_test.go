package cmd

import (
	"runtime/debug"
	"testing"
)

// What a release build was told counts; the Go tool's record fills the rest.
func TestVersionFill(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-dev"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-23T00:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	for name, c := range map[string]struct{ in, want versionAnswer }{
		"go build":  {versionAnswer{}, versionAnswer{Version: "v0.0.0-dev", Commit: "abc+changes", Date: "2026-11-23T00:00:00Z"}},
		"a release": {versionAnswer{Version: "v1.2.0", Commit: "def", Date: "today"}, versionAnswer{Version: "v1.2.0", Commit: "def", Date: "today"}},
	} {
		got := c.in
		got.fill(info)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
