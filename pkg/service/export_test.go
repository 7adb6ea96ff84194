package service

import (
	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/store"
)

// Store is what the desk is over.
func (d *Desk) Store() *store.Store { return d.store }

// Log is the log of the store.
func (d *Desk) Log() ledger.Source { return logSource{d.store} }
