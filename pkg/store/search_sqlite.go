package store

import (
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The text index of SQLite: FTS5 over trigrams of the folded text. It keeps no
// text and no positions, so it yields candidates, which are looked at one by
// one, in the order of their numbers.

// insertText writes one row a statement: several in one make the index write
// each time.
func (e *sqliteEngine) insertText(tx *Tx, batch []*logiqc.User) error {
	for _, u := range batch {
		_, err := tx.exec(`INSERT INTO account_text (rowid, username, email, name) VALUES ($1, $2, $3, $4)`,
			u.N, logiqc.Fold(u.Username), logiqc.Fold(u.Email), logiqc.Fold(u.Name))
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *sqliteEngine) deleteText(tx *Tx, u *logiqc.User) error {
	_, err := tx.exec(`INSERT INTO account_text (account_text, rowid, username, email, name) VALUES ('delete', $1, $2, $3, $4)`,
		u.N, logiqc.Fold(u.Username), logiqc.Fold(u.Email), logiqc.Fold(u.Name))
	return err
}

// textSQL asks for the rarest trigrams of the words.
func (e *sqliteEngine) textSQL(tx *Tx, sel *query, q textQuery) error {
	trigrams, err := tx.rarest(q.words, func(string) bool { return true })
	if err != nil {
		return err
	}
	quoted := make([]string, len(trigrams))
	for i, t := range trigrams {
		quoted[i] = `"` + strings.ReplaceAll(t, `"`, `""`) + `"`
	}
	// CROSS keeps the planner from looking each account up in the index.
	sel.add(`SELECT '', `+q.columns+`FROM account_text t CROSS JOIN account a ON a.n = t.rowid WHERE account_text MATCH `,
		strings.Join(quoted, " AND "), ` AND t.rowid > `, q.after)
	if q.filter != nil {
		q.filter(sel)
	}
	sel.WriteString(` ORDER BY t.rowid`)
	return nil
}
