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
	f := finder{tx: tx, search: s, limit: limit}
	if asked.Text = ""; asked != (logiqc.UserQuery{}) {
		f.filter = func(sel *query) { filterUsers(sel, q, p, tx.now) }
	}
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
	filter func(*query) // adds the conditions of a query other than its text; nil when it has none
	limit  int
	found  []int64   // numbers of accounts
	next   *position // where the page ended, once there is more
	last   position
}

// scan goes through one step of the search from a position on. A database that
// would send what nobody reads is asked for more and more at a time instead.
func (f *finder) scan(i int, from position) error {
	st, size := f.search.steps[i], askedFor(f.limit+1)
	if st.kind == byText {
		q := textQuery{columns: candidateSQL, words: f.search.words, filter: f.filter, after: from.N}
		return f.tx.eachText(q, size, f.limit+1-len(f.found), func(rows *sql.Rows) (n int64, took bool, err error) {
			before := len(f.found)
			err = f.look(i, &from, rows)
			return from.N, len(f.found) > before, err
		})
	}
	for {
		var sel query
		st.sql(f.tx.engine.dialect(), &sel, from)
		if f.filter != nil {
			f.filter(&sel)
		}
		sel.WriteString(st.order())
		if !f.tx.engine.dialect().streams {
			sel.limit(size)
		}
		seen := 0
		// Filters decide which way through the accounts is the shortest.
		err := f.tx.rows(sel.String(), sel.args, f.filter != nil, func(rows *sql.Rows) error {
			seen++
			return f.look(i, &from, rows)
		})
		if err != nil || f.next != nil || seen < size || f.tx.engine.dialect().streams {
			return err
		}
		size = min(4*size, mostAskedFor)
	}
}

// How many candidates a database is asked for at a time: few different numbers,
// since each is a statement of its own, to be prepared.
const (
	leastAskedFor = 21
	mostAskedFor  = leastAskedFor * 64
)

func askedFor(n int) int {
	size := leastAskedFor
	for size < n && size < mostAskedFor {
		size *= 4
	}
	return size
}

// look takes the candidate of a row of step i, if it is one to yield, and moves
// from on past it. errStop when the page is full.
func (f *finder) look(i int, from *position, rows *sql.Rows) error {
	var c candidate
	if err := rows.Scan(&c.key, &c.n, &c.id, &c.username, &c.emailKey, &c.email, &c.name); err != nil {
		return err
	}
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
}

// usersByNumber loads accounts in the order of their numbers in ns.
func (tx *Tx) usersByNumber(ns []int64) ([]logiqc.User, error) {
	all := make([]logiqc.User, len(ns))
	place := make(map[int64]int, len(ns))
	for i, n := range ns {
		place[n] = i
	}
	return all, eachIn(tx, userSQL+`WHERE a.n`, ``, nil, ns, func(rows *sql.Rows) error {
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
