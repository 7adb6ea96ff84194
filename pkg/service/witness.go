package service

import (
	"context"
	"slices"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/witness"
)

// AddWitness implements [logiqc.Audit]. The same again changes nothing; another
// key or address for a name is no matter for a quiet replacement.
func (a *audit) AddWitness(ctx context.Context, r logiqc.NewWitness) (out logiqc.WitnessChanged, err error) {
	v, err := witness.NewVerifier(r.Key)
	if err != nil {
		return out, logiqc.Errorf(logiqc.Invalid, "%q is no verifier key of a witness", r.Key).
			WithHint("it is one line, NAME+HASH+KEY, which the witness publishes; that of the log itself is another")
	}
	if err := witness.CheckURL(r.URL); err != nil {
		return out, logiqc.Errorf(logiqc.Invalid, "%w", err)
	}
	if err := logiqc.CheckText("the witness", r.URL+r.Key, logiqc.MaxReason); err != nil {
		return out, err
	}
	return a.changeWitness(ctx, r.Request, logiqc.WitnessAdded, r.URL+" "+r.Key, func(t *txn) (logiqc.WitnessChanged, error) {
		return t.addWitness(v.Name(), r)
	})
}

// changeWitness is what adding and removing a witness have in common; matter is
// what was asked for.
func (a *audit) changeWitness(ctx context.Context, r logiqc.Request, action logiqc.Action, matter string,
	fn func(*txn) (logiqc.WitnessChanged, error),
) (out logiqc.WitnessChanged, err error) {
	r.Given = true
	err = a.desk.update(ctx, a.actor, r, func(t *txn) error {
		if err := t.need(logiqc.Administer, action, ""); err != nil {
			return err
		}
		var again bool
		out, again, err = once(t, string(action), []string{matter, r.Reason}, func() (logiqc.WitnessChanged, error) { return fn(t) })
		out.Replayed.Replayed = again
		return err
	})
	return out, err
}

func (t *txn) addWitness(name string, r logiqc.NewWitness) (out logiqc.WitnessChanged, err error) {
	old, known, err := t.witness(name)
	switch {
	case err != nil:
		return out, err
	case known && old.URL == r.URL && old.Key == r.Key:
		return logiqc.WitnessChanged{Witness: old}, nil
	case known:
		return out, refuse(logiqc.WitnessAdded, "", logiqc.Errorf(logiqc.Exists, "there is a witness %s already, at %s", old.Name, old.URL).
			WithHint("logiqc audit witness remove %s", old.Name))
	}
	out = logiqc.WitnessChanged{Changed: true, Witness: logiqc.Witness{Name: name, URL: r.URL, Key: r.Key, AddedAt: t.Now()}}
	if err := t.SetWitness(out.Witness); err != nil {
		return out, err
	}
	_, err = t.record(logiqc.WitnessAdded, logiqc.Target{}, logiqc.Details{Name: name, URL: r.URL, Key: r.Key})
	return out, err
}

// RemoveWitness implements [logiqc.Audit].
func (a *audit) RemoveWitness(ctx context.Context, r logiqc.WitnessRemoval) (logiqc.WitnessChanged, error) {
	return a.changeWitness(ctx, r.Request, logiqc.WitnessRemoved, r.Name, func(t *txn) (out logiqc.WitnessChanged, err error) {
		w, known, err := t.witness(r.Name)
		if err != nil {
			return out, err
		}
		if !known {
			return out, logiqc.Errorf(logiqc.NotFound, "there is no witness %s", r.Name).WithHint("logiqc audit witness list")
		}
		if err := t.DeleteWitness(w.Name); err != nil {
			return out, err
		}
		_, err = t.record(logiqc.WitnessRemoved, logiqc.Target{}, logiqc.Details{Name: w.Name, URL: w.URL, Key: w.Key})
		return logiqc.WitnessChanged{Changed: true, Witness: w}, err
	})
}

func (t *txn) witness(name string) (w logiqc.Witness, known bool, err error) {
	all, err := t.witnesses()
	i := slices.IndexFunc(all, func(w logiqc.Witness) bool { return w.Name == name })
	if i < 0 {
		return w, false, err
	}
	return all[i], true, err
}

