//go:build unix

package config

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// wantMode checks the permission bits of what the path itself is.
func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != want || info.Mode()&os.ModeSymlink != 0 {
		t.Errorf("%s: %v, want %v and no link", path, info.Mode(), want)
	}
}

// Whatever the umask allows, folders are 0700 and files 0600, new ones and
// ones that are written over.
func TestModesUnderAnyUmask(t *testing.T) {
	for _, umask := range []int{0o000, 0o002, 0o022, 0o077} {
		t.Run(fmt.Sprintf("%03o", umask), func(t *testing.T) {
			defer syscall.Umask(syscall.Umask(umask))
			paths := clean(t)
			store, err := ParseStore("https://mfa1")
			if err != nil {
				t.Fatal(err)
			}
			f := Session(paths, store)
			for range 2 {
				if err := f.Save("lqs_x"); err != nil {
					t.Fatal(err)
				}
				wantMode(t, f.Path, 0o600)
				wantMode(t, paths.State, 0o700)
			}
			for _, name := range []string{"a", "b"} {
				if err := AddProfile(paths.File(), name, Profile{"store": "https://a"}, true); err != nil {
					t.Fatal(err)
				}
				wantMode(t, paths.File(), 0o600)
				wantMode(t, paths.Config, 0o700)
				if err := os.Chmod(paths.File(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestLooseSessionRefused(t *testing.T) {
	for _, c := range []struct{ file, folder os.FileMode }{
		{0o640, 0o700}, {0o604, 0o700}, {0o620, 0o700}, {0o666, 0o700},
		{0o600, 0o755}, {0o600, 0o750}, {0o600, 0o701},
	} {
		f := session(t, "https://mfa1")
		if err := f.Save("lqs_x"); err != nil {
			t.Fatal(err)
		}
		path, want := f.Path, "chmod 600 "+f.Path
		if c.folder != 0o700 {
			path = filepath.Dir(f.Path)
			want = "chmod 700 " + path
		}
		chmod(t, f.Path, c.file)
		chmod(t, filepath.Dir(f.Path), c.folder)
		token, ok, err := f.Load()
		if hint := wantError(t, err, path); hint != want || ok || token != "" {
			t.Errorf("%+v: hint %q, want %q", c, hint, want)
		}
		if hint := wantError(t, CheckSessions(Paths{State: filepath.Dir(f.Path)}), path); hint != want {
			t.Errorf("%+v: CheckSessions hints %q, want %q", c, hint, want)
		}
		if c.folder != 0o700 {
			if hint := wantError(t, f.Save("lqs_y"), path); hint != want {
				t.Errorf("%+v: Save hints %q, want %q", c, hint, want)
			}
		}
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestLooseTokenFileRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, "lqc_hunter2")
	for _, mode := range []os.FileMode{0o400, 0o600, 0o640, 0o604, 0o666} {
		chmod(t, path, mode)
		token, err := ReadTokenFile(path)
		if mode&0o077 == 0 {
			if err != nil || token == "" {
				t.Errorf("%o: %v", mode, err)
			}
			continue
		}
		if hint := wantError(t, err, path); hint != "chmod 600 "+path || token != "" {
			t.Errorf("%o: hint %q", mode, hint)
		}
	}
}

// The chmod line can be pasted, whatever the folder is called.
func TestChmodLineCanBePasted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "St Mary's $HOME")
	write(t, path, "lqc_x")
	chmod(t, path, 0o644)
	_, err := ReadTokenFile(path)
	hint := wantError(t, err, path)
	if out, err := exec.Command("sh", "-c", hint).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", hint, err, out)
	}
	wantMode(t, path, 0o600)
}

// A named pipe that nobody writes to must not hold a command up.
func TestPipeIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadTokenFile(path)
	wantError(t, err, path, "not a file")
}

// A link that somebody laid where we write is replaced or refused; what it
// points to stays as it is.
func TestHostileLinks(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	lay := func(path string) {
		t.Helper()
		write(t, victim, `{"store":"https://mfa1","token":"lqs_planted"}`)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(victim, path); err != nil {
			t.Fatal(err)
		}
	}
	untouched := func() {
		t.Helper()
		if data, err := os.ReadFile(victim); err != nil || string(data) != `{"store":"https://mfa1","token":"lqs_planted"}` {
			t.Errorf("the link's target was changed: %s, %v", data, err)
		}
	}

	f := session(t, "https://mfa1")
	lay(f.Path)
	_, ok, err := f.Load()
	if wantError(t, err, f.Path, "link"); ok {
		t.Error("a planted session was taken")
	}
	if err := f.Save("lqs_own"); err != nil {
		t.Fatal(err)
	}
	untouched()
	wantMode(t, f.Path, 0o600)
	wantToken(t, f, "lqs_own")
	if err := f.Delete(); err != nil {
		t.Fatal(err)
	}
	lay(f.Path)
	if err := f.Delete(); err != nil {
		t.Fatal(err)
	}
	untouched()

	paths := clean(t)
	lay(paths.File())
	wantError(t, AddProfile(paths.File(), "a", Profile{"store": "https://a"}, true), paths.File(), "link")
	untouched()
}

// A write that cannot be finished leaves the old file and no litter.
func TestFailedWriteLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(target, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writePrivate(target, []byte("x")); err == nil {
		t.Fatal("a folder was written over")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}
