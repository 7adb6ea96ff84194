package store

import (
	"cmp"
	"slices"
	"strings"
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

// matchText asks for the longest words. The planner knows which of their
// trigrams are rare.
func (e *pgEngine) matchText(_ *Tx, sel *query, words []string, after int64) (bool, error) {
	long := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !isLong(w) })
	slices.SortFunc(long, func(a, b string) int {
		return cmp.Or(utf8.RuneCountInString(b)-utf8.RuneCountInString(a), strings.Compare(a, b))
	})
	long = slices.Compact(long)
	sel.add(`FROM account_text t JOIN account a ON a.n = t.rowid WHERE t.rowid > `, after)
	for _, w := range long[:min(len(long), wordsAsked)] {
		sel.add(` AND t.folded LIKE `, "%"+likeText.Replace(w)+"%")
	}
	return len(long) > 0, nil
}
