package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Tx is one transaction. It belongs to the function that was given it, and to
// one goroutine.
type Tx struct {
	ctx    context.Context
	giveUp context.CancelCauseFunc // ends ctx, with the error to return
	raw    runner
	engine engine
	rarity *rarity
	purges *purges
	now    logiqc.Time
	stmts  map[string]*statement
	write  bool
	size   int64 // of the log, in a writing transaction
	root   [32]byte
	closed int64 // what the store does not take; in a writing transaction
	moving bool  // the transaction is about where the store is
	wrote  bool  // it changed rows, its turn aside

	collided bool  // the database said that another transaction was in the way
	failed   error // why nothing more may be done in it

	shared *shared // with whom; nil for a transaction of its own
	memo   *memo   // of what does not change in a transaction by itself

	load func(table string, columns []string, rows [][]any) error // the database's own way to take many rows, or nil

	enlarged bool // the connection keeps much of the file in memory
	bulk     bool
	added    int     // accounts, by a bulk insert
	waiting  []entry // its words, to be written in order
}

// runner runs statements: an [*sql.Tx], or the connection of a transaction that
// several share.
type runner interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// memo is what has been read of a transaction's beginning, or found out about
// it. Whoever changes it, or takes changes back, forgets it.
type memo struct {
	policy  *logiqc.Policy
	info    *Info
	found   map[string]any
	hashes  map[int64][32]byte // of the log's tree
	bearers map[string]any     // a Session or a Token, by its id
}

// Once returns what fn found out when it last succeeded under that name in what
// the transaction is part of, or else runs it. It is for what is the same for
// all who share a commit, because who changes it has to be alone in the store:
// the log that their turn began with, or the keys that seal.
func Once[T any](tx *Tx, name string, fn func() (T, error)) (T, error) {
	if found, ok := tx.memo.found[name].(T); ok {
		return found, nil
	}
	found, err := fn()
	if err != nil {
		return found, err
	}
	if tx.memo.found == nil {
		tx.memo.found = map[string]any{}
	}
	tx.memo.found[name] = found
	return found, nil
}

// run runs fn to its end. An error that may have ended the transaction stands,
// whatever fn made of it, as nothing of it may be committed then.
func (tx *Tx) run(fn func(*Tx) error) error {
	defer func() { // also when fn panics
		if tx.enlarged {
			_, _ = tx.raw.ExecContext(context.Background(), cacheSQL)
		}
	}()
	err := fn(tx)
	switch {
	case errors.Is(tx.failed, errNotAlone):
		return errNotAlone
	case err == nil && tx.failed != nil:
		return tx.failed
	case err == nil && tx.ctx.Err() != nil:
		return ctxError(tx.ctx)
	case err == nil && tx.write:
		return tx.checkPlace()
	}
	return err
}

// Now is the one time of the transaction.
func (tx *Tx) Now() logiqc.Time { return tx.now }

// schemaOf is the SELECT of the store's schema: what the store says itself or,
// where migrations of a newer program were begun, the last of them.
func schemaOf(migrations string) string {
	return fmt.Sprintf(`SELECT CASE WHEN m.version > %d THEN m.version ELSE s.schema END
		FROM store s, (SELECT max(version_id) AS version FROM %s) m`, schemaVersion, migrations)
}

// begin takes the turn at the head of the log and looks at the schema.
func (tx *Tx) begin(write bool) error {
	tx.write = write
	schema, clock := int64(-1), int64(0)
	d := tx.engine.dialect()
	var root []byte
	var err error
	if write {
		// The clock is read when the turn has come, so that a later turn has no
		// earlier time.
		_, err = tx.one(`UPDATE log_head SET turn = turn + 1 WHERE one = 1
			RETURNING size, root, closed, (`+d.schema+`), `+d.clock+`, `+d.pins, nil,
			&tx.size, &root, &tx.closed, &schema, &clock, new(any))
	} else {
		_, err = tx.one(`SELECT (`+d.schema+`), `+d.clock+`, `+d.pins, nil, &schema, &clock, new(any))
	}
	if err != nil {
		return err
	}
	copy(tx.root[:], root)
	if tx.now == 0 {
		tx.now = logiqc.Time(clock)
	}
	return checkSchema(schema)
}

// hintUpgrade is what to do with a store of an older schema.
const hintUpgrade = "logiqc store upgrade"

// checkSchema refuses a store that another version of the program made.
func checkSchema(schema int64) error {
	switch {
	case schema > schemaVersion:
		return logiqc.Errorf(logiqc.Unavailable, "this store was made by a newer logiqc (schema %d, this one knows %d)",
			schema, schemaVersion).WithHint("install the newer version; see: logiqc version")
	case schema < 0:
		return logiqc.Errorf(logiqc.Unavailable, "this is not a store of logiqc")
	case schema < schemaVersion:
		return logiqc.Errorf(logiqc.Unavailable, "this store was made by an older logiqc (schema %d, this one needs %d)",
			schema, schemaVersion).WithHint(hintUpgrade)
	}
	return nil
}

