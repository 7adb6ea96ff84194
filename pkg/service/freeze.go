package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Froze is what a freeze did, or would; nothing where the store is frozen already.
type Froze struct {
	Changed bool `json:"changed"`
	logiqc.Replayed
}

// Freeze stops changes for the reason that req gives: sign-ins, audit, keys, and
// revoking sessions and tokens go on. Usage without a reason.
func (d *Desk) Freeze(ctx context.Context, by logiqc.Actor, req logiqc.Request) (out Froze, err error) {
	if req.Reason == "" {
		return out, logiqc.Errorf(logiqc.Usage, "a store is frozen for a reason").WithHint("logiqc store freeze --reason T")
	}
	err = d.update(ctx, by, req, func(t *txn) error {
		if err := t.needs(logiqc.Administer, logiqc.StoreFrozen, ""); err != nil {
			return err
		}
		var again bool
		out, again, err = once(t, "store freeze", req.Reason, func() (out Froze, err error) {
			s, err := t.stateOf()
			if err != nil || s.Frozen {
				return out, err
			}
			if err := t.SetFrozen(true, req.Reason); err != nil {
				return out, err
			}
			out.Changed = true
			_, err = t.record(logiqc.StoreFrozen, logiqc.Target{}, logiqc.Details{})
			return out, err
		})
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

// Thawed is what a thaw did.
type Thawed struct {
	logiqc.Replayed
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
		if err := t.need(logiqc.Administer, logiqc.StoreThawed, ""); err != nil {
			return err
		}
		var again bool
		out, again, err = once(t, "store thaw", req.Reason, func() (Thawed, error) { return t.thaw(ctx, vacant) })
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

func (t *txn) thaw(ctx context.Context, vacant func(ctx context.Context, to string) error) (out Thawed, err error) {
	s, err := t.stateOf()
	switch {
	case err != nil:
		return out, err
	case s.Moved:
		return out, s.CheckPlace()
	case s.To != "":
		err = t.giveUp(ctx, s.To, vacant)
	case s.Frozen:
		err = t.SetFrozen(false, "")
		s.Frozen = false
	default:
		return out, nil
	}
	if err != nil {
		return out, err
	}
	t.state = nil
	out = Thawed{Changed: true, GaveUp: s.To, Frozen: s.Frozen}
	_, err = t.record(logiqc.StoreThawed, logiqc.Target{}, logiqc.Details{BackFrom: s.To})
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
