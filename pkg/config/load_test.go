package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// samples are five different values for each key, lowest place first: default
// left out, machine file, user file, profile, environment, flag.
var samples = map[string][5]string{
	"store":         {"/s/1.db", "/s/2.db", "/s/3.db", "/s/4.db", "/s/5.db"},
	"output":        {"csv", "jsonl", "json", "csv", "jsonl"},
	"token-file":    {"/t/1", "/t/2", "/t/3", "/t/4", "/t/5"},
	"keys":          {"/k/1", "/k/2", "/k/3", "/k/4", "/k/5"},
	"color":         {"always", "never", "always", "never", "always"},
	"no-input":      {"true", "false", "true", "false", "true"},
	"accessible":    {"true", "false", "true", "false", "true"},
	"no-alt-screen": {"true", "false", "true", "false", "true"},
	"ca-file":       {"/c/1", "/c/2", "/c/3", "/c/4", "/c/5"},
	"pin":           {"sha256:1", "sha256:2", "sha256:3", "sha256:4", "sha256:5"},
	"timeout":       {"1s", "2s", "3s", "4s", "5s"},
}

// Each key is put into one more place at a time, from the lowest to the
// highest; the newest must win and be named as the source.
func TestOrder(t *testing.T) {
	for _, k := range Keys() {
		if k.EnvOnly || k.Name == "profile" {
			continue // in TestTokenSources and TestProfileChoice
		}
		t.Run(k.Name, func(t *testing.T) {
			values, ok := samples[k.Name]
			if !ok {
				t.Fatalf("no samples for %s", k.Name)
			}
			paths, flags := clean(t), Flags{}
			user := "profile: here\nprofiles: {here: {}}\n"
			write(t, paths.File(), user)
			steps := []struct {
				source string
				put    func()
			}{
				{"default", func() {}},
				{paths.System, func() { write(t, paths.System, k.Name+": "+values[0]) }},
				{paths.File(), func() { write(t, paths.File(), user+k.Name+": "+values[1]) }},
				{paths.File() + " profile here", func() {
					write(t, paths.File(), fmt.Sprintf("profile: here\n%s: %s\nprofiles: {here: {%s: %q}}\n", k.Name, values[1], k.Name, values[2]))
				}},
				{"environment " + k.Env(), func() { t.Setenv(k.Env(), values[3]) }},
				{"flag --" + k.Name, func() { flags[k.Name] = values[4] }},
			}
			for i, step := range steps {
				step.put()
				got := shown(t, load(t, flags, paths), k.Name)
				want := defaultOf(k, paths)
				if i > 0 {
					want = values[i-1]
				}
				if k.Name == "store" {
					want = "sqlite:" + strings.TrimPrefix(want, "sqlite:")
				}
				if got.Value != want || got.Source != step.source {
					t.Errorf("got %q from %q, want %q from %q", got.Value, got.Source, want, step.source)
				}
			}
		})
	}
}

func defaultOf(k Key, paths Paths) string {
	return strings.NewReplacer(dataFolder, paths.Data, configFolder, paths.Config).Replace(k.Default)
}

func TestDefaults(t *testing.T) {
	paths := clean(t)
	s := load(t, nil, paths)
	if s.Store.Path != filepath.Join(paths.Data, "logiqc.db") || s.Store.Kind != SQLite {
		t.Errorf("store %+v", s.Store)
	}
	if s.Keys != filepath.Join(paths.Config, "keys") || s.Output != "text" || s.Color != "auto" || s.Timeout.Seconds() != 30 {
		t.Errorf("settings %+v", s)
	}
	if s.NoInput || s.Accessible || s.NoAltScreen || s.TokenFile+s.CAFile+s.Pin+s.Profile != "" || s.Token != "" {
		t.Errorf("something is set that nobody set: %+v", s)
	}
}

func TestWithoutHome(t *testing.T) {
	clean(t)
	if s := load(t, nil, Paths{}); s.Store != (Store{}) {
		t.Errorf("store %+v, want none", s.Store)
	}
	s := load(t, Flags{"store": "postgres://db1/logiqc"}, Paths{})
	if s.Keys != "" {
		t.Errorf("keys %q, want none", s.Keys)
	}
}

func TestSwitchWords(t *testing.T) {
	for word, want := range map[string]bool{
		"1": true, "true": true, "YES": true, "on": true,
		"0": false, "false": false, "No": false, "off": false, "": false,
	} {
		t.Run(word, func(t *testing.T) {
			paths := clean(t)
			t.Setenv("LOGIQC_NO_INPUT", word)
			if got := load(t, nil, paths).NoInput; got != want {
				t.Errorf("LOGIQC_NO_INPUT=%s: got %v, want %v", word, got, want)
			}
		})
	}
}

