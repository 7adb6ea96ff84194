package ledger

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// TestVerifyFindsEveryMutation damages a log in each way of security.md §4
// that needs no key, at places where parts, tiles and subtrees begin and end.
func TestVerifyFindsEveryMutation(t *testing.T) {
	sizes := []int64{2, 257, 2*partSize + 3}
	if !testing.Short() {
		sizes = append(sizes, longLog+1)
	}
	for _, size := range sizes {
		honest := newMemLog(t, size)
		last := size - 1
		for _, at := range slices.Compact([]int64{0, last / 2, min(partSize, last), last}) {
			t.Run(fmt.Sprintf("%d/at %d", size, at), func(t *testing.T) { mutateLeaf(t, honest, at) })
		}
		t.Run(fmt.Sprintf("%d/ends", size), func(t *testing.T) { mutateEnds(t, honest) })
	}
}

// mutation is one kind of damage and what Verify must say of it.
type mutation struct {
	name    string
	damage  func(m *memLog)
	problem Problem
	seq     int64
}

func runMutations(t *testing.T, honest *memLog, mutations []mutation) {
	t.Helper()
	for _, mu := range mutations {
		t.Run(mu.name, func(t *testing.T) {
			m := honest.clone()
			mu.damage(m)
			wantProblem(t, mustVerify(t, m, VerifyOptions{}), mu.problem, mu.seq)
		})
	}
}

func mutateLeaf(t *testing.T, honest *memLog, at int64) {
	last := honest.head.Size - 1
	gone := mutation{"dropped", func(m *memLog) { m.leaves = slices.Delete(m.leaves, int(at), int(at)+1) }, Missing, at}
	if at == last {
		gone.problem = Truncated
	}
	runMutations(t, honest, []mutation{
		gone,
		{"one byte", func(m *memLog) { m.leaves[at].leaf[3] ^= 1 }, Altered, at},
		{"one byte more", func(m *memLog) { m.leaves[at].leaf = append(m.leaves[at].leaf, ' ') }, Altered, at},
		{"emptied", func(m *memLog) { m.leaves[at].leaf = nil }, Altered, at},
		{"doubled", func(m *memLog) { m.leaves = slices.Insert(m.leaves, int(at), m.leaves[at]) }, Altered, at},
		{"stored leaf hash", func(m *memLog) { m.stored[tlog.StoredHashIndex(0, at)].Hash[0] ^= 1 }, Altered, at},
		{"stored leaf hash gone", func(m *memLog) {
			i := int(tlog.StoredHashIndex(0, at))
			m.stored = slices.Delete(m.stored, i, i+1)
		}, Missing, -1},
		{"swapped with its neighbour", func(m *memLog) {
			other := at ^ 1
			if other > last {
				other = at - 1
			}
			m.leaves[at].leaf, m.leaves[other].leaf = m.leaves[other].leaf, m.leaves[at].leaf
		}, Altered, min(at, neighbour(at, last))},
	})
	t.Run("leaf and its hash rewritten", func(t *testing.T) {
		m := honest.clone()
		m.leaves[at].leaf[3] ^= 1
		m.stored[tlog.StoredHashIndex(0, at)].Hash = LeafHash(m.leaves[at].leaf)
		wantProblem(t, mustVerify(t, m, VerifyOptions{}), Altered, -1)
	})
	t.Run("rebuilt with the old head", func(t *testing.T) {
		m := honest.clone()
		m.leaves[at].leaf[3] ^= 1
		m = m.rebuild(t)
		rebuilt := m.head
		m.head = honest.head
		wantProblem(t, mustVerify(t, m, VerifyOptions{}), Altered, -1)
		m.head = rebuilt // now the log agrees with itself: only memory of the old one helps
		wantOK(t, mustVerify(t, m, VerifyOptions{}), rebuilt, last+1)
		wantProblem(t, mustVerify(t, m, VerifyOptions{Known: []Head{honest.head}}), Forked, -1)
		wantProblem(t, mustVerify(t, m, VerifyOptions{Since: &honest.head}), Forked, -1)
	})
}

