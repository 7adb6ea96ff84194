package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Session is a session, or a sign-in on its way to one.
type Session struct {
	ID            string
	Hash          [32]byte // SHA-256 of what its holder has
	UserID        string
	Purpose       logiqc.Purpose
	Stage         logiqc.Stage
	Host, IP, App string
	CodeID        string      // the enrolment code that was given on it, or ""
	SignedInAt    logiqc.Time // never for one that is not yet signed in
	CreatedAt     logiqc.Time
	LastUsedAt    logiqc.Time
	ExpiresAt     logiqc.Time
	Holder        Holder // as it is now
}

// Holder is of the account that a session or a token acts for what tells who it
// is and what it may. It is read with either, in every transaction.
type Holder struct {
	ID, Username string
	Role         logiqc.Role
	Status       logiqc.Status
}

const sessionSQL = `SELECT s.id, s.hash, s.purpose, s.stage, s.host, s.ip, s.app, s.code_id, s.signed_in_at, s.created_at,
	s.last_used_at, s.expires_at, a.id, a.username, a.role, a.status
	FROM session s JOIN account a ON a.id = s.user_id `

func (tx *Tx) sessions(where string, args ...any) (all []Session, err error) {
	err = tx.each(sessionSQL+where, args, func(rows *sql.Rows) error {
		var s Session
		var hash []byte
		err := rows.Scan(&s.ID, &hash, &s.Purpose, &s.Stage, &s.Host, &s.IP, &s.App,
			&s.CodeID, &s.SignedInAt, &s.CreatedAt, &s.LastUsedAt, &s.ExpiresAt,
			&s.Holder.ID, &s.Holder.Username, &s.Holder.Role, &s.Holder.Status)
		copy(s.Hash[:], hash)
		s.UserID = s.Holder.ID
		all = append(all, s)
		return err
	})
	return all, err
}

// session reads the one session that a condition selects and that is live.
func (tx *Tx) session(column string, value any) (Session, error) {
	found, err := tx.sessions(`WHERE s.`+column+` = $1 AND s.expires_at > $2`, value, int64(tx.now))
	if err != nil {
		return Session{}, err
	}
	if len(found) == 0 {
		return Session{}, noSession()
	}
	return found[0], nil
}

// SessionByHash returns the session or sign-in with the hash. NotFound when
// there is none or it has expired.
func (tx *Tx) SessionByHash(hash [32]byte) (Session, error) { return tx.session("hash", hash[:]) }

// SessionByID returns the session or sign-in with the id. NotFound when there
// is none or it has expired.
func (tx *Tx) SessionByID(id string) (Session, error) {
	s, err := remembered(tx, id, func() (Session, error) { return tx.session("id", id) })
	if err == nil && s.ExpiresAt <= tx.now { // since it was read
		return Session{}, noSession()
	}
	return s, err
}

func noSession() error {
	return logiqc.Errorf(logiqc.NotFound, "there is no such session, or it has ended")
}

// remembered returns what a transaction has read of a session or a token, or
// reads it: those who share one have few, and each is asked for by all. Whatever
// may change it forgets it.
func remembered[T any](tx *Tx, id string, read func() (T, error)) (T, error) {
	if known, ok := tx.memo.bearers[id].(T); ok {
		return known, nil
	}
	found, err := read()
	if err != nil {
		return found, err
	}
	if tx.memo.bearers == nil {
		tx.memo.bearers = map[string]any{}
	}
	tx.memo.bearers[id] = found
	return found, nil
}

// InsertSession adds a session or a sign-in.
func (tx *Tx) InsertSession(s Session) error {
	if err := tx.purge(); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO session
		(id, hash, user_id, purpose, stage, host, ip, app, code_id, signed_in_at, created_at, last_used_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		s.ID, s.Hash[:], s.UserID, string(s.Purpose), string(s.Stage), s.Host, s.IP, s.App, s.CodeID,
		int64(s.SignedInAt), int64(s.CreatedAt), int64(s.LastUsedAt), int64(s.ExpiresAt))
	return err
}

