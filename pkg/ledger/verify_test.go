package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/tlog"
)

// mustVerify is Verify of a log that can be read.
func mustVerify(t *testing.T, src Source, opts VerifyOptions) Report {
	t.Helper()
	report, err := Verify(t.Context(), src, opts)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return report
}

func wantProblem(t *testing.T, got Report, problem Problem, seq int64) {
	t.Helper()
	if got.OK || got.Problem != problem || got.Seq != seq {
		t.Errorf("Verify found OK %v, problem %q at %d (%s), want %q at %d", got.OK, got.Problem, got.Seq, got.Detail, problem, seq)
	}
	if got.Detail == "" {
		t.Error("a problem without a sentence about it")
	}
}

func wantOK(t *testing.T, got Report, head Head, checked int64) {
	t.Helper()
	if want := (Report{OK: true, Seq: -1, Size: head.Size, Root: head.Root, Checked: checked}); got != want {
		t.Errorf("Verify = %+v, want %+v", got, want)
	}
}

func TestVerifyHonestLogs(t *testing.T) {
	sizes := edgeSizes
	if !testing.Short() {
		sizes = append(sizes, longLog, 65536)
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := newMemLog(t, n)
			wantOK(t, mustVerify(t, m, VerifyOptions{}), m.head, n)
		})
	}
}

func TestVerifyProgress(t *testing.T) {
	m := newMemLog(t, 3*partSize+5)
	var seen []int64
	mustVerify(t, m, VerifyOptions{Progress: func(done, total int64) {
		if total != m.head.Size {
			t.Errorf("total = %d, want %d", total, m.head.Size)
		}
		seen = append(seen, done)
	}})
	if got, want := fmt.Sprint(seen), fmt.Sprint([]int64{partSize, 2 * partSize, 3 * partSize, m.head.Size}); got != want {
		t.Errorf("progress = %s, want %s", got, want)
	}
}

func TestVerifyWhileTheLogGrows(t *testing.T) {
	defer goleak.VerifyNone(t)
	m := newMemLog(t, 2*partSize)
	report := mustVerify(t, m, VerifyOptions{Progress: func(done, total int64) { m.grow(t, 3) }})
	if !report.OK || report.Size != 2*partSize {
		t.Errorf("Verify of a growing log = %+v", report)
	}
}

// TestVerifyTellsFailureFromProblem: a log that cannot be read is not a bad log.
func TestVerifyTellsFailureFromProblem(t *testing.T) {
	defer goleak.VerifyNone(t)
	m := newMemLog(t, longLog)
	t.Run("cancelled at once", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if report, err := Verify(ctx, m, VerifyOptions{}); !errors.Is(err, context.Canceled) || report.OK || report.Problem != OK {
			t.Errorf("Verify = %+v, %v", report, err)
		}
	})
	t.Run("cancelled on the way", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		opts := VerifyOptions{Progress: func(done, total int64) { cancel() }}
		if report, err := Verify(ctx, m, opts); !errors.Is(err, context.Canceled) || report.OK || report.Problem != OK {
			t.Errorf("Verify = %+v, %v", report, err)
		}
	})
	for _, name := range []string{"head", "leaves", "hashes"} {
		t.Run(name+" unreadable", func(t *testing.T) {
			report, err := Verify(t.Context(), &failing{m, name}, VerifyOptions{Known: []Head{m.head}})
			if !errors.Is(err, errDisk) || report.OK || report.Problem != OK || report.Seq != -1 {
				t.Errorf("Verify = %+v, %v", report, err)
			}
		})
	}
}

var errDisk = errors.New("input/output error")

// failing is a log of which one part cannot be read.
type failing struct {
	*memLog
	what string
}

func (f *failing) Head(ctx context.Context) (Head, error) {
	if f.what == "head" {
		return Head{}, errDisk
	}
	return f.memLog.Head(ctx)
}

func (f *failing) Leaves(ctx context.Context, from, to int64, fn func(int64, []byte) error) error {
	if f.what == "leaves" && from >= partSize {
		return errDisk
	}
	return f.memLog.Leaves(ctx, from, to, fn)
}

func (f *failing) StoredHashes(ctx context.Context, from, to int64, fn func(int64, Hash) error) error {
	if f.what == "hashes" && from >= partSize {
		return errDisk
	}
	return f.memLog.StoredHashes(ctx, from, to, fn)
}

func TestVerifySince(t *testing.T) {
	const size = 2*partSize + 700
	m := newMemLog(t, size)
	want := newOracle(t, size)
	for _, old := range []int64{0, 1, 255, partSize - 1, partSize, partSize + 1, size - 1, size} {
		since := Head{old, want.root(t, old)}
		t.Run(fmt.Sprintf("%d honest", old), func(t *testing.T) {
			wantOK(t, mustVerify(t, m, VerifyOptions{Since: &since}), m.head, size-old)
		})
		t.Run(fmt.Sprintf("%d other history", old), func(t *testing.T) {
			other := since
			other.Root[0] ^= 1
			wantProblem(t, mustVerify(t, m, VerifyOptions{Since: &other}), Forked, -1)
		})
	}
	t.Run("reads nothing older", func(t *testing.T) {
		c := m.clone()
		c.leaves = c.leaves[partSize+9:]
		since := Head{partSize + 9, want.root(t, partSize+9)}
		wantOK(t, mustVerify(t, c, VerifyOptions{Since: &since}), c.head, size-partSize-9)
	})
	t.Run("log smaller", func(t *testing.T) {
		since := Head{size + 1, m.head.Root}
		wantProblem(t, mustVerify(t, m, VerifyOptions{Since: &since}), Truncated, size)
	})
	t.Run("new leaf altered", func(t *testing.T) {
		c := m.clone()
		c.leaves[size-2].leaf[0] ^= 1
		since := Head{partSize + 9, want.root(t, partSize+9)}
		wantProblem(t, mustVerify(t, c, VerifyOptions{Since: &since}), Altered, size-2)
	})
	t.Run("edited hash of the old edge is not called a fork", func(t *testing.T) {
		c := m.clone()
		c.stored[tlog.StoredHashIndex(0, 300)].Hash[0] ^= 1
		since := Head{301, want.root(t, 301)}
		wantProblem(t, mustVerify(t, c, VerifyOptions{Since: &since}), Altered, 300)
	})
}

func TestVerifyKnown(t *testing.T) {
	m := newMemLog(t, 1000)
	want := newOracle(t, 1000)
	known := []Head{{0, EmptyRoot()}, {1, want.root(t, 1)}, {513, want.root(t, 513)}, m.head}
	t.Run("all of them", func(t *testing.T) {
		wantOK(t, mustVerify(t, m, VerifyOptions{Known: known}), m.head, 1000)
	})
	for i := range known {
		t.Run(fmt.Sprintf("other root at %d", known[i].Size), func(t *testing.T) {
			other := append([]Head(nil), known...)
			other[i].Root[5] ^= 4
			wantProblem(t, mustVerify(t, m, VerifyOptions{Known: other}), Forked, -1)
		})
	}
	t.Run("longer than the log", func(t *testing.T) {
		wantProblem(t, mustVerify(t, m, VerifyOptions{Known: []Head{{1001, m.head.Root}}}), Truncated, 1000)
	})
	t.Run("damage comes before history", func(t *testing.T) {
		c := m.clone()
		c.leaves[7].leaf[0] ^= 1
		wantProblem(t, mustVerify(t, c, VerifyOptions{Known: []Head{{1001, m.head.Root}}}), Altered, 7)
	})
}
