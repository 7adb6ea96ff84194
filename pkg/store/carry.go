package store

import "github.com/logiqc/logiqc/pkg/logiqc"

// These bring a store that was put back to what events after the backup tell.

// MoveStep notes the newest time step spent of a proved enrolment, and when it
// was used last, as they are known from elsewhere.
func (tx *Tx) MoveStep(id string, step int64, used logiqc.Time) error {
	_, err := tx.exec(`UPDATE enrolment SET last_step = $1, last_used_at = $2 WHERE id = $3 AND state = 'enrolled'`, step, int64(used), id)
	return err
}

// EndUnfinished ends what was under way: enrolments that await their first
// code, and requests that nobody has decided.
func (tx *Tx) EndUnfinished() error {
	if _, err := tx.exec(`DELETE FROM enrolment WHERE state = 'pending'`); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE approval SET expires_at = $1, code_hash = '' WHERE state = 'pending' AND expires_at > $1`, int64(tx.now))
	return err
}
