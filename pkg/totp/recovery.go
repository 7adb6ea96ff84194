package totp

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	recoveryBytes = 10 // 80 bits; NIST SP 800-63B section 4.2.1.1 asks for 64
	recoveryChars = 16
	recoveryGroup = 4
	// Crockford's alphabet: no i, l, o or u, so that what is written down by
	// hand can be read again.
	recoveryAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"
)

var recoveryEncoding = base32.NewEncoding(recoveryAlphabet).WithPadding(base32.NoPadding)

// RecoveryCode is a one-time code that stands in for the authenticator app.
// The zero RecoveryCode is none. Codes cannot be compared with ==, compare
// their hashes; they print as "[redacted]".
type RecoveryCode struct {
	redacted
	canonical func() string // 16 characters of recoveryAlphabet; nil in the zero one
}

func newRecoveryCode(canonical string) RecoveryCode {
	return RecoveryCode{canonical: func() string { return canonical }}
}

// NewRecoveryCodes makes n different codes of 80 bits each from rand. It
// fails when rand does, or when rand repeats itself.
func NewRecoveryCodes(rand io.Reader, n int) ([]RecoveryCode, error) {
	codes := make([]RecoveryCode, 0, max(n, 0))
	seen := make(map[string]bool)
	for range n {
		var b [recoveryBytes]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return nil, fmt.Errorf("make recovery codes: %w", err)
		}
		text := recoveryEncoding.EncodeToString(b[:])
		if seen[text] {
			return nil, errors.New("make recovery codes: the source of randomness repeats itself")
		}
		seen[text] = true
		codes = append(codes, newRecoveryCode(text))
	}
	return codes, nil
}

// ParseRecoveryCode reads a code as people type it, and says whether it has
// the form of one: blanks, dashes and case are ignored, i and l read as 1, o
// as 0. Text of more than 64 bytes is refused unread.
func ParseRecoveryCode(s string) (RecoveryCode, bool) {
	if len(s) > maxCodeText {
		return RecoveryCode{}, false
	}
	text := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		switch r {
		case 'i', 'l':
			return '1'
		case 'o':
			return '0'
		}
		return r
	}, stripSeparators(s))
	if len(text) != recoveryChars || strings.Trim(text, recoveryAlphabet) != "" {
		return RecoveryCode{}, false
	}
	return newRecoveryCode(text), true
}

// Reveal returns the code as it is shown to the user it belongs to:
// xxxx-xxxx-xxxx-xxxx, lower case; "" for the zero RecoveryCode.
func (c RecoveryCode) Reveal() string {
	var shown strings.Builder
	for i, r := range c.text() {
		if i > 0 && i%recoveryGroup == 0 {
			shown.WriteByte('-')
		}
		shown.WriteRune(r)
	}
	return shown.String()
}

// Hash returns what is stored of the code: SHA-256 over the tag
// "logiqc/recovery/v1|", the id of the enrolment it was made for, "|" and the
// 16 characters without dashes. A plain hash is enough for 80 random bits;
// the enrolment id makes a code worthless for any other account.
func (c RecoveryCode) Hash(enrolmentID string) [sha256.Size]byte {
	return sha256.Sum256([]byte("logiqc/recovery/v1|" + enrolmentID + "|" + c.text()))
}

func (c RecoveryCode) text() string {
	if c.canonical == nil {
		return ""
	}
	return c.canonical()
}
