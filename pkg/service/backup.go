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
	// Problems are what is wrong with the store, and so with the backup, which is
	// kept all the same: it may be all there is, or evidence.
	Problems []store.Problem
}

// Backup writes the whole store to a new file, while others go on writing. The
// event that says so and a checkpoint come first, so that a backup which is
// put back at once continues what was signed; without the keys none is signed.
// The file is checked before it appears: its database, its schema and its log.
//
// Exists: there is something at the file. Integrity: the database is damaged,
// and nothing was kept. Progress is told of rows where they
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
	if err := out.look(ctx, landing.Unfinished()); err != nil {
		return out, err
	}
	return out, landing.Commit(ctx)
}

// look checks a backup that is kept back still.
func (b *BackedUp) look(ctx context.Context, file string) (err error) {
	if b.Problems, err = store.Check(ctx, file, store.Options{}); err != nil {
		return err
	}
	for _, p := range b.Problems {
		if p.Check == "integrity" {
			return logiqc.Errorf(logiqc.Integrity, "the backup is damaged, so it was not kept: %s", p.Detail).WithHint("logiqc store check")
		}
	}
	s, err := store.OpenSQLite(file, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report, err := ledger.Verify(ctx, logSource{s}, ledger.VerifyOptions{})
	if err != nil {
		return err
	}
	if !report.OK {
		b.Problems = append(b.Problems, store.Problem{Check: "log", Detail: report.Detail})
	}
	b.Head = ledger.Head{Size: report.Size, Root: report.Root}
	return s.View(ctx, func(tx *store.Tx) error {
		b.Copied, err = tx.Counts()
		return err
	})
}