// explain gives an error of the driver its code.
func (tx *Tx) explain(err error) error {
	if errors.Is(err, sql.ErrTxDone) && tx.ctx.Err() != nil {
		return ctxError(tx.ctx)
	}
	if err != nil && tx.engine.retryable(err) {
		tx.collided = true
	}
	explained := tx.engine.explain(err)
	if err != nil && tx.failed == nil && tx.engine.fatal(err) {
		tx.failed = explained
	}
	return explained
}

// usable is the error of a transaction in which nothing more may be done.
func (tx *Tx) usable() error {
	if tx.failed != nil {
		return tx.failed
	}
	return ctxError(tx.ctx)
}

// ctxError is why ctx has ended: our own reason, or the context's; nil if it has
// not.
func ctxError(ctx context.Context) error {
	var own *logiqc.Error
	if errors.As(context.Cause(ctx), &own) {
		return own
	}
	return ctx.Err()
}

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (int64, error) {
	if err := tx.usable(); err != nil {
		return 0, err
	}
	r, err := tx.engine.exec(tx, query, args)
	if err != nil {
		return 0, tx.explain(err)
	}
	n, err := r.RowsAffected()
	tx.wrote = tx.wrote || n > 0
	return n, tx.explain(err)
}

// one reads the only row of a query; ok is false when there is none.
func (tx *Tx) one(query string, args []any, dest ...any) (ok bool, err error) {
	err = tx.each(query, args, func(rows *sql.Rows) error {
		ok = true
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		return errStop
	})
	return ok, err
}

// errStop ends a reading that has seen enough.
var errStop = errors.New("seen enough")

// each calls fn for each row of a query, until fn returns an error. errStop
// ends the reading and is no error.
func (tx *Tx) each(query string, args []any, fn func(*sql.Rows) error) error {
	return tx.rows(query, args, false, fn)
}

// search is each for a query that is put together anew each time, and whose
// best plan depends on what is looked for.
func (tx *Tx) search(sel *query, fn func(*sql.Rows) error) error {
	return tx.rows(sel.String(), sel.args, true, fn)
}

func (tx *Tx) rows(query string, args []any, adHoc bool, fn func(*sql.Rows) error) (err error) {
	if err := tx.usable(); err != nil {
		return err
	}
	rows, err := tx.engine.query(tx, query, args, adHoc)
	if err != nil {
		return tx.explain(err)
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = tx.explain(e)
		}
	}()
	for n := 1; rows.Next(); n++ {
		if err := fn(rows); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return tx.engine.explain(err)
		}
		if n%256 == 0 && tx.ctx.Err() != nil {
			return ctxError(tx.ctx)
		}
	}
	return tx.explain(rows.Err())
}

// count reads one number.
func (tx *Tx) count(query string, args ...any) (n int, err error) {
	_, err = tx.one(query, args, &n)
	return n, err
}

// rowsPerStatement is where more rows per INSERT stop being faster.
const rowsPerStatement = 50

// insertMany inserts n rows of width columns; row appends the values of one
// to args. into is the statement between INSERT and VALUES. When it fails, any
// of the rows may have been inserted: the transaction has to end.
func (tx *Tx) insertMany(into string, width, n int, row func(i int, args []any) []any) error {
	into = tx.engine.dialect().insert + into
	args := make([]any, 0, width*min(n, rowsPerStatement))
	for at, rows := 0, 0; at < n; at += rows {
		rows = min(rowsPerStatement, n-at)
		if tx.shared != nil {
			rows = 1 << (bits.Len(uint(rows)) - 1) // few statements, which stay prepared
		}
		args = args[:0]
		for i := range rows {
			args = row(at+i, args)
		}
		if _, err := tx.exec(tx.valuesSQL(into, width, rows), args...); err != nil {
			return err
		}
	}
	return nil
}

// valuesSQL completes an INSERT with the placeholders of its rows.
func (tx *Tx) valuesSQL(into string, width, rows int) string {
	var b strings.Builder
	b.Grow(len(into) + width*rows*6)
	b.WriteString(into)
	b.WriteString(" VALUES ")
	for i := range width * rows {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString(tx.engine.placeholder(i + 1))
	}
	b.WriteString(")")
	return b.String()
}

// list writes placeholders from $from on, for an IN.
func list(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$")
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

// bit is a flag as it is stored, in a number on every engine.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
