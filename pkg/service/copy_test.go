package service_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

func (d *desk) at(where string) service.Place {
	return service.Place{Where: where, Name: where, Options: store.Options{Now: d.Now}}
}

// raw opens the same store beside the desk, to do to it what a crash does.
func (d *desk) raw(t *testing.T, fn func(*store.Tx) error) {
	t.Helper()
	s, err := store.OpenSQLite(d.path, store.Options{Now: d.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// changes reports whether the store takes changes.
func (d *desk) changes(t *testing.T, user string) error {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	_, err = helen.AddUser(t.Context(), logiqc.NewUser{Request: given, Username: user, Email: user + "@example.org"})
	return err
}

// moved is the desk of a copy.
func (d *desk) moved(t *testing.T, where string) *desk {
	t.Helper()
	s, err := store.Open(where, store.Options{Now: d.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ring := func(string) (service.Keys, error) { return service.KeysIn(d.keys()), nil }
	return &desk{Desk: service.New(s, ring), clock: d.clock, path: where, init: d.init}
}

// counted counts the events of some actions.
func (d *desk) counted(t *testing.T, actions ...logiqc.Action) int {
	t.Helper()
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	page, err := helen.Events(t.Context(), logiqc.EventQuery{Actions: actions, Outcome: logiqc.Success})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Events)
}

// Wherever a move breaks off, at most one of the two stores takes changes, and
// the same call finishes it.
func TestMoveBrokenOff(t *testing.T) {
	for name, where := range map[string]func(t *testing.T) string{
		"file":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "new.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d := openDesk(t)
			to := d.at(where(t))
			vacant := func(string) error { return store.Vacant(t.Context(), to.Where) }

			// After the old store was closed, before the copy appeared.
			d.raw(t, func(tx *store.Tx) error { return tx.SetMoved(to.Name, false) })
			if err := d.changes(t, "a"); !errors.Is(err, logiqc.Moved) {
				t.Errorf("while it moves: %v", err)
			}
			if _, err := d.CopyTo(t.Context(), system, given, d.at("elsewhere.db"), nil); !errors.Is(err, logiqc.Moved) {
				t.Errorf("to another place: %v", err)
			}
			out, err := d.thaw(t, vacant)
			if err != nil || !out.Changed || out.GaveUp != to.Name || d.changes(t, "a") != nil {
				t.Fatalf("given up: %+v, %v", out, err)
			}
			m, err := d.CopyTo(t.Context(), system, given, to, nil)
			if err != nil || !m.Changed || m.Accounts != 2 {
				t.Fatalf("copied: %+v, %v", m, err)
			}
			there := d.moved(t, to.Where)
			if err := d.changes(t, "b"); !errors.Is(err, logiqc.Moved) {
				t.Errorf("after the move: %v", err)
			}
			if err := there.changes(t, "b"); err != nil {
				t.Errorf("after the move, there: %v", err)
			}

			// After the copy appeared, before the old store knew.
			d.raw(t, func(tx *store.Tx) error { return tx.SetMoved(to.Name, false) })
			if _, err := d.thaw(t, vacant); !errors.Is(err, logiqc.Moved) {
				t.Errorf("given up when it has arrived: %v", err)
			}
			unseen := logiqc.Errorf(logiqc.Unavailable, "the network is down")
			if _, err := d.thaw(t, func(string) error { return unseen }); !errors.Is(err, logiqc.Unavailable) {
				t.Errorf("given up unseen: %v", err)
			}
			if m, err = d.CopyTo(t.Context(), system, given, to, nil); err != nil || !m.Changed {
				t.Errorf("finished: %+v, %v", m, err)
			}
			if m, err = d.CopyTo(t.Context(), system, given, to, nil); err != nil || m.Changed {
				t.Errorf("and again: %+v, %v", m, err)
			}
			if _, err := d.thaw(t, vacant); !errors.Is(err, logiqc.Moved) {
				t.Errorf("thawed after it moved: %v", err)
			}
			if n := there.counted(t, logiqc.StoreCopied, logiqc.StoreThawed); n != 2 {
				t.Errorf("%d events tell of it", n)
			}
			there.Check(t)
			d.Check(t)
		})
	}
}

func (d *desk) thaw(t *testing.T, vacant func(string) error) (service.Thawed, error) {
	return d.Thaw(t.Context(), system, given, func(_ context.Context, to string) error { return vacant(to) })
}

// A store of somebody else's is in the place that a move was to.
func TestMoveToAnotherStore(t *testing.T) {
	d, other := openDesk(t), openDesk(t)
	other.happens(t, "jlee")
	to := d.at(other.path)
	d.raw(t, func(tx *store.Tx) error { return tx.SetMoved(to.Name, false) })
	if _, err := d.CopyTo(t.Context(), system, given, to, nil); !errors.Is(err, logiqc.Exists) {
		t.Errorf("moved there: %v", err)
	}
	if err := d.changes(t, "a"); !errors.Is(err, logiqc.Moved) {
		t.Errorf("changes: %v", err)
	}
	other.Check(t)
}

// A move of a frozen store that is given up leaves it frozen.
func TestMoveOfFrozen(t *testing.T) {
	d := openDesk(t)
	freeze := given
	freeze.Reason = "INC-1"
	if out, err := d.Freeze(t.Context(), system, freeze); !out.Changed || err != nil {
		t.Fatal(err)
	}
	to := d.at(filepath.Join(t.TempDir(), "new.db"))
	d.raw(t, func(tx *store.Tx) error { return tx.SetMoved(to.Name, false) })
	vacant := func(string) error { return store.Vacant(t.Context(), to.Where) }
	if out, err := d.thaw(t, vacant); err != nil || !out.Changed || !out.Frozen {
		t.Fatalf("%+v, %v", out, err)
	}
	if err := d.changes(t, "a"); !errors.Is(err, logiqc.Frozen) {
		t.Errorf("changes: %v", err)
	}
	d.Check(t)
	if _, err := d.CopyTo(t.Context(), system, given, to, nil); err != nil {
		t.Fatal(err)
	}
	there := d.moved(t, to.Where)
	if err := there.changes(t, "a"); !errors.Is(err, logiqc.Frozen) {
		t.Errorf("changes there: %v", err)
	}
	if out, err := there.thaw(t, vacant); err != nil || !out.Changed || out.Frozen || there.changes(t, "a") != nil {
		t.Errorf("thawed there: %+v, %v", out, err)
	}
	there.Check(t)
}

// A backup that is made while others write is of one moment, and whole.
func TestBackupUnderLoad(t *testing.T) {
	d := openDesk(t)
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	stop, written := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				written <- n
				return
			default:
			}
			user := fmt.Sprintf("u%d", n)
			if _, err := helen.AddUser(t.Context(), logiqc.NewUser{Request: given, Username: user, Email: user + "@example.org"}); err != nil {
				t.Error(err)
			}
		}
	}()
	var sizes []int64
	for i := range 5 {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", i))
		b, err := d.Backup(t.Context(), system, given, file, nil)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, b.Head.Size)
		copied := d.moved(t, file)
		if report, err := copied.Verify(t.Context(), nil); err != nil || !report.OK || report.Size != b.Head.Size || b.Checkpoint == "" {
			t.Errorf("backup %d: %+v, %v", i, report, err)
		}
		copied.Check(t)
	}
	close(stop)
	n := <-written
	if n == 0 || !slices.IsSorted(sizes) {
		t.Errorf("%d changes meanwhile, sizes %v", n, sizes)
	}
	d.Check(t)
}
