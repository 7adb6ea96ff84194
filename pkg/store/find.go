package store

import (
	"database/sql"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Find returns the accounts that q selects under the policy, best match first,
// and the cursor of the next page, "" on the last. Pages that follow each
// other hold every match exactly once, as long as nobody changes the accounts
// meanwhile. Usage when the cursor is not one of this query.
//
// An account matches a text when it matches each of its words, after
// [logiqc.Fold]: a word of three characters or more anywhere in its username,
// email or name; a shorter one at the beginning of its username, of its email
// or of a word of its name. It also matches its exact id.
//
// The order is by kind of match: exact username, email or id; beginning of the
// username; beginning of the email; the name from one of its words on, turned
// round where need be; anything else. Without a text it is by username.
func (tx *Tx) Find(q logiqc.UserQuery, p logiqc.Policy) (users []logiqc.User, next string, err error) {
	s := newSearch(q.Text)
	limit := pageLimit(q.Limit)
	asked := q
	asked.Limit, asked.Cursor = 0, ""
	at := position{Query: queryMark(asked, p.Enforced)}
	if q.Cursor != "" {
		if at, err = parseCursor(q.Cursor, at.Query); err != nil {
			return nil, "", err
		}
	}
	f := finder{tx: tx, search: s, filter: func(sel *query) { filterUsers(sel, q, p, tx.now) }, limit: limit}
	for i := at.Step; i < len(s.steps) && f.next == nil; i++ {
		if err := f.scan(i, at); err != nil {
			return nil, "", err
		}
		at.Key, at.N = nil, 0
	}
	if f.next != nil {
		f.next.Query = at.Query
		next = f.next.cursor()
	}
	users, err = tx.usersByNumber(f.found)
	return users, next, err
}

// finder collects one page of a search.
type finder struct {
	tx     *Tx
	search *search
	filter func(*query)
	limit  int
	found  []int64   // numbers of accounts
	next   *position // where the page ended, once there is more
	last   position
}

// scan goes through one step of the search from a position on. A database that
// would send what nobody reads is asked for more and more at a time instead.
func (f *finder) scan(i int, from position) error {
	size := 0
	if !f.tx.engine.dialect().streams {
		size = f.limit + 1
	}
	for {
		seen, err := f.scanSome(i, &from, size)
		if err != nil || f.next != nil || size == 0 || seen < size {
			return err
		}
		size = min(4*size, logiqc.PageMax)
	}
}

// scanSome goes on with a step for up to size candidates, 0 for all, and moves
// from on past them.
func (f *finder) scanSome(i int, from *position, size int) (seen int, err error) {
	st := f.search.steps[i]
	var sel query
	if err := st.sql(f.tx, &sel, *from, f.search.words); err != nil {
		return 0, err
	}
	f.filter(&sel)
	sel.WriteString(st.order())
	if size > 0 {
		sel.add(` LIMIT `, size)
	}
	var c candidate
	err = f.tx.search(&sel, func(rows *sql.Rows) error {
		if err := rows.Scan(&c.key, &c.n, &c.id, &c.username, &c.emailKey, &c.email, &c.name); err != nil {
			return err
		}
		seen++
		from.Key, from.N = []byte(c.key), c.n
		c.fold()
		if !f.search.emits(i, &c) {
			return nil
		}
		if len(f.found) == f.limit {
			f.next = &f.last
			return errStop
		}
		f.found = append(f.found, c.n)
		f.last = position{Step: i, Key: []byte(c.key), N: c.n}
		return nil
	})
	return seen, err
}

// usersByNumber loads accounts in the order of their numbers in ns.
func (tx *Tx) usersByNumber(ns []int64) ([]logiqc.User, error) {
	all := make([]logiqc.User, len(ns))
	place := make(map[int64]int, len(ns))
	for i, n := range ns {
		place[n] = i
	}
	return all, eachIn(tx, userSQL+`WHERE a.n IN (`, ``, nil, ns, func(rows *sql.Rows) error {
		u, err := scanUser(rows)
		all[place[u.N]] = u
		return err
	})
}

// filterUsers adds the conditions of a query other than its text.
func filterUsers(sel *query, q logiqc.UserQuery, p logiqc.Policy, now logiqc.Time) {
	switch q.Status {
	case "":
	case logiqc.Inactive:
		sel.WriteString(` AND a.status = 'inactive'`)
	default:
		sel.add(` AND a.status = `, string(q.Status))
	}
	if q.Auth != "" {
		sel.add(` AND a.auth = `, string(q.Auth))
	}
	switch q.Role {
	case "":
	case logiqc.RoleUser:
		sel.WriteString(` AND a.role = 'user'`)
	default:
		sel.add(` AND a.role <> 'user' AND a.role = `, string(q.Role))
	}
	switch q.MFA {
	case logiqc.EnrolmentEnrolled:
		sel.WriteString(` AND ` + enrolledSQL)
	case logiqc.EnrolmentPending:
		sel.add(` AND NOT `+enrolledSQL+` AND `+pendingSQL, int64(now), `)`)
	case logiqc.EnrolmentNone:
		sel.add(` AND NOT `+enrolledSQL+` AND NOT `+pendingSQL, int64(now), `)`)
	}
	filterFlag(sel, requiredSQL(p), q.Required)
	filterFlag(sel, `a.protected = 1`, q.Protected)
	if q.AwaitingEnrolment {
		sel.WriteString(` AND ` + awaitingSQL(p))
		if q.ResetBefore != 0 {
			sel.add(` AND a.reset_at < `, int64(q.ResetBefore))
		}
	}
}

func filterFlag(sel *query, condition string, want *bool) {
	switch {
	case want == nil:
	case *want:
		sel.WriteString(` AND ` + condition)
	default:
		sel.WriteString(` AND NOT (` + condition + `)`)
	}
}

// candidate is what is looked at of an account to tell whether it matches.
type candidate struct {
	key                                 string // what the step orders by
	n                                   int64
	id, username, emailKey, email, name string // username as its key
	emailFold, nameFold                 string
	words                               []string // of account_word, made when asked for
}

func (c *candidate) fold() {
	c.emailFold, c.nameFold, c.words = logiqc.Fold(c.email), logiqc.Fold(c.name), nil
}

// turned returns the account's entries in account_word.
func (c *candidate) turned() []string {
	if c.words == nil {
		c.words = searchWords(c.nameFold, c.emailFold, c.emailKey)
	}
	return c.words
}

// matches reports whether the account matches one folded word.
func (c *candidate) matches(word string) bool {
	if isLong(word) {
		return strings.Contains(c.username, word) || strings.Contains(c.emailFold, word) || strings.Contains(c.nameFold, word)
	}
	return strings.HasPrefix(c.username, word) || strings.HasPrefix(c.emailKey, word) || strings.HasPrefix(c.emailFold, word) ||
		strings.HasPrefix(c.nameFold, word) || strings.Contains(c.nameFold, " "+word)
}
