//go:build unix

package seal

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// The umask is the whole process's: no test here runs in parallel.
func TestModesUnderAnyUmask(t *testing.T) {
	for _, mask := range []int{0, 0o002, 0o022, 0o077, 0o277} {
		dir := filepath.Join(t.TempDir(), "keys")
		old := syscall.Umask(mask)
		if mask&0o700 != 0 { // a folder we could not use is the caller's to make
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		err := Create(dir)
		syscall.Umask(old)
		if err != nil {
			t.Errorf("umask %03o: %v", mask, err)
			continue
		}
		if d, f := modeOf(t, dir), modeOf(t, filepath.Join(dir, File)); d != 0o700 || f != 0o600 {
			t.Errorf("umask %03o: folder %o, file %o", mask, d, f)
		}
		onlyFile(t, dir)
	}
}

func TestLooseModes(t *testing.T) {
	_, dir := newBox(t)
	path := filepath.Join(dir, File)
	for _, tc := range []struct {
		path        string
		mode, right fs.FileMode
		mend        string
	}{
		{path, 0o644, 0o600, "chmod 600 " + path}, {path, 0o640, 0o600, "chmod 600"}, {path, 0o602, 0o600, "chmod 600"},
		{path, 0o700, 0o600, "chmod 600"}, {path, 0o044, 0o600, "chmod 600"},
		{dir, 0o755, 0o700, "chmod 700 " + dir}, {dir, 0o710, 0o700, "chmod 700"}, {dir, 0o701, 0o700, "chmod 700"},
	} {
		if err := os.Chmod(tc.path, tc.mode); err != nil {
			t.Fatal(err)
		}
		box, err := Open(dir)
		if !errors.Is(err, ErrLooseMode) || box != nil || !strings.Contains(err.Error(), tc.mend) {
			t.Errorf("%s at %o: %v", tc.path, tc.mode, err)
		}
		if err := os.Chmod(tc.path, tc.right); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err != nil {
		t.Errorf("a stricter mode is refused: %v", err)
	}
	loose := filepath.Join(t.TempDir(), "loose")
	if err := os.Mkdir(loose, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(loose, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Create(loose); !errors.Is(err, ErrLooseMode) || !strings.Contains(err.Error(), "chmod 700 "+loose) {
		t.Errorf("a key in an open folder: %v", err)
	}
	if entries, err := os.ReadDir(loose); err != nil || len(entries) != 0 {
		t.Errorf("a key was written into an open folder: %v, %v", entries, err)
	}
}

// The line that the error gives mends it, also where a path needs quoting.
func TestChmodLineWorks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a $HOME; folder")
	if err := Create(dir); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, File)} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if !errors.Is(err, ErrLooseMode) {
			t.Fatal(err)
		}
		_, line, _ := strings.Cut(err.Error(), "run: ")
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", line, err, out)
		}
		if _, err := Open(dir); err != nil {
			t.Errorf("after %s: %v", line, err)
		}
	}
}

func TestSymlinks(t *testing.T) {
	_, dir := newBox(t)
	path := filepath.Join(dir, File)
	real := filepath.Join(dir, "real.json")
	if err := os.Rename(path, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, path); err != nil {
		t.Fatal(err)
	}
	if box, err := Open(dir); err == nil || box != nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a linked seal.json: %v", err)
	}
	// A dangling link is not written through either.
	target := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	if err := Create(dir); !errors.Is(err, ErrExists) {
		t.Errorf("Create over a dangling link: %v", err)
	}
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key was written through a link: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := CheckMode(link, 0o700); err == nil {
		t.Error("a linked folder passes")
	}
}

// A pipe in place of a key file is refused, and not waited for.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := ReadFile(path); done <- err }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "neither") {
			t.Errorf("a pipe: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("waits for the pipe")
	}
}

// foreign is a file's information under another owner.
type foreign struct {
	fs.FileInfo
	uid uint32
}

func (f foreign) Sys() any { return &syscall.Stat_t{Uid: f.uid} }

func TestOwner(t *testing.T) {
	_, dir := newBox(t)
	info, err := os.Lstat(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		owner uint32
		us    int
		other bool
	}{
		{1000, 1000, false}, {0, 1000, false}, {1001, 1000, true}, {1000, 0, false}, {0, 0, false},
	} {
		if uid, other := foreignOwner(foreign{info, tc.owner}, tc.us); uid != tc.owner || other != tc.other {
			t.Errorf("owner %d, we are %d: %d, %v", tc.owner, tc.us, uid, other)
		}
	}
	us := os.Geteuid()
	err = check(dir, foreign{info, uint32(us) + 1}, 0o700)
	if us != 0 && (!errors.Is(err, ErrLooseMode) || !strings.Contains(err.Error(), "chown")) || us == 0 && err != nil {
		t.Errorf("somebody else's folder, we are %d: %v", us, err)
	}
}
