package service

import (
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Check looks whether the store is sound: what [store.Check] looks at, the log
// with the columns that index its events, whether it is the one that
// checkpoints were signed of, and whether the keys are their owner's alone.
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
		return nil
	})
	if errors.Is(err, logiqc.Integrity) {
		err = nil // the log cannot be read, which has been said
	}
	return found, err
}
