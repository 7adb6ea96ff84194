package store

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func TestInfoAndPolicy(t *testing.T) {
	s, _ := newTestStore(t)
	view(t, s, func(tx *Tx) error {
		i, err := tx.Info()
		want := Info{ID: "store-1", Schema: schemaVersion, Origin: "logiqc/test/12345678", CreatedAt: logiqc.At(noon)}
		if i != want {
			t.Errorf("info %+v, want %+v", i, want)
		}
		if p, _ := tx.Policy(); p != logiqc.DefaultPolicy() {
			t.Errorf("policy of a new store is %+v", p)
		}
		return err
	})
	want := logiqc.DefaultPolicy()
	want.Enforced, want.SessionTTL, want.BulkMax, want.Reasons = false, 90*time.Minute, 7, "new phone,lost"
	want.EnrolmentCode, want.CodeTTL = logiqc.CodeAlways, time.Hour
	want.Issuer = "Example Ltd"
	for range 2 { // set, and set again
		update(t, s, func(tx *Tx) error { return tx.SetPolicy(want) })
	}
	view(t, s, func(tx *Tx) error {
		got, err := tx.Policy()
		if got != want {
			t.Errorf("policy %+v, want %+v", got, want)
		}
		return err
	})
	update(t, s, func(tx *Tx) error {
		_, err := tx.exec(`UPDATE policy SET value = 'maybe' WHERE key = 'mfa.enforced'`)
		return err
	})
	wantCode(t, s.View(t.Context(), func(tx *Tx) error { _, err := tx.Policy(); return err }), logiqc.Integrity)
}

func TestOneNow(t *testing.T) {
	s, c := newTestStore(t)
	view(t, s, func(tx *Tx) error {
		before := tx.Now()
		c.at = c.at.Add(time.Hour)
		if tx.Now() != before || before != logiqc.At(noon) {
			t.Errorf("now %s, then %s", before, tx.Now())
		}
		return nil
	})
}

func TestUpdateRollsBack(t *testing.T) {
	s, _ := newTestStore(t)
	sentinel := errors.New("no")
	err := s.Update(t.Context(), func(tx *Tx) error {
		return errors.Join(tx.InsertUser(newUser(1)), sentinel)
	})
	if !errors.Is(err, sentinel) {
		t.Fatalf("error %v", err)
	}
	func() {
		defer func() {
			if r := recover(); r != "oops" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = s.Update(t.Context(), func(tx *Tx) error {
			if err := tx.InsertUser(newUser(1)); err != nil {
				t.Error(err)
			}
			panic("oops")
		})
	}()
	update(t, s, func(tx *Tx) error { // and neither holds a lock
		_, err := tx.UserByID(newUser(1).ID)
		wantCode(t, err, logiqc.NotFound)
		return nil
	})
}

func TestViewCannotWrite(t *testing.T) {
	s, _ := newTestStore(t)
	err := s.View(t.Context(), func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
	wantCode(t, err, logiqc.Unavailable)
}

func TestUpdateWaits(t *testing.T) {
	s, _ := newTestStore(t)
	other := another(t, s)
	for name, waiting := range map[string]*Store{"same process queue": s, "queue of processes": other} {
		t.Run(name, func(t *testing.T) {
			holding, release := make(chan struct{}), make(chan struct{})
			var done sync.WaitGroup
			done.Go(func() {
				_ = s.Update(context.Background(), func(*Tx) error { close(holding); <-release; return nil })
			})
			<-holding
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			err := waiting.Update(ctx, func(*Tx) error { t.Error("ran"); return nil })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the context's", err)
			}
			close(release)
			done.Wait()
			update(t, waiting, func(*Tx) error { return nil })
		})
	}
}

func TestContextEndsTransaction(t *testing.T) {
	s, _ := newTestStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx *Tx) error {
		if err := tx.InsertUser(newUser(1)); err != nil {
			return err
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	view(t, s, func(tx *Tx) error {
		_, err := tx.UserByID(newUser(1).ID)
		wantCode(t, err, logiqc.NotFound)
		return nil
	})
}

func TestForeignWriter(t *testing.T) {
	s, _ := newTestStore(t)
	db, err := s.db(true) // a program that knows nothing of the side file
	if err != nil {
		t.Fatal(err)
	}
	raw, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	other := another(t, s)
	time.AfterFunc(100*time.Millisecond, func() { _ = raw.Rollback() })
	update(t, other, func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
}

func TestUsersRoundTrip(t *testing.T) {
	s, _ := newTestStore(t)
	want := newUser(1)
	update(t, s, func(tx *Tx) error { return tx.InsertUser(want) })
	if want.N != 1 {
		t.Errorf("number %d, want 1", want.N)
	}
	view(t, s, func(tx *Tx) error {
		got, err := tx.UserByID(want.ID)
		if !reflect.DeepEqual(got, *want) {
			t.Errorf("got  %+v\nwant %+v", got, *want)
		}
		return err
	})
}

func TestSchemaVersions(t *testing.T) {
	migrations := "goose_db_version"
	if onPostgres(t) {
		migrations = migrationTable
	}
	migrated := `INSERT INTO ` + migrations + ` (version_id, is_applied, tstamp) VALUES ($1, TRUE, CURRENT_TIMESTAMP)`
	for _, c := range []struct {
		made    string
		version int
		word    string
	}{
		{`UPDATE store SET schema = $1`, schemaVersion + 1, "newer"},
		{`UPDATE store SET schema = $1`, schemaVersion - 1, "older"},
		{migrated, schemaVersion + 1, "newer"}, // an upgrade that was killed before its end
	} {
		s, _ := newTestStore(t)
		update(t, s, func(tx *Tx) error { _, err := tx.exec(c.made, c.version); return err })
		for name, try := range map[string]func(context.Context, func(*Tx) error) error{"view": s.View, "update": s.Update} {
			err := try(t.Context(), func(*Tx) error { t.Error("ran"); return nil })
			wantCode(t, err, logiqc.Unavailable)
			if !strings.Contains(err.Error(), c.word) {
				t.Errorf("%s: %v, want %q", name, err, c.word)
			}
		}
	}
}