// witnesses are those of the store, each with what its checkpoint states; that
// is for showing: whoever relies on it opens the note.
func (t *txn) witnesses() ([]logiqc.Witness, error) {
	all, err := t.Witnesses()
	for i := range all {
		states(&all[i].Last)
	}
	return all, err
}

func (t *txn) anchors() ([]logiqc.Anchor, error) {
	all, err := t.Anchors()
	for i := range all {
		states(&all[i].Last)
	}
	return all, err
}

// states fills in the head that a checkpoint's note states, unchecked.
func states(c *logiqc.Checkpoint) {
	if _, head, err := ledger.ParseCheckpoint([]byte(c.Note)); err == nil {
		c.LogHead = logHead(head)
	}
}

// KeepAnchor implements [logiqc.Audit]. It is no event: the log would grow by
// being looked after, and the checkpoint never be of all of it.
func (a *audit) KeepAnchor(ctx context.Context, r logiqc.NewAnchor) error {
	if err := logiqc.CheckText("the place", r.Place+r.Witness, logiqc.MaxReason); err != nil {
		return err
	}
	return a.desk.update(ctx, a.actor, logiqc.Request{}, func(t *txn) error {
		if err := t.need(logiqc.AuditVerify, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		head, err := t.opened(r.Note)
		if err != nil {
			return err
		}
		if r.Witness == "" {
			return t.SetAnchor(logiqc.Anchor{Place: r.Place, Last: logiqc.Checkpoint{Note: r.Note, At: t.Now()}})
		}
		return t.keepCosigned(r, head)
	})
}

// opened is the head of a checkpoint of this log, signed by its keys.
func (t *txn) opened(text string) (head ledger.Head, err error) {
	info, keys, err := t.ownKeys()
	if err != nil {
		return head, err
	}
	verifiers, err := keys.verifiers()
	if err != nil {
		return head, noKeys(err)
	}
	if head, err = ledger.OpenCheckpoint([]byte(text), info.Origin, verifiers...); err != nil {
		return head, logiqc.Errorf(logiqc.Invalid, "this is no checkpoint of this log: %w", err)
	}
	now, err := t.head()
	if err == nil {
		err = ledger.CheckGrowth(head, now, hashReader{t.Tx})
	}
	if ledger.ProblemOf(err) != ledger.OK {
		return head, notContinued(err, "nothing was kept")
	}
	return head, err
}

// keepCosigned keeps the newest checkpoint that a witness signed.
func (t *txn) keepCosigned(r logiqc.NewAnchor, head ledger.Head) error {
	w, known, err := t.witness(r.Witness)
	if err != nil {
		return err
	}
	if !known {
		return logiqc.Errorf(logiqc.NotFound, "there is no witness %s", r.Witness).WithHint("logiqc audit witness list")
	}
	v, err := witness.NewVerifier(w.Key)
	if err != nil {
		return logiqc.Errorf(logiqc.Integrity, "the key of the witness %s in the store is none", w.Name)
	}
	c, err := witness.Open([]byte(r.Note), v)
	if err != nil {
		return logiqc.Errorf(logiqc.Invalid, "this is not cosigned: %w", err)
	}
	if last, err := t.opened(w.Last.Note); err == nil && head.Size < last.Size {
		return nil // somebody pushed more meanwhile; what is of the log before counts for nothing
	}
	w.Last = logiqc.Checkpoint{Note: r.Note, At: logiqc.At(c.At)}
	return t.SetWitness(w)
}

// cosigned is the newest checkpoint with event seq in it that witnesses have
// signed, "" for none: it proves more than a fresh one.
func (t *txn) cosigned(seq int64) string {
	all, err := t.Witnesses()
	if err != nil {
		return ""
	}
	best, size := "", seq
	for _, w := range all {
		if head, err := t.opened(w.Last.Note); err == nil && head.Size > size {
			best, size = w.Last.Note, head.Size
		}
	}
	for _, w := range all {
		best = witness.Merge(best, w.Last.Note)
	}
	return best
}
