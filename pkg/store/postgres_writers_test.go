//go:build unix

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// Without another clock, now is the database's, and a later turn is never
// earlier: this machine's has nothing to do with it.
func TestPostgresClock(t *testing.T) {
	s, _ := newStoreAt(t, pgtest.Database(t))
	other := another(t, s)
	var last logiqc.Time
	for range 3 {
		var within logiqc.Time
		update(t, other, func(tx *Tx) error {
			_, err := tx.one(`SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`, nil, &within)
			if tx.Now() < last || tx.Now() > within || within-tx.Now() > 5000 {
				t.Errorf("now %d, then %d; before it was %d", tx.Now(), within, last)
			}
			last = tx.Now()
			return err
		})
		view(t, other, func(tx *Tx) error {
			if tx.Now() < last {
				t.Errorf("a view's now %d is before %d", tx.Now(), last)
			}
			return nil
		})
	}
}

// What is read in a turn is what all turns before it wrote, however long it was
// waited for.
func TestPostgresTurnsAreCurrent(t *testing.T) {
	s, _ := newStoreAt(t, pgtest.Database(t))
	addUsers(t, s, 1, nil)
	other := another(t, s)
	holding, release := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		update(t, s, func(tx *Tx) error {
			close(holding)
			<-release
			return errors.Join(tx.InsertUser(newUser(1)), appendEvents(t, tx, 2, nil))
		})
	})
	<-holding
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	update(t, other, func(tx *Tx) error {
		_, err := tx.UserExact("user1")
		size, _, err2 := tx.Head()
		n, err3 := tx.LogSize()
		if size != 2 || n != 2 {
			t.Errorf("the turn begins at %d, with %d events", size, n)
		}
		return errors.Join(err, err2, err3, tx.InsertUser(newUser(2)))
	})
	done.Wait()
}

