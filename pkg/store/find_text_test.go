package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// Parts of words that many accounts have, few, only the last ones, or one: each
// is found where it is, in the order of the accounts, in pages of any size and
// with other conditions. There are more accounts than a walk begins with.
func TestFindAmongMany(t *testing.T) {
	s, _ := newTestStore(t)
	const n = 3*firstWalk + 100
	all := addUsers(t, s, n, func(i int, u *logiqc.User) {
		for part, has := range map[string]bool{
			"xdensex": i%3 == 0, "xthinx": i%400 == 7, "xsparsex": i%1500 == 3, "xlatex": i > n-300, "xoncex": i == 5000,
		} {
			if has {
				u.Name += " a" + part
			}
		}
		if i%700 == 0 {
			u.Name += " Q"
		}
		if i%10 == 0 {
			u.Role = logiqc.RoleHelpdesk
		}
	})
	for _, text := range []string{"densex", "thinx", "sparsex", "latex", "oncex", "nonex", "densex q", "q densex", "thinx densex", "densex qq", "latex densex"} {
		for _, role := range []logiqc.Role{"", logiqc.RoleHelpdesk} {
			want := []string{}
			for _, u := range all {
				if naive(u, text) && (role == "" || role == u.Role) {
					want = append(want, u.Username)
				}
			}
			for _, limit := range []int{0, 20, 3} {
				if limit == 3 && len(want) > 100 {
					continue // as many pages say no more
				}
				if got := findAll(t, s, logiqc.UserQuery{Text: text, Role: role, Limit: limit}); !slices.Equal(got, want) {
					t.Errorf("%q of role %q, %d at a time: %d accounts, want %d", text, role, limit, len(got), len(want))
				}
			}
		}
	}
}

// A walk ends, is not long, and finds the page where accounts are met densely.
func TestWalk(t *testing.T) {
	for _, want := range []int{1, 21, 1001} {
		for _, density := range []int64{1, 10, 100, 400, 2000, 10_000, 1 << 40} { // accounts to one that is met
			w := walk{}
			for w.took < want {
				ahead := w.next(want - w.took)
				if ahead == 0 {
					break
				}
				if ahead < 0 || w.passed > 0 && ahead > 4*w.passed {
					t.Fatalf("after %+v it goes on for %d", w, ahead)
				}
				met := min((w.passed+ahead)/density-w.passed/density, int64(want-w.took))
				w.add(ahead, int(met))
			}
			longest := int64(firstWalk) + 2*max(longestWalk, denseWalk*int64(want))
			if full := w.took == want; w.passed > longest || full != (density*int64(want) <= longestWalk || density < denseWalk) && density <= firstWalk {
				t.Errorf("%d wanted, one in %d: %+v", want, density, w)
			}
		}
	}
}

// The server reads what it was meant to: along the numbers, or by the index of
// trigrams, whatever it thinks of a word; a range in the order of its key.
func TestPostgresPlans(t *testing.T) {
	dsn := pgtest.Database(t)
	s, _ := newStoreAt(t, dsn)
	if pgtest.Value(t, dsn, `SELECT to_regclass('account_text_folded') IS NULL`) == "true" {
		t.Skip("this server has no pg_trgm")
	}
	addUsers(t, s, 1, nil)
	pgtest.Exec(t, dsn, `INSERT INTO account SELECT (jsonb_populate_record(a, jsonb_build_object('n', g, 'id', g,
		'username_key', 'user' || g, 'email_key', 'user' || g || '@example.org'))).* FROM account a, generate_series(10000, 30000) g`)
	pgtest.Exec(t, dsn, `INSERT INTO account_word SELECT 'given' || g || ' family' || g, g FROM generate_series(10000, 30000) g`)
	pgtest.Exec(t, dsn, `INSERT INTO account_text SELECT g, 'user' || g || E'\nuser' || g || E'@example.org\ngiven' || g || ' family' || g
		FROM generate_series(10000, 30000) g`)
	pgtest.Exec(t, dsn, `VACUUM ANALYSE`)
	plan := func(sel *query) (plan string) {
		view(t, s, func(tx *Tx) error {
			return tx.each("EXPLAIN "+sel.String(), sel.args, func(rows *sql.Rows) error {
				var line string
				err := rows.Scan(&line)
				plan += line + "\n"
				return err
			})
		})
		return plan
	}
	text := func(q textQuery) *query {
		var sel query
		q.columns, q.limit = candidateSQL, 21
		view(t, s, func(tx *Tx) error { return s.engine.textSQL(tx, &sel, q) })
		return &sel
	}
	ranged := func(kind stepKind) *query {
		st, sel := step{kind, "gi"}, new(query)
		st.sql(s.engine.dialect(), sel, position{})
		sel.WriteString(st.order())
		sel.limit(21)
		return sel
	}
	filter := func(sel *query) { sel.WriteString(` AND a.auth = 'password'`) }
	for name, c := range map[string]struct {
		sel      *query
		has, not string
	}{
		"along":               {text(textQuery{words: []string{"mily29999"}, ahead: 2048}), "account_text_pkey", "Seq Scan"},
		"by the index":        {text(textQuery{words: []string{"mily29999"}}), "account_text_folded", "account_text_pkey"},
		"a common word":       {text(textQuery{words: []string{"given"}}), "", "account_text_pkey"},
		"another alphabet":    {text(textQuery{words: []string{"\u0438\u0432\u0430\u043d"}}), "folded ~~", "account_text_pkey"},
		"two words":           {text(textQuery{words: []string{"mily29999", "given29999"}}), "account_text_folded", "account_text_pkey"},
		"a word and a letter": {text(textQuery{words: []string{"mily29999", "g"}}), "account_text_folded", "account_text_pkey"},
		"with a filter":       {text(textQuery{words: []string{"mily29999"}, filter: filter}), "account_text_folded", "Seq Scan"},
		"usernames":           {ranged(byUsername), "account_username_key_key", "Seq Scan"},
		"emails":              {ranged(byEmail), "account_email_key_key", "Seq Scan"},
		"words":               {ranged(byWord), "account_word_pkey", "Seq Scan"},
	} {
		got := plan(c.sel)
		if !strings.Contains(got, c.has) || strings.Contains(got, c.not) || strings.Contains(got, "Sort  (cost=") && !strings.Contains(got, "folded ~~") {
			t.Errorf("%s: %s\n%s", name, c.sel, got)
		}
	}
}

// A text with a million characters, or of words without end, is no trouble.
func TestFindLongText(t *testing.T) {
	s, _ := newTestStore(t)
	addUsers(t, s, 1, nil)
	for _, text := range []string{strings.Repeat("x", 1<<20), strings.Repeat("given0 ", 1<<12), strings.Repeat("ab ", 1<<12)} {
		if got, want := findAll(t, s, logiqc.UserQuery{Text: text}), text[0] == 'g'; (len(got) == 1) != want {
			t.Errorf("%.20q… finds %v", text, got)
		}
	}
	if got := fmt.Sprint(longestFirst([]string{"b", "aaa", "cc", "aaa"})); got != "[aaa cc b]" {
		t.Error(got)
	}
}
