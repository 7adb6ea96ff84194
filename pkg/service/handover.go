package service

import (
	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// handOver keeps, before a signing key is retired, what leads those who only
// know that key to the current one: the proof, under a checkpoint that both
// signed, of the event that made the current one and names all of it. A key that
// was current from the first day on needs none.
func (t *txn) handOver(retiring string) error {
	c, err := t.sign() // the last checkpoint must bear a signature of a key that stays, too
	if err != nil {
		return err
	}
	info, keys, err := t.ownKeys()
	if err != nil {
		return err
	}
	lines, err := keys.Verifiers()
	if err != nil {
		return noKeys(err)
	}
	current := linesOf(info.Origin, lines)[0]
	for q := (logiqc.EventQuery{Actions: []logiqc.Action{logiqc.KeyRotated}, Outcome: logiqc.Success}); ; {
		rows, next, err := t.Events(q, store.EventScope{})
		if err != nil {
			return err
		}
		for _, r := range rows {
			e, err := logiqc.ParseLeaf(r.Seq, r.Bytes)
			if err != nil {
				return err
			}
			if e.Details.Verifier != current {
				continue
			}
			proof, err := ledger.Prove(e.Seq, r.Bytes, []byte(c.Note), hashReader{t.Tx})
			if err != nil {
				return logError(err)
			}
			return t.SetHandover(retiring, string(proof))
		}
		if next == "" {
			return nil
		}
		q.Cursor = next
	}
}