// neighbour is the leaf that shares a parent with at, or the one before.
func neighbour(at, last int64) int64 {
	if at^1 > last {
		return at - 1
	}
	return at ^ 1
}

func mutateEnds(t *testing.T, honest *memLog) {
	size := honest.head.Size
	beforeLast := int(tlog.StoredHashCount(size - 1))
	runMutations(t, honest, []mutation{
		{"last leaf and its hashes dropped", func(m *memLog) {
			m.leaves, m.stored = m.leaves[:size-1], m.stored[:beforeLast]
		}, Truncated, size - 1},
		{"all dropped", func(m *memLog) { m.leaves, m.stored = nil, nil }, Truncated, 0},
		{"last stored hash gone", func(m *memLog) { m.stored = m.stored[:len(m.stored)-1] }, Missing, -1},
		{"last stored hash edited", func(m *memLog) { m.stored[len(m.stored)-1].Hash[9] ^= 1 }, Altered, lastHashSeq(size)},
		{"leaf beyond the head", func(m *memLog) { m.leaves = append(m.leaves, memEntry{size, []byte("x")}) }, Altered, size},
		{"leaf far beyond the head", func(m *memLog) { m.leaves = append(m.leaves, memEntry{size + 40, []byte("x")}) }, Altered, size},
		{"hash beyond the head", func(m *memLog) {
			m.stored = append(m.stored, StoredHash{tlog.StoredHashCount(size), Hash{1}})
		}, Altered, -1},
		{"root edited", func(m *memLog) { m.head.Root[31] ^= 1 }, Altered, -1},
		{"size raised", func(m *memLog) { m.head.Size++ }, Truncated, size},
		{"size lowered", func(m *memLog) { m.head.Size-- }, Altered, -1},
		{"size negative", func(m *memLog) { m.head.Size = -1 }, Altered, -1},
		{"first leaf dropped and the rest renumbered", func(m *memLog) {
			m.leaves = m.leaves[1:]
			for i := range m.leaves {
				m.leaves[i].seq--
			}
		}, Altered, 0},
	})
	t.Run("appended without a head", func(t *testing.T) {
		m := honest.clone()
		m.grow(t, 1)
		m.head = honest.head
		wantProblem(t, mustVerify(t, m, VerifyOptions{}), Altered, size)
	})
	t.Run("cut and the head with it", func(t *testing.T) {
		shorter := newMemLog(t, size-1)
		wantProblem(t, mustVerify(t, shorter, VerifyOptions{Known: []Head{honest.head}}), Truncated, size-1)
	})
}

// lastHashSeq is where an edit of the last stored hash is seen: at the last
// leaf when that hash is its own, nowhere in particular otherwise.
func lastHashSeq(size int64) int64 {
	if level, n := tlog.SplitStoredHashIndex(tlog.StoredHashCount(size) - 1); level == 0 {
		return n
	}
	return -1
}

// TestVerifyFindsAnyEditedStoredHash tries hashes at every level, those that
// join parts included.
func TestVerifyFindsAnyEditedStoredHash(t *testing.T) {
	honest := newMemLog(t, 5*partSize)
	top := tlog.StoredHashIndex(partLevel+2, 0)
	rapid.Check(t, func(rt *rapid.T) {
		m := honest.clone()
		index := rapid.OneOf(rapid.Just(top), rapid.Int64Range(0, int64(len(m.stored)-1))).Draw(rt, "index")
		m.stored[index].Hash[rapid.IntRange(0, 31).Draw(rt, "byte")] ^= 0x10
		report, err := Verify(t.Context(), m, VerifyOptions{})
		if err != nil || report.Problem != Altered {
			rt.Errorf("stored hash %d edited: %+v, %v", index, report, err)
		}
		if level, n := tlog.SplitStoredHashIndex(index); level == 0 && report.Seq != n {
			rt.Errorf("hash of leaf %d edited: reported at %d", n, report.Seq)
		}
	})
}
