package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Paths are the program's own folders and the machine's config file. A folder
// is "" where it cannot be told, as for a service that has no home.
type Paths struct {
	Config string // config.yaml and keys; $XDG_CONFIG_HOME/logiqc
	Data   string // the default store; $XDG_DATA_HOME/logiqc
	State  string // saved sessions; $XDG_STATE_HOME/logiqc
	System string // the machine's config file; /etc/logiqc/config.yaml
}

// DefaultPaths reads the XDG variables of the environment (XDG Base Directory
// Specification 0.8: a relative value is ignored) and otherwise answers with
// the platform's custom: ~/.config, ~/.local/share and ~/.local/state on Unix,
// the folders of [os.UserConfigDir] and [os.UserCacheDir] on macOS and Windows.
func DefaultPaths() Paths {
	p := platformPaths(runtime.GOOS)
	for variable, dir := range map[string]*string{
		"XDG_CONFIG_HOME": &p.Config, "XDG_DATA_HOME": &p.Data, "XDG_STATE_HOME": &p.State,
	} {
		if home := os.Getenv(variable); filepath.IsAbs(home) {
			*dir = filepath.Join(home, "logiqc")
		}
	}
	return p
}

// platformPaths is where things go when no XDG variable says so.
func platformPaths(goos string) Paths {
	switch goos {
	case "windows":
		local, _ := os.UserCacheDir() // %LocalAppData%, which does not roam
		roaming, _ := os.UserConfigDir()
		return Paths{
			Config: under(roaming, "logiqc"),
			Data:   under(local, "logiqc"),
			State:  under(local, "logiqc", "state"),
			System: under(os.Getenv("ProgramData"), "logiqc", "config.yaml"),
		}
	case "darwin":
		support, _ := os.UserConfigDir()
		return Paths{
			Config: under(support, "logiqc"),
			Data:   under(support, "logiqc"),
			State:  under(support, "logiqc", "state"),
			System: "/etc/logiqc/config.yaml",
		}
	}
	home, _ := os.UserHomeDir()
	return Paths{
		Config: under(home, ".config", "logiqc"),
		Data:   under(home, ".local", "share", "logiqc"),
		State:  under(home, ".local", "state", "logiqc"),
		System: "/etc/logiqc/config.yaml",
	}
}

// under joins names to dir, and is "" where dir is not known.
func under(dir string, names ...string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(append([]string{dir}, names...)...)
}

// File is the user's config file, or "" where there is no folder for it.
func (p Paths) File() string { return under(p.Config, "config.yaml") }

// A resolver makes a path whole.
type resolver func(path string) (string, error)

// fromHere resolves what a person typed: against the working directory.
func fromHere(path string) (string, error) {
	path, err := expandHome(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// fromFile resolves a path that stands in a config file.
func fromFile(path string) (string, error) {
	path, err := expandHome(path)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(path) {
		return "", refuse("%q is a relative path: in a config file write it whole or begin it with ~/", path)
	}
	return filepath.Clean(path), nil
}

// expandHome does what a shell does not inside sqlite:~/x or --keys=~/x.
func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", refuse("%q needs a home folder, and none is known", path)
	}
	return filepath.Join(home, rest), nil
}
