package store

import (
	"context"
	"database/sql"
)

// transact runs a transaction that ctx can end at any moment before its commit.
func (e *sqliteEngine) transact(ctx context.Context, db *sql.DB, write bool, fn func(*sql.Tx) error) error {
	fail := func(err error) error {
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		return e.explain(err)
	}
	if err := e.here(); err != nil {
		return err
	}
	raw, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: !write})
	if err != nil {
		return fail(err)
	}
	defer func() { _ = raw.Rollback() }() // does nothing after a commit
	if err := fn(raw); err != nil || !write {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fail(raw.Commit())
}

func (e *sqliteEngine) exec(tx *Tx, query string, args []any) (sql.Result, error) {
	s, err := e.stmt(tx, query)
	if err != nil {
		return nil, err
	}
	return s.Exec(args...)
}

func (e *sqliteEngine) query(tx *Tx, query string, args []any, _ bool) (*sql.Rows, error) {
	s, err := e.stmt(tx, query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// stmt prepares a statement once per transaction.
func (e *sqliteEngine) stmt(tx *Tx, query string) (*sql.Stmt, error) {
	if s := tx.stmts[query]; s != nil {
		return s, nil
	}
	// Statements run without tx.ctx: it is looked at between two of them, and
	// one that has begun is better finished than half done.
	s, err := tx.raw.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	if tx.stmts == nil {
		tx.stmts = map[string]*sql.Stmt{}
	}
	tx.stmts[query] = s
	return s, nil
}
