package logiqc

import (
	"errors"
	"fmt"
	"net/http"
)

// Code is the stable name of a kind of failure. A Code is itself an error, so
// errors.Is(err, logiqc.SSOAccount) holds wherever the error came from.
type Code string

// The error codes. Scripts match on them; none is ever renamed.
const (
	Internal              Code = "internal"
	Usage                 Code = "usage"
	Invalid               Code = "invalid"
	NotFound              Code = "not_found"
	Unauthenticated       Code = "unauthenticated"
	Forbidden             Code = "forbidden"
	SigninDenied          Code = "signin_denied"
	SSOAccount            Code = "sso_account"
	SelfReset             Code = "self_reset"
	Enforced              Code = "enforced"
	Privileged            Code = "privileged"
	Duplicate             Code = "duplicate"
	AlreadyEnrolled       Code = "already_enrolled"
	LastAdmin             Code = "last_admin"
	Exists                Code = "exists"
	PolicyRefused         Code = "policy"
	ApprovalRequired      Code = "approval_required"
	Rejected              Code = "rejected"
	Expired               Code = "expired"
	WrongCode             Code = "wrong_code"
	Throttled             Code = "throttled"
	CodeRequired          Code = "code_required"
	EnrolmentRequired     Code = "enrolment_required"
	EnrolmentCodeRequired Code = "enrolment_code_required"
	Held                  Code = "held"
	Moved                 Code = "moved"
	Frozen                Code = "frozen"
	Ambiguous             Code = "ambiguous"
	Cancelled             Code = "cancelled"
	ConfirmationRequired  Code = "confirmation_required"
	Partial               Code = "partial"
	Integrity             Code = "integrity"
	Conflict              Code = "conflict"
	Unavailable           Code = "unavailable"
	UnknownOutcome        Code = "unknown_outcome"
)

// Error makes a Code usable as the target of errors.Is.
func (c Code) Error() string { return string(c) }

// outcome is what a code means to a process and to an HTTP client.
type outcome struct{ exit, status int }

// outcomes is the one table from code to exit status and HTTP status.
var outcomes = map[Code]outcome{
	Internal:              {1, http.StatusInternalServerError},
	Usage:                 {2, http.StatusBadRequest},
	Invalid:               {2, http.StatusUnprocessableEntity},
	NotFound:              {3, http.StatusNotFound},
	Unauthenticated:       {4, http.StatusUnauthorized},
	Forbidden:             {4, http.StatusForbidden},
	SigninDenied:          {4, http.StatusUnauthorized},
	SSOAccount:            {5, http.StatusConflict},
	SelfReset:             {5, http.StatusConflict},
	Enforced:              {5, http.StatusConflict},
	Privileged:            {5, http.StatusConflict},
	Duplicate:             {5, http.StatusConflict},
	AlreadyEnrolled:       {5, http.StatusConflict},
	LastAdmin:             {5, http.StatusConflict},
	Exists:                {5, http.StatusConflict},
	PolicyRefused:         {5, http.StatusConflict},
	ApprovalRequired:      {5, http.StatusConflict},
	Rejected:              {5, http.StatusConflict},
	Expired:               {5, http.StatusConflict},
	WrongCode:             {5, http.StatusConflict},
	Throttled:             {5, http.StatusTooManyRequests},
	CodeRequired:          {5, http.StatusConflict},
	EnrolmentRequired:     {5, http.StatusConflict},
	EnrolmentCodeRequired: {5, http.StatusConflict},
	Held:                  {5, http.StatusConflict},
	Moved:                 {5, http.StatusConflict},
	Frozen:                {5, http.StatusConflict},
	Ambiguous:             {6, http.StatusConflict},
	Cancelled:             {7, http.StatusConflict},
	ConfirmationRequired:  {7, http.StatusConflict},
	Partial:               {8, http.StatusConflict},
	Integrity:             {9, http.StatusInternalServerError},
	Conflict:              {10, http.StatusPreconditionFailed},
	Unavailable:           {11, http.StatusServiceUnavailable},
	UnknownOutcome:        {12, http.StatusGatewayTimeout},
}

// Codes lists every error code, in no particular order.
func Codes() []Code {
	all := make([]Code, 0, len(outcomes))
	for c := range outcomes {
		all = append(all, c)
	}
	return all
}

// ExitStatus is the process exit status for the code; 1 for an unknown one.
func (c Code) ExitStatus() int {
	if o, ok := outcomes[c]; ok {
		return o.exit
	}
	return 1
}

// HTTPStatus is the status of a response that carries the code; 500 for an
// unknown one.
func (c Code) HTTPStatus() int {
	if o, ok := outcomes[c]; ok {
		return o.status
	}
	return http.StatusInternalServerError
}

// recorded tells whether a refusal with this code is an event in the audit
// log: exit statuses 4 and 5 (product.md R11), but for somebody who is nobody.
func (c Code) recorded() bool {
	exit := c.ExitStatus()
	return (exit == 4 && c != Unauthenticated) || exit == 5
}

// Error is a failure as people and scripts meet it: a stable code, one plain
// sentence, and the next step where there is one.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"` // names the exact command that helps, or ""
	// Matches are the accounts meant by an ambiguous reference, or the nearest
	// ones to a reference that matched none; usernames, at most ten.
	Matches []string `json:"matches,omitempty"`
	cause   error
}

// Errorf makes an Error; %w wraps a cause as in fmt.Errorf. A text among args
// that is very long, as a caller may send it, loses its middle.
func Errorf(code Code, format string, args ...any) *Error {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = shortened(text)
		}
	}
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), cause: errors.Unwrap(err)}
}

// The most characters of a text that an error repeats, and how many of them are
// its beginning and its end where it has more.
const (
	repeatedMost = MaxReason
	repeatedHead = 200
	repeatedTail = 50
)

// shortened is a text as an error repeats it.
func shortened(text string) string {
	if len(text) <= repeatedMost {
		return text
	}
	runes := []rune(text)
	if len(runes) <= repeatedMost {
		return text
	}
	return string(runes[:repeatedHead]) + "…" + string(runes[len(runes)-repeatedTail:])
}

// WithHint returns a copy of e with the next step.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

func (e *Error) Error() string { return e.Message }

// Is reports whether target is the error's code.
func (e *Error) Is(target error) bool {
	c, ok := target.(Code)
	return ok && c == e.Code
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Recorded tells whether the refusal is an event in the audit log
// (product.md, R11).
func (e *Error) Recorded() bool { return e.Code.recorded() }

// AsError returns err as an *Error: itself if it is or wraps one, otherwise an
// Internal error around it. AsError(nil) is nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var c Code
	if errors.As(err, &c) {
		return &Error{Code: c, Message: err.Error(), cause: err}
	}
	return &Error{Code: Internal, Message: err.Error(), cause: err}
}
