package ledger

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// FuzzOpenCheckpoint: whatever opens was signed by the key, for the origin,
// and says in its body exactly the head that came out.
func FuzzOpenCheckpoint(f *testing.F) {
	signer, verifier := testKey(f, 7, testOrigin)
	good := sign(f, Head{42, Hash{42}}, signer)
	f.Add(good)
	f.Add(sign(f, Head{0, EmptyRoot()}, signer))
	f.Add(bytes.Replace(good, []byte("42"), []byte("042"), 1))
	f.Add(signText(f, testOrigin+"\n1\n"+EmptyRoot().String()+"\nextra\n", signer))
	f.Add(append(bytes.Clone(good), good...))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		head, err := OpenCheckpoint(msg, testOrigin, verifier)
		if err != nil {
			if p := ProblemOf(err); p != BadSignature && p != WrongOrigin {
				t.Fatalf("refused as %q: %v", p, err)
			}
			return
		}
		opened, err := note.Open(msg, note.VerifierList(verifier))
		if err != nil || opened.Text != formatBody(testOrigin, head) {
			t.Fatalf("head %v opened from %q (%v)", head, msg, err)
		}
		if again, err := unopened(msg); err != nil || again != head {
			t.Fatalf("unopened = %v, %v; want %v", again, err, head)
		}
	})
}

// FuzzVerifyProof: no text proves an entry that the log does not have.
func FuzzVerifyProof(f *testing.F) {
	signer, verifier := testKey(f, 7, testOrigin)
	m := newMemLog(f, 257)
	checkpoint := sign(f, m.head, signer)
	for _, seq := range []int64{0, 128, 256} {
		proof, err := Prove(seq, sampleLeaf(seq), checkpoint, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(proof)
		f.Add([]byte(strings.Replace(string(proof), "index ", "index 1", 1)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := VerifyProof(text, nil, testOrigin, verifier)
		if err == nil && (p.Head != m.head || !bytes.Equal(p.Leaf, sampleLeaf(p.Seq))) {
			t.Fatalf("accepted %+v", p)
		}
	})
}
