package totp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNewKey(t *testing.T) {
	a, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Bytes()) != 20 || len(a.Base32()) != 32 || len(a.Groups()) != 8 {
		t.Errorf("key of %d bytes, %d characters, %d groups", len(a.Bytes()), len(a.Base32()), len(a.Groups()))
	}
	if bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two keys are the same")
	}
	source := bytes.NewReader([]byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	if k, err := NewKey(source); err != nil || string(k.Bytes()) != "ABCDEFGHIJKLMNOPQRST" || source.Len() != 6 {
		t.Errorf("not exactly 20 bytes of the source: %v, %d left", err, source.Len())
	}
	if k, err := NewKey(strings.NewReader("nineteen bytes only")); !errors.Is(err, io.ErrUnexpectedEOF) || !k.IsZero() {
		t.Errorf("short source: %v", err)
	}
}

func TestParseKey(t *testing.T) {
	want := "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, text := range []string{
		want, strings.ToLower(want), "  " + want + "\t", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
		"gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq", "GEZD\u00a0GNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
	} {
		if k, err := ParseKey(text); err != nil || k.Base32() != want || string(k.Bytes()) != "12345678901234567890" {
			t.Errorf("ParseKey(%q): %v", text, err)
		}
	}
	// 16 bytes: base32 with six characters of padding, or without.
	for _, text := range []string{"GEZDGNBVGY3TQOJQGEZDGNBVGY======", "GEZDGNBVGY3TQOJQGEZDGNBVGY"} {
		if k, err := ParseKey(text); err != nil || string(k.Bytes()) != "1234567890123456" {
			t.Errorf("ParseKey(%q): %v", text, err)
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	for _, text := range []string{
		"", "=", "GEZDGNBVGY3TQOJ", // 75 bits
		"GEZDGNBVGY3TQOJQG",   // one character too many
		"GEZDGNBVGY3TQOJQGEZ", // three
		"GEZDGNBVGY3TQOJ1", "GEZDGNBVGY0", "GEZDGNBV\nGY3TQOJQ", "GEZD=GNBVGY3TQOJQ", "GEZDGNBVGY3TQOJÉ",
		"GEZDGNBVGY3TQOJ\xff", strings.Repeat("A", 104), strings.Repeat("A", 1<<20),
	} {
		k, err := ParseKey(text)
		if err == nil || !k.IsZero() {
			t.Errorf("ParseKey(%.40q) was accepted", text)
			continue
		}
		if len(text) > 4 && strings.Contains(err.Error(), text[:4]) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

func TestKeyFromBytes(t *testing.T) {
	for n := range 80 {
		k, err := KeyFromBytes(make([]byte, n))
		if accepted := n >= 10 && n <= 64; (err == nil) != accepted || k.IsZero() == accepted {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	b := []byte("12345678901234567890")
	k := mustKey(t, b)
	b[0] = 'x'
	k.Bytes()[1] = 'x'
	if string(k.Bytes()) != "12345678901234567890" {
		t.Error("the key shares its bytes with a caller")
	}
}

func TestGroups(t *testing.T) {
	k := mustKey(t, []byte("1234567890123456"))
	if want := []string{"GEZD", "GNBV", "GY3T", "QOJQ", "GEZD", "GNBV", "GY"}; !slices.Equal(k.Groups(), want) {
		t.Errorf("Groups() = %q, want %q", k.Groups(), want)
	}
	var zero Key
	if zero.Groups() != nil || zero.Base32() != "" || zero.Bytes() != nil || !zero.IsZero() || k.IsZero() {
		t.Error("the zero Key is something")
	}
}

func TestKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 10, 64).Draw(r, "bytes")
		k, err := ParseKey(strings.ToLower(strings.Join(mustKey(t, b).Groups(), " ")))
		if err != nil || !bytes.Equal(k.Bytes(), b) {
			r.Fatalf("%x does not survive being typed: %v", b, err)
		}
	})
}
