package service

import (
	"context"
	"time"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// helpdeskSees is how far back the help desk sees events.
const helpdeskSees = 90 * 24 * time.Hour

// Events implements [logiqc.Service].
func (s *service) Events(ctx context.Context, q logiqc.EventQuery) (page logiqc.EventPage, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		scope, err := t.eventScope()
		if err != nil {
			return err
		}
		rows, next, err := t.Tx.Events(q, scope)
		if err != nil {
			return err
		}
		page = logiqc.EventPage{Events: make([]logiqc.Event, 0, len(rows)), Next: next}
		for _, r := range rows {
			e, err := logiqc.ParseLeaf(r.Seq, r.Bytes)
			if err != nil {
				return err
			}
			page.Events = append(page.Events, e)
		}
		return nil
	})
	return page, err
}

// eventScope is which events the actor sees: all, those about accounts that
// are not privileged, or those about themselves (product.md R1).
func (t *txn) eventScope() (scope store.EventScope, err error) {
	switch {
	case t.actor.Limited():
		return store.EventScope{Unprivileged: true, Since: t.Now().Add(-helpdeskSees)}, t.need(logiqc.AuditRead, logiqc.AuditViewed, "")
	case t.actor.May(logiqc.AuditRead):
		return scope, nil
	case t.actor.Kind == logiqc.Person:
		return store.EventScope{SelfID: t.actor.AccountID}, nil
	}
	return scope, t.need(logiqc.AuditRead, logiqc.AuditViewed, "")
}

// EventAt implements [logiqc.Service]. An event that the actor may not see is
// not found.
func (s *service) EventAt(ctx context.Context, seq int64) (e logiqc.Event, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		scope, err := t.eventScope()
		if err != nil {
			return err
		}
		after := seq - 1
		rows, _, err := t.Tx.Events(logiqc.EventQuery{After: &after, Limit: 1}, scope)
		if err != nil {
			return err
		}
		if len(rows) == 0 || rows[0].Seq != seq {
			return logiqc.Errorf(logiqc.NotFound, "there is no event %d", seq).WithHint("logiqc audit list")
		}
		e, err = logiqc.ParseLeaf(seq, rows[0].Bytes)
		return err
	})
	return e, err
}

// MayVerify refuses an actor who may not check the log.
func (d *Desk) MayVerify(ctx context.Context, by logiqc.Actor) error {
	return d.view(ctx, by, func(t *txn) error { return t.need(logiqc.AuditVerify, logiqc.AuditViewed, "") })
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
	return l.store.View(ctx, func(tx *store.Tx) error {
		return tx.Leaves(from, to, func(seq int64, leaf []byte, cols store.EventColumns) error {
			if !indexes(cols, seq, leaf) {
				// What the leaf says is not what is shown of it: to whoever reads
				// the log, that is an altered event.
				leaf = append([]byte("index does not fit: "), leaf...)
			}
			return fn(seq, leaf)
		})
	})
}

// indexes reports whether the columns of an event say what its bytes say.
func indexes(cols store.EventColumns, seq int64, leaf []byte) bool {
	if c, ok := columnsIn(leaf); ok && c == cols {
		return true
	}
	e, err := logiqc.ParseLeaf(seq, leaf)
	return err == nil && cols == store.ColumnsOf(e)
}

func (l logSource) StoredHashes(ctx context.Context, from, to int64, fn func(index int64, h ledger.Hash) error) error {
	return l.store.View(ctx, func(tx *store.Tx) error {
		return tx.StoredHashes(from, to, func(index int64, h [32]byte) error { return fn(index, h) })
	})
}
