package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// lock queues on a file beside the store.
func (e *sqliteEngine) lock(ctx context.Context) (func(), error) {
	if err := e.here(); err != nil { // before a lock is made where nothing is locked
		return nil, err
	}
	ctx, cancel := within(ctx, e.patience, func() *logiqc.Error {
		return logiqc.Errorf(logiqc.Unavailable, "another program has been writing to the store %s for %s; nothing was changed", e.path, e.patience).
			WithHint("find out which: fuser %s; or wait longer: --timeout 5m", quoted(e.path+".lock"))
	})
	defer cancel()
	unlock, err := lockFile(ctx, e.path+".lock")
	switch {
	case err != nil && ctx.Err() == nil:
		err = explainFile(e.path+".lock", err)
	case err != nil:
		err = ctxError(ctx)
	default:
		if err = e.here(); err != nil {
			unlock()
		}
	}
	return unlock, err
}

// within is ctx until patience is over, if it ever is: then why is its cause.
func within(ctx context.Context, patience time.Duration, why func() *logiqc.Error) (context.Context, context.CancelFunc) {
	if patience <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, patience, why())
}

// CreateSQLite makes a store in a new file at path, of mode 0600 whatever the
// umask, and the folders it lacks, of mode 0700. init fills it in the store's
// first transaction; when it fails no file is left.
//
// The store is built beside its place and moved there whole, so a crash at any
// moment leaves a finished store or none. What it leaves of an unfinished one
// (PATH.new) is cleared away by the next call.
//
// Exists: there is something at path, which is left alone, or what another
// store left beside it.
func CreateSQLite(ctx context.Context, path string, o Options, init func(*Tx) error) (*Store, error) {
	l, err := landSQLite(ctx, path, o, init)
	if err != nil {
		return nil, err
	}
	if err := l.Commit(ctx); err != nil {
		return nil, err
	}
	return OpenSQLite(path, o)
}

// checkAbsent refuses a path at which something is. A write-ahead log left
// there would be taken for the new store's own.
func checkAbsent(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		switch _, err := os.Lstat(path + suffix); {
		case err == nil && suffix == "":
			return logiqc.Errorf(logiqc.Exists, "there is something at %s already; it was left alone", path)
		case err == nil:
			return logiqc.Errorf(logiqc.Exists, "%s is left from another store; nothing was made", path+suffix).
				WithHint("put it back beside its store, or take it away: mv %s …", quoted(path+suffix))
		case !errors.Is(err, fs.ErrNotExist):
			return explainFile(path, err)
		}
	}
	return nil
}

// removeUnfinished removes an unfinished store.
func removeUnfinished(path string) error {
	var all error
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// build makes a whole store at path, synced and with nothing beside it.
func build(ctx context.Context, path string, o Options, init func(*Tx) error) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return explainFile(path, err)
	}
	defer func() { _ = f.Close() }()
	s := newSQLite(path, o)
	db, err := s.db(true)
	if err != nil {
		return err
	}
	err = fill(ctx, s, db, init)
	// Closing the last connection moves the log into the file and removes it.
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if _, err := os.Lstat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		return logiqc.Errorf(logiqc.Unavailable, "the new store %s could not be finished", path)
	}
	if err := f.Sync(); err != nil {
		return explainFile(path, err)
	}
	return nil
}

// fill makes the schema and runs init.
func fill(ctx context.Context, s *Store, db *sql.DB, init func(*Tx) error) error {
	if err := migrateSQLite(ctx, db); err != nil {
		return s.engine.explain(err)
	}
	_, err := s.run(ctx, db, true, init)
	return err
}
