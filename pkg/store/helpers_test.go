package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// noon is when the tests' transactions happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// newTestStore makes a store of its own for the test: in a file, or on
// PostgreSQL below TestOnPostgres and where benchmarks are told so.
func newTestStore(t testing.TB) (*Store, *clock) {
	t.Helper()
	if onPostgres(t) {
		return newStoreAt(t, pgtest.Database(t))
	}
	return newStoreAt(t, filepath.Join(t.TempDir(), "logiqc.db"))
}

func onPostgres(t testing.TB) bool {
	return strings.HasPrefix(t.Name(), "TestOnPostgres/") || strings.HasPrefix(t.Name(), "Benchmark") && *benchPostgres
}

func newStoreAt(t testing.TB, where string) (*Store, *clock) {
	t.Helper()
	c := &clock{noon}
	s, err := Create(t.Context(), where, Options{Now: c.now, Group: strings.HasPrefix(t.Name(), "TestInGroup/")}, func(tx *Tx) error {
		return tx.SetInfo(NewInfo("store-1", "logiqc/test/12345678", tx.Now()))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, c
}

// whereIs is where the store can be opened again.
func whereIs(s *Store) string {
	if e, ok := s.engine.(*pgEngine); ok {
		return e.config.ConnString()
	}
	return s.engine.(*sqliteEngine).path
}

// another opens the same store once more, as another process would.
func another(t testing.TB, s *Store) *Store {
	t.Helper()
	other, err := Open(whereIs(s), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	return other
}

// update and view run fn and fail the test with its error.
func update(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// newUser makes an account with every field set, so that a column that is
// mixed up with another shows.
func newUser(i int) *logiqc.User {
	return &logiqc.User{
		ID: fmt.Sprintf("id-%06d", i), Username: fmt.Sprintf("User%d", i), Email: fmt.Sprintf("User%d@Example.org", i),
		Name: fmt.Sprintf("Given%d Family%d", i, i), Phone: "+44 1", Role: logiqc.RoleUser, Status: logiqc.Active,
		Auth: logiqc.ByPassword, Protected: false, Toggle: true, ContactChangedAt: 11, ContactChangedBy: "helen",
		PasswordHash:     "$argon2id$x",
		PasswordThrottle: logiqc.Throttle{Misses: 1, Until: 12, Told: true},
		CodeThrottle:     logiqc.Throttle{Misses: 2, Until: 13, Told: false},
		ResetAt:          14, ResetBy: "ruth", ResetSeen: true, LastSuccessAt: 15,
		LastFailure: logiqc.Failure{At: 16, Reason: "wrong_password", Host: "desk-3"}, Version: 1, CreatedAt: 17, UpdatedAt: 18,
	}
}

// addUsers inserts n accounts made by newUser, changed by edit.
func addUsers(t testing.TB, s *Store, n int, edit func(i int, u *logiqc.User)) []*logiqc.User {
	t.Helper()
	all := make([]*logiqc.User, n)
	for i := range all {
		all[i] = newUser(i)
		if edit != nil {
			edit(i, all[i])
		}
	}
	update(t, s, func(tx *Tx) error { return tx.InsertUsers(all) })
	return all
}

// hashOf is some hash that differs with text.
func hashOf(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// wantCode fails unless err has the code.
func wantCode(t testing.TB, err error, code logiqc.Code) {
	t.Helper()
	if !errors.Is(err, code) {
		t.Fatalf("error %v, want %s", err, code)
	}
}

func noInit(*Tx) error { return nil }

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
