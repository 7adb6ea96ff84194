package ledger

import (
	"crypto/sha256"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256 value of the tree: of a leaf or of two hashes below it.
type Hash = tlog.Hash

// LeafHash gives the hash of a leaf: SHA-256 of a zero byte and the leaf (RFC 6962 §2.1).
func LeafHash(leaf []byte) Hash {
	// Most leaves are short; a buffer on the stack spares each an allocation.
	var short [1024]byte
	if len(leaf) < len(short) {
		n := copy(short[1:], leaf)
		return sha256.Sum256(short[:1+n])
	}
	return tlog.RecordHash(leaf)
}

// EmptyRoot gives the root of a log without leaves: SHA-256 of nothing (RFC 6962 §2.1).
func EmptyRoot() Hash { return sha256.Sum256(nil) }

// node is a complete subtree of 1<<level leaves.
type node struct {
	level int
	hash  Hash
}

// Tree accumulates consecutive leaves and keeps only the O(log n) subtrees
// their root is made of (a compact range). The zero value begins at the first
// leaf of a log; [NewTreeAt] begins later, for a part computed on another core
// and joined with [Tree.Merge]. A Tree is not safe for concurrent use.
type Tree struct {
	start, end int64
	nodes      []node // from left to right; no two are siblings
}

// NewTreeAt gives an empty Tree whose first leaf is number start of the log,
// counted from 0. Any start ≥ 0 works; one that is a multiple of a large power
// of two leaves fewest subtrees unjoined. It panics when start is negative.
func NewTreeAt(start int64) *Tree {
	if start < 0 {
		panic("ledger: NewTreeAt with a negative start")
	}
	return &Tree{start: start, end: start}
}

// Add takes the next leaf.
func (t *Tree) Add(leaf []byte) { t.AddHash(LeafHash(leaf)) }

// AddHash takes the hash of the next leaf.
func (t *Tree) AddHash(h Hash) { t.push(0, h, nil) }

// Size gives the number of leaves taken so far, those of merged trees included.
func (t *Tree) Size() int64 { return t.end - t.start }

// Root gives the RFC 6962 root of the leaves taken so far. It panics on a Tree
// that does not begin at leaf 0: such a range has no root of its own.
func (t *Tree) Root() Hash {
	if t.start != 0 {
		panic("ledger: Root of a tree that does not begin at leaf 0")
	}
	if len(t.nodes) == 0 {
		return EmptyRoot()
	}
	root := t.nodes[len(t.nodes)-1].hash
	for i := len(t.nodes) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.nodes[i].hash, root)
	}
	return root
}

// Merge appends the leaves of right, which must begin where t ends ([ErrRange]
// otherwise, and t is unchanged). Right stays as it is.
func (t *Tree) Merge(right *Tree) error {
	_, err := t.merge(right, nil)
	return err
}

// merge is Merge and appends to made the hashes of the subtrees it completed,
// which span the seam; in stored order when right is one complete subtree.
func (t *Tree) merge(right *Tree, made []Hash) ([]Hash, error) {
	if right.start != t.end {
		return made, fmt.Errorf("joining a tree that begins at %d to one that ends at %d: %w", right.start, t.end, ErrRange)
	}
	var pushed []Hash
	for _, n := range right.nodes {
		pushed = t.push(n.level, n.hash, pushed[:0])
		made = append(made, pushed[1:]...) // [0] is the node itself, which right had already
	}
	return made, nil
}

// push takes the next complete subtree and appends to made its hash and those
// of all larger subtrees it completes: for a leaf, exactly the hashes that
// [tlog.StoredHashes] numbers consecutively.
func (t *Tree) push(level int, h Hash, made []Hash) []Hash {
	at := t.end
	t.end += 1 << level
	made = append(made, h)
	for top := len(t.nodes) - 1; top >= 0 && t.nodes[top].level == level && at>>level&1 == 1; top-- {
		h = tlog.NodeHash(t.nodes[top].hash, h)
		t.nodes = t.nodes[:top]
		at -= 1 << level
		level++
		made = append(made, h)
	}
	t.nodes = append(t.nodes, node{level, h})
	return made
}
