package ledger

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Head is a log at one moment: how many leaves it has and the root of their
// tree. A log without leaves has the root [EmptyRoot].
type Head struct {
	Size int64
	Root Hash
}

// StoredHash is one hash of the tree and where it is kept: Index counts as
// [tlog.StoredHashIndex] does, from 0 and without gaps.
type StoredHash struct {
	Index int64
	Hash  Hash
}

// HashReader reads stored hashes by index: as many as asked for, in the order
// asked for, or an error.
type HashReader = tlog.HashReader

// Append computes what leaves add to the log at head: the hashes to store, in
// index order and directly after those stored already, and the new head. It
// reads only the O(log n) hashes of the tree's right edge and writes nothing.
//
// Errors: [ErrLeafTooLong]; [ErrAltered] when the edge does not give
// head.Root, so that nobody builds upon a damaged log; [ErrRange] for a
// negative size; what stored returns.
func Append(head Head, leaves [][]byte, stored HashReader) (Head, []StoredHash, error) {
	for i, leaf := range leaves {
		if len(leaf) > MaxLeaf {
			return head, nil, fmt.Errorf("entry %d has %d bytes: %w", head.Size+int64(i), len(leaf), ErrLeafTooLong)
		}
	}
	tree, err := edge(head, stored)
	if err != nil {
		return head, nil, err
	}
	next := tlog.StoredHashCount(head.Size)
	hashes := make([]StoredHash, 0, 2*len(leaves)+bits.Len64(uint64(head.Size)))
	var made []Hash
	for _, leaf := range leaves {
		made = tree.push(0, LeafHash(leaf), made[:0])
		for _, h := range made {
			hashes = append(hashes, StoredHash{next, h})
			next++
		}
	}
	return Head{tree.Size(), tree.Root()}, hashes, nil
}

// edge rebuilds the tree of head from the stored hashes of its right edge.
// Errors: [ErrAltered] when they do not give head.Root, [ErrRange].
func edge(head Head, stored HashReader) (*Tree, error) {
	if head.Size < 0 {
		return nil, fmt.Errorf("a log of %d entries: %w", head.Size, ErrRange)
	}
	tree := new(Tree)
	var levels []int
	var indexes []int64
	at := int64(0)
	for level := bits.Len64(uint64(head.Size)) - 1; level >= 0; level-- {
		if head.Size>>level&1 == 1 {
			levels = append(levels, level)
			indexes = append(indexes, tlog.StoredHashIndex(level, at>>level))
			at += 1 << level
		}
	}
	if len(indexes) > 0 {
		hashes, err := stored.ReadHashes(indexes)
		if err != nil {
			return nil, fmt.Errorf("reading the tree's right edge: %w", err)
		}
		if len(hashes) != len(indexes) {
			return nil, fmt.Errorf("%d of %d hashes of the tree's right edge: %w", len(hashes), len(indexes), ErrMissing)
		}
		for i, h := range hashes {
			tree.push(levels[i], h, nil)
		}
	}
	if tree.Root() != head.Root {
		return nil, fmt.Errorf("the stored hashes of %d entries do not give the root of the head: %w", head.Size, ErrAltered)
	}
	return tree, nil
}
