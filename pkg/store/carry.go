package store

import "github.com/logiqc/logiqc/pkg/logiqc"

// These bring a store that was put back to what events after the backup tell.

// MoveEnrolled notes the newest time step spent of a proved enrolment, when it
// was used last and when it was proved, as they are known from elsewhere.
func (tx *Tx) MoveEnrolled(e logiqc.Enrolment) error {
	_, err := tx.exec(`UPDATE enrolment SET last_step = $1, last_used_at = $2, enrolled_at = $3 WHERE id = $4 AND state = 'enrolled'`,
		e.Step, int64(e.LastUsedAt), int64(e.EnrolledAt), e.ID)
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
