package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"

	"golang.org/x/mod/sumdb/tlog"
)

// VerifyOptions says what a log is measured against beside itself.
type VerifyOptions struct {
	// Since is a head that is trusted: only what was added after it is read,
	// beside O(log n) hashes that join it. Nil reads the whole log.
	Since *Head
	// Known are heads kept elsewhere; the log must begin with each of them.
	Known []Head
	// Progress is told how many of total leaves are done, now and then, on the
	// goroutine of the caller. It may be nil.
	Progress func(done, total int64)
}

// Report is what [Verify] found.
type Report struct {
	OK      bool
	Problem Problem // [OK] when OK
	Seq     int64   // the first leaf that is bad or absent; -1 when there is none or it cannot be told
	Size    int64   // the log's own claim, true when OK
	Root    Hash    // likewise
	Checked int64   // leaves whose hashes were computed and agreed
	Detail  string  // one sentence about the problem; "" when OK
}

// flaw is what is wrong with a log, as opposed to a reading that failed.
type flaw struct {
	problem error // a sentinel that [ProblemOf] knows
	seq     int64
	detail  string
}

func (f *flaw) Error() string { return f.detail }
func (f *flaw) Unwrap() error { return f.problem }

// Verify recomputes the hash of every leaf and every stored hash of the tree,
// compares them with those stored and the root with the head's, looks for
// leaves and hashes beyond the head, and proves that the log continues
// opts.Known and opts.Since. It reports the first problem in the order of the
// log: [Altered], [Missing] for a gap, [Truncated] when the end is absent, and
// [Forked] when the log agrees with itself but not with a known head.
//
// Memory is bounded whatever the size; long logs are read by two goroutines.
// The log may grow meanwhile: what is added after Verify began is not looked
// at. An error says that the log could not be read and nothing about it.
func Verify(ctx context.Context, src Source, opts VerifyOptions) (Report, error) {
	head, err := src.Head(ctx)
	if err != nil {
		return Report{Seq: -1}, fmt.Errorf("reading the head of the log: %w", err)
	}
	v := &verification{src: src, head: head, opts: opts}
	err = v.run(ctx)
	report := Report{OK: err == nil, Seq: -1, Size: head.Size, Root: head.Root, Checked: v.checked}
	if f, ok := errors.AsType[*flaw](err); ok {
		report.Problem, report.Seq, report.Detail = ProblemOf(f.problem), f.seq, f.detail
		return report, nil
	}
	return report, err
}

// verification is one run of Verify; the goroutine that reads parts in order
// alone writes checked.
type verification struct {
	src     Source
	head    Head
	opts    VerifyOptions
	checked int64
}

func (v *verification) run(ctx context.Context) error {
	if v.head.Size < 0 {
		return &flaw{ErrAltered, -1, fmt.Sprintf("the head claims %d entries", v.head.Size)}
	}
	tree, err := v.begin(ctx)
	if err != nil {
		return err
	}
	if tree, err = v.walk(ctx, tree); err != nil {
		return err
	}
	if tree.Root() != v.head.Root {
		return &flaw{ErrAltered, -1, fmt.Sprintf("the root of %d entries is not the one the head records", v.head.Size)}
	}
	if err := v.beyond(ctx); err != nil {
		return err
	}
	for _, known := range v.opts.Known {
		if err := v.continues(ctx, known); err != nil {
			return err
		}
	}
	return nil
}

// begin gives the tree to start from: that of opts.Since, or an empty one.
// When the stored hashes do not lead back to Since, the whole log is read to
// tell an edited hash from another history.
func (v *verification) begin(ctx context.Context) (*Tree, error) {
	since := v.opts.Since
	if since == nil {
		return new(Tree), nil
	}
	if since.Size > v.head.Size {
		return nil, v.continues(ctx, *since)
	}
	tree, err := edge(*since, NewHashReader(ctx, v.src))
	if ProblemOf(err) != OK {
		v.opts.Known = append([]Head{*since}, v.opts.Known...)
		return new(Tree), nil
	}
	return tree, err
}

// continues reports a known head that the log does not begin with.
func (v *verification) continues(ctx context.Context, known Head) error {
	err := CheckGrowth(known, v.head, NewHashReader(ctx, v.src))
	if ProblemOf(err) == OK {
		return err
	}
	seq := int64(-1)
	detail := fmt.Sprintf("the log does not begin with the %d entries known from before", known.Size)
	if errors.Is(err, ErrTruncated) {
		seq = v.head.Size
		detail = fmt.Sprintf("the log has %d entries and is known to have had %d", v.head.Size, known.Size)
	}
	return &flaw{err, seq, detail}
}

// beyond reports leaves and hashes that the head does not account for. One
// that a later head covers was added meanwhile, honestly.
func (v *verification) beyond(ctx context.Context) error {
	look := func(first func(context.Context, Source, int64, int64) (int64, error), end func(int64) int64, what string) error {
		for size := v.head.Size; ; {
			at, err := first(ctx, v.src, end(size), math.MaxInt64)
			if err != nil || at < 0 {
				return err
			}
			now, err := v.src.Head(ctx)
			if err != nil {
				return fmt.Errorf("reading the head of the log: %w", err)
			}
			if at >= end(now.Size) {
				return &flaw{ErrAltered, -1, fmt.Sprintf("%s %d lies beyond the head of %d entries", what, at, now.Size)}
			}
			size = now.Size
		}
	}
	err := look(firstLeaf, func(size int64) int64 { return size }, "entry")
	if f, ok := errors.AsType[*flaw](err); ok {
		f.seq = v.head.Size
	}
	if err != nil {
		return asFlaw(err, v.head.Size)
	}
	return look(firstHash, tlog.StoredHashCount, "stored hash")
}
