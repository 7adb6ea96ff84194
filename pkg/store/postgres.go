package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// OpenPostgres opens the store in the PostgreSQL database that dsn names: a
// postgres:// URL as libpq takes it, several hosts and target_session_attrs
// among it, completed by the PG… environment variables and the password file
// (PostgreSQL manual, "Database Connection Control Functions"). It connects at
// the first transaction.
//
// Usage: the DSN cannot be read. No error shows a password.
func OpenPostgres(dsn string, o Options) (*Store, error) {
	e, err := newPostgres(dsn, o.Patience)
	if err != nil {
		return nil, err
	}
	e.serves = o.Group
	return newStore(e, o), nil
}

// pgEngine is a store in a PostgreSQL database.
type pgEngine struct {
	config   *pgx.ConnConfig
	name     string        // of the database, for people: without user and password
	hosts    int           // how many servers it names
	patience time.Duration // see [Options.Patience]
	mode     pgx.QueryExecMode
	// isolation of writing transactions. READ COMMITTED: each begins by waiting
	// for the row of log_head, and only from then on may it look around. There
	// every statement sees what is committed when it begins, that is all that
	// earlier turns did; and as nobody else writes during a turn, the statements
	// of one see one state. REPEATABLE READ would look around before it waits
	// and then fail (40001) whenever it had to wait.
	isolation sql.IsolationLevel
	// unconfirmed is set when the server gives up waiting for a standby. One
	// commit of a Store is on its way at a time, as its writers take turns.
	unconfirmed atomic.Bool

	serves bool         // many at a time, see [Options.Group]
	inUse  atomic.Int64 // connections that transactions are on

	mu        sync.Mutex
	crowded   *time.Timer     // until when the server lets in no more, see makeDo
	pool      *sql.DB         // one for reading and writing: a command connects once
	seen      map[string]int  // how often a statement was run, for some of them
	processes map[uint32]bool // those of the server that said they would serve us, until asked
	asked     sync.Once       // whether somebody stands between, see isPooled
	pooled    bool
}

// How long to wait for one host that does not answer; how long before one of
// several is tried again; and how long for the end of a commit or a statement after
// the caller has lost patience.
const (
	connectTimeout = 10 * time.Second
	hostsAgain     = 200 * time.Millisecond
	commitGrace    = 2 * time.Second
	cancelTimeout  = 3 * time.Second
)

func newPostgres(dsn string, patience time.Duration) (*pgEngine, error) {
	config, err := readAddress(dsn)
	if err != nil {
		return nil, err
	}
	e := &pgEngine{config: config, mode: config.DefaultQueryExecMode, isolation: sql.LevelReadCommitted,
		patience: patience, seen: map[string]int{}, processes: map[uint32]bool{}}
	// What is run beside our own transactions is not worth preparing.
	if e.mode == pgx.QueryExecModeCacheStatement {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	hosts := hostsOf(config)
	e.name, e.hosts = "PostgreSQL database "+config.Database+" on "+strings.Join(hosts, ","), len(hosts)
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	// A host that is gone, rather than its server, says nothing more: ask.
	config.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}).DialContext
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "logiqc"
	}
	config.RuntimeParams["client_encoding"] = "UTF8" // whatever the database or its user is set to
	config.OnNotice = e.notice
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: cancelTimeout}
	}
	return e, nil
}

// notice hears what the server says beside its answers. A commit whose wait for
// a standby was called off is committed on this server only, and would be lost
// with it (PostgreSQL manual, "Synchronous Replication"). The words depend on
// the server's language; the code, with no other warning at a commit, does not.
func (e *pgEngine) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	if n.Code == codeWarning && (n.Routine == "SyncRepWaitForLSN" || strings.Contains(n.Message, "synchronous replication")) {
		e.unconfirmed.Store(true)
	}
}

// lock has nothing to do: the row of log_head is the queue.
func (e *pgEngine) lock(context.Context) (func(), error) { return func() {}, nil }

// transact keeps the transaction apart from ctx, so that a commit that has been
// sent is waited for even when the caller has gone: some time only, since a
// standby that is down may never confirm it.
func (e *pgEngine) transact(ctx context.Context, db *sql.DB, write bool, fn func(*sql.Tx) error) error {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	conn, raw, err := e.begin(ctx, own, db, write)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return e.explain(err)
	}
	e.inUse.Add(1)
	defer func() {
		_ = raw.Rollback() // does nothing after a commit
		e.inUse.Add(-1)
		_ = conn.Close()
	}()
	if err := fn(raw); err != nil || !write {
		if pgCode(err) == codeReadOnlyTx {
			e.leave(conn, raw)
		}
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(commitGrace, cancel) })
	defer stop()
	if e.patience > 0 {
		defer time.AfterFunc(e.patience, cancel).Stop()
	}
	e.unconfirmed.Store(false)
	return e.committed(raw.Commit())
}

