package ledger

import (
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func TestCheckGrowth(t *testing.T) {
	const size = 600
	m := newMemLog(t, size)
	want := newOracle(t, size)
	rapid.Check(t, func(rt *rapid.T) {
		now := rapid.Int64Range(0, size).Draw(rt, "now")
		old := rapid.Int64Range(0, now).Draw(rt, "old")
		from, to := Head{old, want.root(t, old)}, Head{now, want.root(t, now)}
		if err := CheckGrowth(from, to, m); err != nil {
			rt.Fatalf("%d to %d: %v", old, now, err)
		}
		from.Root[rapid.IntRange(0, 31).Draw(rt, "byte")] ^= 2
		if err := CheckGrowth(from, to, m); !errors.Is(err, ErrForked) {
			rt.Fatalf("%d to %d with another old root: %v, want ErrForked", old, now, err)
		}
	})
}

func TestCheckGrowthRefuses(t *testing.T) {
	m := newMemLog(t, 600)
	old := Head{300, newOracle(t, 300).root(t, 300)}
	t.Run("shrunk", func(t *testing.T) {
		if err := CheckGrowth(m.head, old, m); !errors.Is(err, ErrTruncated) {
			t.Errorf("error = %v, want ErrTruncated", err)
		}
	})
	t.Run("negative", func(t *testing.T) {
		if err := CheckGrowth(Head{-1, EmptyRoot()}, m.head, m); !errors.Is(err, ErrRange) {
			t.Errorf("error = %v, want ErrRange", err)
		}
	})
	t.Run("head edited", func(t *testing.T) {
		now := m.head
		now.Root[0] ^= 1
		if err := CheckGrowth(old, now, m); !errors.Is(err, ErrAltered) {
			t.Errorf("error = %v, want ErrAltered", err)
		}
	})
	t.Run("hash of the edge edited", func(t *testing.T) {
		c := m.clone()
		c.stored[tlog.StoredHashIndex(9, 0)].Hash[0] ^= 1
		if err := CheckGrowth(old, c.head, c); !errors.Is(err, ErrAltered) {
			t.Errorf("error = %v, want ErrAltered", err)
		}
	})
	t.Run("hash gone", func(t *testing.T) {
		c := m.clone()
		c.stored = c.stored[:tlog.StoredHashCount(300)]
		if err := CheckGrowth(old, c.head, c); !errors.Is(err, ErrMissing) {
			t.Errorf("error = %v, want ErrMissing", err)
		}
	})
	t.Run("older entry replaced and all rebuilt", func(t *testing.T) {
		c := m.clone()
		c.leaves[17].leaf[0] ^= 1
		c = c.rebuild(t)
		if err := CheckGrowth(old, c.head, c); !errors.Is(err, ErrForked) {
			t.Errorf("error = %v, want ErrForked", err)
		}
	})
}

func TestCheckBeginning(t *testing.T) {
	m := newMemLog(t, 300)
	for _, size := range []int64{0, 1, 255, 256, 257, 300} {
		old := newMemLog(t, size).head
		if err := CheckBeginning(old, m.head.Size, m); err != nil {
			t.Errorf("%d of 300: %v", size, err)
		}
		old.Root[0] ^= 1
		if err := CheckBeginning(old, m.head.Size, m); !errors.Is(err, ErrForked) {
			t.Errorf("%d of 300, another root: %v", size, err)
		}
	}
	if err := CheckBeginning(Head{301, m.head.Root}, 300, m); !errors.Is(err, ErrTruncated) {
		t.Errorf("301 of 300: %v", err)
	}
}
