//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Whatever the umask, the files are their owner's alone (S-79).
func TestModes(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		old := syscall.Umask(mask)
		defer syscall.Umask(old)
		dir := t.TempDir()
		_ = os.Chmod(dir, 0o700)
		path := filepath.Join(dir, "new", "folder", "logiqc.db")
		if mask != 0 { // folders that may not even be entered are no place for a test
			path = filepath.Join(dir, "logiqc.db")
		}
		s, _ := newStoreAt(t, path)
		update(t, s, func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(files) != 4 {
			t.Errorf("%d files, %v; want db, -wal, -shm, .lock", len(files), err)
		}
		for _, f := range files {
			info, err := f.Info()
			if err != nil || info.Mode().Perm()&^0o600 != 0 {
				t.Errorf("umask %o: %s has mode %v, %v", mask, f.Name(), info.Mode(), err)
			}
		}
		if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("folder has mode %v, %v", info.Mode(), err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a store.db")
	newStoreAt(t, path)
	for name, c := range map[string]struct {
		prepare func() string
		message string
		hint    string
	}{
		"nothing there": {func() string { return filepath.Join(dir, "none.db") }, "there is no store", "logiqc init"},
		"a folder":      {func() string { return dir }, "not a plain file", ""},
		"a link": {func() string {
			_ = os.Symlink(path, filepath.Join(dir, "link.db"))
			return filepath.Join(dir, "link.db")
		}, "symbolic link", ""},
		"below a file": {func() string { return filepath.Join(path, "logiqc.db") }, "cannot be opened: not a directory", ""},
		"a loose mode": {func() string { _ = os.Chmod(path, 0o640); return path }, "mode 0640", "chmod 600 '" + path + "'"},
		"a loose log": {func() string {
			_ = os.Chmod(path, 0o600)
			_ = os.WriteFile(path+"-wal", nil, 0o600)
			_ = os.Chmod(path+"-wal", 0o604)
			return path
		}, "mode 0604", "chmod 600 '" + path + "-wal'"},
		"a loose index of the log": {func() string {
			loose := filepath.Join(dir, "b store.db")
			newStoreAt(t, loose)
			_ = os.WriteFile(loose+"-shm", nil, 0o600)
			_ = os.Chmod(loose+"-shm", 0o640)
			return loose
		}, "mode 0640", "-shm'"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := c.prepare()
			_, err := OpenSQLite(asked, Options{})
			wantCode(t, err, logiqc.Unavailable)
			if e := logiqc.AsError(err); !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) || strings.Count(e.Message, asked) != 1 {
				t.Errorf("%q, hint %q", e.Message, e.Hint)
			}
		})
	}
}

