package ledger

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"testing"
)

// FuzzVerify damages a log as the input says, in as many places as it says:
// whatever differs from the honest log is found, and nothing else is.
func FuzzVerify(f *testing.F) {
	sizes := []int64{0, 1, 2, 255, 256, 257}
	logs := make([]*memLog, len(sizes))
	for i, size := range sizes {
		logs[i] = newMemLog(f, size)
	}
	for i := range sizes {
		for op := range damageKinds {
			f.Add(uint8(i), []byte{byte(op), 7, 3})
			f.Add(uint8(i), []byte{byte(op), 255, 9, byte(op + 3), 0, 1})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, ops []byte) {
		honest := logs[int(which)%len(logs)]
		m := honest.clone()
		for ; len(ops) >= 3; ops = ops[3:] {
			m.damage(int(ops[0])%damageKinds, int(ops[1]), int(ops[2]))
		}
		same := m.head == honest.head && reflect.DeepEqual(m.stored, honest.stored) &&
			slices.EqualFunc(m.leaves, honest.leaves, func(a, b memEntry) bool { return a.seq == b.seq && bytes.Equal(a.leaf, b.leaf) })
		for _, opts := range []VerifyOptions{{Known: []Head{honest.head}}, {Since: &Head{0, EmptyRoot()}, Known: []Head{honest.head}}} {
			report, err := Verify(context.Background(), m, opts)
			if err != nil {
				t.Fatal(err)
			}
			if report.OK != same {
				t.Fatalf("the same log: %v, and the report %+v", same, report)
			}
			if report.OK == (report.Problem != OK) {
				t.Fatalf("a report that contradicts itself: %+v", report)
			}
		}
	})
}

// damageKinds is how many kinds of damage [memLog.damage] knows.
const damageKinds = 10

// damage does one kind of damage at the n-th leaf or hash.
func (m *memLog) damage(kind, n, with int) {
	if len(m.leaves) == 0 || len(m.stored) == 0 {
		m.head.Size += int64(with)
		return
	}
	leaf, hash := n%len(m.leaves), n%len(m.stored)
	switch kind {
	case 0: // a bit of a leaf
		if l := m.leaves[leaf].leaf; len(l) > 0 {
			l[with%len(l)] ^= 1 << (with % 8)
		}
	case 1: // a leaf dropped
		m.leaves = slices.Delete(m.leaves, leaf, leaf+1)
	case 2: // a leaf doubled
		m.leaves = slices.Insert(m.leaves, leaf, m.leaves[leaf])
	case 3: // two leaves swapped
		other := with % len(m.leaves)
		m.leaves[leaf].leaf, m.leaves[other].leaf = m.leaves[other].leaf, m.leaves[leaf].leaf
	case 4: // a bit of a hash
		m.stored[hash].Hash[with%32] ^= 1 << (with % 8)
	case 5: // a hash dropped
		m.stored = slices.Delete(m.stored, hash, hash+1)
	case 6: // two hashes swapped
		other := with % len(m.stored)
		m.stored[hash].Hash, m.stored[other].Hash = m.stored[other].Hash, m.stored[hash].Hash
	case 7: // the head's size
		m.head.Size += int64(with) - 4
	case 8: // the head's root
		m.head.Root[with%32] ^= 1 << (with % 8)
	case 9: // the end cut off
		m.leaves = m.leaves[:leaf]
	}
}
