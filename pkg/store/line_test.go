package store

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Who reads the log in a shared transaction finds what others appended before,
// and takes nothing of that back when it fails.
func TestGroupLogIsWhole(t *testing.T) {
	s := newGroupStore(t)
	sentinel := errors.New("no")
	gather(t, s, 30, func(i int) {
		err := s.Update(t.Context(), func(tx *Tx) error {
			size, _, err := tx.Head()
			if err == nil && i%3 > 0 {
				var there int64
				if there, err = tx.LogSize(); there != size {
					t.Errorf("%d: %d events in a log of %d", i, there, size)
				}
			}
			if err = errors.Join(err, appendEvents(t, tx, i%4+1, nil)); err != nil {
				return err
			}
			if i%3 == 2 {
				return sentinel
			}
			return nil
		})
		if (i%3 == 2) != errors.Is(err, sentinel) || i%3 < 2 && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}).Wait()
	want := int64(0)
	for i := range 30 {
		if i%3 < 2 {
			want += int64(i%4 + 1)
		}
	}
	view(t, s, func(tx *Tx) error {
		size, _, err := tx.Head()
		there, err2 := tx.LogSize()
		if size != want || there != want {
			t.Errorf("a log of %d with %d events, want %d", size, there, want)
		}
		return errors.Join(err, err2)
	})
}

// What somebody may is what it is in their turn, whoever changed it in the same
// transaction or took a change back.
func TestGroupKnowsBearers(t *testing.T) {
	s := newGroupStore(t)
	people := addUsers(t, s, 1, nil)
	update(t, s, func(tx *Tx) error {
		return tx.InsertToken(Token{TokenInfo: logiqc.TokenInfo{ID: "a", Name: "ci"}, Hash: hashOf("a"), UserID: people[0].ID})
	})
	sentinel := errors.New("no")
	change := func(role logiqc.Role) func(*Tx) error {
		return func(tx *Tx) error {
			u, err := tx.UserByID(people[0].ID)
			u.Role = role
			return errors.Join(err, tx.UpdateUser(&u))
		}
	}
	steps := []struct {
		do      func(*Tx) error
		role    logiqc.Role
		revoked bool
	}{
		{func(*Tx) error { return nil }, logiqc.RoleUser, false},
		{change(logiqc.RoleAdmin), logiqc.RoleAdmin, false},
		{func(tx *Tx) error { return errors.Join(change(logiqc.RoleUser)(tx), sentinel) }, logiqc.RoleUser, false},
		{func(*Tx) error { return nil }, logiqc.RoleAdmin, false},
		{func(tx *Tx) error { _, err := tx.RevokeToken("a"); return err }, logiqc.RoleAdmin, true},
		{func(*Tx) error { return nil }, logiqc.RoleAdmin, true},
	}
	gather(t, s, len(steps), func(i int) {
		_ = s.Update(t.Context(), func(tx *Tx) error {
			if _, err := tx.TokenByID("a"); err != nil {
				return err
			}
			err := steps[i].do(tx)
			k, err2 := tx.TokenByID("a")
			if k.Holder.Role != steps[i].role || (k.RevokedAt != 0) != steps[i].revoked || err2 != nil {
				t.Errorf("%d: %+v, %v", i, k, err2)
			}
			return err
		})
	}).Wait()
}

// However many read at once, few connections stay open; a reader that fails or
// panics harms none that comes after.
func TestReadersAreKept(t *testing.T) {
	s, _ := newTestStore(t)
	addUsers(t, s, 1, nil)
	var done sync.WaitGroup
	var all sync.WaitGroup
	all.Add(3 * readersKept)
	for i := range 3 * readersKept {
		done.Go(func() {
			defer func() { _ = recover() }()
			_ = s.View(context.Background(), func(tx *Tx) error {
				all.Done()
				all.Wait() // all at once
				if i%3 == 0 {
					panic("oops")
				}
				_, err := tx.UserByID("id-000000")
				return errors.Join(err, tx.SetPolicy(logiqc.DefaultPolicy())) // which cannot be written
			})
		})
	}
	done.Wait()
	if n := len(s.readers.idle); n > readersKept {
		t.Errorf("%d readers are kept", n)
	}
	db, err := s.db(false)
	if err != nil || db.Stats().OpenConnections > readersKept {
		t.Errorf("%d connections are open, %v", db.Stats().OpenConnections, err)
	}
	for range 2 * readersKept {
		view(t, s, func(tx *Tx) error { _, err := tx.UserByID("id-000000"); return err })
	}
	addUsers(t, s, 1, func(_ int, u *logiqc.User) { u.ID, u.Username, u.Email = "x", "x", "x@x" })
	view(t, s, func(tx *Tx) error { _, err := tx.UserByID("x"); return err }) // no reader is stuck in the past
}

// An import that fails leaves a server's connection no larger than it was.
func TestFailedBulkFreesMemory(t *testing.T) {
	s := newGroupStore(t)
	sentinel := errors.New("no")
	for name, end := range map[string]func(*Tx) error{
		"fails":  func(*Tx) error { return sentinel },
		"panics": func(*Tx) error { panic("oops") },
		"ends":   func(tx *Tx) error { return tx.EndBulk() },
	} {
		func() {
			defer func() { _ = recover() }()
			_ = s.Update(t.Context(), func(tx *Tx) error {
				if err := tx.BeginBulk(); err != nil {
					return err // the first time: not alone
				}
				err := tx.InsertUser(newUser(len(name)))
				if size := cacheSize(t, s); size != "-256000" {
					t.Errorf("%s: it began with a cache of %s", name, size)
				}
				return errors.Join(err, end(tx))
			})
		}()
		if size := cacheSize(t, s); size != "-2000" {
			t.Errorf("%s: the cache is %s afterwards", name, size)
		}
	}
}

func cacheSize(t *testing.T, s *Store) (size string) {
	t.Helper()
	if err := s.group.conn.QueryRowContext(t.Context(), `PRAGMA cache_size`).Scan(&size); err != nil {
		t.Error(err)
	}
	return size
}