// On a disk that can only be read the path of the lock stood there twice.
func TestReadOnlyDisk(t *testing.T) {
	const path = "/mnt/logiqc.db.lock"
	err := explainFile(path, &fs.PathError{Op: "open", Path: path, Err: syscall.EROFS})
	if want := path + " is on a disk that can only be read; nothing was changed: read-only file system"; err.Error() != want || !errors.Is(err, syscall.EROFS) {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.db", "b.db-wal", "c.db-shm", "d.db-journal"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		base, _, _ := strings.Cut(path, "-")
		_, err := CreateSQLite(t.Context(), base, Options{}, noInit)
		wantCode(t, err, logiqc.Exists)
		if raw, err := os.ReadFile(path); string(raw) != "mine" || err != nil {
			t.Errorf("%s holds %q, %v", name, raw, err)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 4 {
		t.Errorf("%d files, want the 4 from before", len(files))
	}
}

func TestCreateFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logiqc.db")
	sentinel := errors.New("no")
	_, err := CreateSQLite(t.Context(), path, Options{}, func(tx *Tx) error {
		return errors.Join(tx.InsertUser(newUser(1)), sentinel)
	})
	if !errors.Is(err, sentinel) {
		t.Errorf("error %v", err)
	}
	if files, _ := filepath.Glob(path + "*"); len(files) != 1 || files[0] != path+".lock" {
		t.Errorf("left behind: %q", files)
	}
	// What a crash left is cleared away.
	for _, suffix := range []string{".new", ".new-wal", ".new-journal"} {
		if err := os.WriteFile(path+suffix, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	newStoreAt(t, path)
	if files, _ := filepath.Glob(path + ".new*"); len(files) != 0 {
		t.Errorf("left behind: %q", files)
	}
}

func TestNoStore(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content string
		code    logiqc.Code
	}{
		"empty": {"", logiqc.Unavailable}, "text": {strings.Repeat("hello world ", 500), logiqc.Unavailable},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := OpenSQLite(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(t.Context(), noInit)
		wantCode(t, err, c.code)
		if !strings.Contains(err.Error(), "not a store of logiqc") {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if raw, err := os.ReadFile(path); string(raw) != c.content || err != nil {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestDamagedStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logiqc.db")
	s, _ := newStoreAt(t, path)
	addUsers(t, s, 2000, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, _ := f.Stat()
	junk := strings.Repeat("\xff", 4096)
	for at := int64(8 * 4096); at+4096 <= info.Size(); at += 4096 {
		if _, err := f.WriteAt([]byte(junk), at); err != nil {
			t.Fatal(err)
		}
	}
	_ = f.Close()
	err = s.View(t.Context(), func(tx *Tx) error {
		_, _, err := tx.Find(logiqc.UserQuery{}, logiqc.DefaultPolicy())
		return err
	})
	wantCode(t, err, logiqc.Integrity)
}

// Every connection is set as it must be (S-80, S-81): what that is is written
// down here a second time.
func TestConnections(t *testing.T) {
	s, _ := newTestStore(t)
	for write, want := range map[bool]map[string]string{
		true: {"busy_timeout": "2000", "journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0",
			"secure_delete": "1", "recursive_triggers": "1", "query_only": "0"},
		false: {"busy_timeout": "2000", "journal_mode": "wal", "trusted_schema": "0"},
	} {
		db, err := s.db(write)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range want {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != value {
				t.Errorf("writing %t: %s is %q, %v, want %s", write, name, got, err, value)
			}
		}
		if _, err := db.ExecContext(t.Context(), `PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = sql`); err == nil {
			t.Errorf("writing %t: the schema can be rewritten", write)
		}
	}
	for have, want := range map[string]bool{"3.51.3": true, "3.54.1": true, "4.0": true, "3.51.2": false, "3.9.9": false, "3.51": false} {
		if atLeast(have, oldestSQLite) != want {
			t.Errorf("%s counts as new enough: %t", have, !want)
		}
	}
	c := &connector{path: s.engine.(*sqliteEngine).path, mode: "rw", pragmas: []pragma{{"journal_mode", "memory"}}}
	if conn, err := c.Connect(t.Context()); err == nil {
		_ = conn.Close()
		t.Error("a setting that did not take was not noticed")
	}
}

// A store that is moved away, or put back from a copy, below a program that has it
// open is neither read nor written by it any more: what it would tell is not what
// others see, and what it acknowledged would be lost. Where it was it goes on.
func TestMovedFile(t *testing.T) {
	for _, group := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "logiqc.db")
		newStoreAt(t, path)
		s, err := OpenSQLite(path, Options{Group: group})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		both := func(want error) {
			t.Helper()
			nothing := func(*Tx) error { return nil }
			if view, update := s.View(t.Context(), nothing), s.Update(t.Context(), nothing); !errors.Is(view, want) || !errors.Is(update, want) {
				t.Errorf("in a group %t: a read %v, a change %v; want %v", group, view, update, want)
			}
		}
		both(nil)
		away := filepath.Join(t.TempDir(), "away.db")
		if err := os.Rename(path, away); err != nil {
			t.Fatal(err)
		}
		both(logiqc.Unavailable)
		data, err := os.ReadFile(away)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		both(logiqc.Unavailable)
		if err := os.Rename(away, path); err != nil {
			t.Fatal(err)
		}
		both(nil)
	}
}
