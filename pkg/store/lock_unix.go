//go:build unix

package store

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// checksModes says that the modes of files mean something here.
const checksModes = true

// lockFile waits for the lock on the file at path, which it makes if need be.
// The kernel queues those who wait, which SQLite's own lock does not.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = f.Close() } // which lets go of the lock
	if err = flock(f, syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		return unlock, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		unlock()
		return nil, err
	}
	got := make(chan error, 1)
	go func() { got <- flock(f, syscall.LOCK_EX) }()
	select {
	case err = <-got:
		if err != nil {
			unlock()
			return nil, err
		}
		return unlock, nil
	case <-ctx.Done():
		go func() { _, _ = <-got, f.Close() }() // nobody can call a waiting flock off
		return nil, ctx.Err()
	}
}

func flock(f *os.File, how int) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
