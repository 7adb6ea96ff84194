package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const two = `# My stores.
profile: stmary # the one in use
output: csv

profiles:
  # The hospital.
  stmary:
    store: https://mfa1:8443
    pin: sha256:9b1f
    output: json
  test:
    store: sqlite:/t/test.db
`

func TestProfileChoice(t *testing.T) {
	paths := clean(t)
	write(t, paths.File(), two)
	check := func(name string, flags Flags, profile, store, output, storeProfile string) {
		t.Helper()
		s := load(t, flags, paths)
		if s.Profile != profile || s.Store.Display() != store || s.Output != output || s.StoreProfile() != storeProfile {
			t.Errorf("%s: profile %q, store %q, output %q, named by %q", name, s.Profile, s.Store, s.Output, s.StoreProfile())
		}
	}
	check("file", nil, "stmary", "https://mfa1:8443", "json", "stmary")
	t.Setenv("LOGIQC_PROFILE", "test")
	check("environment", nil, "test", "sqlite:/t/test.db", "csv", "test")
	check("flag", Flags{"profile": "stmary"}, "stmary", "https://mfa1:8443", "json", "stmary")
	check("none", Flags{"profile": ""}, "", "sqlite:"+filepath.Join(paths.Data, "logiqc.db"), "csv", "")
	// The dialog must not show a profile's name for a store that is not its own.
	check("other store", Flags{"store": "/t/other.db"}, "test", "sqlite:/t/other.db", "csv", "")
	_, err := Load(Flags{"profile": "nope"}, paths)
	if hint := wantError(t, err, "flag --profile", `"nope"`); hint != "profiles: stmary, test" {
		t.Errorf("hint %q", hint)
	}
}

func TestUnknownProfile(t *testing.T) {
	paths := clean(t)
	write(t, paths.File(), "profile: gone\n")
	_, err := Load(nil, paths)
	if hint := wantError(t, err, paths.File(), `"gone"`); !strings.Contains(hint, "config add gone") {
		t.Errorf("hint %q", hint)
	}
}

// The machine's profiles can be chosen by anybody, and what the user wrote
// wins over what the machine's file says by itself.
func TestMachineProfiles(t *testing.T) {
	const machine = "profile: site\ntimeout: 9s\nprofiles: {site: {store: 'https://site', pin: sha256:1, output: json}}\n"
	for name, c := range map[string]struct {
		user, profile       string
		store, pin, outputs string
	}{
		"chosen by the machine":           {"", "site", "https://site", "sha256:1", "json"},
		"under the user's own keys":       {"output: csv\n", "site", "https://site", "sha256:1", "csv"},
		"chosen by the user":              {"profile: site\noutput: csv\n", "site", "https://site", "sha256:1", "json"},
		"with the user's keys in it":      {"profiles: {site: {pin: sha256:2}}\n", "site", "https://site", "sha256:2", "json"},
		"beside a profile of the user's":  {"profile: a\nprofiles: {a: {store: 'https://a'}}\n", "a", "https://a", "", "text"},
		"the user's keys, machine's pick": {"output: csv\nprofiles: {site: {pin: sha256:2}}\n", "site", "https://site", "sha256:2", "json"},
	} {
		t.Run(name, func(t *testing.T) {
			paths := clean(t)
			write(t, paths.System, machine)
			write(t, paths.File(), c.user)
			s := load(t, nil, paths)
			if s.Profile != c.profile || s.Store.Display() != c.store || s.Pin != c.pin || s.Output != c.outputs {
				t.Errorf("profile %q, store %q, pin %q, output %q", s.Profile, s.Store, s.Pin, s.Output)
			}
			if s.Source("timeout") != paths.System {
				t.Errorf("timeout from %s", s.Source("timeout"))
			}
		})
	}
}

func TestAddProfile(t *testing.T) {
	paths := clean(t)
	if err := AddProfile(paths.File(), "stmary", Profile{"store": "https://MFA1:8443", "pin": "sha256:9b1f"}, true); err != nil {
		t.Fatal(err)
	}
	if err := AddProfile(paths.File(), "123", Profile{"store": "sqlite:/t/test.db", "no-input": "yes", "timeout": "60s"}, false); err != nil {
		t.Fatal(err)
	}
	s := load(t, nil, paths)
	if s.Profile != "stmary" || s.Store.Display() != "https://mfa1:8443" || s.Pin != "sha256:9b1f" {
		t.Errorf("profile %q, store %q, pin %q", s.Profile, s.Store, s.Pin)
	}
	s = load(t, Flags{"profile": "123"}, paths)
	if s.Store.Path != "/t/test.db" || !s.NoInput || s.Timeout.Seconds() != 60 {
		t.Errorf("store %q, no-input %v, timeout %v", s.Store, s.NoInput, s.Timeout)
	}
	err := AddProfile(paths.File(), "stmary", Profile{"store": "https://other"}, true)
	wantError(t, err, `"stmary"`)
	if !errors.Is(err, ErrProfileExists) {
		t.Error("a taken name is not ErrProfileExists")
	}
	if s := load(t, nil, paths); s.Store.Display() != "https://mfa1:8443" {
		t.Errorf("a refused profile changed the store to %s", s.Store)
	}
}

