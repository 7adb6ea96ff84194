package totp

import (
	"crypto/rand"
	"testing"
)

// TestCVE: a library changed what it counted in, and setup keys of others
// became shorter than RFC 4226 allows, unnoticed (security.md §7).
func TestCVE(t *testing.T) {
	t.Run("GHSA-qjxf-mc72-wjr2", func(t *testing.T) {
		for range 100 {
			k, err := NewKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			parts, err := ParseURI(URI("Logiqc", "jlee", k))
			if err != nil || 8*len(k.Bytes()) != 160 || 8*len(parts.Key.Bytes()) != 160 {
				t.Fatalf("a key of %d bits, %d in the URI: %v", 8*len(k.Bytes()), 8*len(parts.Key.Bytes()), err)
			}
		}
	})
}
