package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Size is how many events the log has; an error says that the store cannot be
// used.
func (d *Desk) Size(ctx context.Context) (size int64, err error) {
	err = d.store.View(ctx, func(tx *store.Tx) error {
		size, _, err = tx.Head()
		return err
	})
	return size, err
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
