//go:build unix

package store

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

var crashes = flag.Int("crashes", 12, "how often the crash tests kill a process")

// TestMain lets the test binary be run again as a process that works on a
// store: STORE_TEST_JOB says what to do, STORE_TEST_PATH on which file.
func TestMain(m *testing.M) {
	if job := os.Getenv("STORE_TEST_JOB"); job != "" {
		if err := jobs[job](os.Getenv("STORE_TEST_PATH")); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var jobs = map[string]func(path string) error{
	"create": func(path string) error {
		s, err := Create(context.Background(), path, Options{}, fillMany)
		return errors.Join(err, closeIf(s))
	},
	"append":  func(path string) error { return appendForever(path, 1, 25) },
	"forever": func(path string) error { return appendForever(path, 1, 1<<30) },
	"group":   func(path string) error { return appendForever(path, 8, 1<<30) },
	"read": func(path string) error {
		s, err := OpenSQLite(path, Options{})
		if err != nil {
			return err
		}
		err = s.View(context.Background(), func(tx *Tx) error {
			u, err := tx.UserExact("user1")
			fmt.Println("read", u.Username)
			return err
		})
		if err == nil {
			err = s.Update(context.Background(), func(tx *Tx) error { return tx.InsertUser(newUser(7)) })
			fmt.Println("write", logiqc.AsError(err).Code, err)
			err = nil
		}
		return errors.Join(err, s.Close())
	},
}

func closeIf(s *Store) error {
	if s == nil {
		return nil
	}
	return s.Close()
}

// fillMany makes a first transaction that takes a while.
func fillMany(tx *Tx) error {
	batch := make([]*logiqc.User, 400)
	for i := range batch {
		batch[i] = newUser(i)
	}
	if err := tx.InsertUsers(batch); err != nil {
		return err
	}
	return tx.SetInfo(NewInfo("whole", "o", tx.Now()))
}

// appendForever changes an account and appends an event, n times, each in a
// transaction, and says so after each commit; so many at once, as a group.
func appendForever(path string, writers, n int) error {
	s, err := Open(path, Options{Group: writers > 1})
	if err != nil {
		return err
	}
	var done sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		done.Go(func() {
			for i := 0; i < n && errs[w] == nil; i++ {
				errs[w] = s.Update(context.Background(), func(tx *Tx) error {
					u, err := tx.UserExact("user0")
					if err != nil {
						return err
					}
					u.Phone = fmt.Sprint(u.Version)
					return errors.Join(tx.UpdateUser(&u), appendEvents(&testing.T{}, tx, 1, nil))
				})
				if errs[w] == nil {
					fmt.Println("committed")
				}
			}
		})
	}
	done.Wait()
	return errors.Join(errors.Join(errs...), s.Close())
}

// child starts the test binary on a job.
func child(t *testing.T, job, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_JOB="+job, "STORE_TEST_PATH="+path)
	return cmd
}

// soon kills a process after up to so many milliseconds.
func soon(t *testing.T, cmd *exec.Cmd, most int) {
	t.Helper()
	time.Sleep(time.Duration(rand.IntN(most)) * time.Millisecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// A kill at any moment of the making leaves a whole store or none, and the
// next try makes one.
func TestCreateKilled(t *testing.T) {
	for i := range *crashes {
		path := filepath.Join(t.TempDir(), "logiqc.db")
		cmd := child(t, "create", path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		soon(t, cmd, 150)
		s, err := CreateSQLite(t.Context(), path, Options{}, fillMany)
		if errors.Is(err, logiqc.Exists) {
			s, err = OpenSQLite(path, Options{})
		}
		if err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
		view(t, s, func(tx *Tx) error {
			info, err := tx.Info()
			n, err2 := tx.count(`SELECT count(*) FROM account`)
			if info.ID != "whole" || n != 400 {
				t.Errorf("try %d: %+v with %d accounts", i, info, n)
			}
			return errors.Join(err, err2)
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A kill at any moment of writing loses nothing that was acknowledged and
// leaves no half of a transaction.
func TestUpdateKilled(t *testing.T) { updateKilled(t, "forever") }

// The same holds when several share a commit.
func TestGroupKilled(t *testing.T) { updateKilled(t, "group") }

func updateKilled(t *testing.T, job string) {
	s, _ := newTestStore(t)
	path := whereIs(s)
	addUsers(t, s, 1, nil)
	acknowledged := int64(0)
	for i := range *crashes {
		cmd := child(t, job, path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := func() {
			time.AfterFunc(time.Duration(10+rand.IntN(120))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		late := i%2 == 0 // killed once it has committed: a slow machine may not get as far in time
		if !late {
			kill()
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() != "committed" {
				t.Fatalf("try %d: %s", i, lines.Text())
			}
			if late {
				kill()
				late = false
			}
			acknowledged++
		}
		_ = cmd.Wait()
		view(t, s, func(tx *Tx) error {
			size, _, err := tx.Head()
			events, err2 := tx.LogSize()
			u, err3 := tx.UserExact("user0")
			hashes, err4 := tx.count(`SELECT count(*) FROM log_hash`)
			if size < acknowledged || events != size || u.Version != size+1 || int64(hashes) != 2*size {
				t.Errorf("try %d: %d acknowledged, head %d, %d events, version %d, %d hashes",
					i, acknowledged, size, events, u.Version, hashes)
			}
			acknowledged = size // some more may have been committed than it could say
			return errors.Join(err, err2, err3, err4)
		})
	}
	if acknowledged == 0 {
		t.Error("no process got as far as a commit")
	}
}

// Twenty processes at once append to one log: nobody fails, nothing is lost.
func TestManyProcesses(t *testing.T) {
	s, _ := newTestStore(t)
	path := whereIs(s)
	addUsers(t, s, 1, nil)
	var all []*exec.Cmd
	var outs []*strings.Builder
	for range 20 {
		cmd, out := child(t, "append", path), new(strings.Builder)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all, outs = append(all, cmd), append(outs, out)
	}
	for i, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, outs[i])
		}
	}
	view(t, s, func(tx *Tx) error {
		size, _, err := tx.Head()
		n, err2 := tx.LogSize()
		u, err3 := tx.UserExact("user0")
		if size != 500 || n != 500 || u.Version != 501 {
			t.Errorf("head %d, %d events, version %d; want 500", size, n, u.Version)
		}
		return errors.Join(err, err2, err3)
	})
}

// Who may only read the folder can read the store there, if nobody has it
// open, and is told plainly that writing is not to be.
func TestReadOnly(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("takes root, to become somebody who may not write")
	}
	dir, err := os.MkdirTemp("", "readonly") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "logiqc.db")
	s, _ := newStoreAt(t, path)
	addUsers(t, s, 2, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test")
	raw, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	if err := errors.Join(os.WriteFile(binary, raw, 0o755), os.Chmod(binary, 0o755),
		os.Remove(path+".lock"), os.Chown(path, nobody, nobody), os.Chmod(path, 0o400), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "read", path)
	cmd.Path, cmd.Dir = binary, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "read User1") || !strings.Contains(string(out), "write unavailable") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestFullDisk(t *testing.T) {
	s, _ := newTestStore(t)
	db, err := s.db(true)
	if err != nil {
		t.Fatal(err)
	}
	var pages string // SQLite's own limit fails as a full disk does
	if err := db.QueryRowContext(t.Context(), `PRAGMA max_page_count = 1`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx *Tx) error {
		for i := range 5000 {
			if err := tx.InsertUser(newUser(i)); err != nil {
				return err
			}
		}
		return nil
	})
	wantCode(t, err, logiqc.Unavailable)
	if !strings.Contains(err.Error(), "is full; nothing was changed") {
		t.Errorf("error %v", err)
	}
	view(t, s, func(tx *Tx) error {
		n, err := tx.count(`SELECT count(*) FROM account`)
		if n != 0 {
			t.Errorf("%d accounts are left of it", n)
		}
		return err
	})
}
