package store

import "database/sql"

// SealedSecret is a sealed setup key and what it is bound to.
type SealedSecret struct {
	EnrolmentID, UserID, Sealed string
}

// SealedSecrets returns up to limit of all sealed setup keys, those of pending
// enrolments too, in the order of the enrolments' ids, from the one after
// after on.
func (tx *Tx) SealedSecrets(after string, limit int) (secrets []SealedSecret, err error) {
	err = tx.each(`SELECT id, user_id, sealed FROM enrolment WHERE id > $1 ORDER BY id LIMIT $2`, []any{after, limit},
		func(rows *sql.Rows) error {
			var s SealedSecret
			err := rows.Scan(&s.EnrolmentID, &s.UserID, &s.Sealed)
			secrets = append(secrets, s)
			return err
		})
	return secrets, err
}

// Reseal replaces a sealed setup key by the same one sealed anew.
func (tx *Tx) Reseal(s SealedSecret, anew string) error {
	_, err := tx.exec(`UPDATE enrolment SET sealed = $1 WHERE id = $2 AND sealed = $3`, anew, s.EnrolmentID, s.Sealed)
	return err
}
