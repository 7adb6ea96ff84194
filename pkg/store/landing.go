package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Landing is a store that is made whole and not there yet: nobody sees any of
// it before Commit, and without Commit nothing of it is left. It holds its place
// until one of Commit and Discard is called, and is used by one goroutine.
type Landing struct {
	commit     func(ctx context.Context) error
	discard    func()
	unfinished string // the file, where it is one
}

// Land makes a store where Create would, filled by fill in one transaction, and
// keeps it back.
//
// Exists: the place is not empty. A file may be there that Create would refuse
// as another store's remains (see [Remains]).
func Land(ctx context.Context, where string, o Options, fill func(*Tx) error) (*Landing, error) {
	if isDSN(where) {
		return landPostgres(ctx, where, o, fill)
	}
	return landSQLite(ctx, where, o, fill)
}

// Commit lets the store appear, whole. It goes on when ctx is cancelled, and
// waits a little then for what may never be confirmed.
// UnknownOutcome when nobody can tell whether it has; with any other error
// nothing has appeared.
func (l *Landing) Commit(ctx context.Context) error {
	commit := l.commit
	l.commit = nil
	if commit == nil {
		return errors.New("this landing is over")
	}
	err := commit(ctx)
	l.Discard()
	return err
}

// Discard takes back what has been made, unless it has appeared. It may be
// called at any time, and again.
func (l *Landing) Discard() {
	if l == nil || l.discard == nil {
		return
	}
	l.discard()
	l.commit, l.discard = nil, nil
}

// landSQLite builds the file beside its place.
func landSQLite(ctx context.Context, path string, o Options, fill func(*Tx) error) (*Landing, error) {
	return landFile(ctx, path, func(unfinished string) error { return build(ctx, unfinished, o, fill) })
}

// landFile has a file built beside its place, whole and synced, and nothing of
// it is there.
func landFile(ctx context.Context, path string, build func(unfinished string) error) (*Landing, error) {
	path, unlock, err := claimPath(ctx, path)
	if err != nil {
		return nil, err
	}
	unfinished := path + ".new"
	if err = removeUnfinished(unfinished); err == nil {
		err = build(unfinished)
	}
	if err != nil {
		err = errors.Join(err, removeUnfinished(unfinished))
		unlock()
		return nil, err
	}
	landed := false
	return &Landing{
		unfinished: unfinished,
		commit: func(context.Context) error {
			if err := checkAbsent(path); err != nil {
				return err
			}
			if err := os.Rename(unfinished, path); err != nil {
				return explainFile(path, err)
			}
			landed = true
			if err := syncFolder(filepath.Dir(path)); err != nil {
				return logiqc.Errorf(logiqc.UnknownOutcome, "the store is at %s, and may be gone again after a power cut: %w", path, err)
			}
			return nil
		},
		discard: func() {
			if !landed {
				_ = removeUnfinished(unfinished)
			}
			unlock()
		},
	}, nil
}

// claimPath makes sure that a file can be made at path, makes the folders it
// lacks, and holds the place until unlock.
func claimPath(ctx context.Context, path string) (abs string, unlock func(), err error) {
	if abs, err = filepath.Abs(path); err != nil {
		return "", nil, explainFile(path, err)
	}
	if err := checkAbsent(abs); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
		return "", nil, explainFile(abs, err)
	}
	if unlock, err = (&sqliteEngine{path: abs}).lock(ctx); err != nil {
		return "", nil, err
	}
	if err := checkAbsent(abs); err != nil { // somebody may have been quicker
		unlock()
		return "", nil, err
	}
	return abs, unlock, nil
}
