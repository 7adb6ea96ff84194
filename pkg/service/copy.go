package service

import (
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Place is where a store is or is to be.
type Place struct {
	Where   string // as [store.Open] takes it
	Name    string // as it may be shown, passwords masked
	Options store.Options
}

// Moved is what a copy of the store came to.
type Moved struct {
	store.Copied
	Changed bool        // false when it had been moved there before
	Head    ledger.Head // of the log, here and there
}

// CopyTo moves the whole store to another place, and closes this one. All of it
// is copied and checked while this store's turn to write is held, so nothing
// changes meanwhile. Then, in this order: this store is marked as being moved,
// and takes no change from then on; the copy appears; this store is marked as
// moved. So after a crash at any moment one store takes changes, or none does
// and calling CopyTo again, for the same place, finishes the move; [Desk.Thaw]
// gives it up where nothing has appeared.
//
// Exists: the place is not empty. Integrity: this store's log is not whole, or
// the store is not what its log says; then nothing is copied. Progress is told
// of rows, and may be nil.
func (d *Desk) CopyTo(ctx context.Context, by logiqc.Actor, req logiqc.Request, to Place, progress func(done, total int64)) (out Moved, err error) {
	out, arrived, err := d.arrived(ctx, by, to)
	if err != nil || arrived {
		if err == nil && out.Changed {
			err = d.settle(ctx, by, req, to, nil)
		}
		return out, err
	}
	var landing *store.Landing
	defer func() { landing.Discard() }()
	err = d.update(ctx, by, req, func(t *txn) error {
		landing.Discard()
		if err := t.Alone(); err != nil {
			return err
		}
		if err := t.leave(to); err != nil {
			return err
		}
		landing, err = store.Land(ctx, to.Where, to.Options, func(copied *store.Tx) error {
			if out.Copied, err = copied.CopyFrom(t.Tx, progress); err != nil {
				return err
			}
			out.Head, err = proveCopy(ctx, t.Tx, copied)
			return err
		})
		return err
	})
	if err != nil {
		return out, err
	}
	out.Changed = true
	return out, d.settle(ctx, by, req, to, landing)
}

// arrived looks whether an earlier call has brought the store there already;
// Changed is true if that is not yet said here.
func (d *Desk) arrived(ctx context.Context, by logiqc.Actor, to Place) (out Moved, yes bool, err error) {
	err = d.view(ctx, by, func(t *txn) error {
		if err := t.need(logiqc.Administer, logiqc.StoreCopied, ""); err != nil {
			return err
		}
		s, err := t.State()
		switch {
		case err != nil || s.To == "":
			return err
		case s.To != to.Name:
			return s.CheckPlace()
		}
		err = store.Vacant(ctx, to.Where)
		switch {
		case err == nil && s.Moved:
			return logiqc.Errorf(logiqc.Moved, "this store has moved to %s, and there is no store any more; nothing was changed", to.Name).
				WithHint("restore a backup there: logiqc store restore FILE --store %s", to.Name)
		case err == nil || !errors.Is(err, logiqc.Exists):
			return err
		}
		out, err = t.sameStore(ctx, to)
		yes, out.Changed = err == nil, !s.Moved
		return err
	})
	return out, yes, err
}

// sameStore makes sure that the store at a place is this one, gone on or not.
func (t *txn) sameStore(ctx context.Context, there Place) (out Moved, err error) {
	own, err := t.Info()
	if err != nil {
		return out, err
	}
	if out.Head, err = t.head(); err != nil {
		return out, err
	}
	other, err := store.Open(there.Where, there.Options)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	err = other.View(ctx, func(tx *store.Tx) error {
		info, err := tx.Info()
		if err != nil {
			return err
		}
		size, _, err := tx.Head()
		if err != nil {
			return err
		}
		if info.ID != own.ID || ledger.CheckBeginning(out.Head, size, hashReader{tx}) != nil {
			return logiqc.Errorf(logiqc.Exists, "there is another store at %s; it was left alone", there.Name)
		}
		out.Copied, err = tx.Counts()
		return err
	})
	return out, err
}

// leave marks the store as being moved, and records it: the event is part of
// what is copied.
func (t *txn) leave(to Place) error {
	if err := t.need(logiqc.Administer, logiqc.StoreCopied, ""); err != nil {
		return err
	}
	s, err := t.stateOf()
	if err != nil {
		return err
	}
	if s.To != "" && (s.Moved || s.To != to.Name) {
		return s.CheckPlace()
	}
	if s.To == "" {
		if _, err := t.record(logiqc.StoreCopied, logiqc.Target{}, logiqc.Details{To: to.Name}); err != nil {
			return err
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	t.state = nil
	return t.SetMoved(to.Name, false)
}

// proveCopy recomputes the log of a copy, compares its root with the one it was
// copied from, and compares the accounts with it.
func proveCopy(ctx context.Context, from, copied *store.Tx) (head ledger.Head, err error) {
	if head.Size, head.Root, err = from.Head(); err != nil {
		return head, err
	}
	report, err := ledger.Verify(ctx, &txSource{tx: copied}, ledger.VerifyOptions{Known: []ledger.Head{head}})
	switch {
	case err != nil:
		return head, err
	case !report.OK || report.Size != head.Size || report.Root != head.Root:
		return head, logiqc.Errorf(logiqc.Integrity, "the audit log is not whole, so nothing was copied: %s", report.Detail).
			WithHint("logiqc audit verify")
	}
	r, err := reconcile(copied)
	if err == nil && len(r.Differences) > 0 {
		err = logiqc.Errorf(logiqc.Integrity, "the store says otherwise than its log in %s, so nothing was copied", counted(len(r.Differences), "place")).
			WithHint("logiqc audit reconcile")
	}
	return head, err
}

// settle lets a copy appear and marks this store as moved, in this store's turn
// to write; landing is nil where it has appeared before. When it is certain that
// nothing has appeared the move is given up.
func (d *Desk) settle(ctx context.Context, by logiqc.Actor, req logiqc.Request, to Place, landing *store.Landing) error {
	var landed error
	err := d.update(context.WithoutCancel(ctx), by, req, func(t *txn) error {
		if err := t.Alone(); err != nil {
			return err
		}
		s, err := t.stateOf()
		if err != nil {
			return err
		}
		if s.To != to.Name || s.Moved {
			return logiqc.Errorf(logiqc.Conflict, "the move to %s was given up meanwhile; nothing was copied", to.Name)
		}
		if landing != nil { // the transaction may run twice
			landed = landing.Commit(ctx)
			landing = nil
		}
		t.state = nil
		switch {
		case landed == nil:
			return t.SetMoved(to.Name, true)
		case errors.Is(landed, logiqc.UnknownOutcome):
			return landed
		}
		if err := t.SetMoved("", false); err != nil {
			return err
		}
		_, err = t.record(logiqc.StoreThawed, logiqc.Target{}, logiqc.Details{BackFrom: to.Name})
		return err
	})
	if err == nil {
		return landed
	}
	return logiqc.AsError(err).
		WithHint("this store takes no changes now; the same command finishes the move: logiqc store copy --to %s", to.Name)
}

// StoreID is the id of the store, after which the folder of its keys is named.
func (d *Desk) StoreID(ctx context.Context) (id string, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		info, err := tx.Info()
		id = info.ID
		return err
	})
	return id, err
}
