package ledger

import (
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// The tree is the one that another library computes, at any size, and that
// library accepts our proofs and refuses them with a bit changed.
func TestAgainstTransparencyDevMerkle(t *testing.T) {
	const most = 600
	m := newMemLog(t, most)
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	roots := make([][]byte, 1, most+1)
	roots[0] = rfc6962.DefaultHasher.EmptyRoot()
	whole := factory.NewEmptyRange(0)
	for i := range int64(most) {
		if err := whole.Append(rfc6962.DefaultHasher.HashLeaf(sampleLeaf(i)), nil); err != nil {
			t.Fatal(err)
		}
		root, err := whole.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
		if ours := rootOf(t, m, i+1); string(ours[:]) != string(root) {
			t.Fatalf("the root of %d leaves is %x there and %x here", i+1, root, ours)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Int64Range(1, most).Draw(rt, "size")
		seq := rapid.Int64Range(0, size-1).Draw(rt, "seq")
		path, err := tlog.ProveRecord(size, seq, m)
		if err != nil {
			rt.Fatal(err)
		}
		verify := func(path [][]byte) error {
			return proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(seq), uint64(size), rfc6962.DefaultHasher.HashLeaf(sampleLeaf(seq)), path, roots[size])
		}
		if err := verify(bytesOf(path)); err != nil {
			rt.Fatalf("inclusion of %d in %d: %v", seq, size, err)
		}
		if len(path) > 0 {
			bad := bytesOf(path)
			bad[rapid.IntRange(0, len(bad)-1).Draw(rt, "hash")][0] ^= 1
			if verify(bad) == nil {
				rt.Fatalf("an altered proof of %d in %d is accepted", seq, size)
			}
		}
		old := rapid.Int64Range(1, size).Draw(rt, "old")
		growth, err := tlog.ProveTree(size, old, m)
		if err != nil {
			rt.Fatal(err)
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old), uint64(size), bytesOf(growth), roots[old], roots[size]); err != nil {
			rt.Fatalf("growth from %d to %d: %v", old, size, err)
		}
		if err := CheckGrowth(Head{old, Hash(roots[old])}, Head{size, Hash(roots[size])}, m); err != nil {
			rt.Fatalf("growth from %d to %d here: %v", old, size, err)
		}
	})
}

// rootOf is the root of the first n leaves by the stored hashes of m.
func rootOf(t *testing.T, m *memLog, n int64) Hash {
	t.Helper()
	root, err := tlog.TreeHash(n, m)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func bytesOf[H ~[32]byte](hashes []H) [][]byte {
	raw := make([][]byte, len(hashes))
	for i, h := range hashes {
		raw[i] = append([]byte{}, h[:]...)
	}
	return raw
}