// begin connects and begins a transaction within ctx and patience, which then
// goes on in own. A connection that was lost while it lay idle is replaced.
// Where the address names several servers, one of which may be taking over from
// another, they are tried until one lets us in.
func (e *pgEngine) begin(ctx, own context.Context, db *sql.DB, write bool) (*sql.Conn, *sql.Tx, error) {
	o := &sql.TxOptions{Isolation: e.isolation}
	if !write { // one state of the store, whatever is committed meanwhile
		o = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	ctx, cancel := within(ctx, e.patience, e.noAnswer)
	defer cancel()
	var away error // what the last server to be asked said
	for dead, full := 0, 0; ; {
		conn, err := db.Conn(ctx)
		if err == nil {
			raw, err := beginOn(ctx, own, conn, o)
			if err == nil {
				return conn, raw, nil
			}
			_ = conn.Close()
			if dead++; dead > maxConns || ctx.Err() != nil || !isLost(err) {
				return nil, nil, cmp.Or(ctxError(ctx), err)
			}
			continue
		}
		if ctx.Err() != nil {
			return nil, nil, cmp.Or(away, ctxError(ctx))
		}
		away = err
		if e.serves && pgCode(err) == codeTooManyConns && full < fullTries {
			if !e.makeDo() {
				full++
				time.Sleep(fullPause)
			}
			continue
		}
		if e.hosts < 2 || !isAway(err) {
			return nil, nil, err
		}
		select {
		case <-time.After(hostsAgain + time.Duration(rand.Int64N(int64(hostsAgain)))): //nolint:gosec // jitter, not a secret
		case <-ctx.Done():
			return nil, nil, away
		}
	}
}

// noAnswer is the error of a server that was waited for in vain.
func (e *pgEngine) noAnswer() *logiqc.Error {
	return logiqc.Errorf(logiqc.Unavailable, "the %s has not answered for %s; nothing was changed", e.name, e.patience).
		WithHint("try again, or wait longer: --timeout 5m")
}

func beginOn(ctx, own context.Context, conn *sql.Conn, o *sql.TxOptions) (*sql.Tx, error) {
	own, cancel := context.WithCancel(own)
	stop := context.AfterFunc(ctx, cancel)
	raw, err := conn.BeginTx(own, o)
	if stop() {
		return raw, err
	}
	if err == nil {
		_ = raw.Rollback()
	}
	return nil, ctx.Err()
}

// committed turns the answer to COMMIT into what may be said of it.
func (e *pgEngine) committed(err error) error {
	var refused *pgconn.PgError
	switch {
	case err == nil && e.unconfirmed.Load():
		return logiqc.Errorf(logiqc.UnknownOutcome, "the change is written to the %s, but no standby confirmed it: it is lost if that server is", e.name).
			WithHint("see whether it is there: logiqc audit list")
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrTxCommitRollback),
		errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR" && refused.Code != codeCompletionUnknown:
		return e.explain(err)
	}
	// Whatever else went wrong, it may have been after COMMIT was sent: the
	// driver calls a connection that is lost while it waits for the answer safe
	// to retry (pgconn.SafeToRetry), which it is not.
	return logiqc.Errorf(logiqc.UnknownOutcome, "the connection to the %s was lost before it said whether the change is written: %w", e.name, err).
		WithHint("see whether it is there: logiqc audit list")
}

func (e *pgEngine) exec(tx *Tx, query string, args []any) (sql.Result, error) {
	defer e.impatient(tx)()
	r, err := tx.raw.ExecContext(tx.ctx, query, e.withMode(tx, query, args, false)...)
	return r, ended(tx, err)
}

func (e *pgEngine) query(tx *Tx, query string, args []any, adHoc bool) (*sql.Rows, error) {
	args = e.withMode(tx, query, args, adHoc)
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = asText(a)
		case []string:
			texts := make([]string, len(a))
			for j, s := range a {
				texts[j] = asText(s)
			}
			args[i] = texts
		}
	}
	stop := e.impatient(tx)
	rows, err := tx.raw.QueryContext(tx.ctx, query, args...)
	stop() // there is the first row
	return rows, ended(tx, err)
}

// impatient gives the transaction up when a statement takes too long; stop says
// that it is answered. A store that is
// being made, and the end of a bulk insert, have much to do.
func (e *pgEngine) impatient(tx *Tx) (stop func()) {
	if e.patience <= 0 || tx.bulk || tx.giveUp == nil {
		return func() {}
	}
	timer := time.AfterFunc(e.patience, func() { tx.giveUp(e.noAnswer()) })
	return func() { timer.Stop() }
}

// noText is in no text of the store; it is asked for in the place of what
// PostgreSQL does not take for text at all, and cannot hold.
const noText = "\U0010ffff"

func asText(s string) string {
	if isText(s) {
		return s
	}
	return noText
}

// ended gives a statement that the context ended the context's error.
func ended(tx *Tx, err error) error {
	if err != nil && tx.ctx.Err() != nil {
		return ctxError(tx.ctx)
	}
	return err
}

var pgDialect = dialect{
	insert: "INSERT", join: "JOIN", rows: rowsPerStatement, arrays: true, hidesBounds: true,
	schema: schemaOf(migrationTable), clock: "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
	index: indexSQL("convert_to({}::text, 'UTF8')", `'\xff'::bytea`),
	pins:  "set_config('bytea_output', 'hex', true)",
}

func (e *pgEngine) dialect() *dialect { return &pgDialect }

func (e *pgEngine) placeholder(n int) string { return "$" + strconv.Itoa(n) }

// bulk leaves the planner with what it needs to know of the new accounts, and
// the text index with none of them on its list of those to be sorted in, which
// every search would go through: it would be a minute until autovacuum does it.
func (e *pgEngine) bulk(tx *Tx, on bool) error {
	if on {
		return nil
	}
	if _, err := tx.exec(`ANALYZE account, account_word, account_text`); err != nil {
		return err
	}
	_, err := tx.exec(`SELECT gin_clean_pending_list(oid) FROM pg_class
		WHERE oid = to_regclass('account_text_folded') AND pg_has_role(relowner, 'USAGE')`)
	return err
}

// scrub leaves it to autovacuum: the server's files are its administrators'.
func (e *pgEngine) scrub(context.Context, *sql.Conn) error { return nil }
