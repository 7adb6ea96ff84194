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
	if s.bearers {
		clear(tx.memo.bearers)
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

// stmt prepares a statement once per transaction, or once for many on a line.
// Before one that is about the log, all of the log is written.
func (e *sqliteEngine) stmt(tx *Tx, query string) (s *statement, err error) {
	if s = tx.stmts[query]; s == nil {
		if s, err = prepare(tx.raw, query); err != nil {
			return nil, err
		}
		if tx.stmts == nil {
			tx.stmts = map[string]*statement{}
		}
		tx.stmts[query] = s
	}
	if s.log {
		err = tx.writeTail()
	}
	return s, err
}
