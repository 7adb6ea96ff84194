// Package pgtest gives tests real PostgreSQL databases.
//
// The first test that asks for one starts a cluster of the newest server below
// /usr/lib/postgresql, on a socket in a folder of its own, as a user who is not
// root. It ends with the process of the tests, however that ends: who watches
// over it notices that the other end of a pipe is gone.
//
// LOGIQC_TEST_POSTGRES changes that: a postgres:// URL names a server to be
// used instead, as somebody who may make databases; "require" makes it a failure
// that there is no server. Otherwise tests that ask for one are skipped.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable is the environment variable that the package comment tells of.
const Variable = "LOGIQC_TEST_POSTGRES"

// require is its value that makes a missing server a failure.
const require = "require"

// errNone says that there is no PostgreSQL here to start.
var errNone = errors.New("there is no PostgreSQL below /usr/lib/postgresql")

// server is the address of the server's first database, made once.
var server = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv(Variable); dsn != "" && dsn != require {
		return dsn, nil
	}
	return startCluster()
})

// Database makes an empty database, which goes with the test, and returns its
// address.
func Database(t testing.TB) string {
	t.Helper()
	return Copy(t, "")
}

// made numbers the databases.
var made atomic.Int64

// Copy makes a database that is a copy of the one at the address from, to which
// nobody may be connected. It goes with the test.
func Copy(t testing.TB, from string) string {
	t.Helper()
	if from == "" {
		return create(t, "template0")
	}
	return create(t, databaseOf(t, from))
}

// Encoded makes an empty database whose text is encoded otherwise. It goes with
// the test.
func Encoded(t testing.TB, encoding string) string {
	t.Helper()
	return create(t, "template0 ENCODING '"+encoding+"' LOCALE 'C'")
}

func create(t testing.TB, template string) string {
	t.Helper()
	admin := Server(t)
	name := fmt.Sprintf("logiqc_test_%d_%d", os.Getpid(), made.Add(1))
	Exec(t, admin, "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { Exec(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func databaseOf(t testing.TB, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// With returns the address with one more parameter, as in "synchronous_commit",
// "on".
func With(t testing.TB, dsn, key, value string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// skipped says it once, so that nobody overlooks it among many.
var skipped sync.Once

// Server returns the address of the server's own database, of somebody who may
// do anything there.
func Server(t testing.TB) string {
	t.Helper()
	dsn, err := server()
	switch {
	case errors.Is(err, errNone) && os.Getenv(Variable) != require:
		skipped.Do(func() {
			fmt.Fprintf(os.Stderr, "SKIPPED: NO TEST RAN ON POSTGRESQL: %v; install it, or set %s to the URL of one\n", err, Variable)
		})
		t.Skip(err)
	case err != nil:
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return dsn
}

// Exec runs statements at an address, behind the program's back.
func Exec(t testing.TB, dsn, statements string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// Value reads one value as text.
func Value(t testing.TB, dsn, query string) (text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var value any
	if err := conn.QueryRow(ctx, query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return fmt.Sprint(value)
}
