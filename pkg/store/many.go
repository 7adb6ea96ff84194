package store

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// What is done to many accounts at once: a statement for so many of them instead
// of one for each.

// execIn runs a statement that ends in a column, for the rows where it is one of
// values, in portions, and counts the rows that it changed.
func execIn[T any](tx *Tx, query string, args []any, values []T) (changed int64, err error) {
	for part := range slices.Chunk(values, tx.portion()) {
		in, all := among(tx, args, part)
		n, err := tx.exec(query+in, all...)
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// eachIn is execIn for a query; rest comes after the condition.
func eachIn[T any](tx *Tx, query, rest string, args []any, values []T, fn func(*sql.Rows) error) error {
	for part := range slices.Chunk(values, tx.portion()) {
		in, all := among(tx, args, part)
		if err := tx.each(query+in+rest, all, fn); err != nil {
			return err
		}
	}
	return nil
}

// portion is for how many values a statement is run at a time.
func (tx *Tx) portion() int {
	if tx.engine.dialect().arrays {
		return logiqc.PageMax
	}
	return rowsPerStatement
}

// among is the condition that what stands before it is one of values, and the
// arguments with them.
func among[T any](tx *Tx, args []any, values []T) (in string, all []any) {
	if tx.engine.dialect().arrays {
		return ` = ANY ($` + strconv.Itoa(len(args)+1) + `)`, append(slices.Clip(args), values)
	}
	return ` IN (` + list(len(args)+1, len(values)) + `)`, withValues(args, values)
}

func withValues[T any](args []any, values []T) []any {
	all := append(make([]any, 0, len(args)+len(values)), args...)
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

// UsersExact returns the accounts that refs mean as in UserExact, by
// [logiqc.Key] of the ref. One that means nobody, or more than one account, is
// left out.
func (tx *Tx) UsersExact(refs []string) (map[string]*logiqc.User, error) {
	found := make(map[string]*logiqc.User, len(refs))
	for _, ref := range refs {
		found[logiqc.Key(ref)] = nil
	}
	several := map[string]bool{}
	for _, by := range []struct {
		column string
		may    func(key string) bool
		of     func(u *logiqc.User) string
	}{
		{"username_key", func(key string) bool { return !strings.Contains(key, "@") }, func(u *logiqc.User) string { return logiqc.Key(u.Username) }},
		{"email_key", func(key string) bool { return strings.Contains(key, "@") }, func(u *logiqc.User) string { return logiqc.Key(u.Email) }},
		{"id", func(key string) bool { return len(key) == idLength }, func(u *logiqc.User) string { return u.ID }},
	} {
		var keys []string
		for key := range found {
			if by.may(key) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys) // neighbours share pages
		err := eachIn(tx, userSQL+`WHERE a.`+by.column, ``, nil, keys, func(rows *sql.Rows) error {
			u, err := scanUser(rows)
			key := by.of(&u)
			several[key] = several[key] || found[key] != nil && found[key].ID != u.ID
			found[key] = &u
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	shareAccounts(found)
	for key, u := range found {
		if u == nil || several[key] {
			delete(found, key)
		}
	}
	return found, nil
}

// shareAccounts sees to it that an account which was found by two of its names is
// there once: who changes it changes it for both.
func shareAccounts(found map[string]*logiqc.User) {
	byID := make(map[string]*logiqc.User, len(found))
	for key, u := range found {
		if u == nil {
			continue
		}
		if first, ok := byID[u.ID]; ok {
			found[key] = first
			continue
		}
		byID[u.ID] = u
	}
}

// LiveSessions counts the live sessions of accounts, by id; one without any is
// not there.
func (tx *Tx) LiveSessions(userIDs []string) (map[string]int, error) {
	live := map[string]int{}
	err := eachIn(tx, `SELECT user_id, count(*) FROM session WHERE `+liveSQL+`$1 AND user_id`, ` GROUP BY user_id`,
		[]any{int64(tx.now)}, userIDs, func(rows *sql.Rows) error {
			var id string
			var n int
			err := rows.Scan(&id, &n)
			live[id] = n
			return err
		})
	return live, err
}

// ResetUsers writes accounts back that have been reset, all of them at Now and by
// the same operator: what [logiqc.User.Reset] changed of each, with the enrolment
// code that it has then, if any. Their enrolments, recovery codes and earlier
// enrolment codes go, and their sessions, or with keepSessions only the sign-ins
// that wait for a factor which is gone. Conflict when one of them is not there.
func (tx *Tx) ResetUsers(us []*logiqc.User, hold, keepSessions bool) error {
	if len(us) == 0 {
		return nil
	}
	ids, ns, codes := make([]string, len(us)), make([]int64, len(us)), make([]logiqc.EnrolmentCode, 0, len(us))
	for i, u := range us {
		ids[i], ns[i] = u.ID, u.N
		if u.Code != nil {
			codes = append(codes, *u.Code)
		}
	}
	if err := tx.ClearEnrolments(ids...); err != nil {
		return err
	}
	ended := `DELETE FROM session WHERE user_id`
	if keepSessions {
		ended = `DELETE FROM session WHERE stage <> 'signed_in' AND user_id`
	}
	if _, err := execIn(tx, ended, nil, ids); err != nil {
		return err
	}
	n, err := execIn(tx, `UPDATE account SET code_misses = 0, code_until = 0, code_told = 0, reset_at = $1, reset_by = $2, reset_seen = 0,
		window_at = $1, held_at = CASE WHEN $3 = 1 THEN $1 ELSE held_at END, updated_at = $1, version = version + 1 WHERE n`,
		[]any{int64(tx.now), us[0].ResetBy, bit(hold)}, ns)
	switch {
	case err != nil:
		return err
	case n != int64(len(us)):
		return logiqc.Errorf(logiqc.Conflict, "an account has changed meanwhile; nothing was done")
	}
	for _, u := range us {
		u.Version++
		u.UpdatedAt = tx.now
	}
	return tx.insertMany(insertCodeSQL, 6, len(codes), func(i int, args []any) []any { return codeArgs(codes[i], args) })
}
