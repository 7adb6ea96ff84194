package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Options are what a store is opened with.
type Options struct {
	// Now is the clock; nil means this machine's for a file and the database's
	// own for a database server. It is asked once per transaction.
	Now func() time.Time
	// Group lets transactions of this process that write at the same time share
	// one commit, which is what takes long in a file; each stays all or nothing
	// on its own. It is for a server: a program that makes one change at a time
	// gains nothing. A database server gathers commits itself, and ignores it.
	Group bool
	// Patience is how long to wait for others: for a database server to let one
	// in and to answer, and for the right to write. When it is over the error is
	// Unavailable, or UnknownOutcome while a commit is waited for. 0 is for ever.
	Patience time.Duration
}

// Store is an open store. It is safe for concurrent use; nothing is opened
// before the first transaction.
type Store struct {
	now    func() time.Time
	engine engine
	rarity rarity
	purges purges
	turn   chan struct{} // holds one token: whose turn to write it is, in this process
	group  *group        // who shares commits instead of taking turns; or nil

	readers *readers // of a file; or nil

	mu          sync.Mutex // guards read and write
	read, write *sql.DB
}

// engine is what one kind of database does its own way.
type engine interface {
	// connect makes the pool for reading or for writing; it may open lazily.
	connect(write bool) (*sql.DB, error)
	// lock queues for the right to write among processes, until ctx ends.
	lock(ctx context.Context) (unlock func(), err error)
	// transact runs fn in a transaction, and commits it if fn returns nil and
	// it is a writing one. UnknownOutcome when nobody can tell whether it is
	// committed; with any other error nothing is changed.
	transact(ctx context.Context, db *sql.DB, write bool, fn func(*sql.Tx) error) error
	// exec and query run one statement.
	exec(tx *Tx, query string, args []any) (sql.Result, error)
	query(tx *Tx, query string, args []any, adHoc bool) (*sql.Rows, error)
	// explain turns an error of the driver into one with a code.
	explain(err error) error
	// retryable tells whether the same transaction may succeed when it is run
	// again: it met another one, and changed nothing.
	retryable(err error) bool
	// fatal tells whether an error of a statement may have ended the transaction
	// behind its back: what is run after it would be outside of it.
	fatal(err error) bool
	// dialect is what it says differently in SQL.
	dialect() *dialect
	// placeholder is the n-th of a long list of arguments in order.
	placeholder(n int) string
	// insertText and deleteText keep the text index; textSQL writes the SELECT
	// that asks it.
	insertText(tx *Tx, batch []*logiqc.User) error
	deleteText(tx *Tx, u *logiqc.User) error
	textSQL(tx *Tx, sel *query, q textQuery) error
	// bulk sets the database up for very many inserts, or back.
	bulk(tx *Tx, on bool) error
	// checkDatabase looks for damage, and for what a new store has otherwise.
	checkDatabase(ctx context.Context, db *sql.DB) ([]Problem, error)
	// scrub removes what deleted rows left in the database's files.
	scrub(ctx context.Context, conn *sql.Conn) error
}

// dialect is what an engine says differently in SQL.
type dialect struct {
	insert  string // the word for inserting many rows at once
	join    string // joins two tables, the first of which is gone through
	clock   string // the database's time in milliseconds; 0 when it is not asked
	pins    string // sets what answers depend on, for one transaction
	schema  string // the SELECT of the store's schema, see schemaOf
	rows    int    // how many accounts are best inserted by one statement
	streams bool   // who stops reading is not sent the rest
	index   string // an event's columns as one, see indexSQL
	arrays  bool   // many values are one argument
	// hidesBounds keeps the bounds of a range from the planner, which then has one
	// plan for any: along the index, as far as somebody reads. It is what such a
	// range is read by anyway, and takes longer to find out than to do.
	hidesBounds bool
}

func newStore(e engine, o Options) *Store {
	s := &Store{now: o.Now, engine: e, turn: make(chan struct{}, 1)}
	if file, ok := e.(*sqliteEngine); ok {
		s.readers = &readers{engine: file}
		if o.Group {
			s.group = &group{store: s}
		}
	}
	return s
}

// Open opens a store where it is: a database server for what begins with
// postgres:// or postgresql://, a file for anything else.
func Open(where string, o Options) (*Store, error) {
	if isDSN(where) {
		return OpenPostgres(where, o)
	}
	return OpenSQLite(where, o)
}

// Create makes a store, and fills it with init, where Open will find it.
func Create(ctx context.Context, where string, o Options, init func(*Tx) error) (*Store, error) {
	if isDSN(where) {
		return CreatePostgres(ctx, where, o, init)
	}
	return CreateSQLite(ctx, where, o, init)
}

