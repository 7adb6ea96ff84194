package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// clean empties every variable that Load looks at, for the length of the test,
// and answers with paths in a new folder.
func clean(t *testing.T) Paths {
	t.Helper()
	for _, k := range Keys() {
		for _, variable := range k.variables() {
			t.Setenv(variable, "")
		}
	}
	dir := t.TempDir()
	return Paths{
		Config: filepath.Join(dir, "config", "logiqc"),
		Data:   filepath.Join(dir, "data", "logiqc"),
		State:  filepath.Join(dir, "state", "logiqc"),
		System: filepath.Join(dir, "etc", "config.yaml"),
	}
}

// write makes a file, mode 0600, and its folder.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// load is Load for a case that must succeed.
func load(t *testing.T, flags Flags, paths Paths) *Settings {
	t.Helper()
	s, err := Load(flags, paths)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return s
}

// wantError checks that err is an Error whose message holds each of the words
// and none of the secrets of the tests; it answers with the hint.
func wantError(t *testing.T, err error, words ...string) (hint string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want a config.Error", err, err)
	}
	for _, word := range words {
		if !strings.Contains(e.Message, word) {
			t.Errorf("message %q does not name %q", e.Message, word)
		}
	}
	if strings.Contains(e.Message+e.Hint, "hunter2") {
		t.Errorf("message %q, hint %q: a password is shown", e.Message, e.Hint)
	}
	return e.Hint
}

// shown is the line of View for a key.
func shown(t *testing.T, s *Settings, key string) Setting {
	t.Helper()
	for _, line := range s.View() {
		if line.Key == key {
			return line
		}
	}
	t.Fatalf("View has no line for %s", key)
	return Setting{}
}
