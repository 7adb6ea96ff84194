//go:build unix

package store

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// What a database or a role is set to, for another program of another time, does
// not change what is written and read: names stay what they are, hashes too.
func TestPostgresSettings(t *testing.T) {
	dsn := pgtest.Database(t)
	for _, setting := range []string{`client_encoding = 'LATIN1'`, `bytea_output = 'escape'`, `standard_conforming_strings = off`, `datestyle = 'German'`,
		`default_transaction_isolation = 'serializable'`, `extra_float_digits = -15`, `timezone = 'Asia/Kathmandu'`, `default_transaction_deferrable = on`} {
		pgtest.Exec(t, dsn, `ALTER DATABASE `+databaseName(dsn)+` SET `+setting)
	}
	s, _ := newStoreAt(t, dsn)
	people(t, s)
	update(t, s, func(tx *Tx) error { return appendEvents(t, tx, 40, nil) })
	if got := pgtest.Value(t, pgtest.With(t, dsn, "client_encoding", "UTF8"), `SELECT name FROM account WHERE username = 'zoe'`); got != "Zoë Łukasz-Müller" {
		t.Errorf("the server has %q", got)
	}
	for text, want := range ranked {
		if got := findAll(t, s, logiqc.UserQuery{Text: text, Limit: 2}); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	update(t, s, func(tx *Tx) error {
		size, root, err := tx.Head()
		hashes, err2 := tx.ReadHashes([]int64{0, 1, 2, 3, 4, 5})
		if size != 40 || bytes.Equal(root[:], make([]byte, 32)) || len(hashes) != 6 {
			t.Errorf("%d events with the root %x and the hashes %x", size, root, hashes)
		}
		return errors.Join(err, err2)
	})
}

// Where the extension is in another schema, a store has its index all the same,
// and so has a second one.
func TestPostgresTrigramsInAnotherSchema(t *testing.T) {
	dsn := pgtest.Database(t)
	pgtest.Exec(t, dsn, `CREATE SCHEMA "Ext"; CREATE SCHEMA mfa; CREATE SCHEMA mfb; CREATE EXTENSION pg_trgm SCHEMA "Ext"`)
	for _, schema := range []string{"mfa", "mfb"} {
		s, _ := newStoreAt(t, pgtest.With(t, dsn, "search_path", schema))
		people(t, s)
		view(t, s, func(tx *Tx) error {
			server, ok, err := tx.Server()
			if !ok || !server.Trigrams {
				t.Errorf("in %s: %+v", schema, server)
			}
			return err
		})
		if got := findAll(t, s, logiqc.UserQuery{Text: "ukasz"}); len(got) != 1 {
			t.Errorf("in %s: %q", schema, got)
		}
	}
}

// limited is the address of a database for a role that may have two connections.
func limited(t *testing.T) string {
	dsn := pgtest.Database(t)
	newStoreAt(t, dsn)
	role := "limited_" + strings.TrimPrefix(databaseName(dsn), "logiqc_test_")
	pgtest.Exec(t, dsn, `CREATE ROLE `+role+` LOGIN CONNECTION LIMIT 2; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO `+role)
	t.Cleanup(func() { pgtest.Exec(t, dsn, `DROP OWNED BY `+role+`; DROP ROLE `+role) })
	return strings.Replace(dsn, "://logiqc@", "://"+role+"@", 1)
}

// A server of ours that may have only few connections goes on with these: who
// finds none waits for one. A command is told at once, and what to do.
func TestPostgresCrowded(t *testing.T) {
	dsn := limited(t)
	for name, serves := range map[string]bool{"a server": true, "a command": false} {
		t.Run(name, func(t *testing.T) {
			s, err := OpenPostgres(dsn, Options{Group: serves, Patience: 20 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var done sync.WaitGroup
			var mu sync.Mutex
			refused := 0
			for range 20 {
				done.Go(func() {
					for range 5 {
						err := s.View(t.Context(), func(tx *Tx) error { _, err := tx.one(`SELECT pg_sleep(0.02)`, nil, new(any)); return err })
						if err == nil {
							continue
						}
						if e := logiqc.AsError(err); e.Code != logiqc.Unavailable || !strings.Contains(e.Hint, "let more in") {
							t.Errorf("%v, hint %q", err, e.Hint)
						}
						mu.Lock()
						refused++
						mu.Unlock()
					}
				})
			}
			done.Wait()
			if refused > 0 == serves {
				t.Errorf("%d of 100 were refused", refused)
			}
		})
		time.Sleep(100 * time.Millisecond) // until the server has seen them go
	}
}

// Where there is no connection at all, nobody waits for one.
func TestPostgresFull(t *testing.T) {
	dsn := limited(t)
	var others []*Store
	for range 2 {
		other, err := OpenPostgres(dsn, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		view(t, other, noInit)
		others = append(others, other)
	}
	s, err := OpenPostgres(dsn, Options{Group: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantCode(t, s.View(t.Context(), noInit), logiqc.Unavailable)
	if err := others[0].Close(); err != nil {
		t.Fatal(err)
	}
	pgtest.Await(t, pgtest.Server(t), `SELECT count(*) FROM pg_stat_activity WHERE datname = '`+databaseName(dsn)+`' AND usename LIKE 'limited%'`, "1")
	view(t, s, noInit)
}

// What says of an address that it cannot be used says it in one line, once, with
// the step that helps.
func TestPostgresSaysItOnce(t *testing.T) {
	s, err := OpenPostgres("postgres://logiqc@127.0.0.1:1/db", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(t.Context(), noInit)
	wantCode(t, err, logiqc.Unavailable)
	if m := logiqc.AsError(err).Message; strings.ContainsAny(m, "\n\t") || strings.Count(m, "refused") != 1 {
		t.Errorf("%q", m)
	}
}

// A transaction that is ended for having done nothing is told whose setting that
// was, if the server gets to say it before the connection is gone.
func TestPostgresIdleInTransaction(t *testing.T) {
	dsn := pgtest.Database(t)
	newStoreAt(t, dsn)
	s, err := OpenPostgres(pgtest.With(t, dsn, "idle_in_transaction_session_timeout", "1ms"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 200 {
		err = s.View(t.Context(), func(tx *Tx) error {
			for range 1000 {
				if _, _, err := tx.Head(); err != nil {
					return err
				}
				time.Sleep(time.Duration(rand.IntN(1500)) * time.Microsecond)
			}
			return nil
		})
		wantCode(t, err, logiqc.Unavailable)
		if strings.Contains(logiqc.AsError(err).Hint, "RESET idle_in_transaction_session_timeout") {
			return
		}
	}
	t.Errorf("in the end: %q, hint %q", logiqc.AsError(err).Message, logiqc.AsError(err).Hint)
}

// A service names where the database is; one that is not in its file is told as
// that.
func TestPostgresService(t *testing.T) {
	dsn := pgtest.Database(t)
	newStoreAt(t, dsn)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/services"
	writeFile(t, file, "[mfa]\nhost="+u.Query().Get("host")+"\nuser=logiqc\ndbname="+databaseName(dsn)+"\n")
	t.Setenv("PGSERVICEFILE", file)
	s, err := OpenPostgres("postgres://?service=mfa", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	view(t, s, noInit)
	t.Setenv("PGSERVICE", "payroll")
	for _, address := range []string{"postgres://?service=none", "postgres://"} {
		_, err := OpenPostgres(address, Options{})
		wantCode(t, err, logiqc.Usage)
		if e := logiqc.AsError(err); !strings.Contains(e.Message, "service") || !strings.Contains(e.Hint, "PGSERVICEFILE") {
			t.Errorf("%s: %q, hint %q", address, e.Message, e.Hint)
		}
	}
}
