//go:build unix

package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

const patience = 300 * time.Millisecond

// impatient opens the store again, as somebody who does not wait for ever.
func impatient(t *testing.T, where string) *Store {
	t.Helper()
	s, err := Open(where, Options{Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// wantGivenUp fails unless err came when patience was over, and says how long
// that was.
func wantGivenUp(t *testing.T, err error, code logiqc.Code, start time.Time) {
	t.Helper()
	if took := time.Since(start); !errors.Is(err, code) || took < patience || took > 10*time.Second {
		t.Errorf("error %v after %s, want %s", err, took, code)
	}
	if code == logiqc.Unavailable && (!strings.Contains(err.Error(), patience.String()) || !strings.Contains(err.Error(), "nothing was changed")) {
		t.Errorf("error %v", err)
	}
}

// Who waits for another's turn waits no longer than they said; that it was not
// their turn changes nothing.
func TestPatienceForTheTurn(t *testing.T) {
	for name, where := range map[string]func() string{
		"sqlite":   func() string { return whereIs(first(newTestStore(t))) },
		"postgres": func() string { return whereIs(first(newStoreAt(t, pgtest.Database(t)))) },
	} {
		t.Run(name, func(t *testing.T) {
			dsn := where()
			holder, s := impatient(t, dsn), impatient(t, dsn)
			update(t, holder, func(*Tx) error { // what one does between two statements may take its time
				start := time.Now()
				wantGivenUp(t, s.Update(t.Context(), func(tx *Tx) error { return tx.InsertUser(newUser(1)) }), logiqc.Unavailable, start)
				return nil
			})
			update(t, s, func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
		})
	}
}

func first(s *Store, _ *clock) *Store { return s }

func TestPatienceWithStatements(t *testing.T) {
	s, _ := newStoreAt(t, pgtest.Database(t))
	s = impatient(t, whereIs(s))
	start := time.Now()
	err := s.View(t.Context(), func(tx *Tx) error { _, err := tx.one(`SELECT pg_sleep(20)`, nil, new(string)); return err })
	wantGivenUp(t, err, logiqc.Unavailable, start)
	update(t, s, func(tx *Tx) error { // none takes long: all of them may
		for range 4 {
			if _, err := tx.one(`SELECT pg_sleep(0.1)`, nil, new(string)); err != nil {
				return err
			}
		}
		return nil
	})
}

// A commit is waited for as long as the caller says, not as the server's
// statement_timeout does; what no standby confirms is not said to be done.
func TestPatienceWithStandby(t *testing.T) {
	pair := pgtest.NewPair(t)
	made, _ := newStoreAt(t, pair.DSN)
	s := impatient(t, whereIs(made))
	resume := pair.Standby.Stop(t, "walreceiver")
	start := time.Now()
	err := s.Update(t.Context(), func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
	wantGivenUp(t, err, logiqc.UnknownOutcome, start)
	if !strings.Contains(err.Error(), "no standby confirmed it") {
		t.Errorf("error %v", err)
	}
	if got := pgtest.Value(t, pair.Primary.DSN, `SELECT count(*) FROM account`); got != "1" {
		t.Errorf("%s accounts on the primary", got)
	}
	resume()
	update(t, s, func(tx *Tx) error { return tx.InsertUser(newUser(2)) })
	if got := pgtest.Value(t, pair.Standby.DSN, `SELECT pg_is_in_recovery()`); got != "true" {
		t.Errorf("the standby is none: %s", got)
	}
}

// While one server takes over from another, its clients wait for it and go on;
// those whose patience ends first are told that nobody is there.
func TestTakeoverIsWaitedFor(t *testing.T) {
	pair := pgtest.NewPair(t)
	made, _ := newStoreAt(t, pair.DSN)
	view(t, made, noInit)
	hasty := impatient(t, whereIs(made))
	pair.Primary.Kill(t)
	start := time.Now()
	if err := hasty.Update(t.Context(), noInit); !errors.Is(err, logiqc.Unavailable) || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took < patience || took > 5*time.Second {
		t.Errorf("it took %s to give up", took)
	}
	result := make(chan error, 1)
	go func() { result <- made.Update(t.Context(), func(tx *Tx) error { return tx.InsertUser(newUser(1)) }) }()
	select {
	case err := <-result:
		t.Fatalf("before anybody has taken over: %v", err)
	case <-time.After(time.Second):
	}
	pair.Standby.Promote(t)
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// A server that has become a standby is left for the one that took over, with
// every connection that lies idle.
func TestDemotedServerIsLeft(t *testing.T) {
	pair := pgtest.NewPair(t)
	s, _ := newStoreAt(t, pair.DSN)
	view(t, s, func(tx *Tx) error { return s.View(t.Context(), noInit) }) // two connections
	pgtest.Exec(t, pair.Standby.DSN, `SELECT pg_promote(true, 60)`)
	pgtest.Exec(t, pair.Primary.DSN, `ALTER SYSTEM SET default_transaction_read_only = on`)
	pgtest.Exec(t, pair.Primary.DSN, `SELECT pg_reload_conf()`)
	pgtest.Await(t, pair.Primary.DSN, `SHOW default_transaction_read_only`, "on")
	update(t, s, func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
	if got := pgtest.Value(t, pair.Standby.DSN, `SELECT count(*) FROM account`); got != "1" {
		t.Errorf("%s accounts on the new primary", got)
	}
}
