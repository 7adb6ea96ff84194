package store

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"modernc.org/sqlite"
)

// SQLite's primary result codes, as far as they mean something to people
// (https://sqlite.org/rescode.html).
const (
	codeError     = 1
	codePerm      = 3
	codeBusy      = 5
	codeLocked    = 6
	codeNoMemory  = 7
	codeReadOnly  = 8
	codeInterrupt = 9
	codeIO        = 10
	codeCorrupt   = 11
	codeFull      = 13
	codeCantOpen  = 14
	codeNotADB    = 26
)

// isCode reports whether err is SQLite's with one of the primary codes.
func isCode(err error, codes ...int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && slices.Contains(codes, e.Code()&0xff)
}

func (e *sqliteEngine) retryable(err error) bool { return isCode(err, codeBusy, codeLocked) }

// fatal: see https://sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction.
func (e *sqliteEngine) fatal(err error) bool {
	return isCode(err, codeFull, codeIO, codeNoMemory, codeBusy, codeInterrupt, codeCorrupt, codeReadOnly, codeCantOpen)
}

// explain gives an error of the driver its code and one plain sentence; other
// errors come back as they are.
func (e *sqliteEngine) explain(err error) error {
	var known *logiqc.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	unavailable := func(format string, args ...any) *logiqc.Error {
		return logiqc.Errorf(logiqc.Unavailable, format, args...)
	}
	switch {
	case isCode(err, codeFull):
		return unavailable("the disk with the store %s is full; nothing was changed: %w", e.path, err).
			WithHint("make room on the disk, then try again")
	case isCode(err, codeReadOnly):
		return unavailable("the store %s can only be read; nothing was changed: %w", e.path, err)
	case isCode(err, codePerm, codeCantOpen):
		return unavailable("the store %s cannot be opened: may you read and write it and its folder? %w", e.path, err)
	case isCode(err, codeBusy, codeLocked):
		return unavailable("another program holds the store %s locked; nothing was changed: %w", e.path, err).
			WithHint("find out which: fuser %s", quoted(e.path))
	case isCode(err, codeIO):
		return unavailable("the disk with the store %s failed: %w", e.path, err)
	case isCode(err, codeNoMemory):
		return unavailable("there is not enough memory: %w", err)
	case isCode(err, codeNotADB):
		return unavailable("%s is not a store of logiqc: %w", e.path, err)
	case isCode(err, codeCorrupt):
		return logiqc.Errorf(logiqc.Integrity, "the store %s is damaged: %w", e.path, err).
			WithHint("stop writing to it and go back to a backup")
	case isCode(err, codeError) && strings.Contains(err.Error(), "no such table"):
		return unavailable("%s is not a store of logiqc: %w", e.path, err)
	}
	return err
}

// explainFile gives an error of the file system its code and sentence.
func explainFile(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok && e.Path == path {
		err = e.Err // the sentence names the path
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return logiqc.Errorf(logiqc.Unavailable, "the disk is full; nothing was changed: %w", err)
	case errors.Is(err, syscall.EROFS):
		return logiqc.Errorf(logiqc.Unavailable, "%s is on a disk that can only be read; nothing was changed: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return logiqc.Errorf(logiqc.Unavailable, "you may not open %s: %w", path, err)
	}
	return logiqc.Errorf(logiqc.Unavailable, "%s cannot be opened: %w", path, err)
}
