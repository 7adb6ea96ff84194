//go:build unix

package store

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// A password is taken from a file that is its owner's alone.
func TestPostgresPasswordFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(file, []byte("db1:*:*:logiqc:s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSFILE", file)
	t.Setenv("PGPASSWORD", "")
	const dsn = "postgres://logiqc@db1/logiqc"
	if config, err := readAddress(dsn); err != nil || config.Password != "s3cr3t" {
		t.Errorf("error %v", err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := readAddress(dsn)
	wantCode(t, err, logiqc.Usage)
	if e := logiqc.AsError(err); e.Hint != "chmod 600 "+file || strings.Contains(e.Message, "s3cr3t") {
		t.Errorf("%q, hint %q", e.Message, e.Hint)
	}
	t.Setenv("PGPASSFILE", "")
	if _, err := readAddress(dsn + "?passfile=" + file); err == nil {
		t.Error("a file that the address names is taken")
	}
	t.Setenv("PGPASSFILE", file)
	for _, other := range []string{"postgres://logiqc:typed@db1/logiqc", "postgres://logiqc@db2/logiqc", "postgres://db1/logiqc?user=logiqc&password=typed"} {
		if _, err := readAddress(other); err != nil { // whose password is not from there
			t.Errorf("%s: %v", other, err)
		}
	}
	t.Setenv("PGPASSWORD", "from the environment")
	if _, err := readAddress(dsn); err != nil {
		t.Error(err)
	}
}

// A server whose certificate is not trusted is not talked to, and it is said
// which setting names the authority.
func TestPostgresUntrusted(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := io.ReadFull(c, make([]byte, 8)); err == nil { // the wish for TLS, which is granted
				_, _ = c.Write([]byte("S"))
				_ = tls.Server(c, web.TLS).Handshake()
			}
			c.Close()
		}
	}()
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, trusted, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})))
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for address, hint := range map[string]string{
		"127.0.0.1:" + port + "/logiqc?sslmode=verify-full":                        "sslrootcert=FILE",
		"127.0.0.1:" + port + "/logiqc?sslmode=verify-ca":                          "sslrootcert=FILE",
		"localhost:" + port + "/logiqc?sslmode=verify-full&sslrootcert=" + trusted: "the server's name",
	} {
		s, err := OpenPostgres("postgres://logiqc@"+address, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		err = s.View(t.Context(), noInit)
		wantCode(t, err, logiqc.Unavailable)
		if e := logiqc.AsError(err); !strings.Contains(e.Hint, hint) {
			t.Errorf("%s: %q, hint %q", address, e.Message, e.Hint)
		}
	}
}

// A timeout of the role's that ends what --timeout would have waited for is
// named.
func TestPostgresTimeoutOfTheRole(t *testing.T) {
	dsn := pgtest.Database(t)
	newStoreAt(t, dsn)
	s, err := OpenPostgres(pgtest.With(t, dsn, "statement_timeout", "50ms"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(t.Context(), func(tx *Tx) error { _, err := tx.one(`SELECT pg_sleep(20)`, nil, new(string)); return err })
	wantCode(t, err, logiqc.Unavailable)
	if e := logiqc.AsError(err); !strings.Contains(e.Hint, "RESET statement_timeout") {
		t.Errorf("%q, hint %q", e.Message, e.Hint)
	}
}

// Who may only read and write rows, and owns nothing, does all but make a store.
func TestPostgresLeastRights(t *testing.T) {
	dsn := pgtest.Database(t)
	newStoreAt(t, dsn)
	role := "least_" + strings.TrimPrefix(databaseName(dsn), "logiqc_test_")
	pgtest.Exec(t, dsn, `CREATE ROLE `+role+` LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO `+role)
	t.Cleanup(func() { pgtest.Exec(t, dsn, `DROP OWNED BY `+role+`; DROP ROLE `+role) })
	s, err := OpenPostgres(strings.Replace(dsn, "://logiqc@", "://"+role+"@", 1), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	addUsers(t, s, 120, nil)
	update(t, s, func(tx *Tx) error { return appendEvents(t, tx, 3, nil) })
	if got := findAll(t, s, logiqc.UserQuery{Text: "family7", Limit: 5}); len(got) == 0 {
		t.Error("nobody is found")
	}
	if found, err := Check(t.Context(), whereIs(s), Options{}); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}
