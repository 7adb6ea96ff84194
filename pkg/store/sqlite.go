package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"modernc.org/sqlite"
)

// OpenSQLite opens the store in the file at path. It looks at the file but
// does not open it before the first transaction.
//
// Unavailable: there is no file; it is a symbolic link or no plain file; or
// others than its owner may read or write it or what SQLite keeps beside it,
// with the chmod line as the hint.
func OpenSQLite(path string, o Options) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, explainFile(path, err)
	}
	if err := checkPrivate(abs); err != nil {
		return nil, err
	}
	s := newSQLite(abs, o)
	s.engine.(*sqliteEngine).file, _ = os.Lstat(abs)
	return s, nil
}

func newSQLite(path string, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	return newStore(&sqliteEngine{path: path, patience: o.Patience}, o)
}

// checkPrivate refuses a store file that is not there, or not its owner's
// alone.
func checkPrivate(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		name := path + suffix
		info, err := os.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && suffix != "":
			continue
		case errors.Is(err, fs.ErrNotExist):
			return logiqc.Errorf(logiqc.Unavailable, "there is no store at %s", path).WithHint("make one: logiqc init")
		case err != nil:
			return explainFile(path, err)
		case info.Mode()&fs.ModeSymlink != 0:
			return logiqc.Errorf(logiqc.Unavailable, "%s is a symbolic link; a store is opened by its own path", name)
		case !info.Mode().IsRegular():
			return logiqc.Errorf(logiqc.Unavailable, "%s is not a plain file", name)
		case checksModes && info.Mode().Perm()&0o077 != 0:
			return logiqc.Errorf(logiqc.Unavailable, "others can get at the store %s (mode %04o)", name, info.Mode().Perm()).
				WithHint("chmod 600 %s", quoted(name))
		}
	}
	return nil
}

// quoted writes a path so that a shell reads it as one word.
func quoted(path string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:,@%", r)
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !plain(r) }) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// sqliteEngine is a store in one SQLite file.
type sqliteEngine struct {
	path     string
	patience time.Duration // see [Options.Patience]
	file     os.FileInfo   // of a store that was there when it was opened
}

// here makes sure that the store's file is still the one that was opened. One
// that was moved away, or put back from a backup, goes on to be read and written
// by who has it open, and nobody else would see any of it.
func (e *sqliteEngine) here() error {
	if e.file == nil {
		return nil
	}
	if now, err := os.Lstat(e.path); err == nil && os.SameFile(e.file, now) {
		return nil
	}
	return logiqc.Errorf(logiqc.Unavailable, "the store %s was moved away or replaced after it was opened; nothing was changed", e.path).
		WithHint("a server has to be started again")
}

// fdatasync makes SQLite commit as its own builds do: as durable, and faster.
var fdatasync = sync.OnceFunc(func() { _, _ = sqlite.Fdatasync(true) })

// What a connection is set to, and what it must then answer (S-80).
var (
	readPragmas  = []pragma{{"trusted_schema", "0"}, {"busy_timeout", busyTimeout}}
	writePragmas = []pragma{
		{"busy_timeout", busyTimeout}, {"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"},
		{"trusted_schema", "0"}, {"secure_delete", "1"}, {"recursive_triggers", "1"},
	}
)

// busyTimeout is how many milliseconds SQLite waits for another program's lock
// before it says so.
const busyTimeout = "2000"

type pragma struct{ name, value string }

func (e *sqliteEngine) connect(write bool) (*sql.DB, error) {
	fdatasync()
	c := &connector{path: e.path, mode: "ro", pragmas: readPragmas}
	if write {
		c.mode, c.pragmas = "rw", writePragmas
	}
	db := sql.OpenDB(c)
	if write {
		db.SetMaxOpenConns(1)
	} else {
		db.SetMaxIdleConns(-1) // see readers
	}
	return db, nil
}

// placeholder has no name: the driver looks every named one up among all.
func (e *sqliteEngine) placeholder(int) string { return "?" }

// sqliteDialect: INSERT OR FAIL leaves out the journal that would take back
// half a statement, as who fails here takes the whole transaction back; CROSS
// JOIN keeps the planner from going through the second table; and an account is
// inserted alone because for several SQLite looks for children of each.
var sqliteDialect = dialect{
	insert: "INSERT OR FAIL", join: "CROSS JOIN", clock: "0", pins: "0", schema: schemaOf("goose_db_version"), rows: 1, streams: true,
	index: indexSQL("{}", "x'ff'"),
}

