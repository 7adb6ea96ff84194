package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Backup keeps back a new SQLite file with everything that is in the store, of
// one moment, and of mode 0600; it appears at path with [Landing.Commit].
// Writers go on meanwhile. A file is copied by SQLite itself, a database table
// by table, read back and compared. Progress is told of rows, and may be nil.
//
// Exists: there is something at path.
func (s *Store) Backup(ctx context.Context, path string, progress func(done, total int64)) (*Landing, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, explainFile(path, err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil { // a disk that is not mounted is no place for a backup
		return nil, explainFile(path, err)
	}
	l, err := s.backup(ctx, path, progress)
	unlocked := func() { _ = os.Remove(path + ".lock") } // nobody writes to a backup
	if err != nil {
		if !errors.Is(err, logiqc.Exists) {
			unlocked()
		}
		return nil, err
	}
	discard := l.discard
	l.discard = func() {
		unlocked()
		discard()
	}
	return l, nil
}

func (s *Store) backup(ctx context.Context, path string, progress func(done, total int64)) (*Landing, error) {
	if _, file := s.engine.(*sqliteEngine); !file {
		return s.backupRows(ctx, path, progress)
	}
	return landFile(ctx, path, func(unfinished string) error {
		db, err := s.db(false)
		if err != nil {
			return err
		}
		// SQLite would make the file as the umask has it, but fills an empty one.
		f, err := os.OpenFile(unfinished, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return explainFile(unfinished, err)
		}
		defer func() { _ = f.Close() }()
		if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, unfinished); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return (&sqliteEngine{path: path}).explain(err)
		}
		if err := f.Sync(); err != nil {
			return explainFile(unfinished, err)
		}
		return nil
	})
}

func (s *Store) backupRows(ctx context.Context, path string, progress func(done, total int64)) (l *Landing, err error) {
	err = s.View(ctx, func(from *Tx) error {
		l, err = landSQLite(ctx, path, Options{}, func(tx *Tx) error {
			_, err := tx.CopyFrom(from, progress)
			return err
		})
		return err
	})
	return l, err
}

// Unfinished is the file that a landing keeps back, for a look at it.
func (l *Landing) Unfinished() string { return l.unfinished }

// Remains moves aside what an earlier store left at a path where there is none
// now, such as a write-ahead log, which SQLite would take for the new store's.
// It returns where the files are; nothing of them is lost.
func Remains(path string) (moved []string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, explainFile(path, err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilerr // whatever is there, it is not ours to move
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		from := path + suffix
		if _, err := os.Lstat(from); err != nil {
			continue
		}
		to := from + ".old"
		for n := 2; ; n++ {
			if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
				break
			}
			to = from + ".old" + strconv.Itoa(n)
		}
		if err := os.Rename(from, to); err != nil {
			return moved, explainFile(from, err)
		}
		moved = append(moved, to)
	}
	return moved, nil
}