// A relative store is written whole, for the file is read from anywhere; a
// password is kept as it came.
func TestAddProfileStores(t *testing.T) {
	paths := clean(t)
	dir := t.TempDir()
	t.Chdir(dir)
	if err := AddProfile(paths.File(), "near", Profile{"store": "near.db"}, true); err != nil {
		t.Fatal(err)
	}
	if err := AddProfile(paths.File(), "db", Profile{"store": "postgres://u:hunter2@db1/x"}, false); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if s := load(t, nil, paths); s.Store.Path != filepath.Join(dir, "near.db") {
		t.Errorf("store %q", s.Store)
	}
	if s := load(t, Flags{"profile": "db"}, paths); s.Store.URL.Reveal() != "postgres://u:hunter2@db1/x" {
		t.Error("the password is not kept")
	}
}

func TestAddProfileRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		profile string
		values  Profile
	}{
		"name":         {"a b", Profile{"store": "https://a"}},
		"unknown key":  {"a", Profile{"issuer": "x"}},
		"token":        {"a", Profile{"token": "lqc_x"}},
		"profile":      {"a", Profile{"profile": "b"}},
		"store":        {"a", Profile{"store": "mysql://u:hunter2@x"}},
		"bad value":    {"a", Profile{"output": "xml"}},
		"not a server": {"a", Profile{"store": "http://mfa1"}},
	} {
		t.Run(name, func(t *testing.T) {
			paths := clean(t)
			wantError(t, AddProfile(paths.File(), c.profile, c.values, true))
			if _, err := os.Stat(paths.File()); err == nil {
				t.Error("a refused profile made a file")
			}
		})
	}
	wantError(t, AddProfile("", "a", Profile{}, true), "no config file")
}

func TestUseProfileKeepsTheRest(t *testing.T) {
	paths := clean(t)
	write(t, paths.File(), two)
	if err := UseProfile(paths, "test"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(paths.File())
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{"# My stores.", "profile: test # the one in use", "# The hospital.", "output: csv", "pin: sha256:9b1f"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is gone from\n%s", want, text)
		}
	}
	if s := load(t, nil, paths); s.Store.Path != "/t/test.db" {
		t.Errorf("store %q", s.Store)
	}
	wantError(t, UseProfile(paths, "nope"), `"nope"`)
	if again, _ := os.ReadFile(paths.File()); string(again) != text {
		t.Error("a refused name changed the file")
	}
}

func TestUseProfileOfTheMachine(t *testing.T) {
	paths := clean(t)
	write(t, paths.System, "profiles: {site: {store: 'https://site'}}\n")
	if err := UseProfile(paths, "site"); err != nil {
		t.Fatal(err)
	}
	if s := load(t, nil, paths); s.Store.Display() != "https://site" {
		t.Errorf("store %q", s.Store)
	}
}

func TestEditLeavesWhatItCannotRead(t *testing.T) {
	paths := clean(t)
	for _, text := range []string{"issuer: x\n", "a: b: c\n", "- a\n"} {
		write(t, paths.File(), text)
		wantError(t, AddProfile(paths.File(), "a", Profile{"store": "https://a"}, true), paths.File())
		if data, _ := os.ReadFile(paths.File()); string(data) != text {
			t.Errorf("%q became %q", text, data)
		}
	}
}

func TestEditKeepsLoneComments(t *testing.T) {
	paths := clean(t)
	for _, text := range []string{"# mine", "# mine\n", "# mine\n---\n", "# mine\n\n"} {
		write(t, paths.File(), text)
		if err := AddProfile(paths.File(), "a", Profile{"store": "https://a"}, true); err != nil {
			t.Fatal(err)
		}
		data, _ := os.ReadFile(paths.File())
		if !strings.HasPrefix(string(data), "# mine\n") {
			t.Errorf("%q became %q", text, data)
		}
		if s := load(t, nil, paths); s.Store.Display() != "https://a" {
			t.Errorf("%q: store %q", text, s.Store)
		}
	}
}

func TestProfileNames(t *testing.T) {
	dir := t.TempDir()
	paths := Paths{Config: dir, System: filepath.Join(dir, "system.yaml")}
	if names := ProfileNames(paths); len(names) != 0 {
		t.Errorf("no files: %v", names)
	}
	for file, text := range map[string]string{
		paths.File(): "profiles:\n  b: {store: /b.db}\n  a: {store: /a.db}\n",
		paths.System: "profiles:\n  c: {store: /c.db}\n  a: {store: /x.db}\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if names := ProfileNames(paths); !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("names: %v", names)
	}
	if err := os.WriteFile(paths.File(), []byte("nonsense: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if names := ProfileNames(paths); names != nil {
		t.Errorf("bad file: %v", names)
	}
}
