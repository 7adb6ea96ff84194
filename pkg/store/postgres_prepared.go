package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// How often a statement is run before it is worth a round trip to prepare it,
// and how many statements are counted.
const (
	preparedAfter     = 3
	statementsCounted = 500
)

// withMode puts before the arguments how the statement is to be run: in one
// round trip the first times, which is all there is for a command, and prepared
// when it comes again and again; unless the DSN says it (default_query_exec_mode).
func (e *pgEngine) withMode(tx *Tx, query string, args []any, adHoc bool) []any {
	mode := e.mode
	if mode == pgx.QueryExecModeCacheStatement && (adHoc || !e.again(query) || e.isPooled(tx)) {
		mode = pgx.QueryExecModeExec
	}
	return append([]any{mode}, args...)
}

// again counts the uses of a statement.
func (e *pgEngine) again(query string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, known := e.seen[query]; !known && len(e.seen) >= statementsCounted {
		return false
	}
	e.seen[query]++
	return e.seen[query] > preparedAfter
}

// connected writes down which process of the server a new connection is to, as
// long as that is of interest.
func (e *pgEngine) connected(_ context.Context, c *pgx.Conn) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.processes != nil {
		e.processes[c.PgConn().PID()] = true
	}
	return nil
}

// isPooled reports whether somebody stands between, such as PgBouncer, who may
// lend us another process for each transaction: what was prepared on one is not
// there on the next. They show by a process that answers and is none of those
// that were to serve us. It is asked once, before the first statement is prepared.
func (e *pgEngine) isPooled(tx *Tx) bool {
	e.asked.Do(func() {
		var pid uint32
		err := tx.raw.QueryRowContext(tx.ctx, `SELECT pg_backend_pid()`).Scan(&pid)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.pooled = err != nil || !e.processes[pid] // an error comes again with the next statement
		e.processes = nil
	})
	return e.pooled
}
