package ledger

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

const storeID = "0193c2a4-77f0-7c1e-8d52-41aa9c41e07b"

func TestOrigin(t *testing.T) {
	tests := []struct{ issuer, id, want string }{
		{"St Mary's", storeID, "logiqc/st-marys/9c41e07b"},
		{"St Mary’s  Hospital ", storeID, "logiqc/st-marys-hospital/9c41e07b"},
		{"Université de Genève", storeID, "logiqc/universite-de-geneve/9c41e07b"},
		{"Universite\u0301", storeID, "logiqc/universite/9c41e07b"},
		{"Straße & Søn Łódź", storeID, "logiqc/strasse-son-lodz/9c41e07b"},
		{"Logiqc", storeID, "logiqc/logiqc/9c41e07b"},
		{"+ACME+ 24/7", storeID, "logiqc/acme-24-7/9c41e07b"},
		{"ＡＢＣ", storeID, "logiqc/abc/9c41e07b"},
		{"東京", storeID, "logiqc/log/9c41e07b"},
		{"", storeID, "logiqc/log/9c41e07b"},
		{"--", "short", "logiqc/log/short"},
	}
	for _, tt := range tests {
		if got := Origin(tt.issuer, tt.id); got != tt.want {
			t.Errorf("Origin(%q, %q) = %q, want %q", tt.issuer, tt.id, got, tt.want)
		}
	}
}

// TestOriginAlwaysNamesAKey: whatever the issuer, the key can be read back.
func TestOriginAlwaysNamesAKey(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		origin := Origin(rapid.String().Draw(rt, "issuer"), storeID)
		if strings.Trim(origin, "abcdefghijklmnopqrstuvwxyz0123456789-/") != "" || strings.Contains(origin, "--") {
			rt.Fatalf("origin %q", origin)
		}
		if _, _, err := GenerateKey(seed(1), origin); err != nil {
			rt.Fatal(err)
		}
	})
}

// seed is a source of randomness that always gives the same key.
func seed(b byte) *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte{b}, 64)) }

func TestGenerateKey(t *testing.T) {
	skey, vkey, err := GenerateKey(seed(7), "logiqc/st-marys/9c41e07b")
	if err != nil {
		t.Fatal(err)
	}
	// Computed once with another implementation of Ed25519 from the same 32 bytes of seed.
	const want = "logiqc/st-marys/9c41e07b+e80ffdb2+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"
	if vkey != want {
		t.Errorf("vkey = %s, want %s", vkey, want)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatalf("skey cannot be read back: %v", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatalf("vkey cannot be read back: %v", err)
	}
	if signer.Name() != verifier.Name() || signer.KeyHash() != verifier.KeyHash() {
		t.Error("the two halves name different keys")
	}
}

func TestGenerateKeyRefuses(t *testing.T) {
	for _, origin := range []string{"", "a b", "a+b", "a\nb", "a\u00a0b", "a\x00b", "a\xff"} {
		if skey, vkey, err := GenerateKey(seed(7), origin); !errors.Is(err, ErrOrigin) || skey+vkey != "" {
			t.Errorf("GenerateKey(%q) = %q, %v; want ErrOrigin", origin, vkey, err)
		}
	}
	if _, _, err := GenerateKey(iotest.ErrReader(errDisk), "a"); !errors.Is(err, errDisk) {
		t.Errorf("without randomness: %v", err)
	}
}
