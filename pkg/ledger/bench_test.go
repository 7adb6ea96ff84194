package ledger

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

const benchSize = 200_000

// benchLeaf is as long as the event of a reset.
func benchLeaf(i int64) []byte {
	leaf := make([]byte, 600)
	copy(leaf, sampleLeaf(i))
	return leaf
}

func benchLog(b *testing.B) *memLog {
	b.Helper()
	m := newMemLog(b, 0)
	leaves := make([][]byte, benchSize)
	for i := range leaves {
		leaves[i] = benchLeaf(int64(i))
	}
	m.append(b, leaves)
	return m
}

func BenchmarkAppend(b *testing.B) {
	m := newMemLog(b, 1000)
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			leaves := make([][]byte, n)
			for i := range leaves {
				leaves[i] = benchLeaf(int64(i))
			}
			for b.Loop() {
				if _, _, err := Append(m.head, leaves, m); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/leaf")
		})
	}
}

// BenchmarkVerify compares Verify with hashing the same leaves and nodes on
// one core, which it may take twice as long as.
func BenchmarkVerify(b *testing.B) {
	m := benchLog(b)
	perLeaf := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchSize), "ns/leaf")
	}
	b.Run("hashing alone", func(b *testing.B) {
		for b.Loop() {
			var right []tlog.Hash // plain RFC 6962: a stack of subtrees
			for i, e := range m.leaves {
				h := tlog.RecordHash(e.leaf)
				for n := i; n&1 == 1; n >>= 1 {
					h = tlog.NodeHash(right[len(right)-1], h)
					right = right[:len(right)-1]
				}
				right = append(right, h)
			}
		}
		perLeaf(b)
	})
	verify := func(b *testing.B, src Source, opts VerifyOptions) {
		for b.Loop() {
			if report, err := Verify(b.Context(), src, opts); err != nil || !report.OK {
				b.Fatal(report, err)
			}
		}
	}
	b.Run("memory", func(b *testing.B) { verify(b, m, VerifyOptions{}); perLeaf(b) })
	dir, verifier := exported(b, m)
	src, err := OpenDir(dir, testOrigin, verifier)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("directory", func(b *testing.B) { verify(b, src, VerifyOptions{}); perLeaf(b) })
	since := m.head
	m.grow(b, 100)
	b.Run("100 since", func(b *testing.B) { verify(b, m, VerifyOptions{Since: &since}) })
}
