package cmd

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// logSource reads the log of a store page by page, for the ledger to check
// here. Nothing of what it hands over is believed, wherever the store is.
type logSource struct{ audit logiqc.Audit }

func ledgerHead(h logiqc.LogHead) ledger.Head {
	return ledger.Head{Size: h.Size, Root: ledger.Hash(h.Root)}
}

// Head implements [ledger.Source].
func (l logSource) Head(ctx context.Context) (ledger.Head, error) {
	h, err := l.audit.LogHead(ctx)
	return ledgerHead(h), err
}

// Leaves implements [ledger.Source].
func (l logSource) Leaves(ctx context.Context, from, to int64, fn func(seq int64, leaf []byte) error) error {
	for from < to {
		page, err := l.audit.LogLeaves(ctx, logiqc.LogRange{From: from, To: to})
		if err != nil {
			return err
		}
		for _, leaf := range page.Leaves {
			switch {
			case leaf.Seq < from || leaf.Seq >= to:
				return outOfPage(leaf.Seq)
			case leaf.Unfit:
				return ledger.Misindexed(leaf.Seq)
			}
			if err := fn(leaf.Seq, leaf.Bytes); err != nil {
				return err
			}
		}
		if page.Next <= from {
			return outOfPage(page.Next)
		}
		from = page.Next
	}
	return nil
}

// StoredHashes implements [ledger.Source].
func (l logSource) StoredHashes(ctx context.Context, from, to int64, fn func(index int64, h ledger.Hash) error) error {
	for from < to {
		page, err := l.audit.LogHashes(ctx, logiqc.LogRange{From: from, To: to})
		if err != nil {
			return err
		}
		for _, run := range page.Runs {
			if run.First < from || len(run.Hashes)%tlog.HashSize != 0 || run.First >= to-int64(len(run.Hashes)/tlog.HashSize)+1 {
				return outOfPage(run.First)
			}
			for at, rest := run.First, run.Hashes; len(rest) > 0; at, rest = at+1, rest[tlog.HashSize:] {
				if err := fn(at, ledger.Hash(rest[:tlog.HashSize])); err != nil {
					return err
				}
			}
		}
		if page.Next <= from {
			return outOfPage(page.Next)
		}
		from = page.Next
	}
	return nil
}

// HashesAt implements [ledger.HashesAt].
func (l logSource) HashesAt(ctx context.Context, indexes []int64) ([]ledger.Hash, error) {
	got, err := l.audit.LogHashesAt(ctx, indexes)
	if errors.Is(err, logiqc.Integrity) {
		err = errors.Join(err, ledger.ErrMissing)
	}
	if err != nil {
		return nil, err
	}
	hashes := make([]ledger.Hash, len(got))
	for i, h := range got {
		hashes[i] = ledger.Hash(h)
	}
	return hashes, nil
}

// outOfPage is the error of a store that answers with what was not asked for.
func outOfPage(at int64) error {
	return fmt.Errorf("the store hands over number %d where it was not asked for: %w", at, ledger.ErrAltered)
}

// countedSource tells progress how many leaves have been read.
type countedSource struct {
	logSource
	progress func(done int64)
}

// Leaves implements [ledger.Source].
func (c countedSource) Leaves(ctx context.Context, from, to int64, fn func(seq int64, leaf []byte) error) error {
	return c.logSource.Leaves(ctx, from, to, func(seq int64, leaf []byte) error {
		if done := seq - from + 1; done%1000 == 0 {
			c.progress(done)
		}
		return fn(seq, leaf)
	})
}
