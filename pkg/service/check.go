package service

import (
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/store"
)

// Check looks whether the store is sound: what [store.Check] looks at, the log
// with the columns that index its events, whether it is the one that
// checkpoints were signed of, whether the keys are their owner's alone, and
// whether they open every secret of the store.
// Progress is told of events, and may be nil.
func (d *Desk) Check(ctx context.Context, by logiqc.Actor, at Place, progress func(done, total int64)) (found []store.Problem, err error) {
	err = d.view(ctx, by, func(t *txn) error { return t.need(logiqc.Administer, logiqc.AuditViewed, "") })
	if err != nil && !errors.Is(err, logiqc.Integrity) {
		return nil, err
	}
	found, err = store.Check(ctx, at.Where, at.Options)
	if err != nil {
		return found, err
	}
	report, err := d.Verify(ctx, progress)
	switch {
	case errors.Is(err, logiqc.Integrity):
		found = append(found, store.Problem{Check: "log", Detail: logiqc.AsError(err).Message})
	case err != nil:
		return found, err
	case !report.OK:
		found = append(found, store.Problem{Check: "log", Detail: report.Detail})
	}
	more, err := d.checkKeys(ctx)
	return append(found, more...), err
}

// checkKeys looks at the folder of keys, if there is one.
func (d *Desk) checkKeys(ctx context.Context) (found []store.Problem, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		t := &txn{Tx: tx, desk: d}
		if err := t.checkState(); errors.Is(err, logiqc.Integrity) {
			found = append(found, store.Problem{Check: "checkpoint", Detail: logiqc.AsError(err).Message})
		} else if err != nil {
			return err
		}
		info, err := t.Info()
		if err != nil {
			return err
		}
		keys, err := d.keys(info.ID)
		if err != nil {
			return nil //nolint:nilerr // no keys folder: nothing to look at
		}
		for _, read := range []func() error{
			func() error { _, err := keys.box(); return err },
			func() error { _, err := keys.signers(); return err },
			func() error { _, err := keys.verifiers(); return err },
			func() error { _, err := keys.state(info.Origin); return err },
		} {
			if err := read(); err != nil && !unreadable(err) {
				found = append(found, store.Problem{Check: "keys", Detail: err.Error()})
			}
		}
		more, err := t.checkSecrets(info.ID, keys)
		found = append(found, more...)
		return err
	})
	if errors.Is(err, logiqc.Integrity) {
		err = nil // the log cannot be read, which has been said
	}
	return found, err
}

// checkSecrets looks whether the keys open the sealed secrets of the accounts
// that have them: one that was exchanged or changed lets nobody sign in.
func (t *txn) checkSecrets(storeID string, keys Keys) ([]store.Problem, error) {
	box, err := keys.box()
	if err != nil {
		return nil, nil //nolint:nilerr // told of the keys, if they are there
	}
	closed, first := 0, ""
	err = t.eachSecret(func(s store.SealedSecret) error {
		if _, err := box.Open(s.Sealed, seal.AssociatedData(storeID, s.UserID, s.EnrolmentID)); err == nil {
			return nil
		}
		if closed++; closed == 1 {
			first = s.UserID
		}
		return nil
	})
	if err != nil || closed == 0 {
		return nil, err
	}
	u, err := t.UserByID(first)
	return []store.Problem{{Check: "secrets", Detail: counted(closed, "sealed secret") + " cannot be opened with these keys, that of " + u.Username +
		" first: a reset lets the user enrol again"}}, err
}
