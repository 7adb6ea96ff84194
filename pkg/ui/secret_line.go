package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Stdin returns standard input behind the buffer that the line readers use, so
// that what one of them left is not lost to the next. When ctx ends it is
// [ErrCancelled], whatever keeps it waiting. What has ended stays ended, on a
// terminal too.
func (u *IO) Stdin(ctx context.Context) io.Reader { return &until{ctx: ctx, in: u.in} }

// until reads until a context ends.
type until struct {
	ctx context.Context
	in  io.Reader
	err error // how it has ended
}

// Read implements [io.Reader].
func (r *until) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	type chunk struct {
		b   []byte
		err error
	}
	got := make(chan chunk, 1) // a read cannot be interrupted, but it can be left alone
	go func() {
		b := make([]byte, len(p))
		n, err := r.in.Read(b)
		got <- chunk{b[:n], err}
	}()
	select {
	case <-r.ctx.Done():
		r.err = ErrCancelled
		return 0, r.err
	case c := <-got:
		r.err = c.err
		return copy(p, c.b), c.err
	}
}

// ReadSecretLine returns the next line of standard input, for options that read
// secrets there one line each in a fixed order. The line ends in LF or CRLF, or
// is the last; it has at most 64 KiB. No line is [io.ErrUnexpectedEOF], the end of
// ctx [ErrCancelled].
func (u *IO) ReadSecretLine(ctx context.Context) (string, error) {
	got := make(chan answer, 1)
	go func() {
		line, err := readLine(u.in)
		got <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ErrCancelled
	case a := <-got:
		if errors.Is(a.err, io.EOF) {
			a.err = io.ErrUnexpectedEOF
		}
		if a.err != nil {
			return "", fmt.Errorf("read a line of standard input: %w", a.err)
		}
		return a.line, nil
	}
}
