package store

import (
	"errors"
	"fmt"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// insertUserSQL and userArgs name the columns of an account in one order.
const (
	insertUserSQL = `INSERT INTO account (n, id, username, username_key, email, email_key, name, phone, role, status, auth,
		protected, toggle, contact_changed_at, contact_changed_by, password_hash, password_misses, password_until,
		password_told, code_misses, code_until, code_told, reset_at, reset_by, reset_seen, last_success_at, failure_at,
		failure_reason, failure_host, held_at, window_at, told, version, created_at, updated_at)`
	userWidth = 35
)

func userArgs(u *logiqc.User, args []any) []any {
	args = append(args, u.N, u.ID, u.Username, logiqc.Key(u.Username))
	return append(changeableArgs(u, args), u.Version, int64(u.CreatedAt), int64(u.UpdatedAt))
}

// changeableArgs are the columns that UpdateUser writes.
func changeableArgs(u *logiqc.User, args []any) []any {
	return append(args, u.Email, logiqc.Key(u.Email), u.Name, u.Phone, string(u.Role), string(u.Status), string(u.Auth),
		bit(u.Protected), bit(u.Toggle), int64(u.ContactChangedAt), u.ContactChangedBy, u.PasswordHash.Reveal(),
		int64(u.PasswordThrottle.Misses), int64(u.PasswordThrottle.Until), bit(u.PasswordThrottle.Told),
		int64(u.CodeThrottle.Misses), int64(u.CodeThrottle.Until), bit(u.CodeThrottle.Told),
		int64(u.ResetAt), u.ResetBy, bit(u.ResetSeen), int64(u.LastSuccessAt),
		int64(u.LastFailure.At), u.LastFailure.Reason, u.LastFailure.Host, int64(u.HeldAt), int64(u.WindowAt),
		u.Told)
}

// RowError says which of several accounts could not be inserted.
type RowError struct {
	Row   int    // in the slice that was given, from 0
	Field string // what is taken: username, email or id
	Err   *logiqc.Error
}

func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap returns the [*logiqc.Error], of code Exists.
func (e *RowError) Unwrap() error { return e.Err }

// InsertUser adds an account and gives it its number N, and a Version where it
// has none. Its enrolments are not part of it. Exists names the username or
// email that is taken.
func (tx *Tx) InsertUser(u *logiqc.User) error {
	err := tx.InsertUsers([]*logiqc.User{u})
	var row *RowError
	if errors.As(err, &row) {
		return row.Err
	}
	return err
}

// InsertUsers adds accounts as InsertUser does, many at a time. A username or
// email that is taken, in the store or earlier in the batch, is a [*RowError]
// of code Exists; then the transaction can still be read, with the accounts
// before that one in it, but has to be ended.
func (tx *Tx) InsertUsers(batch []*logiqc.User) error {
	next, err := tx.nextN()
	if err != nil {
		return err
	}
	for i, u := range batch {
		u.N, u.Version = next+int64(i), max(u.Version, 1)
	}
	args := make([]any, 0, userWidth*min(len(batch), tx.engine.dialect().rows))
	for at := 0; at < len(batch); at += tx.engine.dialect().rows {
		part := batch[at:min(at+tx.engine.dialect().rows, len(batch))]
		args = args[:0]
		for _, u := range part {
			args = userArgs(u, args)
		}
		// A statement that fails would end the transaction on some engines.
		n, err := tx.exec(tx.valuesSQL(insertUserSQL, userWidth, len(part))+` ON CONFLICT DO NOTHING`, args...)
		if err == nil && n < int64(len(part)) {
			err = tx.taken(at, part)
		}
		if err != nil {
			return err
		}
	}
	return tx.indexUsers(batch)
}

// nextN is the number of the next account. Writers take turns, so nobody else
// takes it.
func (tx *Tx) nextN() (n int64, err error) {
	_, err = tx.one(`SELECT coalesce(max(n), 0) + 1 FROM account`, nil, &n)
	return n, err
}

// taken tells which account of those just inserted is missing, the first of
// them from row on, and what another account has of it.
func (tx *Tx) taken(row int, part []*logiqc.User) error {
	for i, u := range part {
		for _, k := range []struct{ field, column, key, value string }{
			{"username", "username_key", logiqc.Key(u.Username), u.Username},
			{"email", "email_key", logiqc.Key(u.Email), u.Email},
			{"id", "id", u.ID, u.ID},
		} {
			var n int64
			if _, err := tx.one(`SELECT n FROM account WHERE `+k.column+` = $1`, []any{k.key}, &n); err != nil {
				return err
			}
			if n == 0 || n == u.N {
				continue
			}
			// Whoever looks on finds the accounts before this one, and no others.
			if _, err := tx.exec(`DELETE FROM account WHERE n > $1`, u.N); err != nil {
				return err
			}
			return &RowError{Row: row + i, Field: k.field, Err: takenError(k.field, k.value)}
		}
	}
	return logiqc.Errorf(logiqc.Internal, "an account was not inserted, though it is there")
}

func takenError(field, value string) *logiqc.Error {
	return logiqc.Errorf(logiqc.Exists, "the %s %s is taken", field, value)
}

// The ways to write an account, the quickest first: where nothing of it has
// changed that is in an index of the table; where nothing has that is in the
// search index; and all of it. What must be as it was is a condition.
const (
	setSQL = `UPDATE account SET phone = $4, auth = $7, toggle = $9, contact_changed_at = $10, contact_changed_by = $11,
		password_hash = $12, password_misses = $13, password_until = $14, password_told = $15, code_misses = $16,
		code_until = $17, code_told = $18, reset_by = $20, reset_seen = $21, last_success_at = $22, failure_at = $23,
		failure_reason = $24, failure_host = $25, held_at = $26, window_at = $27, told = $28, updated_at = $29,
		version = version + 1`
	whichSQL         = ` WHERE id = $30 AND version = $31`
	namedSQL         = ` AND email = $1 AND email_key = $2 AND name = $3`
	indexedSQL       = `, role = $5, status = $6, protected = $8, reset_at = $19`
	updateSameSQL    = setSQL + whichSQL + namedSQL + ` AND role = $5 AND status = $6 AND protected = $8 AND reset_at = $19`
	updateIndexedSQL = setSQL + indexedSQL + whichSQL + namedSQL
	updateAllSQL     = setSQL + indexedSQL + `, email = $1, email_key = $2, name = $3` + whichSQL
)

// UpdateUser writes the account back as it is in u, its username, id and
// creation aside, which never change. Its Version grows and its UpdatedAt
// becomes Now. Conflict when the account has changed since it was loaded, or
// is gone; Exists when its email is taken. Enrolments are not part of it.
func (tx *Tx) UpdateUser(u *logiqc.User) error {
	args := append(changeableArgs(u, make([]any, 0, 32)), int64(tx.now), u.ID, u.Version)
	var changed int64
	var err error
	if u.ResetAt != tx.now { // which is when it is reset
		changed, err = tx.exec(updateSameSQL, args...)
	}
	if err == nil && changed == 0 {
		changed, err = tx.exec(updateIndexedSQL, args...)
	}
	if err == nil && changed == 0 {
		changed, err = tx.renameUser(u, args)
	}
	switch {
	case err != nil:
		return err
	case changed == 0:
		return logiqc.Errorf(logiqc.Conflict, "the account %s has changed meanwhile; nothing was done", u.Username).
			WithHint("look again: logiqc users show %s", u.Username)
	}
	u.Version++
	u.UpdatedAt = tx.now
	return nil
}

// renameUser writes an account whose name or email is another than before, and
// brings the search index into step.
func (tx *Tx) renameUser(u *logiqc.User, args []any) (changed int64, err error) {
	var old logiqc.User
	ok, err := tx.one(`SELECT n, username, email, name FROM account WHERE id = $1`, []any{u.ID},
		&old.N, &old.Username, &old.Email, &old.Name)
	if err != nil || !ok {
		return 0, err
	}
	// Looked for beforehand, in turn: to fail would end the transaction on some
	// engines.
	others, err := tx.count(`SELECT count(*) FROM account WHERE email_key = $1 AND id <> $2`, logiqc.Key(u.Email), u.ID)
	if err != nil {
		return 0, err
	}
	if others > 0 {
		return 0, takenError("email", u.Email)
	}
	changed, err = tx.exec(updateAllSQL, args...)
	if err != nil || changed == 0 {
		return changed, err
	}
	if err := tx.unindexUser(&old); err != nil {
		return 0, err
	}
	now := old
	now.Email, now.Name = u.Email, u.Name
	if err := tx.indexUsers([]*logiqc.User{&now}); err != nil {
		return 0, fmt.Errorf("index %s: %w", u.Username, err)
	}
	return changed, nil
}
