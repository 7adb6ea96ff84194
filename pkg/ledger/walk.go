package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// partLevel sets how much is read at once: parts are complete subtrees of
	// this level, so that parts can be computed apart and joined.
	partLevel = 12
	partSize  = 1 << partLevel
	// mostReaders is how many parts are read at once.
	mostReaders = 2
)

// part is what one reading of up to partSize leaves yields.
type part struct {
	leaves int64
	tree   *Tree
	above  []Hash // stored hashes of the larger subtrees this part completes
	err    error
}

// walk continues tree, which ends where reading starts, to the end of the log
// and compares all on the way. Parts are computed by the readers in turn and
// joined here in order, so the first problem found is the first in the log.
func (v *verification) walk(ctx context.Context, tree *Tree) (*Tree, error) {
	from := tree.end
	base := from &^ (partSize - 1)
	total := v.head.Size - from
	if total == 0 {
		return tree, nil
	}
	whole, begun := split(tree, base)
	count := (v.head.Size - base + partSize - 1) >> partLevel
	compute := func(ctx context.Context, i int64) part {
		lo := base + i<<partLevel
		hi := min(lo+partSize, v.head.Size)
		if i == 0 {
			return v.part(ctx, begun, hi)
		}
		return v.part(ctx, NewTreeAt(lo), hi)
	}
	err := inTurn(ctx, min(mostReaders, count), count, compute, func(p part) error {
		if p.err != nil {
			return p.err
		}
		if err := join(whole, p); err != nil {
			return err
		}
		v.checked += p.leaves
		if v.opts.Progress != nil {
			v.opts.Progress(v.checked, total)
		}
		return nil
	})
	return whole, err
}

// split takes tree apart at base: the parts joined already, and the one begun.
func split(tree *Tree, base int64) (whole, begun *Tree) {
	whole, begun = &Tree{end: base}, &Tree{start: base, end: tree.end}
	for _, n := range tree.nodes {
		if n.level >= partLevel {
			whole.nodes = append(whole.nodes, n)
		} else {
			begun.nodes = append(begun.nodes, n)
		}
	}
	return whole, begun
}

// inTurn computes parts 0 to count-1 on the given number of goroutines and
// takes them in order. It ends with the first error of take or of ctx, and
// leaves no goroutine behind.
func inTurn(ctx context.Context, readers, count int64, compute func(context.Context, int64) part, take func(part) error) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	parts := make([]chan part, readers)
	for r := range readers {
		parts[r] = make(chan part, 1) // one part ahead, no more: memory is bounded
		running.Go(func() {
			for i := r; i < count && ctx.Err() == nil; i += readers {
				select {
				case parts[r] <- compute(ctx, i):
				case <-ctx.Done():
				}
			}
		})
	}
	for i := range count {
		select {
		case p := <-parts[i%readers]:
			if err := take(p); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// part reads leaves from the end of tree up to hi, and compares every hash
// they complete with the one stored.
func (v *verification) part(ctx context.Context, tree *Tree, hi int64) part {
	lo := tree.end
	stored, err := v.storedHashes(ctx, lo, hi)
	if err != nil {
		return part{err: err}
	}
	next := lo
	var made []Hash
	err = v.src.Leaves(ctx, lo, hi, func(seq int64, leaf []byte) error {
		switch {
		case seq > next:
			return &flaw{ErrMissing, next, fmt.Sprintf("entry %d is missing", next)}
		case seq < next:
			return &flaw{ErrAltered, seq, fmt.Sprintf("entry %d appears twice or out of order", seq)}
		}
		made = tree.push(0, LeafHash(leaf), made[:0])
		next++
		for level, h := range made {
			if err := compare(next, level, h, stored); err != nil {
				return err
			}
			stored = stored[1:]
		}
		return nil
	})
	switch {
	case err != nil:
		return part{err: asFlaw(err, next)}
	case next < hi:
		return part{err: v.absent(ctx, next)}
	}
	return part{hi - lo, tree, stored, nil}
}

// storedHashes reads the hashes that the leaves [lo, hi) completed, up to the
// first gap.
func (v *verification) storedHashes(ctx context.Context, lo, hi int64) ([]Hash, error) {
	first, end := tlog.StoredHashCount(lo), tlog.StoredHashCount(hi)
	stored := make([]Hash, 0, end-first)
	err := v.src.StoredHashes(ctx, first, end, func(index int64, h Hash) error {
		if index != first+int64(len(stored)) {
			return errStop
		}
		stored = append(stored, h)
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, asFlaw(err, -1)
	}
	return stored, nil
}

// compare checks h, of the subtree of 1<<level leaves that ends before leaf
// end, against the next stored hash.
func compare(end int64, level int, h Hash, stored []Hash) error {
	from := end - 1<<level
	switch {
	case len(stored) > 0 && h == stored[0]:
		return nil
	case len(stored) == 0 && level == 0:
		return &flaw{ErrMissing, -1, fmt.Sprintf("the stored hash of entry %d is missing", from)}
	case len(stored) == 0:
		return &flaw{ErrMissing, -1, fmt.Sprintf("the stored hash of entries %d to %d is missing", from, end-1)}
	case level == 0:
		return &flaw{ErrAltered, from, fmt.Sprintf("entry %d is not the one its stored hash was made of", from)}
	}
	return &flaw{ErrAltered, -1, fmt.Sprintf("entries %d to %d are not those their stored hash was made of", from, end-1)}
}

// join appends a part to the tree and compares the hashes across the seam.
func join(whole *Tree, p part) error {
	made, err := whole.merge(p.tree, nil)
	if err != nil {
		return err
	}
	for i, h := range made {
		if err := compare(whole.end, partLevel+1+i, h, p.above[min(i, len(p.above)):]); err != nil {
			return err
		}
	}
	return nil
}

// absent tells a gap from a log that ends before its head says so.
func (v *verification) absent(ctx context.Context, seq int64) error {
	later, err := firstLeaf(ctx, v.src, seq, v.head.Size)
	switch {
	case err != nil && ProblemOf(err) == OK:
		return err
	case err != nil || later >= 0:
		return &flaw{ErrMissing, seq, fmt.Sprintf("entry %d is missing", seq)}
	}
	return &flaw{ErrTruncated, seq, fmt.Sprintf("the log ends with %d entries where its head records %d", seq, v.head.Size)}
}

// asFlaw turns an error by which a [Source] speaks of the log itself into a
// flaw found at leaf seq.
func asFlaw(err error, seq int64) error {
	if _, ok := errors.AsType[*flaw](err); ok || ProblemOf(err) == OK {
		return err
	}
	return &flaw{err, seq, err.Error()}
}
