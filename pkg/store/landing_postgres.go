package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

// landPostgres makes tables and rows in one transaction, which waits for its
// commit. Nothing else must be in the schema, so that what is there afterwards
// is the store and nothing but the store.
func landPostgres(ctx context.Context, dsn string, o Options, fill func(*Tx) error) (*Landing, error) {
	s, err := OpenPostgres(dsn, o)
	if err != nil {
		return nil, err
	}
	e := s.engine.(*pgEngine) //nolint:forcetypeassert // OpenPostgres made it
	l, err := s.land(ctx, e, fill)
	if err != nil {
		_ = s.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, e.explain(err)
	}
	return l, nil
}

func (s *Store) land(ctx context.Context, e *pgEngine, fill func(*Tx) error) (l *Landing, err error) {
	db, err := s.db(true)
	if err != nil {
		return nil, err
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	conn, raw, err := e.begin(ctx, own, db, true)
	if err != nil {
		cancel()
		return nil, err
	}
	discard := func() {
		_, _ = raw.Rollback(), conn.Close() // the first does nothing after a commit
		cancel()
		_ = s.Close()
	}
	defer func() {
		if err != nil {
			discard()
		}
	}()
	if err := e.schemaPostgres(ctx, raw); err != nil {
		return nil, err
	}
	tx := s.newTx(ctx, raw)
	tx.load = func(table string, columns []string, rows [][]any) error {
		return copyIn(ctx, conn, table, columns, rows)
	}
	if err := tx.begin(true); err != nil {
		return nil, err
	}
	if err := tx.run(fill); err != nil {
		return nil, err
	}
	if err := indexesPostgres(ctx, raw); err != nil {
		return nil, err
	}
	return &Landing{discard: discard, commit: func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { time.AfterFunc(commitGrace, cancel) })
		defer stop()
		e.unconfirmed.Store(false)
		return e.committed(raw.Commit())
	}}, nil
}

// schemaPostgres makes the tables in a schema that has none, and writes down
// which migration they are of, as goose would. Who makes a store there meanwhile,
// or migrates one, waits. A migration of a store in use has to begin with LOCK
// TABLE log_head IN ACCESS EXCLUSIVE MODE: who waits for a turn then reads the new
// version.
func (e *pgEngine) schemaPostgres(ctx context.Context, raw *sql.Tx) error {
	if _, err := raw.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, lock.DefaultLockID); err != nil {
		return err
	}
	if err := e.fit(ctx, raw); err != nil {
		return err
	}
	versions, err := database.NewStore(database.DialectPostgres, migrationTable)
	if err != nil {
		return err
	}
	if err := versions.CreateVersionTable(ctx, raw); err != nil {
		return err
	}
	for v := range int64(schemaVersion + 1) { // 0 says that the table is there
		if err := versions.Insert(ctx, raw, database.InsertRequest{Version: v}); err != nil {
			return err
		}
	}
	return bareTablesPostgres(ctx, raw)
}

// copyIn writes rows by COPY, on the connection of the transaction: nothing
// else is under way on it.
func copyIn(ctx context.Context, conn *sql.Conn, table string, columns []string, rows [][]any) error {
	return conn.Raw(func(driver any) error {
		own, ok := driver.(*stdlib.Conn)
		if !ok {
			return errors.New("this is no connection of pgx")
		}
		n, err := own.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
		if err == nil && n != int64(len(rows)) {
			err = fmt.Errorf("%d of %d rows of %s were written", n, len(rows), table)
		}
		return err
	})
}
