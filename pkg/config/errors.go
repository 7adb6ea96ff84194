package config

import (
	"errors"
	"fmt"
)

// Error is a mistake in a flag, a variable, a config file or a private file's
// mode: something the person who runs the program can put right. Other
// failures, such as a full disk, are ordinary errors.
type Error struct {
	Message string // one plain sentence that names the place and the key
	Hint    string // the next step, or ""
	cause   error
}

// ErrProfileExists is what [AddProfile] answers, inside an [*Error], for a
// name that is taken.
var ErrProfileExists = errors.New("profile exists")

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// refuse makes an Error.
func refuse(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// hint adds the next step.
func (e *Error) hint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// in puts the place where the mistake stands before the message of an [*Error]
// and leaves any other error alone.
func in(place string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{Message: place + ": " + e.Message, Hint: e.Hint, cause: e.cause}
}
