package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"fmt"
	"strings"

	"github.com/pressly/goose/v3"
)

// schemaVersion is the schema this program reads and writes: the number of
// the newest migration.
const schemaVersion = 1

// The migrations: the portable part and each engine's own.
var (
	//go:embed schema/00001_tables.sql
	tables1 string
	//go:embed schema/00001_sqlite.sql
	sqlite1 string
	//go:embed schema/00001_postgres.sql
	postgres1 string
)

// sqliteWords are SQLite's words for what the portable DDL leaves open.
var sqliteWords = strings.NewReplacer(
	"{rowkey}", "INTEGER", "{bytes}", "BLOB", "{folded}", "", "{clustered}", "WITHOUT ROWID")

// migrateSQLite brings the database up to schemaVersion, each migration in a
// transaction of its own.
func migrateSQLite(ctx context.Context, db *sql.DB) error {
	first := goose.NewGoMigration(1, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, sqliteWords.Replace(tables1)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, sqlite1); err != nil {
			return err
		}
		return firstRows(ctx, tx)
	}}, nil)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, nil,
		goose.WithGoMigrations(first), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("prepare the schema: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	return nil
}

// firstRows inserts the rows that are never more nor fewer than one. The root
// of an empty log is the hash of nothing (RFC 6962, 2.1).
func firstRows(ctx context.Context, tx *sql.Tx) error {
	empty := sha256.Sum256(nil)
	if _, err := tx.ExecContext(ctx, `INSERT INTO log_head (one, turn, size, root) VALUES (1, 0, 0, $1)`, empty[:]); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO store (one, id, schema, origin, created_at) VALUES (1, '', $1, '', 0)`, schemaVersion)
	return err
}
