package store

import (
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The text index of SQLite: FTS5 over trigrams of the folded text. It keeps no
// text and no positions, so it yields candidates, which are looked at one by
// one, in the order of their numbers.
const (
	insertTextSQL = `INSERT INTO account_text (rowid, username, email, name)`
	deleteTextSQL = `INSERT INTO account_text (account_text, rowid, username, email, name) VALUES ('delete', $1, $2, $3, $4)`
	// textFromSQL joins the accounts that have every trigram of a query; CROSS
	// keeps the planner from looking each account up in the index.
	textFromSQL  = `FROM account_text t CROSS JOIN account a ON a.n = t.rowid WHERE account_text MATCH `
	textAfterSQL = ` AND t.rowid > `
	textOrderSQL = ` ORDER BY t.rowid`
)

// textArgs are the values of insertTextSQL and deleteTextSQL.
func textArgs(u *logiqc.User, args []any) []any {
	return append(args, u.N, logiqc.Fold(u.Username), logiqc.Fold(u.Email), logiqc.Fold(u.Name))
}

// matchText asks for every trigram.
func matchText(trigrams []string) string {
	quoted := make([]string, len(trigrams))
	for i, t := range trigrams {
		quoted[i] = `"` + strings.ReplaceAll(t, `"`, `""`) + `"`
	}
	return strings.Join(quoted, " AND ")
}
