//go:build unix

package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// wire stands between a store and its server, and loses connections.
type wire struct {
	dsn  string
	when atomic.Value // a string: the connection is lost when a client says it
	sent atomic.Bool  // after it got there
}

// newWire returns a way to the database at dsn.
func newWire(t *testing.T, dsn string) *wire {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if !strings.HasPrefix(q.Get("host"), "/") {
		t.Skip("takes a server behind a Unix socket")
	}
	real, dir := filepath.Join(q.Get("host"), ".s.PGSQL.5432"), t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	w := &wire{}
	w.when.Store("")
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", real)
			if err != nil {
				client.Close()
				continue
			}
			go w.upstream(client, server)
			go func() { _, _ = io.Copy(client, server); client.Close() }()
		}
	}()
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	w.dsn = u.String()
	return w
}

// upstream passes on what the client says, until it says the word.
func (w *wire) upstream(client, server net.Conn) {
	defer server.Close()
	defer client.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		word := w.when.Load().(string)
		lost := word != "" && bytes.Contains(buf[:n], []byte(word))
		if lost && w.sent.Load() {
			client.Close() // nobody hears the answer
		}
		if !lost || w.sent.Load() {
			_, _ = server.Write(buf[:n])
		}
		if lost {
			time.Sleep(100 * time.Millisecond) // time to do what was asked
			return
		}
	}
}

// Before COMMIT was sent nothing is changed, and that is what is said; after it
// nobody knows.
func TestPostgresConnectionLost(t *testing.T) {
	dsn := pgtest.Database(t)
	newStoreAt(t, dsn)
	for name, c := range map[string]struct {
		word string
		sent bool
		code logiqc.Code
		rows string
	}{
		"at the turn":       {"UPDATE log_head", false, logiqc.Unavailable, "0"},
		"at a statement":    {"INSERT INTO account ", false, logiqc.Unavailable, "0"},
		"after a statement": {"INSERT INTO account ", true, logiqc.Unavailable, "0"},
		"before the commit": {"commit\x00", false, logiqc.UnknownOutcome, "0"},
		"after the commit":  {"commit\x00", true, logiqc.UnknownOutcome, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, dsn)
			s, err := OpenPostgres(w.dsn, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			view(t, s, noInit)
			w.sent.Store(c.sent)
			w.when.Store(c.word)
			err = s.Update(t.Context(), func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
			wantCode(t, err, c.code)
			w.when.Store("")
			time.Sleep(150 * time.Millisecond)
			view(t, s, noInit) // the next one connects anew
			if got := pgtest.Value(t, dsn, `SELECT count(*) FROM account`); got != c.rows {
				t.Errorf("%s accounts, want %s", got, c.rows)
			}
			pgtest.Exec(t, dsn, `DELETE FROM account; DELETE FROM account_word; DELETE FROM account_text`)
		})
	}
}

