package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Ready tells whether the store can be used, and written to; nil is that it can.
func (d *Desk) Ready(ctx context.Context) error {
	return d.store.View(ctx, func(tx *store.Tx) error {
		if _, _, err := tx.Head(); err != nil {
			return err
		}
		return tx.CheckWritable()
	})
}

// SignGrowth signs a checkpoint, as [Desk.Checkpoint] does, if there is none of
// the log as it is now. It returns how many events are signed.
func (d *Desk) SignGrowth(ctx context.Context) (size int64, err error) {
	grown := false
	err = d.store.View(ctx, func(tx *store.Tx) error {
		last, _, err := tx.LastCheckpoint()
		if err != nil {
			return err
		}
		size, _, err = tx.Head()
		grown = last.Note == "" || last.Size != size
		return err
	})
	if err != nil || !grown {
		return size, err
	}
	c, err := d.Checkpoint(ctx, logiqc.Actor{Kind: logiqc.System})
	return c.Size, err
}
