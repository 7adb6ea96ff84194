package totp

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redactedText = "[redacted]"

// redacted, embedded, makes a type print as "[redacted]" under every verb and
// encoder. A type that embeds it also keeps its secret in a closure: fmt
// cannot call methods on another type's unexported fields and walks into them
// instead, through pointers too when a verb does not suit, but never into a
// function. Functions take == away as well, which could not compare secrets.
type redacted struct{}

// String returns "[redacted]".
func (redacted) String() string { return redactedText }

// GoString returns "[redacted]".
func (redacted) GoString() string { return redactedText }

// Format writes "[redacted]" whatever the verb and flags.
func (redacted) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redactedText) }

// MarshalText returns "[redacted]"; there is no way back.
func (redacted) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// MarshalJSON returns the JSON string "[redacted]"; there is no way back.
func (redacted) MarshalJSON() ([]byte, error) { return []byte(`"` + redactedText + `"`), nil }

// LogValue makes slog handlers log "[redacted]".
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// stripSeparators removes what people and programs put between the groups of
// a code or key: blanks, tabs, no-break spaces, hyphens and dashes. Line
// breaks stay, and so make the value malformed.
func stripSeparators(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ', r == '\t', r == '\u00a0', r == '\u202f', r == '-', '\u2010' <= r && r <= '\u2015':
			return -1
		}
		return r
	}, s)
}
