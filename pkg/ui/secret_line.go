package ui

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/term"
)

// Stdin returns standard input behind the buffer that the line readers use, so
// that what one of them left is not lost to the next.
func (u *IO) Stdin() io.Reader { return u.in }

// ReadSecretLine returns the next line of standard input, for options that read
// secrets there one line each in a fixed order. The line ends in LF or CRLF, or
// is the last; it has at most 64 KiB. No line is [io.ErrUnexpectedEOF]. On a
// terminal the line is read without echo.
func (u *IO) ReadSecretLine() (string, error) {
	if u.inTTY {
		b, err := term.ReadPassword(int(u.opt.Stdin.Fd()))
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read a line of standard input: %w", io.ErrUnexpectedEOF)
		}
		return string(b), err
	}
	line, err := readLine(u.in)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", fmt.Errorf("read a line of standard input: %w", err)
	}
	return line, nil
}
