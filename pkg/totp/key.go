package totp

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	newKeyBytes = 20 // 160 bits, what RFC 4226 section 4 (R6) recommends
	minKeyBytes = 10 // 80 bits, still common in other systems' exports
	maxKeyBytes = 64 // one SHA-1 block; a longer HMAC key adds nothing
	maxKeyText  = 512
)

var keyEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Key is the secret an account and its authenticator app share. The zero Key
// is no key: nothing matches it. Keys cannot be compared with ==, and print
// as "[redacted]".
type Key struct {
	redacted
	secret func() []byte // a copy each time; nil in the zero Key
}

// NewKey makes a Key of exactly 160 bits from rand (RFC 4226 section 4; ASVS
// 6.5.3 and 11.5.1 ask for a cryptographic source). It fails when rand does.
func NewKey(rand io.Reader) (Key, error) {
	secret := make([]byte, newKeyBytes)
	if _, err := io.ReadFull(rand, secret); err != nil {
		return Key{}, fmt.Errorf("make setup key: %w", err)
	}
	return KeyFromBytes(secret)
}

// ParseKey reads a setup key in base32 (RFC 4648) as people type it and other
// systems export it: blanks, dashes, lower case and padding are tolerated. It
// refuses other characters, lengths that no whole number of bytes has, and
// keys outside 80 bits to 64 bytes; the error does not repeat the key.
func ParseKey(base32 string) (Key, error) {
	if len(base32) > maxKeyText {
		return Key{}, errKeyLength
	}
	text := strings.ToUpper(strings.TrimRight(stripSeparators(base32), "="))
	secret, err := keyEncoding.DecodeString(text)
	// The decoder lets line breaks and a stray last character pass; a key with
	// a character lost or doubled must not become another key.
	if err != nil || keyEncoding.EncodedLen(len(secret)) != len(text) {
		return Key{}, errors.New("setup key is not base32 (letters A to Z, digits 2 to 7)")
	}
	return KeyFromBytes(secret)
}

var errKeyLength = fmt.Errorf("setup key must have %d to %d bytes", minKeyBytes, maxKeyBytes)

// KeyFromBytes returns the Key with a copy of b as its secret. It refuses
// fewer than 10 bytes (80 bits) and more than 64.
func KeyFromBytes(b []byte) (Key, error) {
	if len(b) < minKeyBytes || len(b) > maxKeyBytes {
		return Key{}, errKeyLength
	}
	secret := bytes.Clone(b)
	return Key{secret: func() []byte { return bytes.Clone(secret) }}, nil
}

// IsZero reports whether k is the zero Key, which is no key.
func (k Key) IsZero() bool { return k.secret == nil }

// Bytes returns a copy of the secret, to be sealed; nil for the zero Key.
func (k Key) Bytes() []byte {
	if k.IsZero() {
		return nil
	}
	return k.secret()
}

// Base32 returns the setup key as upper-case base32 without padding, for
// nobody but the user it belongs to; "" for the zero Key.
func (k Key) Base32() string { return keyEncoding.EncodeToString(k.Bytes()) }

// Groups returns [Key.Base32] in groups of four characters, the last one
// possibly shorter, as setup keys are read out and typed.
func (k Key) Groups() []string {
	var groups []string
	for text := k.Base32(); text != ""; {
		n := min(4, len(text))
		groups = append(groups, text[:n])
		text = text[n:]
	}
	return groups
}
