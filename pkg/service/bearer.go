package service

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The prefixes of API tokens and sessions.
const (
	tokenPrefix   = "lqc_"
	sessionPrefix = "lqs_"
)

// A bearer is a prefix, 32 random bytes and a CRC-32 of both, in base62 and
// of fixed width, so that a scanner can tell a real one that leaked from text
// that looks like one.
const (
	bearerBytes  = 32
	bearerDigits = 43 // 62^43 > 2^256
	checkDigits  = 6  // 62^6 > 2^32
)

// newBearer makes a token or session and the hash that is stored of it.
func newBearer(rand io.Reader, prefix string) (logiqc.Secret, [32]byte, error) {
	var raw [bearerBytes]byte
	if _, err := io.ReadFull(rand, raw[:]); err != nil {
		return "", [32]byte{}, fmt.Errorf("read randomness: %w", err)
	}
	body := prefix + base62(new(big.Int).SetBytes(raw[:]), bearerDigits)
	text := body + checksum(body)
	return logiqc.Secret(text), sha256.Sum256([]byte(text)), nil
}

// parseBearer tells the prefix of a token or session and its hash; ok is
// false for what cannot be one.
func parseBearer(s logiqc.Secret) (prefix string, hash [32]byte, ok bool) {
	text := strings.TrimSpace(s.Reveal())
	body := len(tokenPrefix) + bearerDigits
	if len(text) != body+checkDigits || checksum(text[:body]) != text[body:] {
		return "", hash, false
	}
	prefix = text[:len(tokenPrefix)]
	return prefix, sha256.Sum256([]byte(text)), prefix == tokenPrefix || prefix == sessionPrefix
}

func checksum(body string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), checkDigits)
}

// base62 writes n with digits, then upper-case, then lower-case letters, in
// exactly width characters.
func base62(n *big.Int, width int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, width)
	base, rest := big.NewInt(int64(len(digits))), new(big.Int)
	n = new(big.Int).Set(n)
	for i := width - 1; i >= 0; i-- {
		n.QuoRem(n, base, rest)
		out[i] = digits[rest.Int64()]
	}
	return string(out)
}
