package store

import (
	"slices"
	"testing"

	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// What somebody changes in the database itself is found, and named.
func TestCheckPostgres(t *testing.T) {
	s, _ := newStoreAt(t, pgtest.Database(t))
	addUsers(t, s, 3, nil)
	where := whereIs(s)
	for _, c := range []struct{ do, undo, check, detail string }{
		{`ALTER TABLE event DISABLE TRIGGER event_fixed`, `ALTER TABLE event ENABLE TRIGGER event_fixed`,
			"schema", "the trigger event_fixed is not as this program made it"},
		{`ALTER TABLE account ADD COLUMN notes TEXT`, `ALTER TABLE account DROP COLUMN notes`,
			"schema", "the column account.notes is none of this program's"},
		{`ALTER TABLE token RENAME COLUMN allow TO allowed`, `ALTER TABLE token RENAME COLUMN allowed TO allow`,
			"schema", "the column token.allow is missing"},
		{`CREATE TRIGGER mine AFTER INSERT ON token EXECUTE FUNCTION logiqc_refuse('no')`, `DROP TRIGGER mine ON token`,
			"schema", "the trigger mine is none of this program's"},
		{`UPDATE account SET name = 'Somebody Else' WHERE n = 2`, ``, "search", "accounts are not found by the words they have"},
	} {
		pgtest.Exec(t, where, c.do)
		found, err := Check(t.Context(), where, Options{})
		if err != nil || !slices.Contains(found, Problem{c.check, c.detail}) {
			t.Errorf("%s: %v, %v", c.do, found, err)
		}
		if c.undo == "" {
			continue
		}
		pgtest.Exec(t, where, c.undo)
		if found, err := Check(t.Context(), where, Options{}); err != nil || len(found) > 0 {
			t.Errorf("%s: %v, %v", c.undo, found, err)
		}
	}
}
