package store

import (
	"database/sql"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// userSQL loads accounts whole. The enrolments have to be there or not, so
// their columns have values for "not".
const userSQL = `SELECT a.n, a.id, a.username, a.email, a.name, a.phone, a.role, a.status, a.auth, a.protected, a.toggle,
	a.contact_changed_at, a.contact_changed_by, a.password_hash,
	a.password_misses, a.password_until, a.password_told, a.code_misses, a.code_until, a.code_told,
	a.reset_at, a.reset_by, a.reset_seen, a.held_at, a.window_at, a.told, a.last_success_at, a.failure_at, a.failure_reason, a.failure_host,
	a.version, a.created_at, a.updated_at,
	e.id, coalesce(e.sealed, ''), coalesce(e.last_step, 0), coalesce(e.created_at, 0), coalesce(e.enrolled_at, 0),
	coalesce(e.last_used_at, 0), (SELECT count(*) FROM recovery_code r WHERE r.enrolment_id = e.id),
	p.id, coalesce(p.sealed, ''), coalesce(p.created_at, 0), coalesce(p.expires_at, 0), coalesce(p.code_id, ''),
	c.id, coalesce(c.hash, ''), coalesce(c.tries, 0), coalesce(c.created_at, 0), coalesce(c.expires_at, 0)
	FROM account a
	LEFT JOIN enrolment e ON e.user_id = a.id AND e.state = 'enrolled'
	LEFT JOIN enrolment p ON p.user_id = a.id AND p.state = 'pending'
	LEFT JOIN enrolment_code c ON c.user_id = a.id `

// scanUser reads a row of userSQL.
func scanUser(rows *sql.Rows) (u logiqc.User, err error) {
	var e, p logiqc.Enrolment
	var c logiqc.EnrolmentCode
	var enrolled, pending, code sql.NullString
	err = rows.Scan(&u.N, &u.ID, &u.Username, &u.Email, &u.Name, &u.Phone, &u.Role, &u.Status, &u.Auth, &u.Protected, &u.Toggle,
		&u.ContactChangedAt, &u.ContactChangedBy, &u.PasswordHash,
		&u.PasswordThrottle.Misses, &u.PasswordThrottle.Until, &u.PasswordThrottle.Told,
		&u.CodeThrottle.Misses, &u.CodeThrottle.Until, &u.CodeThrottle.Told,
		&u.ResetAt, &u.ResetBy, &u.ResetSeen, &u.HeldAt, &u.WindowAt, &u.Told, &u.LastSuccessAt, &u.LastFailure.At, &u.LastFailure.Reason, &u.LastFailure.Host,
		&u.Version, &u.CreatedAt, &u.UpdatedAt,
		&enrolled, &e.Sealed, &e.Step, &e.CreatedAt, &e.EnrolledAt, &e.LastUsedAt, &u.RecoveryLeft,
		&pending, &p.Sealed, &p.CreatedAt, &p.ExpiresAt, &p.CodeID,
		&code, &c.Hash, &c.Tries, &c.CreatedAt, &c.ExpiresAt)
	if err != nil {
		return u, err
	}
	if enrolled.Valid {
		e.ID, e.UserID, e.State = enrolled.String, u.ID, logiqc.EnrolmentEnrolled
		u.Enrolled = &e
	}
	if pending.Valid {
		p.ID, p.UserID, p.State = pending.String, u.ID, logiqc.EnrolmentPending
		u.Pending = &p
	}
	if code.Valid {
		c.ID, c.UserID = code.String, u.ID
		u.Code = &c
	}
	return u, nil
}

// users loads the accounts that a condition selects.
func (tx *Tx) users(where string, args ...any) (all []logiqc.User, err error) {
	err = tx.each(userSQL+where, args, func(rows *sql.Rows) error {
		u, err := scanUser(rows)
		all = append(all, u)
		return err
	})
	return all, err
}

// UserByID returns the account with the id, or NotFound.
func (tx *Tx) UserByID(id string) (logiqc.User, error) {
	found, err := tx.users(`WHERE a.id = $1`, id)
	if err != nil {
		return logiqc.User{}, err
	}
	if len(found) == 0 {
		return logiqc.User{}, logiqc.Errorf(logiqc.NotFound, "there is no account with the id %q", id)
	}
	return found[0], nil
}

// UserExact returns the account that ref means: its username, email or id,
// letter case ignored. NotFound, always as fast as a hit; Ambiguous, with the
// usernames, when ref is the username of one account and the id of another.
func (tx *Tx) UserExact(ref string) (logiqc.User, error) {
	found, err := tx.users(`WHERE a.username_key = $1 OR a.email_key = $1 OR a.id = $1`, logiqc.Key(ref))
	switch {
	case err != nil:
		return logiqc.User{}, err
	case len(found) == 0:
		return logiqc.User{}, logiqc.Errorf(logiqc.NotFound, "there is no account %q", ref).
			WithHint("look for it: logiqc users find TEXT")
	case len(found) > 1:
		e := logiqc.Errorf(logiqc.Ambiguous, "%q is the username of one account and the id of another", ref).
			WithHint("say which by its email")
		for _, u := range found {
			e.Matches = append(e.Matches, u.Username)
		}
		return logiqc.User{}, e
	}
	return found[0], nil
}

// UserByRef is UserExact that looks further when ref is nobody's: where a
// search for it finds several accounts it is Ambiguous, with the first of
// them; otherwise NotFound carries the up to three nearest usernames. That
// takes longer than a hit: it is not for sign-ins.
func (tx *Tx) UserByRef(ref string) (logiqc.User, error) {
	u, err := tx.UserExact(ref)
	e := logiqc.AsError(err)
	if e == nil || e.Code != logiqc.NotFound {
		return u, err
	}
	if strings.TrimSpace(ref) == "" || len(ref) > longestRef {
		return u, e
	}
	found, more, err := tx.Find(logiqc.UserQuery{Text: ref, Limit: candidatesNamed}, logiqc.Policy{})
	switch {
	case err != nil:
		return u, err
	case len(found) > 1:
		return u, ambiguous(ref, found, more != "")
	}
	if e.Matches, err = tx.nearest(ref, found); err != nil {
		return u, err
	}
	return u, e
}

// candidatesNamed is how many accounts an ambiguous reference names; a
// reference of more than longestRef bytes is not looked for.
const (
	candidatesNamed = 10
	longestRef      = 1000
)

// ambiguous says that a search for ref finds several accounts.
func ambiguous(ref string, found []logiqc.User, more bool) error {
	e := logiqc.Errorf(logiqc.Ambiguous, "several accounts match %q, and none is exactly that", ref)
	if more {
		e = e.WithHint("or another: logiqc users find TEXT")
	}
	for _, u := range found {
		e.Matches = append(e.Matches, u.Username)
	}
	return e
}

// Users loads accounts by id, in the order of ids; one that is not there is
// left out.
func (tx *Tx) Users(ids []string) ([]logiqc.User, error) {
	byID := make(map[string]logiqc.User, len(ids))
	err := eachIn(tx, userSQL+`WHERE a.id`, ``, nil, ids, func(rows *sql.Rows) error {
		u, err := scanUser(rows)
		byID[u.ID] = u
		return err
	})
	if err != nil {
		return nil, err
	}
	all := make([]logiqc.User, 0, len(ids))
	for _, id := range ids {
		if u, ok := byID[id]; ok {
			all = append(all, u)
		}
	}
	return all, nil
}

// ActiveAdmins counts the accounts of role admin that are active.
func (tx *Tx) ActiveAdmins() (int, error) { return tx.Active(logiqc.RoleAdmin) }

// Active counts the active accounts of a role other than user.
func (tx *Tx) Active(role logiqc.Role) (int, error) {
	return tx.count(`SELECT count(*) FROM account WHERE role = $1 AND role <> 'user' AND status = 'active'`, string(role))
}

// requiredSQL is the condition that MFA is required for account a under the
// policy.
func requiredSQL(p logiqc.Policy) string {
	if p.Enforced {
		return `a.auth = 'password'`
	}
	return `(a.auth = 'password' AND a.toggle = 1)`
}

// awaitingSQL is the condition that account a was reset, still needs an
// enrolment and has none.
func awaitingSQL(p logiqc.Policy) string {
	return `(a.reset_at > 0 AND a.status = 'active' AND ` + requiredSQL(p) + ` AND NOT ` + enrolledSQL + `)`
}

// The enrolment of account a: there is a proved one; there is only one that
// awaits its first code, and has not expired at the time that follows.
const (
	enrolledSQL = `EXISTS (SELECT 1 FROM enrolment e WHERE e.user_id = a.id AND e.state = 'enrolled')`
	pendingSQL  = `EXISTS (SELECT 1 FROM enrolment e WHERE e.user_id = a.id AND e.state = 'pending' AND e.expires_at > `
)

// Figures counts the accounts under the policy, at the time of the
// transaction.
func (tx *Tx) Figures(p logiqc.Policy) (f logiqc.Figures, err error) {
	_, err = tx.one(`SELECT count(*), count(*) FILTER (WHERE a.auth = 'password'), count(*) FILTER (WHERE a.auth = 'sso'),
		count(*) FILTER (WHERE `+requiredSQL(p)+`), (SELECT count(*) FROM enrolment WHERE state = 'enrolled'),
		(SELECT count(*) FROM enrolment p WHERE p.state = 'pending' AND p.expires_at > $1 AND NOT EXISTS
			(SELECT 1 FROM enrolment e WHERE e.user_id = p.user_id AND e.state = 'enrolled'))
		FROM account a`, []any{int64(tx.now)},
		&f.Accounts, &f.Password, &f.SSO, &f.Required, &f.Enrolled, &f.Pending)
	if err != nil {
		return f, err
	}
	f.None = f.Accounts - f.Enrolled - f.Pending
	f.AwaitingEnrolment, err = tx.count(`SELECT count(*) FROM account a WHERE ` + awaitingSQL(p))
	return f, err
}
