package service

import (
	"context"
	"errors"
	"sync"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// audit implements [logiqc.Audit] over a store.
type audit struct {
	desk  *Desk
	actor logiqc.Actor
}

// Audit returns what the actor needs to check the log of the store.
func (d *Desk) Audit(by logiqc.Actor) logiqc.Audit { return &audit{desk: d, actor: by} }

// may refuses an actor who may not check the log.
func (a *audit) may(ctx context.Context) error { return a.view(ctx, func(*txn) error { return nil }) }

// view runs fn in a reading transaction of an actor who may check the log.
func (a *audit) view(ctx context.Context, fn func(*txn) error) error {
	return a.desk.view(ctx, a.actor, func(t *txn) error {
		if err := t.need(logiqc.AuditVerify, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		return fn(t)
	})
}

// Evidence implements [logiqc.Audit]. A folder of keys that is not there, or
// not ours to read, is no error.
func (a *audit) Evidence(ctx context.Context) (e logiqc.Evidence, err error) {
	e.Keys, e.Handovers, e.Witnesses, e.Anchors = []string{}, []string{}, []logiqc.Witness{}, []logiqc.Anchor{}
	err = a.view(ctx, func(t *txn) error {
		info, err := t.Info()
		if err != nil {
			return err
		}
		e.StoreID, e.Origin = info.ID, info.Origin
		last, ok, err := t.LastCheckpoint()
		if err != nil {
			return err
		}
		if ok {
			e.Last = logiqc.Checkpoint{Note: last.Note, At: last.At}
			states(&e.Last)
		}
		witnesses, err := t.witnesses()
		if err != nil {
			return err
		}
		anchors, err := t.anchors()
		if err != nil {
			return err
		}
		handovers, err := t.Handovers()
		if err != nil {
			return err
		}
		e.Witnesses, e.Anchors = append(e.Witnesses, witnesses...), append(e.Anchors, anchors...)
		e.Handovers = append(e.Handovers, handovers...)
		keys, err := t.desk.keys(info.ID)
		if err != nil {
			return nil //nolint:nilerr // no keys folder
		}
		lines, err := keys.Verifiers()
		if err != nil && !unreadable(err) {
			return noKeys(err)
		}
		e.Keys = append(e.Keys, linesOf(info.Origin, lines)...)
		state, err := keys.state(info.Origin)
		if err != nil && !unreadable(err) {
			return noKeys(err)
		}
		e.State = string(state)
		return nil
	})
	return e, err
}

func logHead(h ledger.Head) logiqc.LogHead {
	return logiqc.LogHead{Size: h.Size, Root: logiqc.Hash(h.Root)}
}

// head is the head of the log as the ledger takes it.
func (t *txn) head() (h ledger.Head, err error) {
	size, root, err := t.Head()
	return ledger.Head{Size: size, Root: root}, err
}

// LogHead implements [logiqc.Audit].
func (a *audit) LogHead(ctx context.Context) (h logiqc.LogHead, err error) {
	err = a.view(ctx, func(t *txn) error {
		head, err := t.head()
		h = logHead(head)
		return err
	})
	return h, err
}

// textChunk is how much room for leaves is made at once.
const textChunk = 64 << 10

// errPageFull ends the reading of a page.
var errPageFull = errors.New("page full")

// LogLeaves implements [logiqc.Audit].
func (a *audit) LogLeaves(ctx context.Context, r logiqc.LogRange) (p logiqc.LeafPage, err error) {
	p = logiqc.LeafPage{Leaves: make([]logiqc.Leaf, 0, pageLen(r)), Next: r.To}
	text, size := []byte(nil), 0 // where leaves are kept, one behind the other; bytes of all of them
	err = a.view(ctx, func(t *txn) error {
		return t.IndexedLeaves(r.From, r.To, func(seq int64, leaf, index []byte) error {
			if len(p.Leaves) == logiqc.LogPageMax || size >= logiqc.LogPageBytes {
				p.Next = seq
				return errPageFull
			}
			if len(leaf) > cap(text)-len(text) {
				text = make([]byte, 0, max(len(leaf), textChunk))
			}
			at := len(text)
			text = append(text, leaf...)
			size += len(leaf)
			p.Leaves = append(p.Leaves, logiqc.Leaf{Seq: seq, Bytes: text[at:len(text):len(text)], Unfit: !fits(index, seq, leaf)})
			return nil
		})
	})
	return p, pageError(err)
}

// LogHashes implements [logiqc.Audit].
func (a *audit) LogHashes(ctx context.Context, r logiqc.LogRange) (p logiqc.HashPage, err error) {
	p = logiqc.HashPage{Runs: []logiqc.HashRun{}, Next: r.To}
	count, next := 0, int64(-1)
	err = a.view(ctx, func(t *txn) error {
		return t.StoredHashes(r.From, r.To, func(index int64, h [32]byte) error {
			if count == logiqc.LogPageMax {
				p.Next = index
				return errPageFull
			}
			if index != next {
				p.Runs = append(p.Runs, logiqc.HashRun{First: index, Hashes: make([]byte, 0, len(h)*(pageLen(r)-count))})
			}
			run := &p.Runs[len(p.Runs)-1]
			run.Hashes = append(run.Hashes, h[:]...)
			count, next = count+1, index+1
			return nil
		})
	})
	return p, pageError(err)
}

// pageLen is the most that a page of a range holds.
func pageLen(r logiqc.LogRange) int { return int(min(max(r.To-r.From, 0), logiqc.LogPageMax)) }

func pageError(err error) error {
	if errors.Is(err, errPageFull) {
		return nil
	}
	return err
}

// LogHashesAt implements [logiqc.Audit].
func (a *audit) LogHashesAt(ctx context.Context, indexes []int64) (hashes []logiqc.Hash, err error) {
	if len(indexes) > logiqc.PageMax {
		return nil, logiqc.Errorf(logiqc.Invalid, "%d hashes asked for, at most %d at once", len(indexes), logiqc.PageMax)
	}
	err = a.view(ctx, func(t *txn) error {
		raw, err := t.ReadHashes(indexes)
		hashes = make([]logiqc.Hash, len(raw))
		for i, h := range raw {
			hashes[i] = h
		}
		return err
	})
	return hashes, err
}

// BeginExport implements [logiqc.Audit].
func (a *audit) BeginExport(ctx context.Context, r logiqc.LogExport) (c logiqc.Checkpoint, err error) {
	if err := logiqc.CheckText("the name of the folder", r.Folder, logiqc.MaxReason); err != nil {
		return c, err
	}
	err = a.desk.update(ctx, a.actor, logiqc.Request{}, func(t *txn) error {
		if err := t.need(logiqc.AuditVerify, logiqc.AuditExported, ""); err != nil {
			return err
		}
		_, err := t.record(logiqc.AuditExported, logiqc.Target{}, logiqc.Details{Folder: r.Folder})
		return err
	})
	if err != nil {
		return c, err
	}
	return a.SignCheckpoint(ctx)
}

// Reconcile implements [logiqc.Audit].
func (a *audit) Reconcile(ctx context.Context) (r logiqc.Reconciled, err error) {
	if err := a.may(ctx); err != nil {
		return r, err
	}
	return a.desk.Reconcile(ctx)
}

// Verify recomputes the whole log of the store: every leaf, every hash of the
// tree, the root, and the columns that index the events.
func (d *Desk) Verify(ctx context.Context, progress func(done, total int64)) (ledger.Report, error) {
	return ledger.Verify(ctx, logSource{d.store}, ledger.VerifyOptions{Progress: progress})
}

// logSource hands the log's bytes to the verifier.
type logSource struct{ store *store.Store }

func (l logSource) Head(ctx context.Context) (h ledger.Head, err error) {
	err = l.store.View(ctx, func(tx *store.Tx) error {
		size, root, err := tx.Head()
		h = ledger.Head{Size: size, Root: root}
		return err
	})
	return h, err
}

func (l logSource) Leaves(ctx context.Context, from, to int64, fn func(seq int64, leaf []byte) error) error {
	return l.store.View(ctx, func(tx *store.Tx) error { return leavesOf(tx, from, to, fn) })
}

func leavesOf(tx *store.Tx, from, to int64, fn func(seq int64, leaf []byte) error) error {
	return tx.IndexedLeaves(from, to, func(seq int64, leaf, index []byte) error {
		if !fits(index, seq, leaf) {
			return ledger.Misindexed(seq)
		}
		return fn(seq, leaf)
	})
}

func (l logSource) StoredHashes(ctx context.Context, from, to int64, fn func(index int64, h ledger.Hash) error) error {
	return l.store.View(ctx, func(tx *store.Tx) error {
		return tx.StoredHashes(from, to, func(index int64, h [32]byte) error { return fn(index, h) })
	})
}

// txSource is the log as one transaction sees it, from which two cannot read at
// once: the first to ask has it for that reading.
type txSource struct {
	mu sync.Mutex
	tx *store.Tx
}

// Head implements [ledger.Source].
func (s *txSource) Head(context.Context) (h ledger.Head, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Size, h.Root, err = s.tx.Head()
	return h, err
}

// Leaves implements [ledger.Source].
func (s *txSource) Leaves(_ context.Context, from, to int64, fn func(seq int64, leaf []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return leavesOf(s.tx, from, to, fn)
}

// StoredHashes implements [ledger.Source].
func (s *txSource) StoredHashes(_ context.Context, from, to int64, fn func(index int64, h ledger.Hash) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tx.StoredHashes(from, to, func(index int64, h [32]byte) error { return fn(index, h) })
}