// Vacant tells whether a store could be made where Create would make it: nil
// when the place can be looked at and there is none; otherwise the error of
// Create.
func Vacant(ctx context.Context, where string) error {
	if isDSN(where) {
		return VacantPostgres(ctx, where)
	}
	path, err := filepath.Abs(where)
	if err != nil {
		return explainFile(where, err)
	}
	return checkAbsent(path)
}

func isDSN(where string) bool {
	scheme, _, _ := strings.Cut(where, "://")
	return strings.EqualFold(scheme, "postgres") || strings.EqualFold(scheme, "postgresql")
}

// db returns the pool for reading or for writing, made at its first use.
func (s *Store) db(write bool) (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pool := &s.read
	if write {
		pool = &s.write
	}
	if *pool == nil {
		db, err := s.engine.connect(write)
		if err != nil {
			return nil, s.engine.explain(err)
		}
		*pool = db
	}
	return *pool, nil
}

// Close closes what was opened. No transaction may be running.
func (s *Store) Close() error {
	var err error
	if s.group != nil {
		err = s.group.close()
	}
	if s.readers != nil {
		err = errors.Join(err, s.readers.close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pool := range []**sql.DB{&s.read, &s.write} {
		if *pool != nil {
			err = errors.Join(err, (*pool).Close())
			*pool = nil
		}
	}
	return err
}

// View runs fn in a transaction that reads one state of the store. It returns
// fn's error as it is.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	db, err := s.db(false)
	if err != nil {
		return err
	}
	if s.readers != nil {
		return s.viewKept(ctx, db, fn)
	}
	_, err = s.run(ctx, db, false, fn)
	return err
}

// The most tries of one Update, and the longest first pause between two.
const (
	maxTries   = 6
	firstPause = 10 * time.Millisecond
)

// Update runs fn in a transaction that writes, and commits it if fn returns nil;
// otherwise, and when fn panics, nothing is changed. It returns fn's error as it
// is. While fn runs nobody else writes; with [Options.Group] the transaction may
// begin with what others have written and not yet committed, and then neither is
// answered before it is. Waiting for its turn ends when ctx does.
//
// Moved: the store has moved, so nothing is committed, unless fn is about that
// very matter ([Tx.SetMoved]).
//
// fn may be run again from the start when the database could not take the
// transaction, so it must not have effects outside tx, or else see [Tx.Alone];
// and it must not call Update, which would wait for itself.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if s.group != nil {
		return s.group.update(ctx, fn)
	}
	db, err := s.db(true)
	if err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return retry(ctx, func() (again bool, err error) { return s.updateOnce(ctx, db, fn) })
}

// retry runs a transaction, and again after a pause as long as it may succeed.
func retry(ctx context.Context, once func() (again bool, err error)) error {
	for try := 1; ; try++ {
		again, err := once()
		if !again || try == maxTries {
			return err
		}
		pause := time.Duration(rand.Int64N(int64(firstPause << try))) //nolint:gosec // jitter, not a secret
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) updateOnce(ctx context.Context, db *sql.DB, fn func(*Tx) error) (again bool, err error) {
	unlock, err := s.engine.lock(ctx)
	if err != nil {
		return s.engine.retryable(err), err
	}
	defer unlock()
	return s.run(ctx, db, true, fn)
}

// run is one transaction, from its beginning to its end. again tells that it
// met another one and may succeed when it is run again.
func (s *Store) run(ctx context.Context, db *sql.DB, write bool, fn func(*Tx) error) (again bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var tx *Tx
	err = s.engine.transact(ctx, db, write, func(raw *sql.Tx) error {
		tx = s.newTx(ctx, raw)
		tx.giveUp = cancel
		if err := tx.begin(write); err != nil {
			return err
		}
		return tx.run(fn)
	})
	// What fn made of the database's error does not matter.
	return err != nil && (s.engine.retryable(err) || tx != nil && tx.collided), err
}

func (s *Store) newTx(ctx context.Context, raw runner) *Tx {
	tx := &Tx{ctx: ctx, raw: raw, engine: s.engine, rarity: &s.rarity, purges: &s.purges, memo: &memo{}}
	if s.now != nil {
		tx.now = logiqc.At(s.now())
	}
	return tx
}

// Scrub removes what deleted and overwritten rows left behind in the store's
// files, such as the sealed secret that a reset cleared. It is best effort:
// while somebody reads, part of the work is left to a later call.
func (s *Store) Scrub(ctx context.Context) error {
	if s.group != nil {
		return s.group.scrub(ctx)
	}
	db, err := s.db(true)
	if err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	unlock, err := s.engine.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	conn, err := db.Conn(ctx)
	if err != nil {
		return s.engine.explain(err)
	}
	return s.engine.explain(errors.Join(s.engine.scrub(ctx, conn), conn.Close()))
}
