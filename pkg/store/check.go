package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Problem is something that is wrong with a store.
type Problem struct {
	Check  string `json:"check"` // modes, integrity, foreign_keys, schema or search; more by who knows the keys
	Detail string `json:"detail"`
}

// Check looks whether the store at a place is sound: its files are its owner's
// alone, the database finds no damage and no row that refers to none, tables,
// columns and guards are those of this program, and the search index fits the
// accounts. What a log proves is not its matter. An error says that the store
// could not be looked at, but for damage, which is a problem.
func Check(ctx context.Context, where string, o Options) (found []Problem, err error) {
	var s *Store
	if isDSN(where) {
		s, err = OpenPostgres(where, o)
	} else {
		s, found, err = openLoose(where, o)
	}
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	db, err := s.db(false)
	if err != nil {
		return found, err
	}
	looks := []func() ([]Problem, error){
		func() ([]Problem, error) { return s.engine.checkDatabase(ctx, db) },
		func() (p []Problem, err error) {
			return p, s.View(ctx, func(tx *Tx) error {
				p, err = tx.checkSearch()
				return err
			})
		},
	}
	for _, look := range looks {
		more, err := look()
		found = append(found, more...)
		err = s.engine.explain(err)
		if errors.Is(err, logiqc.Integrity) {
			return append(found, Problem{"integrity", logiqc.AsError(err).Message}), nil
		}
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// openLoose opens a file that others may get at, and tells which of its files
// they may.
func openLoose(path string, o Options) (*Store, []Problem, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, explainFile(path, err)
	}
	var found []Problem
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Lstat(abs + suffix)
		if err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return nil, nil, checkPrivate(abs)
		}
		if err == nil && checksModes && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			found = append(found, Problem{"modes", fmt.Sprintf("others can get at %s (mode %04o): chmod 600 %s",
				abs+suffix, info.Mode().Perm(), quoted(abs+suffix))})
		}
	}
	if len(found) == 0 {
		err = checkPrivate(abs)
	}
	return newSQLite(abs, o), found, err
}

// checkDatabase has SQLite look for damage in the whole file and for rows that
// refer to none, and compares what is in it with a new store's.
func (e *sqliteEngine) checkDatabase(ctx context.Context, db *sql.DB) (found []Problem, err error) {
	texts, err := column(ctx, db, `PRAGMA integrity_check(20)`)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		if text != "ok" {
			found = append(found, Problem{"integrity", text})
		}
	}
	texts, err = column(ctx, db, `SELECT count(*) || ' rows of ' || "table" || ' refer to no ' || "parent"
		FROM pragma_foreign_key_check GROUP BY "table", "parent"`)
	if err != nil {
		return found, err
	}
	for _, text := range texts {
		found = append(found, Problem{"foreign_keys", text})
	}
	want, err := pristine(ctx, sqliteObjects)
	if err != nil {
		return found, err
	}
	have, err := column(ctx, db, sqliteObjects)
	return append(found, differing(have, want)...), err
}

// sqliteObjects lists what there is in a database, with how it was made.
const sqliteObjects = `SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_master
	WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' AND tbl_name <> 'goose_db_version'`

// pristine asks a new, empty store in memory.
func pristine(ctx context.Context, query string) (texts []string, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, sqliteWords.Replace(tables1)+sqlite1); err != nil {
		return nil, err
	}
	return column(ctx, db, query)
}

// ddlComment is what may differ in how an object was made.
var ddlComment = regexp.MustCompile(`--[^\n]*`)

