package service

import (
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Restored is a store that was put back.
type Restored struct {
	store.Copied
	Head        ledger.Head // of the log that was put back
	Sessions    int         // ended
	Differences int         // in which the backup is not what its log says
	AuditKey    string      // of the new origin, or ""
	Guarded     bool        // the keys were there to tell whether this is the newest log
	WithLog     bool        // a newer copy of the log was there
	Carried     Carried     // by it
}

// Restore is what is put back, and how.
type Restore struct {
	logiqc.Request
	From      Place  // the backup, or any other store, which is left as it is
	NewOrigin bool   // the log goes on under a new name
	Log       string // folder of an export that is newer than the backup, or ""
}

// RestoreTo puts a backup back where no store is, and ends every session. If
// its log is shorter than what was signed, or another, that is Integrity and
// nothing is put back, unless a new origin is started: then the log goes on
// from there under a new name. With r.Log, an export of the log that is newer
// than the backup, it goes on from that export under its own name, and the rest
// of the store is brought to what it tells ([Desk.carry], with its errors).
//
// Exists: the place is not empty. Moved: the backup is of a store that had moved
// by then, and no new origin is started. Unavailable: a new origin takes the keys. Progress is told of rows,
// and may be nil.
func RestoreTo(ctx context.Context, to Place, keys KeyRing, by logiqc.Actor, r Restore, progress func(done, total int64)) (out Restored, err error) {
	from, err := store.Open(r.From.Where, r.From.Options)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	d := New(nil, keys)
	var landing *store.Landing
	defer func() { landing.Discard() }()
	err = from.View(ctx, func(source *store.Tx) error {
		s, err := source.State()
		if err != nil {
			return err
		}
		if err := s.CheckPlace(); err != nil && !r.NewOrigin {
			return logiqc.AsError(err).WithHint("the newest backup is one of that store; if it is lost, go on from here under a new origin: "+
				"logiqc store restore '%s' --new-origin --reason T", r.From.Name)
		}
		landing, err = store.Land(ctx, to.Where, to.Options, func(tx *store.Tx) error {
			if out.Copied, err = tx.CopyFrom(source, progress); err != nil {
				return err
			}
			if out.Differences, err = lookOver(ctx, tx); err != nil {
				return err
			}
			a := arrival{made: &newOrigin{}, movedTo: s.To}
			if r.Log == "" {
				return d.arrive(tx, by, r, &out, a)
			}
			if a.carrier, err = d.carry(ctx, tx, r.Log); err != nil {
				return err
			}
			if err := d.arrive(tx, by, r, &out, a); err != nil {
				return err
			}
			out.Accounts, err = a.settled(tx)
			return err
		})
		return err
	})
	if err != nil {
		return out, err
	}
	if err := landing.Commit(ctx); err != nil {
		return out, err
	}
	return out, d.signFirst(ctx, to, by, out)
}

// lookOver refuses a log that is not whole, and counts what the store says
// otherwise: that may be why it is put back, and is no reason against it.
func lookOver(ctx context.Context, tx *store.Tx) (differences int, err error) {
	report, err := ledger.Verify(ctx, &txSource{tx: tx}, ledger.VerifyOptions{})
	if err != nil {
		return 0, err
	}
	if !report.OK {
		return 0, logiqc.Errorf(logiqc.Integrity, "the log in the backup is not whole; nothing was restored: %s", report.Detail).
			WithHint("take another backup")
	}
	r, err := reconcile(tx)
	return len(r.Differences), err
}

// arrival is what there is to know of a store that was put back.
type arrival struct {
	made     *newOrigin // if one is started
	movedTo  string     // where the store had moved to, "" for nowhere
	*carrier            // of what came after the backup, or nil
}

// arrive ends the sessions of a store that was put back and records it.
func (d *Desk) arrive(tx *store.Tx, by logiqc.Actor, r Restore, out *Restored, a arrival) error {
	t, err := d.begin(tx, by, r.Request)
	if err != nil {
		return err
	}
	if out.Head, err = t.head(); err != nil {
		return err
	}
	if out.Guarded, err = t.guardedBy(); err != nil {
		return err
	}
	if !r.NewOrigin {
		if err := t.guard(); err != nil {
			return restoreHint(err, r)
		}
	}
	if out.Sessions, err = t.EndSessions(""); err != nil {
		return err
	}
	about := logiqc.Details{File: r.From.Name, Sessions: &out.Sessions,
		Size: &out.Head.Size, Root: out.Head.Root.String(), BackFrom: a.movedTo}
	if a.carrier != nil {
		out.WithLog, out.Carried = true, a.Carried
		a.counts(&about)
	}
	if _, err = t.record(logiqc.StoreRestored, logiqc.Target{}, about); err != nil {
		return err
	}
	if r.NewOrigin {
		if err := t.startOrigin(a.made); err != nil {
			return err
		}
		out.AuditKey = a.made.verifier
	}
	if a.carrier != nil {
		if err := a.record(t); err != nil {
			return err
		}
	}
	return t.flush()
}

// guardedBy tells whether the keys are there that know what was signed.
func (t *txn) guardedBy() (bool, error) {
	info, err := t.Info()
	if err != nil {
		return false, err
	}
	keys, err := t.desk.keys(info.ID)
	if err != nil {
		return false, nil //nolint:nilerr // no keys folder
	}
	_, err = keys.Verifiers()
	return err == nil, nil
}

// restoreHint names the command that goes on from an older log all the same.
func restoreHint(err error, r Restore) error {
	e := logiqc.AsError(err)
	switch {
	case e.Code != logiqc.Integrity:
		return err
	case r.Log != "":
		return e.WithHint("more was signed than is in %s: take the newest export", r.Log)
	}
	return e.WithHint("restore the newest backup; if there is a newer audit export, let it carry the log on: --log DIR; "+
		"or, if what came after is lost, start a new origin: logiqc store restore '%s' --new-origin --reason T", r.From.Name)
}

// signFirst signs the first checkpoint of a new origin, which guards it from
// then on. Nothing is signed of a log that goes on: a store that is only tried
// out beside the one in use must not be the one that was signed last.
func (d *Desk) signFirst(ctx context.Context, at Place, by logiqc.Actor, out Restored) (err error) {
	if out.AuditKey == "" {
		return nil
	}
	s, err := store.Open(at.Where, at.Options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	_, err = New(s, d.keys).Checkpoint(ctx, by)
	return err
}

// RestartOrigin is [RestoreTo] with a new origin for a backup that was put in
// place by other means: the store stays where it is.
func (d *Desk) RestartOrigin(ctx context.Context, by logiqc.Actor, r Restore) (out Restored, err error) {
	var made newOrigin
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Alone(); err != nil {
			return err
		}
		t, err := d.begin(tx, by, r.Request)
		if err != nil {
			return err
		}
		if err := t.need(logiqc.Administer, logiqc.OriginStarted, ""); err != nil {
			return err
		}
		s, err := t.State()
		if err != nil {
			return err
		}
		if s.To != "" { // two logs of different names may go on in two places
			if err := tx.SetMoved("", false); err != nil {
				return err
			}
		}
		if out.Copied, err = tx.Counts(); err != nil {
			return err
		}
		if out.Differences, err = lookOver(ctx, tx); err != nil {
			return err
		}
		return d.arrive(tx, by, r, &out, arrival{made: &made, movedTo: s.To})
	})
	if err != nil {
		return out, d.refused(ctx, by, r.Request, err)
	}
	// Whoever did it has no session any more.
	_, err = d.Checkpoint(ctx, logiqc.Actor{Kind: logiqc.System, Source: by.Source})
	return out, err
}
