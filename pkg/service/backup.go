package service

import (
	"context"
	"errors"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// BackedUp is a backup that was made.
type BackedUp struct {
	store.Copied
	Head       ledger.Head // of the log in it
	Checkpoint string      // signed just before, or "" without the keys
}

// Backup writes the whole store to a new file, while others go on writing. The
// event that says so and a checkpoint come first, so that a backup which is
// put back at once continues what was signed; without the keys none is signed.
// The file is checked before it appears: its database and its log are whole.
//
// Exists: there is something at the file. Progress is told of rows where they
// are copied one by one, and may be nil.
func (d *Desk) Backup(ctx context.Context, by logiqc.Actor, req logiqc.Request, file string, progress func(done, total int64)) (out BackedUp, err error) {
	if err := store.Vacant(ctx, file); err != nil {
		return out, err
	}
	err = d.update(ctx, by, req, func(t *txn) error {
		if err := t.needs(logiqc.Administer, logiqc.StoreBackedUp, ""); err != nil {
			return err
		}
		_, err := t.record(logiqc.StoreBackedUp, logiqc.Target{}, logiqc.Details{File: file})
		return err
	})
	if err != nil {
		return out, err
	}
	c, err := d.Checkpoint(ctx, by)
	if err != nil && !errors.Is(err, logiqc.Unavailable) {
		return out, err
	}
	out.Checkpoint = c.Note
	landing, err := d.store.Backup(ctx, file, progress)
	if err != nil {
		return out, err
	}
	defer landing.Discard()
	if out.Head, out.Copied, err = checkBackup(ctx, landing); err != nil {
		return out, err
	}
	return out, landing.Commit(ctx)
}

// checkBackup looks at a backup that is kept back still.
func checkBackup(ctx context.Context, landing *store.Landing) (head ledger.Head, c store.Copied, err error) {
	problems, err := store.Check(ctx, landing.Unfinished(), store.Options{})
	if err != nil {
		return head, c, err
	}
	if len(problems) > 0 {
		return head, c, logiqc.Errorf(logiqc.Integrity, "the backup is not sound, so it was not kept: %s", problems[0].Detail).
			WithHint("logiqc store check")
	}
	s, err := store.OpenSQLite(landing.Unfinished(), store.Options{})
	if err != nil {
		return head, c, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report, err := ledger.Verify(ctx, logSource{s}, ledger.VerifyOptions{})
	if err != nil {
		return head, c, err
	}
	if !report.OK {
		return head, c, logiqc.Errorf(logiqc.Integrity, "the log is not whole, so no backup was kept: %s", report.Detail).
			WithHint("logiqc audit verify")
	}
	err = s.View(ctx, func(tx *store.Tx) error {
		c, err = tx.Counts()
		return err
	})
	return ledger.Head{Size: report.Size, Root: report.Root}, c, err
}
