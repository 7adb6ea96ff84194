package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A mistake anywhere in either file, in a profile that is not in use too,
// stops every command with the file and line.
func TestMistakesInFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, at, says string }{
		"unknown key":         {"output: json\nissuer: x\n", ":2", `unknown key "issuer"`},
		"unknown in profile":  {"profiles:\n  a:\n    issuer: x\n", ":3", `unknown key "issuer"`},
		"underscore":          {"token_file: /x\n", ":1", `unknown key "token_file"`},
		"capitals":            {"Output: json\n", ":1", `unknown key "Output"`},
		"merge key":           {"base: &b {}\n", ":1", `unknown key "base"`},
		"a command's flag":    {"yes: true\n", ":1", `unknown key "yes"`},
		"token":               {"token: lqc_x\n", ":1", "token does not belong"},
		"token in profile":    {"profiles: {a: {token: lqc_x}}\n", ":1", "token does not belong"},
		"profile in profile":  {"profiles: {a: {profile: b}}\n", ":1", "profile does not belong"},
		"profiles in profile": {"profiles: {a: {profiles: {}}}\n", ":1", "profiles does not belong"},
		"bad profile name":    {"profiles:\n  a/b: {}\n", ":2", `"a/b" is no name`},
		"twice":               {"output: json\noutput: csv\n", ":2", "set twice, first on line 1"},
		"profile twice":       {"profiles:\n  a: {}\n  a: {}\n", ":3", "set twice"},
		"bad value":           {"\noutput: xml\n", ":2", `output: "xml" is not one of`},
		"bad unused value":    {"profiles:\n  a:\n    timeout: soon\n", ":3", "timeout:"},
		"bad store":           {"store: mysql://u:hunter2@x/\n", ":1", `"mysql:"`},
		"bad store address":   {"store: 'postgres://u:hunter2 @x y/'\n", ":1", "cannot be read"},
		"relative path":       {"ca-file: ca.pem\n", ":1", "relative path"},
		"relative store":      {"store: sqlite:x.db\n", ":1", "relative path"},
		"list":                {"store: [a, b]\n", ":1", "one plain value"},
		"nothing":             {"store:\n", ":1", "one plain value"},
		"alias":               {"pin: &x sha256:1\nstore: *x\n", ":2", "one plain value"},
		"not a mapping":       {"- a\n", ":1", "key: value"},
		"profiles not one":    {"profiles: [a]\n", ":1", "key: value"},
		"profile not one":     {"profiles: {a: 7}\n", ":1", "key: value"},
		"two documents":       {"output: json\n---\nstore: x\n", "", "only one YAML document"},
		"not YAML":            {"output: json\na: b: c\n", "line 2", "mapping values"},
		"not YAML at once":    {"a: b: c\n", "", "mapping values"},
		"too long":            {"# " + strings.Repeat("x", maxFile) + "\n", "", "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			paths := clean(t)
			for _, path := range []string{paths.File(), paths.System} {
				write(t, path, c.text)
				_, err := Load(nil, paths)
				wantError(t, err, path, c.at, c.says)
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestHintForUnderscore(t *testing.T) {
	paths := clean(t)
	write(t, paths.File(), "no_input: true\n")
	_, err := Load(nil, paths)
	if hint := wantError(t, err); hint != "write it as no-input" {
		t.Errorf("hint %q", hint)
	}
}

func TestEmptyFiles(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "comment": "# nothing yet\n", "document": "---\n", "no profiles": "profiles:\noutput: text\n",
	} {
		t.Run(name, func(t *testing.T) {
			paths := clean(t)
			write(t, paths.File(), text)
			if s := load(t, nil, paths); s.Output != "text" {
				t.Errorf("output %q", s.Output)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	paths := clean(t)
	if err := os.MkdirAll(paths.File(), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Load(nil, paths)
	wantError(t, err, paths.File(), "not a file")
}

// A link is followed for reading: people keep their settings in one folder.
func TestLinkedFile(t *testing.T) {
	paths := clean(t)
	target := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, target, "output: json\n")
	write(t, paths.File(), "")
	if err := os.Remove(paths.File()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, paths.File()); err != nil {
		t.Fatal(err)
	}
	if s := load(t, nil, paths); s.Output != "json" {
		t.Errorf("output %q", s.Output)
	}
}

// A file may be open to others until there is a password in it; the machine's
// file may be shared with a group even then.
func TestPasswordInLooseFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are not checked on Windows")
	}
	const harmless = "store: postgres://desk@db1/logiqc\n"
	const password = "profiles: {a: {store: 'postgres://desk:hunter2@db1/logiqc'}}\n"
	for _, c := range []struct {
		user  bool
		text  string
		mode  os.FileMode
		chmod string // "": accepted
	}{
		{true, harmless, 0o644, ""},
		{true, password, 0o600, ""},
		{true, password, 0o640, "chmod 600"},
		{true, password, 0o604, "chmod 600"},
		{false, harmless, 0o644, ""},
		{false, password, 0o640, ""},
		{false, password, 0o644, "chmod 640"},
	} {
		paths := clean(t)
		path := paths.System
		if c.user {
			path = paths.File()
		}
		write(t, path, c.text)
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(nil, paths)
		if c.chmod == "" {
			if err != nil {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if hint := wantError(t, err, path, "others can read it"); hint != c.chmod+" "+path {
			t.Errorf("%+v: hint %q", c, hint)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add("profile: a\nprofiles:\n  a: {store: 'sqlite:~/x', pin: y}\n")
	f.Add("profiles: &x {a: *x}\n")
	f.Add("? [a]\n: b\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := newFile("config.yaml")
		if err := c.parse([]byte(text)); err != nil {
			wantError(t, err, "config.yaml")
			return
		}
		for _, l := range c.profiles {
			for name, value := range l.values {
				k, ok := find(name)
				if _, isText := value.(string); !ok || !isText || k.EnvOnly {
					t.Errorf("%q was read as a setting", name)
				}
			}
		}
	})
}
