package totp

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestNewRecoveryCodes(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$`)
	codes, err := NewRecoveryCodes(rand.Reader, 10)
	if err != nil || len(codes) != 10 {
		t.Fatalf("%d codes: %v", len(codes), err)
	}
	seen := map[string]bool{}
	for _, c := range codes {
		if !form.MatchString(c.Reveal()) || seen[c.Reveal()] {
			t.Errorf("%q is malformed or repeated", c.Reveal())
		}
		seen[c.Reveal()] = true
		read, ok := ParseRecoveryCode(c.Reveal())
		if !ok || read.Hash("e") != c.Hash("e") {
			t.Errorf("%q does not survive being typed", c.Reveal())
		}
	}
	source := bytes.NewReader([]byte("0123456789abcdefghij!"))
	if codes, err := NewRecoveryCodes(source, 2); err != nil || source.Len() != 1 {
		t.Errorf("not exactly 80 bits each: %v, %v", codes, err)
	}
	if codes, err := NewRecoveryCodes(rand.Reader, 0); err != nil || len(codes) != 0 {
		t.Errorf("no codes: %v, %v", codes, err)
	}
	if codes, err := NewRecoveryCodes(rand.Reader, -1); err != nil || len(codes) != 0 {
		t.Errorf("-1 codes: %v, %v", codes, err)
	}
}

func TestNewRecoveryCodesBadSource(t *testing.T) {
	if codes, err := NewRecoveryCodes(strings.NewReader("0123456789abc"), 2); !errors.Is(err, io.ErrUnexpectedEOF) || codes != nil {
		t.Errorf("short source: %v, %v", codes, err)
	}
	if codes, err := NewRecoveryCodes(bytes.NewReader(make([]byte, 100)), 2); err == nil || codes != nil {
		t.Errorf("a source of zeros gave %v", codes)
	}
}

func TestParseRecoveryCode(t *testing.T) {
	for _, tc := range []struct {
		in, want string
	}{
		{"k7f2-dm9q-x4tt-8wnc", "k7f2-dm9q-x4tt-8wnc"}, {"k7f2dm9qx4tt8wnc", "k7f2-dm9q-x4tt-8wnc"},
		{" K7F2 DM9Q\tX4TT\u00a08WNC ", "k7f2-dm9q-x4tt-8wnc"}, {"k7f2\u2013dm9q\u2010x4tt-8wnc", "k7f2-dm9q-x4tt-8wnc"},
		{"iIlL-oO00-1111-zzzz", "1111-0000-1111-zzzz"},
		{"", ""}, {"k7f2-dm9q-x4tt-8wn", ""}, {"k7f2-dm9q-x4tt-8wncc", ""}, {"uuuu-uuuu-uuuu-uuuu", ""},
		{"k7f2-dm9q-x4tt-8wn\n", ""}, {"k7f2-dm9q-x4tt-8wn\x00", ""}, {"k7f2-dm9q-x4tt-8wn!", ""}, {"k7f2!dm9q-x4tt-8wn", ""},
		{"\u212a7f2-dm9q-x4tt-8wnc", ""}, // the Kelvin sign is no k
		{"k7f2-dm9q-x4tt-8w\xff\xff", ""}, {"１１１１１１１１１１１１１１１１", ""},
		{strings.Repeat("0", 1<<20), ""}, {strings.Repeat(" ", 1<<20), ""},
	} {
		c, ok := ParseRecoveryCode(tc.in)
		if c.Reveal() != tc.want || ok != (tc.want != "") {
			t.Errorf("ParseRecoveryCode(%.40q) = %q, %v; want %q", tc.in, c.Reveal(), ok, tc.want)
		}
	}
}

func TestRecoveryHash(t *testing.T) {
	c, _ := ParseRecoveryCode("K7F2-DM9Q-X4TT-8WNC")
	if want := sha256.Sum256([]byte("logiqc/recovery/v1|0193-e1|k7f2dm9qx4tt8wnc")); c.Hash("0193-e1") != want {
		t.Errorf("Hash = %x, want %x: stored hashes would no longer match", c.Hash("0193-e1"), want)
	}
	if c.Hash("0193-e1") == c.Hash("0193-e2") {
		t.Error("one code serves two enrolments")
	}
	var none RecoveryCode
	if none.Reveal() != "" || none.Hash("0193-e1") == c.Hash("0193-e1") {
		t.Error("the zero RecoveryCode is something")
	}
}

func FuzzParseRecoveryCode(f *testing.F) {
	for _, s := range []string{"k7f2-dm9q-x4tt-8wnc", "IlOo 0000 1111 ZZZZ", "", "\xff", "uuuu-uuuu-uuuu-uuuu"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := ParseRecoveryCode(s)
		if !ok {
			if c.Reveal() != "" {
				t.Errorf("refused %q but returned %q", s, c.Reveal())
			}
			return
		}
		again, ok := ParseRecoveryCode(c.Reveal())
		if !ok || len(c.Reveal()) != 19 || again.Hash("e") != c.Hash("e") {
			t.Errorf("%q reads %q, which is not stable", s, c.Reveal())
		}
	})
}
