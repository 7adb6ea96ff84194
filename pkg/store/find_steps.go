package store

import (
	"slices"
	"strings"
	"unicode"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// search is a text to look for and the steps in which to look. A step yields
// only accounts that no earlier one did, which is told from the account alone;
// so a page can begin in the middle of any step.
type search struct {
	words []string // folded
	steps []step
}

// step is one way through an index, in the order of its key.
type step struct {
	kind stepKind
	// prefix is what the key begins with; of byExact, the key.
	prefix string
}

type stepKind int

const (
	byList     stepKind = iota // every account
	byExact                    // a username, email or id
	byUsername                 // the beginning of a username
	byEmail                    // the beginning of an email
	byWord                     // the beginning of an entry of account_word
	byText                     // the text index
)

// maxTrigrams bounds the trigrams of a text that are thought about; what the
// text index yields is looked at anyway.
const maxTrigrams = 64

// newSearch plans a search. No account has a NUL in it, so a text with one
// finds nothing.
func newSearch(text string) *search {
	folded := logiqc.Fold(text)
	exact := logiqc.Key(strings.TrimSpace(text))
	s := &search{words: wordsOf(folded)}
	folded = strings.Join(s.words, " ")
	switch {
	case len(s.words) == 0:
		s.steps = []step{{byList, ""}}
		return s
	case strings.ContainsRune(text, 0):
		return s
	case len(s.words) == 1:
		// Who has exactly that username or email comes first in the ranges anyway;
		// an id has hyphens.
		if exact != folded || strings.Contains(exact, "-") {
			s.steps = []step{{byExact, exact}}
		}
		if !strings.Contains(folded, "@") { // which no username has
			s.steps = append(s.steps, step{byUsername, folded})
		}
		s.steps = append(s.steps, step{byEmail, folded}, step{byWord, folded})
	default: // no username, email or id has a blank
		s.steps = []step{{byWord, folded}}
	}
	switch {
	case slices.ContainsFunc(s.words, isLong):
		s.steps = append(s.steps, step{byText, ""})
	case len(s.words) > 1: // no trigram: go by the longest word
		w := slices.MaxFunc(s.words, func(a, b string) int { return len(a) - len(b) })
		s.steps = append(s.steps, step{byUsername, w}, step{byEmail, w}, step{byWord, w})
	}
	return s
}

// wordsOf are the words of a text to look for. What stands between and around
// names where they are copied from, as in "Lee, Jordan <jlee@example.org>;", is no part of them.
func wordsOf(folded string) []string {
	return strings.FieldsFunc(folded, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;<>", r) })
}

// emits reports whether step i is the one to yield the account, at the key it
// was found by.
func (s *search) emits(i int, c *candidate) bool {
	st := s.steps[i]
	if st.kind == byList || st.kind == byExact {
		return true
	}
	for _, w := range s.words {
		if !c.matches(w) {
			return false
		}
	}
	for _, earlier := range s.steps[:i] {
		if earlier.covers(c) {
			return false
		}
	}
	if st.kind != byWord {
		return true
	}
	// Of the entries of one account in the range the first counts.
	for _, w := range c.turned() {
		if st.within(w) {
			return w == c.key
		}
	}
	return false
}

// covers reports whether going through the step meets the account.
func (st step) covers(c *candidate) bool {
	switch st.kind {
	case byExact:
		return c.username == st.prefix || c.emailKey == st.prefix || c.id == st.prefix
	case byUsername:
		return st.within(c.username)
	case byEmail:
		return st.within(c.emailKey)
	case byWord:
		return slices.ContainsFunc(c.turned(), st.within)
	default:
		return true
	}
}

// within reports whether a key is in the range of the step.
func (st step) within(key string) bool { return key >= st.prefix && key < st.end() }

// end is past every key that begins with the prefix: no text has U+10FFFF in
// it, which is not a character.
func (st step) end() string { return st.prefix + "\U0010ffff" }

// candidateSQL are the columns of account a that tell whether it matches, after
// the key it is found by.
const candidateSQL = `a.n, a.id, a.username_key, a.email_key, a.email, a.name `

// sql writes the SELECT of the step's accounts after a position, up to its
// conditions. The text index has its own, see [Tx.eachText].
func (st step) sql(d *dialect, sel *query, from position) {
	switch st.kind {
	case byExact:
		sel.add(`SELECT a.username_key, `+candidateSQL+`FROM account a WHERE (a.username_key = `, st.prefix,
			` OR a.email_key = `, st.prefix, ` OR a.id = `, st.prefix, `) AND a.username_key > `, string(from.Key))
	case byUsername:
		st.uniqueSQL(d, sel, from, `a.username_key`)
	case byEmail:
		st.uniqueSQL(d, sel, from, `a.email_key`)
	case byWord:
		st.wordSQL(d, sel, from)
	default:
		sel.add(`SELECT a.username_key, `+candidateSQL+`FROM account a WHERE a.username_key > `, string(from.Key))
	}
}

// uniqueSQL is for a key that no two accounts have.
func (st step) uniqueSQL(d *dialect, sel *query, from position, key string) {
	sel.WriteString(`SELECT ` + key + `, ` + candidateSQL + `FROM account a WHERE ` + key)
	if from.Key != nil {
		sel.WriteString(` > `)
		sel.bound(d, string(from.Key))
	} else {
		sel.WriteString(` >= `)
		sel.bound(d, st.prefix)
	}
	sel.WriteString(` AND ` + key + ` < `)
	sel.bound(d, st.end())
}

func (st step) wordSQL(d *dialect, sel *query, from position) {
	after, number := st.prefix, int64(-1)
	if from.Key != nil {
		after, number = string(from.Key), from.N
	}
	sel.WriteString(`SELECT w.word, ` + candidateSQL + `FROM account_word w ` + d.join + ` account a ON a.n = w.n WHERE (w.word, w.n) > (`)
	sel.bound(d, after)
	sel.WriteString(`, `)
	sel.bound(d, number)
	sel.WriteString(`) AND w.word < `)
	sel.bound(d, st.end())
}

// order writes the ORDER BY of the step.
func (st step) order() string {
	switch st.kind {
	case byEmail:
		return ` ORDER BY a.email_key`
	case byWord:
		return ` ORDER BY w.word, w.n`
	default:
		return ` ORDER BY a.username_key`
	}
}
