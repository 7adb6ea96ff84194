package logiqc

import (
	"fmt"
	"log/slog"
)

// Secret is text that belongs to one person: a password, a setup key, a code,
// a session or API token. However it is printed it reads "[redacted]", and in
// JSON it is null; only Reveal gives it up.
type Secret string

// Reveal returns the text itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]", or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[redacted]"
}

// Format prints "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalJSON writes null: a secret is put into an answer by hand or not at all.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// UnmarshalJSON leaves the secret empty, whatever it reads.
func (s *Secret) UnmarshalJSON([]byte) error { *s = ""; return nil }

// LogValue keeps the secret out of structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
