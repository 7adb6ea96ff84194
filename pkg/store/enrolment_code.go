package store

import "github.com/logiqc/logiqc/pkg/logiqc"

// PutEnrolmentCode stores the enrolment code of an account, in the place of its
// earlier one.
func (tx *Tx) PutEnrolmentCode(c logiqc.EnrolmentCode) error {
	if err := tx.ClearEnrolmentCode(c.UserID); err != nil {
		return err
	}
	return tx.insertMany(insertCodeSQL, 6, 1, func(_ int, args []any) []any { return codeArgs(c, args) })
}

const insertCodeSQL = ` INTO enrolment_code (user_id, id, hash, tries, created_at, expires_at)`

func codeArgs(c logiqc.EnrolmentCode, args []any) []any {
	return append(args, c.UserID, c.ID, c.Hash.Reveal(), int64(c.Tries), int64(c.CreatedAt), int64(c.ExpiresAt))
}

// MissEnrolmentCode counts a wrong try of an enrolment code.
func (tx *Tx) MissEnrolmentCode(id string) error {
	_, err := tx.exec(`UPDATE enrolment_code SET tries = tries + 1 WHERE id = $1`, id)
	return err
}

// ClearEnrolmentCode deletes the enrolment code of an account, if it has one.
func (tx *Tx) ClearEnrolmentCode(userID string) error {
	_, err := tx.exec(`DELETE FROM enrolment_code WHERE user_id = $1`, userID)
	return err
}

// Run counts the accounts that the resets with a request id cleared, and those
// of them that have enrolled since. ok is false when no reset had that id,
// refused ones among them.
func (tx *Tx) Run(requestID string) (f logiqc.RunFigures, ok bool, err error) {
	var resets int
	_, err = tx.one(`SELECT count(*), count(DISTINCT CASE WHEN e.outcome = 'success' THEN e.target_id END),
		count(DISTINCT CASE WHEN e.outcome = 'success' AND EXISTS (SELECT 1 FROM enrolment n
			WHERE n.user_id = e.target_id AND n.state = 'enrolled' AND n.enrolled_at >= e.at) THEN e.target_id END)
		FROM event e WHERE e.request_id = $1 AND e.request_id <> '' AND e.action = $2`,
		[]any{requestID, string(logiqc.MFAResetDone)}, &resets, &f.Reset, &f.Enrolled)
	f.Run, f.Waiting = requestID, f.Reset-f.Enrolled
	return f, resets > 0, err
}