// Connections that died while they lay idle are nobody's trouble.
func TestPostgresIdleConnectionsLost(t *testing.T) {
	dsn := pgtest.Database(t)
	s, _ := newStoreAt(t, dsn)
	for range 2 {
		update(t, s, func(tx *Tx) error { return s.View(t.Context(), noInit) })
		pgtest.Exec(t, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		time.Sleep(50 * time.Millisecond)
		update(t, s, noInit)
	}
}

// A commit that no standby confirms is not said to be done (S-86).
func TestPostgresUnconfirmedCommit(t *testing.T) {
	dsn := pgtest.Database(t)
	if pgtest.Value(t, dsn, `SHOW synchronous_standby_names`) == "" {
		t.Skip("this server waits for no standby")
	}
	s, _ := newStoreAt(t, dsn)
	waiting, err := OpenPostgres(pgtest.With(t, dsn, "synchronous_commit", "on"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	for name, stop := range map[string]func(cancel func()){
		"the caller loses patience": func(cancel func()) { cancel() },
		"the server is told to": func(func()) {
			pgtest.Exec(t, dsn, `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()`)
		},
		"the connection is ended": func(func()) {
			pgtest.Exec(t, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()`)
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		before := pgtest.Value(t, dsn, `SELECT size FROM log_head`)
		time.AfterFunc(300*time.Millisecond, func() { stop(cancel) })
		start := time.Now()
		err := waiting.Update(ctx, func(tx *Tx) error { return appendEvents(t, tx, 1, nil) })
		cancel()
		if !errors.Is(err, logiqc.UnknownOutcome) || time.Since(start) > 10*time.Second {
			t.Errorf("%s: error %v after %s", name, err, time.Since(start))
		}
		if after := pgtest.Value(t, dsn, `SELECT size FROM log_head`); after == before {
			t.Errorf("%s: it is not there at all", name)
		}
	}
	update(t, s, func(tx *Tx) error { return appendEvents(t, tx, 1, nil) }) // who asks for no standby is not told of one
}

func TestPostgresUnreachable(t *testing.T) {
	dsn := pgtest.Database(t)
	socket := url.QueryEscape(t.TempDir())
	const secret = "s3cr3t&word"
	escaped := url.QueryEscape(secret)
	for name, c := range map[string]struct {
		dsn  string
		code logiqc.Code
		word string
	}{
		"nobody listens": {"postgres://u:" + escaped + "@127.0.0.1:1/db", logiqc.Unavailable, "cannot be reached"},
		"no socket":      {"postgres://u:" + escaped + "@/db?host=" + socket, logiqc.Unavailable, "cannot be reached"},
		"no database":    {strings.Replace(dsn, "/logiqc_test_", "/none_", 1), logiqc.Unavailable, "createdb none_"},
		"no such user":   {strings.Replace(dsn, "logiqc@", "nobody:"+escaped+"@", 1), logiqc.Unavailable, "createuser nobody"},
		"not a store":    {dsn, logiqc.Unavailable, "logiqc init"},
		"no URL":         {"postgres://u:" + escaped + "@h:port/db", logiqc.Usage, "cannot be read"},
		"a bad setting":  {"postgres://u:" + escaped + "@h/db?sslmode=perhaps", logiqc.Usage, "cannot be read"},
		"no such file":   {"postgres://u:" + escaped + "@h/db?sslmode=verify-full&sslrootcert=/none.pem", logiqc.Usage, "/none.pem"},
		"a bad escape":   {"postgres://u:" + secret + "%zz@h/db", logiqc.Usage, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(c.dsn, Options{})
			if err == nil {
				defer s.Close()
				err = s.View(t.Context(), noInit)
			}
			wantCode(t, err, c.code)
			e := logiqc.AsError(err)
			for ; err != nil; err = errors.Unwrap(err) {
				if strings.Contains(err.Error(), "s3cr3t") {
					t.Errorf("it tells the password: %v", err)
				}
			}
			if !strings.Contains(e.Message+e.Hint, c.word) {
				t.Errorf("%q, hint %q; want %q", e.Message, e.Hint, c.word)
			}
		})
	}
}

// Of several servers the one that can be written is used.
func TestPostgresSeveralHosts(t *testing.T) {
	dsn := pgtest.Database(t)
	newStoreAt(t, dsn)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("host", t.TempDir()+","+q.Get("host"))
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	s, err := OpenPostgres(u.String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	update(t, s, func(tx *Tx) error { return tx.InsertUser(newUser(1)) })
	only := pgtest.With(t, pgtest.With(t, dsn, "default_transaction_read_only", "on"), "target_session_attrs", "read-write")
	standby, err := OpenPostgres(only, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close()
	wantCode(t, standby.Update(t.Context(), noInit), logiqc.Unavailable)
	for _, dsn := range []string{"postgres://u@h1:5433,h2:5434/db?target_session_attrs=read-write", "postgres://u@h1,h2/db"} {
		if _, err := OpenPostgres(dsn, Options{}); err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
