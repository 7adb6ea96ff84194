package store

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// postgresWords are PostgreSQL's words for what the portable DDL leaves open.
// Row keys are no identity columns: the program numbers them, in turn, on every
// engine. COLLATE "C" orders by bytes, so that a range is what begins with a
// prefix.
var postgresWords = strings.NewReplacer(
	"{rowkey}", "BIGINT", "{bytes}", "BYTEA", "{folded}", `COLLATE "C"`, "{clustered}", "")

// What goose calls the table of the migrations that ran, so that it is not
// taken for another program's; and how long it waits for others who migrate, in
// seconds and tries.
const (
	migrationTable              = "logiqc_migration"
	migrationPause              = 1
	migrationTries              = 60
	trigramIndexSQL             = `CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX account_text_folded ON account_text USING gin (folded gin_trgm_ops)`
	savepointSQL, rollbackToSQL = `SAVEPOINT trigrams`, `ROLLBACK TO SAVEPOINT trigrams`
)

// CreatePostgres makes a store in the PostgreSQL database that dsn names, in
// the first schema of its search path. init fills it in the transaction that
// makes its tables, so a crash at any moment leaves a finished store or none.
//
// Exists: there is a store in the database already, or something else has a
// table of the same name; it is left alone. Of several who make one at the same
// time one wins.
func CreatePostgres(ctx context.Context, dsn string, o Options, init func(*Tx) error) (*Store, error) {
	s, err := OpenPostgres(dsn, o)
	if err != nil {
		return nil, err
	}
	if err := s.create(ctx, init); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) create(ctx context.Context, init func(*Tx) error) error {
	e := s.engine.(*pgEngine) //nolint:forcetypeassert // CreatePostgres opened it
	if err := e.vacant(ctx); err != nil {
		return err
	}
	db, err := s.db(true)
	if err != nil {
		return err
	}
	var made bool    // the migration has done its part
	var failed error // what init said
	first := goose.NewGoMigration(1, &goose.GoFunc{RunTx: func(ctx context.Context, raw *sql.Tx) error {
		if err := tablesPostgres(ctx, raw); err != nil {
			return err
		}
		tx := s.newTx(ctx, raw)
		failed = tx.begin(true)
		if failed == nil {
			failed = init(tx)
		}
		made = failed == nil
		return failed
	}}, nil)
	e.unconfirmed.Store(false)
	err = migratePostgres(ctx, db, first)
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil && !made:
		return ctx.Err()
	case pgCode(err) == codeTableExists:
		return logiqc.Errorf(logiqc.Exists, "another program has tables of the same names in the %s; nothing was made", e.name).
			WithHint("make a database for logiqc alone: createdb NAME")
	case made:
		return e.committed(err)
	case err != nil:
		return e.explain(err)
	}
	return e.exists() // somebody was quicker
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
	var store bool
	err = db.QueryRowContext(ctx, `SELECT to_regclass('store') IS NOT NULL AND to_regclass('log_head') IS NOT NULL`).Scan(&store)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return e.explain(err)
	case store:
		return e.exists()
	}
	return nil
}

func (e *pgEngine) exists() error {
	return logiqc.Errorf(logiqc.Exists, "there is a store in the %s already; it was left alone", e.name).
		WithHint("if it is yours: logiqc signin; to make another: createdb NAME")
}

// tablesPostgres makes the first schema.
func tablesPostgres(ctx context.Context, tx *sql.Tx) error {
	if err := bareTablesPostgres(ctx, tx); err != nil {
		return err
	}
	return indexesPostgres(ctx, tx)
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
	if _, err := tx.ExecContext(ctx, trigramIndexSQL); err != nil {
		if _, back := tx.ExecContext(ctx, rollbackToSQL); back != nil {
			return errors.Join(err, back)
		}
	}
	return nil
}

// migratePostgres runs the migrations that have not run yet, each in a
// transaction of its own, while everybody else who migrates waits. One that
// changes the schema of a store in use has to begin with LOCK TABLE log_head IN
// ACCESS EXCLUSIVE MODE: who waits for a turn then reads the new version.
func migratePostgres(ctx context.Context, db *sql.DB, migrations ...*goose.Migration) error {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(migrationPause, migrationTries))
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, nil, goose.WithGoMigrations(migrations...),
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(migrationTable), goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}
