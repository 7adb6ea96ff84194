package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Checkpoint is a signed statement of the log's size and root.
type Checkpoint struct {
	Size int64
	At   logiqc.Time // when it was signed
	Note string      // a C2SP tlog-checkpoint
}

// LastCheckpoint returns the checkpoint that was signed last; ok is false when
// none has been.
func (tx *Tx) LastCheckpoint() (c Checkpoint, ok bool, err error) {
	ok, err = tx.one(`SELECT size, at, note FROM checkpoint`, nil, &c.Size, &c.At, &c.Note)
	return c, ok, err
}

// ForgetCheckpoint forgets it, where another log begins.
func (tx *Tx) ForgetCheckpoint() error {
	_, err := tx.exec(`DELETE FROM checkpoint`)
	return err
}

// SetHandover keeps the proof that leads from a retired signing key to the one
// after it.
func (tx *Tx) SetHandover(retired, proof string) error {
	_, err := tx.exec(`INSERT INTO handover (retired, proof) VALUES ($1, $2) ON CONFLICT (retired) DO UPDATE SET proof = excluded.proof`,
		retired, proof)
	return err
}

// Handovers returns those proofs.
func (tx *Tx) Handovers() (proofs []string, err error) {
	err = tx.each(`SELECT proof FROM handover ORDER BY retired`, nil, func(rows *sql.Rows) error {
		var proof string
		err := rows.Scan(&proof)
		proofs = append(proofs, proof)
		return err
	})
	return proofs, err
}

// SetCheckpoint keeps c as the checkpoint that was signed last.
func (tx *Tx) SetCheckpoint(c Checkpoint) error {
	_, err := tx.exec(`INSERT INTO checkpoint (one, size, at, note) VALUES (1, $1, $2, $3)
		ON CONFLICT (one) DO UPDATE SET size = excluded.size, at = excluded.at, note = excluded.note`,
		c.Size, int64(c.At), c.Note)
	return err
}
