package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// session is the session file of a store in a new state folder.
func session(t *testing.T, address string) SessionFile {
	t.Helper()
	store, err := ParseStore(address)
	if err != nil {
		t.Fatal(err)
	}
	return Session(clean(t), store)
}

// wantToken checks what is saved; "" for nothing.
func wantToken(t *testing.T, f SessionFile, want string) {
	t.Helper()
	token, ok, err := f.Load()
	if err != nil || token.Reveal() != want || ok != (want != "") {
		t.Errorf("Load: %q, %v, %v; want %q", token.Reveal(), ok, err, want)
	}
}

func TestSession(t *testing.T) {
	f := session(t, "https://mfa1")
	wantToken(t, f, "")
	for _, token := range []string{"lqs_one", "lqs_two"} {
		if err := f.Save(Secret(token)); err != nil {
			t.Fatal(err)
		}
		wantToken(t, f, token)
	}
	data, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	var saved map[string]string
	if err := json.Unmarshal(data, &saved); err != nil || len(saved) != 2 || saved["store"] != "https://mfa1" || saved["token"] != "lqs_two" {
		t.Errorf("the file holds %s", data)
	}
	if entries, err := os.ReadDir(filepath.Dir(f.Path)); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, want the session alone", entries)
	}
	for range 2 { // the second time there is nothing to delete
		if err := f.Delete(); err != nil {
			t.Fatal(err)
		}
		wantToken(t, f, "")
	}
}

func TestSessionPerStore(t *testing.T) {
	paths := clean(t)
	open := func(address string) SessionFile {
		store, err := ParseStore(address)
		if err != nil {
			t.Fatal(err)
		}
		return Session(paths, store)
	}
	one, two := open("https://mfa1"), open("https://mfa2")
	if err := one.Save("lqs_one"); err != nil {
		t.Fatal(err)
	}
	wantToken(t, two, "")
	wantToken(t, open("https://MFA1:443/"), "lqs_one")
	if err := two.Save("lqs_two"); err != nil {
		t.Fatal(err)
	}
	wantToken(t, one, "lqs_one")
	if strings.Contains(open("postgres://u:hunter2@db1/x").Store, "hunter2") {
		t.Error("a session file would hold the store's password")
	}
	// A file that was copied over another store's is not used for it.
	if err := os.Rename(one.Path, two.Path); err != nil {
		t.Fatal(err)
	}
	_, _, err := two.Load()
	wantError(t, err, two.Path, "https://mfa2")
}

func TestSessionBroken(t *testing.T) {
	f := session(t, "https://mfa1")
	for _, text := range []string{"", "{", `{"store":"https://mfa1"}`, `{"store":"https://mfa1","token":7}`, "[]"} {
		write(t, f.Path, text)
		_, ok, err := f.Load()
		if wantError(t, err, f.Path); ok {
			t.Errorf("%q is a session", text)
		}
		if err := f.Save("lqs_new"); err != nil {
			t.Errorf("a broken file stands in the way: %v", err)
		}
		wantToken(t, f, "lqs_new")
	}
}

func TestSessionWithoutHome(t *testing.T) {
	f := session(t, "https://mfa1")
	f.Path = Session(Paths{}, Store{Kind: HTTPS, URL: "https://mfa1"}).Path
	wantToken(t, f, "")
	wantError(t, f.Save("lqs_x"), "cannot be saved")
	if err := f.Delete(); err != nil {
		t.Error(err)
	}
}

func TestReadTokenFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "token")
	for text, want := range map[string]string{"lqc_x": "lqc_x", "lqc_x\n": "lqc_x", " lqc_x \r\n": "lqc_x"} {
		write(t, path, text)
		token, err := ReadTokenFile(path)
		if err != nil || token.Reveal() != want {
			t.Errorf("%q: %q, %v", text, token.Reveal(), err)
		}
	}
	for _, text := range []string{"", "\n", "hunter2 two", "hunter2\ntwo\n", strings.Repeat("x", maxFile+1)} {
		write(t, path, text)
		_, err := ReadTokenFile(path)
		wantError(t, err, path)
	}
	link := filepath.Join(dir, "link") // as secrets are mounted
	write(t, path, "lqc_x")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if token, err := ReadTokenFile(link); err != nil || token.Reveal() != "lqc_x" {
		t.Errorf("through a link: %q, %v", token.Reveal(), err)
	}
	for path, says := range map[string]string{
		"-": "standard input", dir: "not a file", os.DevNull: "not a file", filepath.Join(dir, "none"): "cannot read",
	} {
		_, err := ReadTokenFile(path)
		wantError(t, err, says)
	}
}
