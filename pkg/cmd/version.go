package cmd

import (
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui"
)

// Set by a release build with -ldflags -X; otherwise read from what the Go
// tool recorded.
var version, commit, date string

// versionAnswer is what this program is made of.
type versionAnswer struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Go      string `json:"go"`
	SQLite  string `json:"sqlite"`
	Schema  int    `json:"schema"` // of the stores it reads and writes
}

// thisVersion describes the running program.
func thisVersion() versionAnswer {
	v := versionAnswer{Version: version, Commit: commit, Date: date, Go: runtime.Version(), SQLite: store.SQLiteVersion, Schema: store.SchemaVersion}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.fill(info)
	}
	if v.Version == "" {
		v.Version = "(devel)"
	}
	return v
}

// fill takes from the build information what is still open.
func (v *versionAnswer) fill(info *debug.BuildInfo) {
	set := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	set(&v.Version, info.Main.Version)
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			set(&v.Commit, s.Value)
			modified = modified || v.Commit == s.Value
		case "vcs.time":
			set(&v.Date, s.Value)
		case "vcs.modified":
			if s.Value == "true" && modified {
				v.Commit += "+changes"
			}
		}
	}
}

func newVersion(a *App) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Tell the version of this program",
		Long:    "Tell the version of this program, what it was built from, and the schema of the\nstores it reads and writes.",
		Example: "  logiqc version\n  logiqc version -o json",
		RunE:    func(*cobra.Command, []string) error { return a.tellVersion() },
	}
}

// tellVersion answers what this program is.
func (a *App) tellVersion() error {
	v := thisVersion()
	return a.answer(v, func(io *ui.IO) error {
		io.Answerf("logiqc %s", v.Version)
		if built := strings.TrimSpace(v.Commit + " " + v.Date); built != "" {
			io.Answerf("built from %s", built)
		}
		io.Answerf("%s, SQLite %s, schema %d", v.Go, v.SQLite, v.Schema)
		return nil
	})
}

// addVersionFlag lets the root answer --version as it answers the command.
func addVersionFlag(a *App, root *cobra.Command) {
	asked := root.Flags().Bool("version", false, "tell the version of this program")
	otherwise := root.RunE
	root.RunE = func(c *cobra.Command, args []string) error {
		if *asked && len(args) == 0 {
			return a.tellVersion()
		}
		return otherwise(c, args)
	}
}
