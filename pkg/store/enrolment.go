package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

const putEnrolmentSQL = `INSERT INTO enrolment
	(user_id, state, id, sealed, last_step, created_at, expires_at, enrolled_at, last_used_at, code_id)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

func (tx *Tx) putEnrolment(e logiqc.Enrolment, state logiqc.EnrolmentState) error {
	if _, err := tx.exec(`DELETE FROM enrolment WHERE user_id = $1 AND state = $2`, e.UserID, string(state)); err != nil {
		return err
	}
	_, err := tx.exec(putEnrolmentSQL, e.UserID, string(state), e.ID, e.Sealed, e.Step,
		int64(e.CreatedAt), int64(e.ExpiresAt), int64(e.EnrolledAt), int64(e.LastUsedAt), e.CodeID)
	return err
}

// PutPending stores an enrolment that awaits its first code, in the place of
// the account's earlier one. A proved one may stand beside it.
func (tx *Tx) PutPending(e logiqc.Enrolment) error {
	return tx.putEnrolment(e, logiqc.EnrolmentPending)
}

// PutEnrolled stores a proved enrolment that was made elsewhere, in the place
// of the account's earlier one and its recovery codes. An enrolment code that
// was issued for the account has no more use, and goes.
func (tx *Tx) PutEnrolled(e logiqc.Enrolment) error {
	if err := tx.ClearEnrolmentCode(e.UserID); err != nil {
		return err
	}
	return tx.putEnrolment(e, logiqc.EnrolmentEnrolled)
}

// RenewPending moves the end of a pending enrolment. NotFound when it is not
// pending any more.
func (tx *Tx) RenewPending(id string, expires logiqc.Time) error {
	n, err := tx.exec(`UPDATE enrolment SET expires_at = $1 WHERE id = $2 AND state = 'pending'`, int64(expires), id)
	if err == nil && n == 0 {
		return logiqc.Errorf(logiqc.NotFound, "that enrolment is not pending any more")
	}
	return err
}

// ProvePending turns a pending enrolment into the account's proved one, at
// Now and with step spent; the account's older one goes, with its recovery
// codes, and so does its enrolment code. It reports false, and does nothing, when the enrolment is not pending
// any more or has expired: a compare-and-set.
func (tx *Tx) ProvePending(id string, step int64) (bool, error) {
	var user string
	ok, err := tx.one(`SELECT user_id FROM enrolment WHERE id = $1 AND state = 'pending' AND expires_at > $2`,
		[]any{id, int64(tx.now)}, &user)
	if err != nil || !ok {
		return false, err
	}
	if _, err := tx.exec(`DELETE FROM enrolment WHERE user_id = $1 AND state = 'enrolled'`, user); err != nil {
		return false, err
	}
	if err := tx.ClearEnrolmentCode(user); err != nil {
		return false, err
	}
	n, err := tx.exec(`UPDATE enrolment SET state = 'enrolled', last_step = $1, enrolled_at = $2, expires_at = 0, code_id = ''
		WHERE id = $3 AND state = 'pending'`, step, int64(tx.now), id)
	return n == 1, err
}

// SpendStep accepts a time step once: it reports false when the enrolment has
// seen that step or a later one, or is not there any more (RFC 6238, 5.2;
// ASVS 6.5.1). An accepted step counts as a use at Now.
func (tx *Tx) SpendStep(id string, step int64) (bool, error) {
	n, err := tx.exec(`UPDATE enrolment SET last_step = $1, last_used_at = $2
		WHERE id = $3 AND state = 'enrolled' AND last_step < $1`, step, int64(tx.now), id)
	return n == 1, err
}

// ClearEnrolments deletes what links accounts to authenticator apps: the proved
// enrolment of each, the pending one and the recovery codes; and the enrolment
// code that was issued for it.
func (tx *Tx) ClearEnrolments(userIDs ...string) error {
	if _, err := execIn(tx, `DELETE FROM enrolment_code WHERE user_id`, nil, userIDs); err != nil {
		return err
	}
	_, err := execIn(tx, `DELETE FROM enrolment WHERE user_id`, nil, userIDs)
	return err
}

// PutRecoveryCodes replaces the recovery codes of an enrolment by those with
// the given SHA-256 hashes.
func (tx *Tx) PutRecoveryCodes(enrolmentID string, hashes [][32]byte) error {
	if _, err := tx.exec(`DELETE FROM recovery_code WHERE enrolment_id = $1`, enrolmentID); err != nil {
		return err
	}
	return tx.insertMany(` INTO recovery_code (enrolment_id, hash)`, 2, len(hashes), func(i int, args []any) []any {
		return append(args, enrolmentID, hashes[i][:])
	})
}

// SpendRecoveryCode uses a recovery code up and returns those that are left, in
// their order; ok is false, and nothing changes, when the enrolment has no such
// code.
func (tx *Tx) SpendRecoveryCode(enrolmentID string, hash [32]byte) (left [][32]byte, ok bool, err error) {
	n, err := tx.exec(`DELETE FROM recovery_code WHERE enrolment_id = $1 AND hash = $2`, enrolmentID, hash[:])
	if err != nil {
		return nil, false, err
	}
	err = tx.recoveryCodes(`WHERE enrolment_id = $1 ORDER BY hash`, []any{enrolmentID}, func(_ string, h [32]byte) error {
		left = append(left, h)
		return nil
	})
	return left, n == 1, err
}

// RecoveryCodes hands over the unused recovery codes of every enrolment, one
// enrolment after the other, each one's in their order.
func (tx *Tx) RecoveryCodes(fn func(enrolmentID string, hashes [][32]byte) error) error {
	var of string
	var hashes [][32]byte
	err := tx.recoveryCodes(`ORDER BY enrolment_id, hash`, nil, func(id string, h [32]byte) (err error) {
		if id != of && hashes != nil {
			err = fn(of, hashes)
			hashes = hashes[:0]
		}
		of, hashes = id, append(hashes, h)
		return err
	})
	if err == nil && hashes != nil {
		err = fn(of, hashes)
	}
	return err
}

func (tx *Tx) recoveryCodes(which string, args []any, fn func(enrolmentID string, h [32]byte) error) error {
	return tx.each(`SELECT enrolment_id, hash FROM recovery_code `+which, args, func(rows *sql.Rows) error {
		var id string
		var hash []byte
		if err := rows.Scan(&id, &hash); err != nil {
			return err
		}
		var h [32]byte
		copy(h[:], hash)
		return fn(id, h)
	})
}