func (e *sqliteEngine) dialect() *dialect { return &sqliteDialect }

// How much of the file a connection keeps in memory, in KiB: otherwise, and
// while very many rows are inserted.
const (
	cacheSQL   = `PRAGMA cache_size = -2000`
	cacheMuch  = `PRAGMA cache_size = -256000`
	textLittle = 1 << 20 // bytes that the text index gathers before it writes: its default
	textMuch   = 32 << 20
)

// bulk enlarges what is kept in memory. The cache is the connection's, so that
// no rollback makes it small again: see [Tx.run].
func (e *sqliteEngine) bulk(tx *Tx, on bool) error {
	cache, gather := cacheSQL, textLittle
	if on {
		cache, gather = cacheMuch, textMuch
	}
	if _, err := tx.exec(cache); err != nil {
		return err
	}
	tx.enlarged = on
	_, err := tx.exec(`INSERT INTO account_text (account_text, rank) VALUES ('hashsize', $1)`, gather)
	return err
}

// scrub moves the write-ahead log into the file and cuts it to nothing; the
// file's own remains are overwritten as rows go (secure_delete). It hardly
// waits for readers: everybody else who writes would wait with it.
func (e *sqliteEngine) scrub(ctx context.Context, conn *sql.Conn) error {
	var busy, log, done int
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 50`); err != nil {
		return err
	}
	err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done)
	_, reset := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA busy_timeout = `+busyTimeout)
	return errors.Join(err, reset)
}

// connector opens connections to one SQLite file and makes sure of them.
type connector struct {
	path    string
	mode    string // ro or rw: SQLite's, so a file that is not there is never made
	pragmas []pragma
}

// Driver implements [driver.Connector].
func (c *connector) Driver() driver.Driver { return &sqlite.Driver{} }

// Connect implements [driver.Connector]. On a file system that cannot be
// written SQLite needs to be told that nobody else writes either; that is
// believed only when no -wal file says otherwise.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.open(ctx, "")
	if err == nil || c.mode != "ro" || !isCode(err, codeCantOpen, codeReadOnly) {
		return conn, err
	}
	if _, e := os.Lstat(c.path + "-wal"); !errors.Is(e, fs.ErrNotExist) {
		return nil, err
	}
	return c.open(ctx, "1")
}

func (c *connector) open(ctx context.Context, immutable string) (driver.Conn, error) {
	q := url.Values{"mode": {c.mode}, "_txlock": {"immediate"}, "_defensive": {"1"}, "_dqs": {"0"}, "_error_rc": {"1"}}
	if immutable != "" {
		q.Set("immutable", immutable)
	}
	for _, p := range c.pragmas {
		q.Add("_pragma", p.name+"("+p.value+")")
	}
	slashed := filepath.ToSlash(c.path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/…
	}
	base, err := sqlite.NewConnector((&url.URL{Scheme: "file", Path: slashed, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	conn, err := base.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.check(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// oldestSQLite is the first release without the defect that could damage a
// write-ahead log with several connections (S-81).
const oldestSQLite = "3.51.3"

// check asserts what the connection was set to, and SQLite's version.
func (c *connector) check(ctx context.Context, conn driver.Conn) error {
	version, err := ask(ctx, conn, `SELECT sqlite_version()`)
	if err != nil {
		return err
	}
	if !atLeast(version, oldestSQLite) {
		return logiqc.Errorf(logiqc.Unavailable, "this program has SQLite %s; %s or newer is needed", version, oldestSQLite)
	}
	for _, p := range c.pragmas {
		got, err := ask(ctx, conn, "PRAGMA "+p.name)
		if err != nil {
			return err
		}
		if got != p.value {
			return logiqc.Errorf(logiqc.Unavailable, "SQLite would not set %s to %s: it is %q", p.name, p.value, got)
		}
	}
	if c.mode == "ro" { // reads the file's header, so that what is no store is found out here
		_, err = ask(ctx, conn, `PRAGMA schema_version`)
	}
	return err
}
