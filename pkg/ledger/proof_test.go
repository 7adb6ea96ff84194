package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func TestProveAndVerifyProof(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	for _, size := range []int64{1, 2, 255, 256, 257} {
		m := newMemLog(t, size)
		checkpoint := sign(t, m.head, signer)
		for _, seq := range []int64{0, size / 2, size - 1} {
			t.Run(fmt.Sprintf("%d of %d", seq, size), func(t *testing.T) {
				proof, err := Prove(seq, sampleLeaf(seq), checkpoint, m)
				if err != nil {
					t.Fatal(err)
				}
				got, err := VerifyProof(proof, nil, testOrigin, verifier)
				if err != nil || got.Seq != seq || got.Head != m.head || !bytes.Equal(got.Leaf, sampleLeaf(seq)) {
					t.Errorf("VerifyProof = %+v, %v", got, err)
				}
				if _, err := VerifyProof(proof, []byte("something else"), testOrigin, verifier); !errors.Is(err, ErrAltered) {
					t.Errorf("for another entry: %v, want ErrAltered", err)
				}
			})
		}
	}
}

// TestProofText: the text is that of C2SP tlog-proof, line by line.
func TestProofText(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	m := newMemLog(t, 3)
	checkpoint := sign(t, m.head, signer)
	proof, err := Prove(2, sampleLeaf(2), checkpoint, m)
	if err != nil {
		t.Fatal(err)
	}
	want := "c2sp.org/tlog-proof@v1\n" +
		"extra eyJ2IjoxLCJhY3Rpb24iOiJtZmEucmVzZXQiLCJ0YXJnZXQiOiJ1c2VyMiJ9\n" +
		"index 2\n" +
		tlog.NodeHash(LeafHash(sampleLeaf(0)), LeafHash(sampleLeaf(1))).String() + "\n" +
		"\n" + string(checkpoint)
	if string(proof) != want {
		t.Errorf("proof = %q, want %q", proof, want)
	}
	t.Run("without its extra line", func(t *testing.T) {
		lines := strings.SplitAfterN(want, "\n", 3)
		bare := []byte(lines[0] + lines[2])
		if _, err := VerifyProof(bare, nil, testOrigin, verifier); !errors.Is(err, ErrMissing) {
			t.Errorf("and without the entry: %v, want ErrMissing", err)
		}
		if got, err := VerifyProof(bare, sampleLeaf(2), testOrigin, verifier); err != nil || got.Seq != 2 {
			t.Errorf("and with the entry: %+v, %v", got, err)
		}
	})
}

func TestVerifyProofRefuses(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	_, other := testKey(t, 8, testOrigin)
	_, elsewhere := testKey(t, 7, "logiqc/other/00000000")
	m := newMemLog(t, 257)
	honest, err := Prove(100, sampleLeaf(100), sign(t, m.head, signer), m)
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string]struct {
		old, new string
		want     error
	}{
		"header":             {"@v1", "@v2", ErrAltered},
		"no index":           {"index 100\n", "", ErrAltered},
		"other index":        {"index 100", "index 101", ErrAltered},
		"index beyond":       {"index 100", "index 257", ErrAltered},
		"negative index":     {"index 100", "index -1", ErrAltered},
		"index leading zero": {"index 100", "index 0100", ErrAltered},
		"extra no base64":    {"extra e", "extra !", ErrAltered},
		"other entry":        {"extra eyJ2Ijox", "extra eyJ2Ijoy", ErrAltered},
		"hash one char less": {"=\n\n", "\n\n", ErrAltered},
		"hash line gone":     {"index 100\n" + LeafHash(sampleLeaf(101)).String() + "\n", "index 100\n", ErrAltered},
		"hash line doubled":  {"index 100\n", "index 100\n" + LeafHash(sampleLeaf(101)).String() + "\n", ErrAltered},
		"no checkpoint":      {"\n\nlogiqc", "\nlogiqc", ErrAltered},
		"checkpoint edited":  {"\n257\n", "\n258\n", ErrBadSignature},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(string(honest), edit.old, edit.new, 1)
			if bad == string(honest) {
				t.Fatal("the edit changed nothing")
			}
			if _, err := VerifyProof([]byte(bad), nil, testOrigin, verifier); !errors.Is(err, edit.want) {
				t.Errorf("error = %v, want %v", err, edit.want)
			}
		})
	}
	t.Run("other key", func(t *testing.T) {
		if _, err := VerifyProof(honest, nil, testOrigin, other); !errors.Is(err, ErrBadSignature) {
			t.Errorf("error = %v, want ErrBadSignature", err)
		}
	})
	t.Run("other origin", func(t *testing.T) {
		if _, err := VerifyProof(honest, nil, "logiqc/other/00000000", elsewhere); !errors.Is(err, ErrWrongOrigin) {
			t.Errorf("error = %v, want ErrWrongOrigin", err)
		}
	})
}

// TestVerifyProofFindsAnyFlippedBit flips one bit anywhere in a proof.
func TestVerifyProofFindsAnyFlippedBit(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	m := newMemLog(t, 257)
	honest, err := Prove(256, sampleLeaf(256), sign(t, m.head, signer), m)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		bad := bytes.Clone(honest)
		bad[rapid.IntRange(0, len(bad)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		got, err := VerifyProof(bad, nil, testOrigin, verifier)
		if err == nil && (got.Seq != 256 || got.Head != m.head || !bytes.Equal(got.Leaf, sampleLeaf(256))) {
			rt.Errorf("accepted as %+v", got)
		}
	})
}

func TestProveRefuses(t *testing.T) {
	signer, _ := testKey(t, 7, testOrigin)
	m := newMemLog(t, 10)
	checkpoint := sign(t, m.head, signer)
	tests := []struct {
		name       string
		seq        int64
		leaf       []byte
		checkpoint []byte
		want       error
	}{
		{"beyond the log", 10, sampleLeaf(10), checkpoint, ErrRange},
		{"negative", -1, sampleLeaf(0), checkpoint, ErrRange},
		{"other leaf", 3, sampleLeaf(4), checkpoint, ErrAltered},
		{"checkpoint of another tree", 3, sampleLeaf(3), sign(t, Head{10, Hash{1}}, signer), ErrAltered},
		{"no checkpoint", 3, sampleLeaf(3), []byte("hello"), ErrBadSignature},
		{"hashes gone", 3, sampleLeaf(3), sign(t, Head{1000, Hash{1}}, signer), ErrMissing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if proof, err := Prove(tt.seq, tt.leaf, tt.checkpoint, m); !errors.Is(err, tt.want) || proof != nil {
				t.Errorf("Prove = %q, %v; want %v", proof, err, tt.want)
			}
		})
	}
}