// A transaction that meets another one (40001, 40P01) is run again, whatever
// its function made of the error.
func TestPostgresRunsAgain(t *testing.T) {
	for code, fails := range map[string]int{codeSerialization: 3, codeDeadlock: 2} {
		t.Run(code, func(t *testing.T) {
			dsn := pgtest.Database(t)
			s, _ := newStoreAt(t, dsn)
			pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE SEQUENCE tries; CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
				BEGIN
					IF nextval('tries') <= %d THEN RAISE EXCEPTION 'collided' USING ERRCODE = '%s'; END IF;
					RETURN NEW;
				END $$;
				CREATE TRIGGER collide BEFORE INSERT ON policy FOR EACH ROW EXECUTE FUNCTION collide()`, fails, code))
			runs := 0
			err := s.Update(t.Context(), func(tx *Tx) error {
				runs++
				if err := tx.InsertUser(newUser(1)); err != nil {
					return err
				}
				if err := tx.SetPolicy(logiqc.DefaultPolicy()); err != nil {
					return errors.New("something went wrong")
				}
				return nil
			})
			if err != nil || runs != fails+1 {
				t.Errorf("%v after %d runs, want %d", err, runs, fails+1)
			}
			pgtest.Exec(t, dsn, `SELECT setval('tries', 1, false); ALTER FUNCTION collide() SET search_path = public;
				DELETE FROM policy; CREATE OR REPLACE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
				BEGIN RAISE EXCEPTION 'collided' USING ERRCODE = '`+code+`'; END $$`)
			runs = 0
			err = s.Update(t.Context(), func(tx *Tx) error { runs++; return tx.SetPolicy(logiqc.DefaultPolicy()) })
			wantCode(t, err, logiqc.Unavailable)
			if runs != maxTries {
				t.Errorf("gave up after %d runs, want %d", runs, maxTries)
			}
		})
	}
}

// A real deadlock with a program that does not queue at the log's head.
func TestPostgresDeadlock(t *testing.T) {
	dsn := pgtest.Database(t)
	s, _ := newStoreAt(t, dsn)
	addUsers(t, s, 1, nil)
	foreign, err := s.db(true)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := foreign.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, stmt := range []string{`SET LOCAL deadlock_timeout = '60s'`, `SELECT 1 FROM account FOR UPDATE`} {
		if _, err := raw.ExecContext(t.Context(), stmt); err != nil {
			t.Fatal(err)
		}
	}
	runs := 0
	other := another(t, s)
	update(t, other, func(tx *Tx) error {
		if runs++; runs == 1 {
			go func() {
				_, _ = raw.ExecContext(context.Background(), `UPDATE log_head SET turn = turn + 1`)
				_ = raw.Rollback()
			}()
			time.Sleep(50 * time.Millisecond)
		}
		u, err := tx.UserByID("id-000000")
		u.Phone = "7"
		return errors.Join(err, tx.UpdateUser(&u))
	})
	if runs != 2 {
		t.Errorf("%d runs, want 2", runs)
	}
}

// At a stricter isolation everybody who waits fails (40001), which is what
// distributed engines with PostgreSQL's protocol do: still nobody fails for good.
func TestPostgresSerializable(t *testing.T) {
	dsn := pgtest.Database(t)
	s, _ := newStoreAt(t, dsn)
	const writers, each = 4, 8
	var done sync.WaitGroup
	var runs atomic.Int64
	for range writers {
		w := another(t, s)
		w.engine.(*pgEngine).isolation = sql.LevelSerializable
		w.engine = counted{w.engine, &runs}
		done.Go(func() {
			for range each {
				if err := w.Update(t.Context(), func(tx *Tx) error { return appendEvents(t, tx, 1, nil) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	view(t, s, func(tx *Tx) error {
		size, _, err := tx.Head()
		if size != writers*each {
			t.Errorf("%d events, want %d", size, writers*each)
		}
		return err
	})
	if n := runs.Load(); n <= writers*each {
		t.Errorf("%d runs for %d transactions: nobody met anybody", n, writers*each)
	}
}

// counted counts how often transactions are run.
type counted struct {
	engine
	runs *atomic.Int64
}

func (c counted) transact(ctx context.Context, db *sql.DB, write bool, fn func(*sql.Tx) error) error {
	c.runs.Add(1)
	return c.engine.transact(ctx, db, write, fn)
}

// Who stops waiting for a turn, or for a statement, stops the server too.
func TestPostgresContextEndsStatement(t *testing.T) {
	s, _ := newStoreAt(t, pgtest.Database(t))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := s.View(ctx, func(tx *Tx) error { _, err := tx.one(`SELECT pg_sleep(20)`, nil, new(string)); return err })
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
	if n := pgtest.Value(t, whereIs(s), `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()
		AND state = 'active' AND datname = current_database()`); n != "0" {
		t.Error("the server is still at it")
	}
}

// Behind a pooler that lends a connection for each transaction, nothing that a
// session keeps may be relied on, such as prepared statements: everything works,
// making the store among it, while many write and read.
func TestPostgresBehindPooler(t *testing.T) {
	dsn := pgtest.Database(t)
	s, _ := newStoreAt(t, pgtest.Pooler(t, dsn))
	addUsers(t, s, 200, nil)
	var done sync.WaitGroup
	for range 8 {
		other := another(t, s)
		done.Go(func() {
			for i := range 12 {
				err := other.Update(t.Context(), func(tx *Tx) error { return appendEvents(t, tx, 2, nil) })
				if err == nil {
					err = other.View(t.Context(), func(tx *Tx) error {
						_, err := tx.UserExact(fmt.Sprintf("user%d", i))
						return err
					})
				}
				if err != nil {
					t.Errorf("%d: %v", i, err)
					return
				}
			}
		})
	}
	done.Wait()
	if got := pgtest.Value(t, dsn, `SELECT size FROM log_head`); got != "192" {
		t.Errorf("%s events", got)
	}
	if found, err := Check(t.Context(), whereIs(s), Options{}); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}
