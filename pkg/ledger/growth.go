package ledger

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// CheckGrowth proves that the log at now begins with the whole log at old (an
// RFC 6962 §2.1.2 consistency proof), reading O(log n) stored hashes.
//
// Errors: [ErrTruncated] when now is smaller than old; [ErrAltered] when the
// stored hashes do not give now; [ErrForked] when they do and lead to another
// old log, or cannot show it because a hash further inside was edited, which
// [Verify] tells apart; what stored returns.
func CheckGrowth(old, now Head, stored HashReader) error {
	if old.Size < 0 {
		return fmt.Errorf("a known log of %d entries: %w", old.Size, ErrRange)
	}
	if old.Size > now.Size {
		return fmt.Errorf("%d entries where there were %d: %w", now.Size, old.Size, ErrTruncated)
	}
	if _, err := edge(now, stored); err != nil {
		return err
	}
	forked := fmt.Errorf("other entries among the first %d: %w", old.Size, ErrForked)
	if old.Size == 0 || old.Size == now.Size {
		// Nothing lies between the two; an empty log has but one root.
		want := now.Root
		if old.Size == 0 {
			want = EmptyRoot()
		}
		if old.Root != want {
			return forked
		}
		return nil
	}
	proof, err := tlog.ProveTree(now.Size, old.Size, stored)
	if err != nil {
		return fmt.Errorf("proving growth from %d to %d entries: %w", old.Size, now.Size, err)
	}
	if tlog.CheckTree(proof, now.Size, now.Root, old.Size, old.Root) != nil {
		return forked
	}
	return nil
}

// ProveGrowth gives the RFC 6962 §2.1.2 consistency proof that the log at now
// begins with its first old leaves, for somebody who knows their root. It is
// empty where nothing has to be shown: for old 0 and for all of now.
//
// Errors: [ErrTruncated] when now is smaller than old; [ErrAltered] when the
// stored hashes do not give now; what stored returns.
func ProveGrowth(old int64, now Head, stored HashReader) ([]Hash, error) {
	if old < 0 {
		return nil, fmt.Errorf("a known log of %d entries: %w", old, ErrRange)
	}
	if old > now.Size {
		return nil, fmt.Errorf("%d entries where there were %d: %w", now.Size, old, ErrTruncated)
	}
	if _, err := edge(now, stored); err != nil || old == 0 || old == now.Size {
		return nil, err
	}
	proof, err := tlog.ProveTree(now.Size, old, stored)
	if err != nil {
		return nil, fmt.Errorf("proving growth from %d to %d entries: %w", old, now.Size, err)
	}
	return proof, nil
}

// CheckBeginning compares the root that the stored hashes give for the first
// old.Size leaves of a log of size leaves with old.Root. It is cheaper than
// [CheckGrowth], one reading of O(log n) hashes, and shows less: nothing about
// the leaves after old.
//
// Errors: [ErrTruncated] when the log is smaller than old; [ErrForked] when
// the root is another; what stored returns.
func CheckBeginning(old Head, size int64, stored HashReader) error {
	if old.Size > size {
		return fmt.Errorf("%d entries where there were %d: %w", size, old.Size, ErrTruncated)
	}
	_, err := edge(old, stored)
	if errors.Is(err, ErrAltered) {
		return fmt.Errorf("other entries among the first %d: %w", old.Size, ErrForked)
	}
	return err
}
