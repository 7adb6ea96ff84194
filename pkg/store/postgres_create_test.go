//go:build unix

package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

func TestPostgresIsNotMadeTwice(t *testing.T) {
	dsn := pgtest.Database(t)
	if err := VacantPostgres(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	s, _ := newStoreAt(t, dsn)
	addUsers(t, s, 3, nil)
	const state = `SELECT (SELECT count(*) FROM account) || ' ' || (SELECT id FROM store) || ' ' || (SELECT turn FROM log_head)`
	before := pgtest.Value(t, dsn, state)
	wantCode(t, VacantPostgres(t.Context(), dsn), logiqc.Exists)
	_, err := CreatePostgres(t.Context(), dsn, Options{}, func(*Tx) error { t.Error("ran"); return nil })
	wantCode(t, err, logiqc.Exists)
	if after := pgtest.Value(t, dsn, state); after != before {
		t.Errorf("was %s, is %s", before, after)
	}
}

func TestPostgresOfAnotherProgram(t *testing.T) {
	for name, ddl := range map[string]string{
		"a table":         `CREATE TABLE session (mine TEXT); INSERT INTO session VALUES ('mine')`,
		"a table of ours": `CREATE TABLE store (mine TEXT); INSERT INTO store VALUES ('mine'); CREATE VIEW session AS SELECT * FROM store`,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := pgtest.Database(t)
			pgtest.Exec(t, dsn, ddl)
			_, err := CreatePostgres(t.Context(), dsn, Options{}, noInit)
			wantCode(t, err, logiqc.Exists)
			if got := pgtest.Value(t, dsn, `SELECT mine FROM session`); got != "mine" {
				t.Errorf("session holds %s", got)
			}
			if got := pgtest.Value(t, dsn, `SELECT to_regclass('account') IS NULL`); got != "true" {
				t.Error("some of our tables were left behind")
			}
			s, err := OpenPostgres(dsn, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			err = s.View(t.Context(), noInit)
			wantCode(t, err, logiqc.Unavailable)
			if !strings.Contains(err.Error(), "not a store of logiqc") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestPostgresInitFails(t *testing.T) {
	dsn := pgtest.Database(t)
	sentinel := errors.New("no")
	_, err := CreatePostgres(t.Context(), dsn, Options{}, func(tx *Tx) error {
		return errors.Join(tx.InsertUser(newUser(1)), sentinel)
	})
	if !errors.Is(err, sentinel) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = CreatePostgres(ctx, dsn, Options{}, func(tx *Tx) error { cancel(); return tx.InsertUser(newUser(1)) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if got := pgtest.Value(t, dsn, `SELECT to_regclass('store') IS NULL`); got != "true" {
		t.Error("half a store was left behind")
	}
	newStoreAt(t, dsn) // and that is in nobody's way
}

// Of many who make a store in one database one wins, and it is whole.
func TestPostgresInitsAtOnce(t *testing.T) {
	dsn := pgtest.Database(t)
	var done sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		done.Go(func() {
			var s *Store
			s, errs[i] = CreatePostgres(t.Context(), dsn, Options{}, fillMany)
			if s != nil {
				_ = s.Close()
			}
		})
	}
	done.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, logiqc.Exists) {
			t.Errorf("error %v", err)
		}
	}
	if got := pgtest.Value(t, dsn, `SELECT (SELECT id FROM store) || ' ' || count(*) FROM account`); won != 1 || got != "whole 400" {
		t.Errorf("%d won; the store is %s", won, got)
	}
}

// Where a store would not work none is begun, and it is said what is missing.
func TestPostgresUnfit(t *testing.T) {
	latin := pgtest.Encoded(t, "LATIN1")
	old := pgtest.Database(t)
	pgtest.Exec(t, old, `CREATE SCHEMA logiqc; CREATE SCHEMA pretends; CREATE FUNCTION pretends.current_setting(name TEXT) RETURNS TEXT LANGUAGE sql AS
		$$ SELECT CASE WHEN name LIKE 'server_version%' THEN '90624' ELSE pg_catalog.current_setting(name) END $$`)
	for name, c := range map[string]struct {
		dsn, word string
		code      logiqc.Code
	}{
		"another encoding": {latin, "LATIN1 createdb -T template0 -E UTF8", logiqc.Unavailable},
		"no schema":        {pgtest.With(t, pgtest.Database(t), "search_path", "none"), "no schema CREATE SCHEMA", logiqc.Unavailable},
		"an old server":    {pgtest.With(t, old, "search_path", "logiqc,pretends,pg_catalog"), "too old PostgreSQL 12", logiqc.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := CreatePostgres(t.Context(), c.dsn, Options{}, func(*Tx) error { t.Error("ran"); return nil })
			_, land := Land(t.Context(), c.dsn, Options{}, func(*Tx) error { t.Error("ran"); return nil })
			for _, err := range []error{err, land, VacantPostgres(t.Context(), c.dsn)} {
				wantCode(t, err, c.code)
				e := logiqc.AsError(err)
				for _, word := range strings.Fields(c.word) {
					if !strings.Contains(e.Message+" "+e.Hint, word) {
						t.Errorf("%q, hint %q; want %q", e.Message, e.Hint, word)
					}
				}
			}
		})
	}
}

// A store may have a schema of its own beside another program's.
func TestPostgresInItsOwnSchema(t *testing.T) {
	dsn := pgtest.Database(t)
	pgtest.Exec(t, dsn, `CREATE TABLE session (mine TEXT); CREATE SCHEMA mfa`)
	s, _ := newStoreAt(t, pgtest.With(t, dsn, "search_path", "mfa"))
	people(t, s)
	if got := findAll(t, s, logiqc.UserQuery{Text: "lee", Limit: 2}); len(got) == 0 {
		t.Error("nobody is found")
	}
	if got := pgtest.Value(t, dsn, `SELECT count(*) > 0 FROM mfa.account`); got != "true" {
		t.Errorf("accounts in the schema: %s", got)
	}
	problems, err := Check(t.Context(), whereIs(s), Options{})
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// A kill at any moment of the making leaves a whole store or none.
func TestPostgresCreateKilled(t *testing.T) {
	for i := range max(1, *crashes/4) {
		dsn := pgtest.Database(t)
		cmd := child(t, "create", dsn)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		soon(t, cmd, 150)
		s, err := CreatePostgres(t.Context(), dsn, Options{}, fillMany)
		if err == nil {
			_ = s.Close()
		} else {
			wantCode(t, err, logiqc.Exists)
		}
		if got := pgtest.Value(t, dsn, `SELECT (SELECT id FROM store) || ' ' || count(*) FROM account`); got != "whole 400" {
			t.Errorf("try %d: the store is %s", i, got)
		}
	}
}

// Searches find the same where the trigram index could not be made.
func TestPostgresWithoutTrigrams(t *testing.T) {
	dsn := pgtest.Database(t)
	role := "plain_" + strings.TrimPrefix(databaseName(dsn), "logiqc_test_")
	pgtest.Exec(t, dsn, `CREATE ROLE `+role+` LOGIN; GRANT ALL ON SCHEMA public TO `+role)
	t.Cleanup(func() { pgtest.Exec(t, dsn, `DROP OWNED BY `+role+`; DROP ROLE `+role) })
	s, _ := newStoreAt(t, strings.Replace(dsn, "://logiqc@", "://"+role+"@", 1))
	people(t, s)
	if got := pgtest.Value(t, dsn, `SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'`); got != "0" {
		t.Fatal("the extension is there")
	}
	for text, want := range ranked {
		if got := findAll(t, s, logiqc.UserQuery{Text: text, Limit: 2}); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
}

func databaseName(dsn string) string {
	_, rest, _ := strings.Cut(dsn, "@/")
	name, _, _ := strings.Cut(rest, "?")
	return name
}

// The log's tables refuse what only a defect of ours would try (S-59).
func TestPostgresTriggers(t *testing.T) {
	s, _ := newStoreAt(t, pgtest.Database(t))
	update(t, s, func(tx *Tx) error { return appendEvents(t, tx, 3, nil) })
	for stmt, word := range map[string]string{
		`UPDATE event SET outcome = 'denied' WHERE seq = 1`: "never changed", `DELETE FROM event WHERE seq = 2`: "never changed",
		`TRUNCATE event`: "never changed", `UPDATE log_hash SET hash = ''`: "never changed", `DELETE FROM log_hash`: "never changed",
		`TRUNCATE log_hash`: "never changed", `UPDATE log_head SET size = 2`: "only grows", `UPDATE log_head SET root = ''`: "only grows",
		`UPDATE log_head SET turn = 0`: "only grows", `DELETE FROM log_head`: "never deleted", `TRUNCATE log_head`: "never deleted",
		`INSERT INTO log_head VALUES (2, 0, 0, '')`: "log_head_one_check", `INSERT INTO log_head VALUES (1, 0, 0, '')`: "log_head_pkey",
	} {
		err := s.Update(t.Context(), func(tx *Tx) error { _, err := tx.exec(stmt); return err })
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", stmt, err, word)
		}
	}
	view(t, s, func(tx *Tx) error {
		size, _, err := tx.Head()
		n, err2 := tx.LogSize()
		if size != 3 || n != 3 {
			t.Errorf("%d, %d events are left", size, n)
		}
		return errors.Join(err, err2)
	})
}
