package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// memEntry is a leaf as a table of rows would hold it: the number may lie.
type memEntry struct {
	seq  int64
	leaf []byte
}

// memLog is a log in memory, open to every kind of damage.
type memLog struct {
	mu     sync.Mutex // guards all fields while a test writes and Verify reads
	head   Head
	leaves []memEntry   // in order of seq
	stored []StoredHash // in order of index
}

func sampleLeaf(i int64) []byte {
	return fmt.Appendf(nil, `{"v":1,"action":"mfa.reset","target":"user%d"}`, i)
}

// newMemLog gives an honest log of n sample leaves, built by Append.
func newMemLog(t testing.TB, n int64) *memLog {
	t.Helper()
	m := &memLog{head: Head{0, EmptyRoot()}}
	m.grow(t, n)
	return m
}

// grow appends n sample leaves in one call of Append.
func (m *memLog) grow(t testing.TB, n int64) {
	t.Helper()
	leaves := make([][]byte, n)
	for i := range leaves {
		leaves[i] = sampleLeaf(m.head.Size + int64(i))
	}
	m.append(t, leaves)
}

func (m *memLog) append(t testing.TB, leaves [][]byte) {
	t.Helper()
	head, hashes, err := Append(m.head, leaves, m)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, leaf := range leaves {
		m.leaves = append(m.leaves, memEntry{m.head.Size + int64(i), leaf})
	}
	m.stored = append(m.stored, hashes...)
	m.head = head
}

// rebuild gives the log of the same bytes with a tree made anew, as someone
// with the whole store in hand would.
func (m *memLog) rebuild(t testing.TB) *memLog {
	t.Helper()
	fresh := newMemLog(t, 0)
	leaves := make([][]byte, len(m.leaves))
	for i, e := range m.leaves {
		leaves[i] = e.leaf
	}
	fresh.append(t, leaves)
	return fresh
}

// clone gives a copy to be damaged.
func (m *memLog) clone() *memLog {
	c := &memLog{head: m.head, leaves: slices.Clone(m.leaves), stored: slices.Clone(m.stored)}
	for i := range c.leaves {
		c.leaves[i].leaf = slices.Clone(c.leaves[i].leaf)
	}
	return c
}

func (m *memLog) Head(ctx context.Context) (Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head, ctx.Err()
}

func (m *memLog) Leaves(ctx context.Context, from, to int64, fn func(int64, []byte) error) error {
	m.mu.Lock()
	leaves := m.leaves
	m.mu.Unlock()
	at, _ := slices.BinarySearchFunc(leaves, from, func(e memEntry, seq int64) int { return int(e.seq - seq) })
	for ; at < len(leaves) && leaves[at].seq < to; at++ {
		if err := fn(leaves[at].seq, leaves[at].leaf); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (m *memLog) StoredHashes(ctx context.Context, from, to int64, fn func(int64, Hash) error) error {
	m.mu.Lock()
	stored := m.stored
	m.mu.Unlock()
	at, _ := slices.BinarySearchFunc(stored, from, func(s StoredHash, index int64) int { return int(s.Index - index) })
	for ; at < len(stored) && stored[at].Index < to; at++ {
		if err := fn(stored[at].Index, stored[at].Hash); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ReadHashes makes the log its own HashReader.
func (m *memLog) ReadHashes(indexes []int64) ([]Hash, error) {
	return NewHashReader(context.Background(), m).ReadHashes(indexes)
}

// oracle is the same log of n sample leaves built by package tlog, one record
// at a time, with none of our code.
type oracle []Hash

func newOracle(t testing.TB, n int64) *oracle {
	t.Helper()
	o := new(oracle)
	for i := range n {
		hashes, err := tlog.StoredHashes(i, sampleLeaf(i), o)
		if err != nil {
			t.Fatalf("tlog.StoredHashes(%d): %v", i, err)
		}
		*o = append(*o, hashes...)
	}
	return o
}

func (o *oracle) ReadHashes(indexes []int64) ([]Hash, error) {
	hashes := make([]Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = (*o)[index]
	}
	return hashes, nil
}

func (o *oracle) root(t testing.TB, n int64) Hash {
	t.Helper()
	root, err := tlog.TreeHash(n, o)
	if err != nil {
		t.Fatalf("tlog.TreeHash(%d): %v", n, err)
	}
	return root
}
