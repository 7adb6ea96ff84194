package store

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// postgresWords are PostgreSQL's words for what the portable DDL leaves open.
// Row keys are no identity columns: the program numbers them, in turn, on every
// engine. COLLATE "C" orders by bytes, so that a range is what begins with a
// prefix.
var postgresWords = strings.NewReplacer(
	"{rowkey}", "BIGINT", "{bytes}", "BYTEA", "{folded}", `COLLATE "C"`, "{clustered}", "")

// What goose is told to call the table of the migrations that ran, so that it is
// not taken for another program's.
const migrationTable = "logiqc_migration"

const savepointSQL, rollbackToSQL = `SAVEPOINT trigrams`, `ROLLBACK TO SAVEPOINT trigrams`

// CreatePostgres makes a store in the PostgreSQL database that dsn names, in
// the first schema of its search path. init fills it in the transaction that
// makes its tables, so a crash at any moment leaves a finished store or none.
//
// Exists: there is something in the schema already; it is left alone. Of several
// who make a store at the same time one wins.
func CreatePostgres(ctx context.Context, dsn string, o Options, init func(*Tx) error) (*Store, error) {
	l, err := landPostgres(ctx, dsn, o, init)
	if err != nil {
		return nil, err
	}
	if err := l.Commit(ctx); err != nil {
		return nil, err
	}
	return OpenPostgres(dsn, o)
}

// VacantPostgres tells before a store is made whether it could be: nil when the
// database can be reached and holds none; otherwise the error of
// [CreatePostgres].
func VacantPostgres(ctx context.Context, dsn string) error {
	e, err := newPostgres(dsn, 0)
	if err != nil {
		return err
	}
	db, err := e.connect(false)
	if err != nil {
		return err
	}
	return errors.Join(e.vacant(ctx), db.Close())
}

func (e *pgEngine) vacant(ctx context.Context) error {
	db, err := e.connect(false)
	if err != nil {
		return err
	}
	if err := e.fit(ctx, db); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return e.explain(err)
	}
	return nil
}

// oldestServer is the oldest PostgreSQL that has what is asked of it, as
// server_version_num has it.
const oldestServer = 120000

// fit refuses a database in which a store cannot be made.
func (e *pgEngine) fit(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) error {
	var store bool
	var schema, first sql.NullString
	var encoding, version string
	var number, tables int
	err := db.QueryRowContext(ctx, `SELECT to_regclass('store') IS NOT NULL AND to_regclass('log_head') IS NOT NULL, current_schema(),
			current_setting('server_encoding'), current_setting('server_version'), current_setting('server_version_num')::int, count(*), min(c.relname)
		FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`).
		Scan(&store, &schema, &encoding, &version, &number, &tables, &first)
	switch {
	case err != nil:
		return err
	case number < oldestServer:
		return logiqc.Errorf(logiqc.Unavailable, "the %s is on PostgreSQL %s, which is too old; nothing was made", e.name, version).
			WithHint("take PostgreSQL %d or newer", oldestServer/10000)
	case encoding != "UTF8":
		return logiqc.Errorf(logiqc.Unavailable, "the %s keeps text as %s, which cannot hold every name; nothing was made", e.name, encoding).
			WithHint("make another: createdb -T template0 -E UTF8 NAME")
	case !schema.Valid:
		return logiqc.Errorf(logiqc.Unavailable, "the %s has no schema to make tables in; nothing was made", e.name).
			WithHint("make the schema that search_path names: CREATE SCHEMA NAME")
	case store:
		return e.exists()
	case tables > 0:
		return logiqc.Errorf(logiqc.Exists, "the %s is not empty (there is %s); nothing was made", e.name, first.String).
			WithHint("make a database for it alone: createdb NAME")
	}
	return nil
}

func (e *pgEngine) exists() error {
	return logiqc.Errorf(logiqc.Exists, "there is a store in the %s already; it was left alone", e.name).
		WithHint("if it is yours: logiqc signin; to make another: createdb NAME")
}

// indexDDL finds the statements that make an index: filled tables get them
// faster than empty ones keep them.
var indexDDL = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^CREATE INDEX [^;]*;`)
})

// bareTablesPostgres makes the tables, and indexesPostgres the rest.
func bareTablesPostgres(ctx context.Context, tx *sql.Tx) error {
	for _, ddl := range []string{indexDDL().ReplaceAllString(postgresWords.Replace(tables1), ""), postgres1} {
		if _, err := tx.ExecContext(ctx, ddl); err != nil {
			return err
		}
	}
	return firstRows(ctx, tx)
}

func indexesPostgres(ctx context.Context, tx *sql.Tx) error {
	ddl := append(indexDDL().FindAllString(postgresWords.Replace(tables1), -1), savepointSQL)
	if _, err := tx.ExecContext(ctx, strings.Join(ddl, "\n")); err != nil {
		return err
	}
	// Making an extension takes a right that not everybody has, and the server
	// must have it. Searches find the same without the index.
	if err := trigramIndex(ctx, tx); err != nil {
		if _, back := tx.ExecContext(ctx, rollbackToSQL); back != nil {
			return errors.Join(err, back)
		}
	}
	return nil
}

// trigramIndex makes the index of trigrams. The extension may be in another
// schema than the store, where somebody else made it.
func trigramIndex(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `CREATE EXTENSION IF NOT EXISTS pg_trgm`); err != nil {
		return err
	}
	var schema string
	err := tx.QueryRowContext(ctx, `SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE extname = 'pg_trgm'`).Scan(&schema)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `CREATE INDEX account_text_folded ON account_text USING gin (folded `+schema+`.gin_trgm_ops)`)
	return err
}
