package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
)

func TestDefaultPaths(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the folders of Unix")
	}
	for _, name := range []string{"CONFIG", "DATA", "STATE"} {
		t.Setenv("XDG_"+name+"_HOME", "")
	}
	t.Setenv("HOME", "/home/helen")
	want := Paths{
		Config: "/home/helen/.config/logiqc", Data: "/home/helen/.local/share/logiqc",
		State: "/home/helen/.local/state/logiqc", System: "/etc/logiqc/config.yaml",
	}
	if got := DefaultPaths(); got != want {
		t.Errorf("from the home folder: %+v", got)
	}
	if got := want.File(); got != "/home/helen/.config/logiqc/config.yaml" {
		t.Errorf("config file %s", got)
	}
	t.Setenv("XDG_DATA_HOME", "relative") // ignored, says the specification
	t.Setenv("XDG_STATE_HOME", "/var/state")
	t.Setenv("XDG_CONFIG_HOME", "/cfg/")
	want.State, want.Config = "/var/state/logiqc", "/cfg/logiqc"
	if got := DefaultPaths(); got != want {
		t.Errorf("with XDG variables: %+v", got)
	}
	t.Setenv("HOME", "")
	want.Data = ""
	if got := DefaultPaths(); got != want {
		t.Errorf("without a home: %+v", got)
	}
}

// On every system each folder is told or empty, never a relative one.
func TestPlatformPaths(t *testing.T) {
	t.Setenv("HOME", "/home/helen")
	for _, goos := range []string{"linux", "darwin", "windows", "freebsd"} {
		p := platformPaths(goos)
		for _, dir := range []string{p.Config, p.Data, p.State, p.System} {
			if dir != "" && !filepath.IsAbs(dir) {
				t.Errorf("%s: %+v", goos, p)
			}
		}
		if p.State == p.Data || p.State == p.Config {
			t.Errorf("%s: sessions share a folder: %+v", goos, p)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	type holder struct{ Token Secret }
	h := holder{"hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, h.Token); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	data, err := json.Marshal(h)
	if err != nil || string(data) != `{"Token":"[redacted]"}` {
		t.Errorf("JSON is %s, %v", data, err)
	}
	if got := fmt.Sprint(holder{}); got != "{}" {
		t.Errorf("an empty secret prints %s", got)
	}
}
