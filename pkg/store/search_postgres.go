package store

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The text index of PostgreSQL: the folded text of each account, under an index
// of its trigrams where the extension pg_trgm could be made (see
// schema/00001_postgres.sql); without it every account's text is looked at.

// foldedText is what account_text holds of an account. No word has a line break
// in it, so none is found across two fields.
func foldedText(u *logiqc.User) string {
	return logiqc.Fold(u.Username) + "\n" + logiqc.Fold(u.Email) + "\n" + logiqc.Fold(u.Name)
}

func (e *pgEngine) insertText(tx *Tx, batch []*logiqc.User) error {
	return tx.insertMany(` INTO account_text (rowid, folded)`, 2, len(batch), func(i int, args []any) []any {
		return append(args, batch[i].N, foldedText(batch[i]))
	})
}

func (e *pgEngine) deleteText(tx *Tx, u *logiqc.User) error {
	_, err := tx.exec(`DELETE FROM account_text WHERE rowid = $1`, u.N)
	return err
}

// wordsAsked bounds how many words the database looks for; what it finds is
// looked at anyway.
const wordsAsked = 8

// likeText writes a text so that LIKE takes it for what it is.
var likeText = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// textSQL asks for the longest words, by the index for the rarest of their
// trigrams: each one more is another list to go through, and those that all have
// add nothing. Only LIKE uses the index, and strpos only the order of the numbers; a
// sum of them is in no index's order, so that nobody walks along every account to
// save a sort. The accounts are joined at last, when it is known which.
func (e *pgEngine) textSQL(tx *Tx, sel *query, q textQuery) error {
	sel.WriteString(`SELECT '', ` + q.columns + `FROM (SELECT t.rowid FROM account_text t`)
	if q.filter != nil {
		sel.WriteString(` JOIN account a ON a.n = t.rowid`)
	}
	order := `t.rowid`
	if q.ahead > 0 {
		sel.WriteString(` WHERE t.rowid > `)
		sel.bound(&pgDialect, q.after)
		sel.WriteString(` AND t.rowid <= `)
		sel.bound(&pgDialect, q.after+q.ahead)
	} else {
		order = `t.rowid + 0`
		sel.add(` WHERE t.rowid + 0 > `, q.after)
		if err := trigramSQL(tx, sel, q.words); err != nil {
			return err
		}
	}
	long, short := 0, 0
	for _, w := range longestFirst(q.words) {
		switch {
		case isLong(w) && long < wordsAsked:
			long++
			sel.add(` AND strpos(t.folded, `, w, `) > 0`)
		case !isLong(w) && short < wordsAsked && isASCII(w): // folded as an email's key is
			short++
			sel.add(` AND strpos(E'\n' || replace(t.folded, ' ', E'\n'), `, "\n"+w, `) > 0`)
		}
	}
	if q.filter != nil {
		q.filter(sel)
	}
	sel.WriteString(` ORDER BY ` + order)
	sel.limit(q.limit)
	sel.WriteString(`) t JOIN account a ON a.n = t.rowid ORDER BY a.n`)
	return nil
}

// trigramSQL adds what the index is asked for: trigrams that it surely has, or
// else the words, since which letters of other alphabets it takes for letters is a
// matter of the database's locale.
func trigramSQL(tx *Tx, sel *query, words []string) error {
	asked, err := tx.rarest(words, isAlphanumeric)
	if err != nil {
		return err
	}
	if len(asked) == 0 {
		asked = slices.DeleteFunc(longestFirst(words), func(w string) bool { return !isLong(w) })
		asked = asked[:min(len(asked), wordsAsked)]
	}
	for _, text := range asked {
		sel.add(` AND t.folded LIKE `, "%"+likeText.Replace(text)+"%")
	}
	return nil
}

// longestFirst returns each word once.
func longestFirst(words []string) []string {
	words = slices.Clone(words)
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(utf8.RuneCountInString(b)-utf8.RuneCountInString(a), strings.Compare(a, b))
	})
	return slices.Compact(words)
}

func isAlphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