// differing compares objects, written "what: how it was made".
func differing(have, want []string) (found []Problem) {
	index := func(texts []string) map[string]string {
		m := map[string]string{}
		for _, text := range texts {
			what, how, _ := strings.Cut(text, ": ")
			m[what] = strings.Join(strings.Fields(ddlComment.ReplaceAllString(how, "")), " ")
		}
		return m
	}
	here, there := index(have), index(want)
	for _, what := range slices.Sorted(maps.Keys(there)) {
		if how, ok := here[what]; !ok {
			found = append(found, Problem{"schema", "the " + what + " is missing"})
		} else if how != there[what] {
			found = append(found, Problem{"schema", "the " + what + " is not as this program made it"})
		}
	}
	for _, what := range slices.Sorted(maps.Keys(here)) {
		if _, ok := there[what]; !ok {
			found = append(found, Problem{"schema", "the " + what + " is none of this program's"})
		}
	}
	return found
}

// checkDatabase compares columns with those of a new store, and looks whether
// the guards of the log are on and every reference has been checked. Damage is
// for the server to find.
func (e *pgEngine) checkDatabase(ctx context.Context, db *sql.DB) (found []Problem, err error) {
	want, err := pristine(ctx, `SELECT 'column ' || m.name || '.' || c.name || ': ' FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'account\_text%' ESCAPE '\'`)
	if err != nil {
		return nil, err
	}
	for _, trigger := range []string{"event_fixed", "log_hash_fixed", "log_head_stays", "log_head_only_grows"} {
		want = append(want, "trigger "+trigger+": O")
	}
	have, err := column(ctx, db, `SELECT 'column ' || table_name || '.' || column_name || ': ' FROM information_schema.columns
			WHERE table_schema = current_schema() AND table_name NOT IN ('account_text', '`+migrationTable+`')
				AND table_name IN (SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace)
		UNION ALL SELECT 'trigger ' || tgname || ': ' || tgenabled::text FROM pg_trigger
			WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)`)
	if err != nil {
		return nil, err
	}
	found = differing(have, want)
	texts, err := column(ctx, db, `SELECT 'the reference ' || conname || ' of ' || conrelid::regclass::text || ' has not been checked' FROM pg_constraint
		WHERE connamespace = current_schema()::regnamespace AND contype = 'f' AND NOT convalidated`)
	for _, text := range texts {
		found = append(found, Problem{"foreign_keys", text})
	}
	return found, err
}

// column reads the texts of a query.
func column(ctx context.Context, db *sql.DB, query string) (texts []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return texts, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

// checkSearch compares the words by which accounts are found, and the keys by
// which they are named, with those that the accounts have.
func (tx *Tx) checkSearch() (found []Problem, err error) {
	var want, have rowSum
	err = tx.each(`SELECT n, username, username_key, email, email_key, name FROM account`, nil, func(rows *sql.Rows) error {
		var u logiqc.User
		var username, email string
		if err := rows.Scan(&u.N, &u.Username, &username, &u.Email, &email, &u.Name); err != nil {
			return err
		}
		if username != logiqc.Key(u.Username) || email != logiqc.Key(u.Email) {
			found = append(found, Problem{"search", fmt.Sprintf("%s (%s) answers to the names %q and %q", u.Username, u.Email, username, email)})
		}
		for _, w := range userWords(&u) {
			want.add([]any{w, u.N})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = tx.each(`SELECT word, n FROM account_word`, nil, func(rows *sql.Rows) error {
		var e entry
		err := rows.Scan(&e.word, &e.n)
		have.add([]any{e.word, e.n})
		return err
	})
	if err == nil && have != want {
		found = append(found, Problem{"search", "accounts are not found by the words they have"})
	}
	return found, err
}

// Upgrade brings the store at a place to the schema of this program. There has
// been one schema so far, so there is nothing to do: a store of an older one is
// refused, as this program knows no way from there.
func Upgrade(ctx context.Context, where string, o Options) (changed bool, err error) {
	s, err := Open(where, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.View(ctx, func(*Tx) error { return nil })
	if e := logiqc.AsError(err); e != nil && e.Hint == hintUpgrade {
		return false, e.WithHint("no version of this program made such a store: put a backup back, logiqc store restore FILE")
	}
	return false, err
}
