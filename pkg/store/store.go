package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Options are what a store is opened with.
type Options struct {
	// Now is the clock; nil means time.Now. It is asked once per transaction.
	Now func() time.Time
}

// Store is an open store. It is safe for concurrent use; nothing is opened
// before the first transaction.
type Store struct {
	now    func() time.Time
	engine engine
	turn   chan struct{} // holds one token: whose turn to write it is, in this process

	mu          sync.Mutex // guards read and write
	read, write *sql.DB
}

// engine is what one kind of database does its own way.
type engine interface {
	// connect makes the pool for reading or for writing; it may open lazily.
	connect(write bool) (*sql.DB, error)
	// lock queues for the right to write among processes, until ctx ends.
	lock(ctx context.Context) (unlock func(), err error)
	// explain turns an error of the driver into one with a code.
	explain(err error) error
	// retryable tells whether the same transaction may succeed when it is run
	// again: it met another one, and changed nothing.
	retryable(err error) bool
	// scrub removes what deleted rows left in the database's files.
	scrub(ctx context.Context, db *sql.DB) error
}

func newStore(e engine, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{now: o.Now, engine: e, turn: make(chan struct{}, 1)}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
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
	return s.run(ctx, db, false, fn)
}

// The most tries of one Update, and the longest first pause between two.
const (
	maxTries   = 6
	firstPause = 10 * time.Millisecond
)

// Update runs fn in a transaction that alone may write, and commits it if fn
// returns nil; otherwise, and when fn panics, nothing is changed. It returns
// fn's error as it is. Waiting for its turn ends when ctx does.
//
// fn may be run again from the start when the database could not take the
// transaction, so it must not have effects outside tx; and it must not call
// Update, which would wait for itself.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
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
	for try := 1; ; try++ {
		err := s.updateOnce(ctx, db, fn)
		if err == nil || try == maxTries || !s.engine.retryable(err) {
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

func (s *Store) updateOnce(ctx context.Context, db *sql.DB, fn func(*Tx) error) error {
	unlock, err := s.engine.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.run(ctx, db, true, fn)
}

// run is one transaction, from its beginning to its end.
func (s *Store) run(ctx context.Context, db *sql.DB, write bool, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	raw, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: !write})
	if err != nil {
		return s.fail(ctx, err)
	}
	defer func() { _ = raw.Rollback() }() // does nothing after a commit
	tx := &Tx{ctx: ctx, raw: raw, engine: s.engine, now: logiqc.At(s.now())}
	if err := tx.begin(write); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	if !write {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.fail(ctx, raw.Commit())
}

// fail explains an error of the transaction itself.
func (s *Store) fail(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return s.engine.explain(err)
}

// Scrub removes what deleted and overwritten rows left behind in the store's
// files, such as the sealed secret that a reset cleared. It is best effort:
// while somebody reads, part of the work is left to a later call.
func (s *Store) Scrub(ctx context.Context) error {
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
	return s.engine.explain(s.engine.scrub(ctx, db))
}
