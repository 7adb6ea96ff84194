package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Exported is what an export wrote.
type Exported struct {
	Added int64 // events that were not in the folder before
	Checkpoint
}

// Export writes the log to a folder as C2SP tlog-tiles, or continues one that
// was written before; see [ledger.Export]. The event that says so comes first
// and is part of what is exported: what cannot be recorded does not leave. A
// folder that was not written from this log is Integrity and stays as it is.
// Progress may be nil.
func (d *Desk) Export(ctx context.Context, by logiqc.Actor, folder string, progress func(done int64)) (x Exported, err error) {
	err = d.update(ctx, by, logiqc.Request{}, func(t *txn) error {
		if err := t.need(logiqc.AuditVerify, logiqc.AuditExported, ""); err != nil {
			return err
		}
		_, err := t.record(logiqc.AuditExported, logiqc.Target{}, logiqc.Details{Folder: folder})
		return err
	})
	if err != nil {
		return x, err
	}
	if x.Checkpoint, err = d.Checkpoint(ctx, by); err != nil {
		return x, err
	}
	e, err := d.Evidence(ctx, by)
	if err != nil {
		return x, err
	}
	verifiers, err := ParseVerifiers(e.Keys...)
	if err != nil {
		return x, err
	}
	src := countedSource{logSource{d.store}, progress}
	x.Added, err = ledger.Export(ctx, folder, src, []byte(x.Note), e.Origin, verifiers...)
	if ledger.ProblemOf(err) != ledger.OK {
		err = logiqc.Errorf(logiqc.Integrity, "nothing more was exported: %w", err).
			WithHint("export into an empty folder, and keep this one: logiqc audit verify tells more")
	}
	return x, err
}

// countedSource tells how many leaves have been read.
type countedSource struct {
	logSource
	progress func(done int64)
}

func (c countedSource) Leaves(ctx context.Context, from, to int64, fn func(seq int64, leaf []byte) error) error {
	if c.progress == nil {
		return c.logSource.Leaves(ctx, from, to, fn)
	}
	return c.logSource.Leaves(ctx, from, to, func(seq int64, leaf []byte) error {
		if done := seq - from + 1; done%1000 == 0 {
			c.progress(done)
		}
		return fn(seq, leaf)
	})
}
