package ledger

import (
	"bytes"
	"errors"
	"testing"
)

// TestCVE: how verifiers of other logs were deceived (security.md §7).
func TestCVE(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	m := newMemLog(t, 257)
	honest, err := Prove(100, sampleLeaf(100), sign(t, m.head, signer), m)
	if err != nil {
		t.Fatal(err)
	}
	// A verifier that skips elements of a proof proves nothing: each of them
	// counts, also those in the middle.
	t.Run("CVE-2022-36111", func(t *testing.T) {
		head, rest, _ := bytes.Cut(honest, []byte("index 100\n"))
		path, checkpoint, _ := bytes.Cut(rest, []byte("\n\n"))
		hashes := bytes.Split(path, []byte("\n"))
		if len(hashes) < 8 {
			t.Fatalf("a proof of %d hashes", len(hashes))
		}
		try := func(what string, hashes [][]byte) {
			t.Helper()
			proof := bytes.Join([][]byte{head, []byte("index 100\n"), bytes.Join(hashes, []byte("\n")), []byte("\n\n"), checkpoint}, nil)
			if _, err := VerifyProof(proof, nil, testOrigin, verifier); !errors.Is(err, ErrAltered) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for i := range hashes {
			without := append(append([][]byte{}, hashes[:i]...), hashes[i+1:]...)
			try("a hash left out", without)
			other := append([][]byte{}, hashes...)
			other[i] = []byte(LeafHash([]byte("other")).String())
			try("a hash replaced", other)
			swapped := append([][]byte{}, hashes...)
			j := (i + 1) % len(hashes)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			try("two hashes swapped", swapped)
		}
	})
	// Which log and key are right is the caller's word, never the log's.
	t.Run("CVE-2022-39199", func(t *testing.T) {
		otherSigner, _ := testKey(t, 9, "logiqc/other/00000000")
		theirs, err := Prove(100, sampleLeaf(100), sign(t, m.head, otherSigner), m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyProof(theirs, nil, testOrigin, verifier); !errors.Is(err, ErrWrongOrigin) {
			t.Errorf("another log's proof: %v", err)
		}
		sameName, _ := testKey(t, 9, testOrigin)
		forged, err := Prove(100, sampleLeaf(100), sign(t, m.head, sameName), m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyProof(forged, nil, testOrigin, verifier); !errors.Is(err, ErrBadSignature) {
			t.Errorf("a proof signed by another key of the same name: %v", err)
		}
	})
}
