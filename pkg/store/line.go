package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// line is a connection that is kept, with the statements prepared on it. One
// goroutine uses it at a time.
type line struct {
	conn  *sql.Conn
	stmts map[string]*statement
}

// statement is one that is prepared, with what has to be thought of before it
// is run in a transaction that several share.
type statement struct {
	*sql.Stmt
	log     bool // it reads or changes the log
	bearers bool // it may change who may what
}

func prepare(raw runner, query string) (*statement, error) {
	// Statements run without a context: it is looked at between two of them, and
	// one that has begun is better finished than half done.
	s, err := raw.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	about := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(query, word) })
	}
	return &statement{Stmt: s, log: about("event", "log_"), bearers: about("account", "session", "token") && query != updateSameSQL}, nil
}

// openLine takes a connection of the pool.
func openLine(ctx context.Context, db *sql.DB) (*line, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &line{conn, map[string]*statement{}}, nil
}

// exec runs a statement of a transaction's frame, which nobody's context ends
// half way.
func (l *line) exec(statement string) error {
	s := l.stmts[statement]
	if s == nil {
		var err error
		if s, err = prepare(l.conn, statement); err != nil {
			return err
		}
		l.stmts[statement] = s
	}
	_, err := s.Exec()
	return err
}

// statementsKept bounds the statements that stay prepared: some are put
// together anew for each number of rows.
const statementsKept = 400

// trim forgets the statements when they have become many.
func (l *line) trim() {
	if len(l.stmts) > statementsKept {
		l.forget()
	}
}

func (l *line) forget() {
	for _, s := range l.stmts {
		_ = s.Close()
	}
	l.stmts = map[string]*statement{}
}

// close gives the connection back.
func (l *line) close() error {
	l.forget()
	return l.conn.Close()
}

// readers are the lines of a file that nobody reads on now. To open one, and to
// prepare what is asked on it, takes longer than most reading.
type readers struct {
	engine *sqliteEngine
	mu     sync.Mutex // guards idle
	idle   []*line    // the last used at the end
}

// readersKept is how many lines wait for the next reader; more are opened where
// more read at once.
var readersKept = max(4, runtime.GOMAXPROCS(0))

func (r *readers) take(ctx context.Context, db *sql.DB) (*line, error) {
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		l := r.idle[n-1]
		r.idle = r.idle[:n-1]
		r.mu.Unlock()
		return l, nil
	}
	r.mu.Unlock()
	return openLine(ctx, db)
}

func (r *readers) put(l *line) {
	l.trim()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) < readersKept {
		r.idle = append(r.idle, l)
		return
	}
	_ = l.close()
}

func (r *readers) close() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.idle {
		err = errors.Join(err, l.close())
	}
	r.idle = nil
	return err
}

// viewKept is [Store.View] on a line that is kept.
func (s *Store) viewKept(ctx context.Context, db *sql.DB, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.readers.engine.here(); err != nil {
		return err
	}
	l, err := s.readers.take(ctx, db)
	if err != nil {
		return s.engine.explain(err)
	}
	sound := false
	defer func() { // also when fn panics
		if e := l.exec(`COMMIT`); e != nil || !sound {
			_ = l.close()
			return
		}
		s.readers.put(l)
	}()
	if err := l.exec(`BEGIN`); err != nil {
		return s.engine.explain(err)
	}
	tx := s.newTx(ctx, l.conn)
	tx.stmts = l.stmts
	if err = tx.begin(false); err == nil {
		err = tx.run(fn)
	}
	sound = tx.failed == nil
	return err
}
