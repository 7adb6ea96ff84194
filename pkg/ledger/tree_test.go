package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// edgeSizes are the sizes at which tiles and subtrees begin and end.
var edgeSizes = []int64{0, 1, 2, 3, 255, 256, 257, partSize - 1, partSize, partSize + 1}

// longLog is as many leaves as each reader takes several parts of.
const longLog = 50_000

func TestEmptyRoot(t *testing.T) {
	const want = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" // RFC 6962 §2.1: SHA-256 of nothing
	if got := EmptyRoot().String(); got != want {
		t.Errorf("EmptyRoot() = %s, want %s", got, want)
	}
	if got := new(Tree).Root(); got != EmptyRoot() {
		t.Errorf("Root of a Tree without leaves = %v, want EmptyRoot", got)
	}
}

func TestLeafHash(t *testing.T) {
	for _, n := range []int{0, 1, 1022, 1023, 1024, 1025, MaxLeaf} {
		leaf := bytes.Repeat([]byte{0xa5}, n)
		if got, want := LeafHash(leaf), tlog.RecordHash(leaf); got != want {
			t.Errorf("LeafHash of %d bytes = %v, want %v", n, got, want)
		}
	}
}

func TestAppendAgreesWithTlog(t *testing.T) {
	for _, n := range edgeSizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			checkAppend(t, newMemLog(t, n), n)
		})
	}
	t.Run("65536", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the largest size takes a while")
		}
		checkAppend(t, newMemLog(t, 65536), 65536)
	})
}

// checkAppend compares every stored hash and the root with the oracle's.
func checkAppend(t *testing.T, m *memLog, n int64) {
	t.Helper()
	want := newOracle(t, n)
	if len(m.stored) != len(*want) {
		t.Fatalf("%d stored hashes, want %d", len(m.stored), len(*want))
	}
	for i, s := range m.stored {
		if s.Index != int64(i) || s.Hash != (*want)[i] {
			t.Fatalf("stored hash %d = %v, want %v", i, s, (*want)[i])
		}
	}
	if root := want.root(t, n); m.head != (Head{n, root}) {
		t.Errorf("head = %v, want %d %v", m.head, n, root)
	}
}

func TestAppendInAnyBatchesGivesOneTree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		total := int64(0)
		m := newMemLog(t, 0)
		for _, n := range rapid.SliceOfN(rapid.Int64Range(0, 70), 0, 12).Draw(rt, "batches") {
			m.grow(t, n)
			total += n
		}
		checkAppend(t, m, total)
	})
}

func TestAppendReadsOnlyTheEdge(t *testing.T) {
	m := newMemLog(t, 1000)
	asked := 0
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		asked += len(indexes)
		return m.ReadHashes(indexes)
	})
	leaves := make([][]byte, 10_000)
	if _, _, err := Append(m.head, leaves, reader); err != nil {
		t.Fatal(err)
	}
	if want := 6; asked != want { // 1000 = 0b1111101000
		t.Errorf("Append of 10,000 leaves to 1,000 read %d hashes, want %d", asked, want)
	}
}

func TestAppendRefuses(t *testing.T) {
	honest := newMemLog(t, 300)
	errRead := errors.New("disk on fire")
	tests := []struct {
		name   string
		head   Head
		leaves [][]byte
		reader HashReader
		want   error
	}{
		{"leaf too long", honest.head, [][]byte{{1}, make([]byte, MaxLeaf+1)}, honest, ErrLeafTooLong},
		{"other root", Head{300, EmptyRoot()}, [][]byte{{1}}, honest, ErrAltered},
		{"other size", Head{299, honest.head.Root}, [][]byte{{1}}, honest, ErrAltered},
		{"empty log with a root", Head{0, honest.head.Root}, nil, honest, ErrAltered},
		{"negative size", Head{-1, EmptyRoot()}, nil, honest, ErrRange},
		{"edge gone", honest.head, nil, &memLog{}, ErrMissing},
		{"reader failed", honest.head, nil, tlog.HashReaderFunc(func([]int64) ([]Hash, error) { return nil, errRead }), errRead},
		{"reader short", honest.head, nil, tlog.HashReaderFunc(func([]int64) ([]Hash, error) { return nil, nil }), ErrMissing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head, hashes, err := Append(tt.head, tt.leaves, tt.reader)
			if !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
			if head != tt.head || hashes != nil {
				t.Errorf("Append changed the head or gave %d hashes with its error", len(hashes))
			}
		})
	}
	t.Run("longest leaf is taken", func(t *testing.T) {
		if _, _, err := Append(honest.head, [][]byte{make([]byte, MaxLeaf)}, honest); err != nil {
			t.Error(err)
		}
	})
	t.Run("edited edge hash", func(t *testing.T) {
		m := honest.clone()
		m.stored[tlog.StoredHashIndex(8, 0)].Hash[31] ^= 1
		if _, _, err := Append(m.head, [][]byte{{1}}, m); !errors.Is(err, ErrAltered) {
			t.Errorf("error = %v, want ErrAltered", err)
		}
	})
}

func TestTreeMergeOfAnyRanges(t *testing.T) {
	want := newOracle(t, 600)
	rapid.Check(t, func(rt *rapid.T) {
		whole := new(Tree)
		for end := int64(0); end < 600; {
			part := NewTreeAt(end)
			end = min(600, end+rapid.Int64Range(1, 300).Draw(rt, "leaves"))
			for i := part.start; i < end; i++ {
				part.Add(sampleLeaf(i))
			}
			if err := whole.Merge(part); err != nil {
				rt.Fatal(err)
			}
			if whole.Size() != end {
				rt.Fatalf("Size = %d, want %d", whole.Size(), end)
			}
			if root := want.root(t, end); whole.Root() != root {
				rt.Fatalf("root of %d leaves = %v, want %v", end, whole.Root(), root)
			}
		}
	})
}

func TestTreeMergeRefusesAGap(t *testing.T) {
	left, right := new(Tree), NewTreeAt(2)
	left.AddHash(LeafHash([]byte("a")))
	right.AddHash(LeafHash([]byte("c")))
	before := left.Root()
	if err := left.Merge(right); !errors.Is(err, ErrRange) {
		t.Errorf("error = %v, want ErrRange", err)
	}
	if left.Size() != 1 || left.Root() != before {
		t.Error("a refused merge changed the tree")
	}
}

func TestTreePanicsOnMisuse(t *testing.T) {
	for name, misuse := range map[string]func(){
		"negative start":       func() { NewTreeAt(-1) },
		"root of a later part": func() { NewTreeAt(4).Root() },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse()
		})
	}
}
