package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Freeze stops changes for the reason that req gives: sign-ins, audit, keys, and
// revoking sessions and tokens go on. changed is false when the store is frozen
// already. Usage without a reason.
func (d *Desk) Freeze(ctx context.Context, by logiqc.Actor, req logiqc.Request) (changed bool, err error) {
	if req.Reason == "" {
		return false, logiqc.Errorf(logiqc.Usage, "a store is frozen for a reason").WithHint("logiqc store freeze --reason T")
	}
	err = d.update(ctx, by, req, func(t *txn) error {
		changed = false
		if err := t.needs(logiqc.Administer, logiqc.StoreFrozen, ""); err != nil {
			return err
		}
		s, err := t.stateOf()
		if err != nil || s.Frozen {
			return err
		}
		if err := t.SetFrozen(true, req.Reason); err != nil {
			return err
		}
		changed = true
		_, err = t.record(logiqc.StoreFrozen, logiqc.Target{}, logiqc.Details{})
		return err
	})
	return changed, err
}

// Thawed is what a thaw did.
type Thawed struct {
	Changed bool   `json:"changed"`
	GaveUp  string `json:"gave_up"` // where the store was to be moved to, or ""
	Frozen  bool   `json:"frozen"`  // still: what was given up is a move of a frozen store
}

// Thaw lets changes go on: in a store that is frozen, and in one that was to be
// moved where nothing has come of it. vacant looks there, and answers with an
// error unless it is sure that there is no store. Moved when the store has
// moved.
func (d *Desk) Thaw(ctx context.Context, by logiqc.Actor, req logiqc.Request, vacant func(ctx context.Context, to string) error) (out Thawed, err error) {
	err = d.update(ctx, by, req, func(t *txn) error {
		out = Thawed{}
		if err := t.need(logiqc.Administer, logiqc.StoreThawed, ""); err != nil {
			return err
		}
		s, err := t.stateOf()
		switch {
		case err != nil:
			return err
		case s.Moved:
			return s.CheckPlace()
		case s.To != "":
			err = t.giveUp(ctx, s.To, vacant)
		case s.Frozen:
			err = t.SetFrozen(false, "")
			s.Frozen = false
		default:
			return nil
		}
		if err != nil {
			return err
		}
		t.state = nil
		out = Thawed{Changed: true, GaveUp: s.To, Frozen: s.Frozen}
		_, err = t.record(logiqc.StoreThawed, logiqc.Target{}, logiqc.Details{BackFrom: s.To})
		return err
	})
	return out, err
}

// giveUp ends a move that has not been finished. A copy appears there only
// while it holds this store's turn to write, so nobody finishes it meanwhile.
func (t *txn) giveUp(ctx context.Context, to string, vacant func(ctx context.Context, to string) error) error {
	if err := vacant(ctx, to); err != nil {
		e := logiqc.AsError(err)
		if e.Code == logiqc.Exists {
			return logiqc.Errorf(logiqc.Moved, "the store has arrived at %s; nothing was changed here", to).
				WithHint("say so here too: logiqc store copy --to %s", to)
		}
		return logiqc.Errorf(e.Code, "whether the store has arrived at %s cannot be seen, so it stays as it is: %w", to, err).
			WithHint("make it reachable (a password comes from PGPASSWORD or PGPASSFILE), then try again")
	}
	return t.SetMoved("", false)
}
