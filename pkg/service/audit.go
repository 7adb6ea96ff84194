package service

import (
	"context"
	"time"

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