// ACCESSIBLE is a custom of many programs: any word but a plain no means yes.
func TestAccessibleCustom(t *testing.T) {
	for word, want := range map[string]bool{"1": true, "please": true, "0": false, "no": false} {
		t.Run(word, func(t *testing.T) {
			paths := clean(t)
			t.Setenv("ACCESSIBLE", word)
			s := load(t, nil, paths)
			if s.Accessible != want || s.Source("accessible") != "environment ACCESSIBLE" {
				t.Errorf("got %v from %s, want %v", s.Accessible, s.Source("accessible"), want)
			}
			t.Setenv("LOGIQC_ACCESSIBLE", "no")
			if s := load(t, nil, paths); s.Accessible {
				t.Error("LOGIQC_ACCESSIBLE=no does not win over ACCESSIBLE")
			}
		})
	}
}

func TestBadValues(t *testing.T) {
	for _, c := range []struct{ key, value, says string }{
		{"no-input", "maybe", `"maybe" is neither true nor false`},
		{"accessible", "2", `"2" is neither`},
		{"output", "xml", `"xml" is not one of text, json, jsonl, csv`},
		{"color", "red", "auto, always, never"},
		{"timeout", "30", "not a duration"},
		{"timeout", "-1s", "not a duration"},
		{"store", "mysql://db1/x", `"mysql:" is no kind of store`},
		{"profile", "../x", "no profile"},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			k, _ := find(c.key)
			paths := clean(t)
			_, err := Load(Flags{c.key: c.value}, paths)
			wantError(t, err, "flag --"+c.key, c.says)
			t.Setenv(k.Env(), c.value)
			_, err = Load(nil, paths)
			wantError(t, err, "environment "+k.Env(), c.says)
		})
	}
}

func TestUnknownFlag(t *testing.T) {
	paths := clean(t)
	for _, name := range []string{"yes", "token"} {
		_, err := Load(Flags{name: "x"}, paths)
		wantError(t, err, "--"+name)
	}
}

func TestPasswordInStore(t *testing.T) {
	const address = "postgres://desk:hunter2@db1/logiqc"
	paths := clean(t)
	for _, address := range []string{address, "postgres://db1/logiqc?user=desk&password=hunter2"} {
		_, err := Load(Flags{"store": address}, paths)
		wantError(t, err, "flag --store")
	}
	t.Setenv("LOGIQC_STORE", address)
	s := load(t, nil, paths)
	if s.Store.URL.Reveal() != address {
		t.Error("the address from the environment is not whole")
	}
	everything := fmt.Sprintf("%v %+v %#v %v %+v %#v", s.View(), s.View(), s.View(), *s, *s, *s)
	if strings.Contains(everything, "hunter2") {
		t.Errorf("the password is shown: %s", everything)
	}
	if got := shown(t, s, "store").Value; got != "postgres://desk:xxxxx@db1/logiqc" {
		t.Errorf("config view shows %q", got)
	}
}

func TestTokenSources(t *testing.T) {
	paths := clean(t)
	file := filepath.Join(paths.State, "token")
	write(t, file, "lqc_file\n")
	bearer := func(flags Flags) string {
		t.Helper()
		token, _, err := load(t, flags, paths).Bearer()
		if err != nil {
			t.Fatal(err)
		}
		return token.Reveal()
	}
	if got := bearer(nil); got != "" {
		t.Errorf("a token from nowhere: %q", got)
	}
	t.Setenv("LOGIQC_TOKEN_FILE", file)
	if got := bearer(nil); got != "lqc_file" {
		t.Errorf("from LOGIQC_TOKEN_FILE: %q", got)
	}
	t.Setenv("LOGIQC_TOKEN", "lqc_env\n")
	if got := bearer(nil); got != "lqc_env" {
		t.Errorf("LOGIQC_TOKEN does not win over LOGIQC_TOKEN_FILE: %q", got)
	}
	if got := bearer(Flags{"token-file": file}); got != "lqc_file" {
		t.Errorf("a typed --token-file does not win over LOGIQC_TOKEN: %q", got)
	}
	line := shown(t, load(t, nil, paths), "token")
	if line.Value != "[redacted]" || line.Source != "environment LOGIQC_TOKEN" {
		t.Errorf("config view shows %+v", line)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	_, _, err := load(t, Flags{"token-file": file}, paths).Bearer()
	wantError(t, err, "token file", file)
}

// A typed path is taken from the working directory and shown whole.
func TestTypedPaths(t *testing.T) {
	paths := clean(t)
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	s := load(t, Flags{"ca-file": "ca.pem", "store": "sqlite:~/x.db"}, paths)
	if s.CAFile != filepath.Join(dir, "ca.pem") || s.Store.Path != filepath.Join(dir, "x.db") {
		t.Errorf("ca-file %q, store %q", s.CAFile, s.Store)
	}
}
