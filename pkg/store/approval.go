package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Approval is a request for a second operator's approval, as it is stored.
type Approval struct {
	ID           string
	UserID       string
	RequesterID  string
	RequestedBy  string // username of the requester
	Mark         string // [logiqc.User.Shown] of the account it was asked for
	Run          string // request id of the call that asked, for one account or many
	Reason       string
	Ticket       string
	VerifiedBy   string
	KeepSessions bool
	Hold         bool
	CodeHash     logiqc.Secret // PHC string of the enrolment code, "" for none or once decided
	CodeUntil    logiqc.Time   // never if there is no enrolment code
	RequestedAt  logiqc.Time
	ExpiresAt    logiqc.Time
	State        logiqc.ApprovalState // never expired: see StateAt
	DeciderID    string
	DecidedBy    string // username of whoever decided, or ""
	DecidedAt    logiqc.Time
	ResetSeq     int64 // event of the reset, -1 for none
}

// StateAt is what became of the request until now.
func (a Approval) StateAt(now logiqc.Time) logiqc.ApprovalState {
	if a.State == logiqc.ApprovalPending && now >= a.ExpiresAt {
		return logiqc.ApprovalExpired
	}
	return a.State
}

const approvalSQL = `SELECT p.id, p.user_id, p.requester_id, r.username, p.mark, p.run, p.reason, p.ticket, p.verified_by,
	p.keep_sessions, p.hold, p.code_hash, p.code_until, p.requested_at, p.expires_at, p.state, p.decider_id,
	COALESCE(d.username, ''), p.decided_at, p.reset_seq
	FROM approval p JOIN account r ON r.id = p.requester_id LEFT JOIN account d ON d.id = p.decider_id `

func (tx *Tx) approvals(where string, args ...any) (all []Approval, err error) {
	err = tx.each(approvalSQL+where, args, func(rows *sql.Rows) error {
		var a Approval
		var keep, hold int64
		var code string
		err := rows.Scan(&a.ID, &a.UserID, &a.RequesterID, &a.RequestedBy, &a.Mark, &a.Run, &a.Reason, &a.Ticket, &a.VerifiedBy,
			&keep, &hold, &code, &a.CodeUntil, &a.RequestedAt, &a.ExpiresAt, &a.State, &a.DeciderID, &a.DecidedBy,
			&a.DecidedAt, &a.ResetSeq)
		a.KeepSessions, a.Hold, a.CodeHash = keep != 0, hold != 0, logiqc.Secret(code)
		all = append(all, a)
		return err
	})
	return all, err
}

// Approvals returns the requests made from since on, decided ones too, the
// oldest first.
func (tx *Tx) Approvals(since logiqc.Time) ([]Approval, error) {
	return tx.approvals(`WHERE p.requested_at >= $1 ORDER BY p.requested_at, p.id`, int64(since))
}

// ApprovalIDs returns the ids of the requests made from since on.
func (tx *Tx) ApprovalIDs(since logiqc.Time) (ids []string, err error) {
	err = tx.each(`SELECT id FROM approval WHERE requested_at >= $1`, []any{int64(since)}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// idLength is how long an id is.
const idLength = len("01a21325-d5d4-77b7-8d82-a96b8b82581a")

// ApprovalsEnding returns the requests whose id is, or ends with, the
// lower-case text.
func (tx *Tx) ApprovalsEnding(ending string) ([]Approval, error) {
	if len(ending) == idLength {
		return tx.approvals(`WHERE p.id = $1`, ending)
	}
	if len(ending) > idLength {
		return nil, nil
	}
	return tx.approvals(`WHERE substr(p.id, $1) = $2 ORDER BY p.requested_at, p.id`, idLength-len(ending)+1, ending)
}

// InsertApproval adds a request.
func (tx *Tx) InsertApproval(a Approval) error {
	if err := tx.purge(); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO approval (id, user_id, requester_id, mark, run, reason, ticket, verified_by, keep_sessions, hold,
		code_hash, code_until, requested_at, expires_at, state, decider_id, decided_at, reset_seq)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		a.ID, a.UserID, a.RequesterID, a.Mark, a.Run, a.Reason, a.Ticket, a.VerifiedBy, bit(a.KeepSessions), bit(a.Hold),
		a.CodeHash.Reveal(), int64(a.CodeUntil), int64(a.RequestedAt), int64(a.ExpiresAt), string(a.State), a.DeciderID,
		int64(a.DecidedAt), a.ResetSeq)
	return err
}

// DecideApproval writes down what was decided at Now, and forgets the
// enrolment code. It reports whether the request was open still.
func (tx *Tx) DecideApproval(id string, state logiqc.ApprovalState, deciderID string, resetSeq int64) (bool, error) {
	n, err := tx.exec(`UPDATE approval SET state = $1, decider_id = $2, decided_at = $3, reset_seq = $4, code_hash = ''
		WHERE id = $5 AND state = 'pending' AND expires_at > $3`, string(state), deciderID, int64(tx.now), resetSeq, id)
	return n == 1, err
}

// ResetsBy counts the resets that an account, or tokens that act for it, made
// from since on; those that it approved for somebody else aside.
func (tx *Tx) ResetsBy(userID, username string, since logiqc.Time) (int, error) {
	var first int64
	found, err := tx.one(`SELECT seq FROM event WHERE at >= $1 ORDER BY at, seq LIMIT 1`, []any{int64(since)}, &first)
	if err != nil || !found {
		return 0, err
	}
	const reset = ` AND seq >= $2 AND at >= $3 AND action = $4 AND outcome = 'success')`
	made, err := tx.count(`SELECT (SELECT count(*) FROM event WHERE actor_id = $1`+reset+
		` + (SELECT count(*) FROM event WHERE actor_for = $5 AND actor_for <> ''`+reset,
		userID, first, int64(since), string(logiqc.MFAResetDone), logiqc.Key(username))
	if err != nil {
		return 0, err
	}
	approved, err := tx.count(`SELECT count(*) FROM approval WHERE decider_id = $1 AND decided_at > 0 AND decided_at >= $2 AND reset_seq >= 0`,
		userID, int64(since))
	return made - approved, err
}
