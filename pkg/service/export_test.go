package service

import (
	"strconv"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Store is what the desk is over.
func (d *Desk) Store() *store.Store { return d.store }

// Log is the log of the store.
func (d *Desk) Log() ledger.Source { return logSource{d.store} }

// AppendEvents appends n events of an action to the log of a store.
func AppendEvents(tx *store.Tx, n int, action logiqc.Action) error {
	size, _, err := tx.Head()
	if err != nil {
		return err
	}
	rows := make([]store.LogRow, n)
	for i := range rows {
		e := logiqc.Event{Seq: size + int64(i), Body: logiqc.Body{ID: strconv.FormatInt(size+int64(i), 10), Time: tx.Now(), Action: action, Outcome: logiqc.Success}}
		if rows[i].Bytes, err = e.Leaf(); err != nil {
			return err
		}
		rows[i].Event = e
	}
	return appendLog(tx, rows)
}