// UpdateSession writes a session back, its id, account and creation aside.
// NotFound when it is gone.
func (tx *Tx) UpdateSession(s Session) error {
	n, err := tx.exec(`UPDATE session SET hash = $1, purpose = $2, stage = $3, host = $4, ip = $5, app = $6,
		signed_in_at = $7, last_used_at = $8, expires_at = $9, code_id = $10 WHERE id = $11`,
		s.Hash[:], string(s.Purpose), string(s.Stage), s.Host, s.IP, s.App,
		int64(s.SignedInAt), int64(s.LastUsedAt), int64(s.ExpiresAt), s.CodeID, s.ID)
	if err == nil && n == 0 {
		return noSession()
	}
	return err
}

// DeleteSession ends a session or a sign-in; it reports whether there was one.
func (tx *Tx) DeleteSession(id string) (bool, error) {
	n, err := tx.exec(`DELETE FROM session WHERE id = $1`, id)
	return n == 1, err
}

// liveSQL is the condition that a session is signed in and has not expired at
// the time that follows.
const liveSQL = `stage = 'signed_in' AND expires_at > `

// Sessions returns the live sessions of one account, or of all with userID "",
// newest first. Sign-ins on their way are none.
func (tx *Tx) Sessions(userID string) ([]Session, error) {
	if userID == "" {
		return tx.sessions(`WHERE `+liveSQL+`$1 ORDER BY s.created_at DESC, s.id DESC`, int64(tx.now))
	}
	return tx.sessions(`WHERE `+liveSQL+`$1 AND user_id = $2 ORDER BY s.created_at DESC, s.id DESC`, int64(tx.now), userID)
}

// CountSessions counts what Sessions would return.
func (tx *Tx) CountSessions(userID string) (int, error) {
	if userID == "" {
		return tx.count(`SELECT count(*) FROM session WHERE `+liveSQL+`$1`, int64(tx.now))
	}
	return tx.count(`SELECT count(*) FROM session WHERE `+liveSQL+`$1 AND user_id = $2`, int64(tx.now), userID)
}

// EndSessions deletes the sessions of one account, or of all with userID "",
// and the sign-ins on their way; it counts the live sessions among them.
func (tx *Tx) EndSessions(userID string) (signedIn int, err error) {
	if signedIn, err = tx.CountSessions(userID); err != nil {
		return 0, err
	}
	if userID == "" {
		_, err = tx.exec(`DELETE FROM session`)
	} else {
		_, err = tx.exec(`DELETE FROM session WHERE user_id = $1`, userID)
	}
	return signedIn, err
}

// TouchSession notes that a session is in use at Now.
func (tx *Tx) TouchSession(id string) error {
	_, err := tx.exec(`UPDATE session SET last_used_at = $1 WHERE id = $2`, int64(tx.now), id)
	return err
}

// Remembered returns what an actor's request answered: the digest of what was
// asked and the result. ok is false when there was no such request in the last
// seven days. A request that ran in batches has an answer for each.
func (tx *Tx) Remembered(actor, command, id string, batch int) (digest, result []byte, ok bool, err error) {
	ok, err = tx.one(`SELECT digest, result FROM request
		WHERE actor = $1 AND command = $2 AND id = $3 AND batch = $4 AND created_at > $5`,
		[]any{actor, command, id, batch, int64(tx.now.Add(-requestsKept))}, &digest, &result)
	return digest, result, ok, err
}

// Remember keeps what an actor's request answered, for seven days.
func (tx *Tx) Remember(actor, command, id string, batch int, digest, result []byte) error {
	if err := tx.purge(); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO request (actor, command, id, batch, digest, result, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (actor, command, id, batch) DO UPDATE
		SET digest = excluded.digest, result = excluded.result, created_at = excluded.created_at`,
		actor, command, id, batch, digest, result, int64(tx.now))
	return err
}
