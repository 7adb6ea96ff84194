package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// places are where a store can be, by the name of a subtest.
var places = map[string]func(t testing.TB) string{
	"file":     func(t testing.TB) string { return filepath.Join(t.TempDir(), "logiqc.db") },
	"postgres": func(t testing.TB) string { return pgtest.Database(t) },
}

// fullStore is a store with a row in every table, of values that are easily
// spoilt on the way.
func fullStore(t testing.TB, where string) *Store {
	t.Helper()
	s, _ := newStoreAt(t, where)
	update(t, s, func(tx *Tx) error {
		users := make([]*logiqc.User, 60)
		for i := range users {
			users[i] = newUser(i)
		}
		users[3].Name = "Łucja Ünsal-O’Brien\n\u202e\U0001F511"
		if err := errors.Join(tx.InsertUsers(users), appendEvents(t, tx, 120, nil)); err != nil {
			return err
		}
		for _, table := range tables() {
			if n, err := tx.count(`SELECT count(*) FROM ` + table); err != nil || n > 0 {
				if err != nil {
					return err
				}
				continue
			}
			if err := fillTable(tx, table); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return tx.SetFrozen(true, "a reason")
	})
	return s
}

// fillTable inserts a row that fits the references and checks of the schema.
func fillTable(tx *Tx, table string) error {
	var columns, kinds []string
	rows, err := tx.raw.QueryContext(tx.ctx, `SELECT * FROM `+table)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	types, err := rows.ColumnTypes()
	if err := errors.Join(err, rows.Close(), rows.Err()); err != nil {
		return err
	}
	for _, c := range types {
		columns, kinds = append(columns, c.Name()), append(kinds, c.DatabaseTypeName())
	}
	known := map[string]any{
		"user_id": "id-000000", "requester_id": "id-000001", "decider_id": "id-000002", "enrolment_id": "e-1", "one": int64(1),
		"enrolment.id": "e-1", "enrolment.state": "enrolled", "approval.state": "pending",
	}
	args := make([]any, len(columns))
	for i, c := range columns {
		switch kinds[i] {
		case "TEXT":
			args[i] = table + "'s " + c + "\t\U0001F511\"\\ '"
		case "BLOB", "BYTEA":
			args[i] = []byte{0, 1, 0xff, byte(i)}
		default:
			args[i] = int64(1)<<60 + int64(i)
		}
		for _, name := range []string{c, table + "." + c} {
			if v, ok := known[name]; ok {
				args[i] = v
			}
		}
	}
	_, err = tx.exec(tx.valuesSQL(`INSERT INTO `+table+` (`+strings.Join(columns, ", ")+`)`, len(columns), 1), args...)
	return err
}

// dump is all that a store holds, the turn of its writers and its place aside.
func dump(t testing.TB, s *Store) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	view(t, s, func(tx *Tx) error {
		for _, table := range tables() {
			err := tx.each(`SELECT * FROM `+table, nil, func(rows *sql.Rows) error {
				columns, err := rows.Columns()
				if err != nil {
					return err
				}
				row, _, err := scanRow(rows, len(columns))
				if err != nil {
					return err
				}
				var text []string
				for i, c := range columns {
					if c != "turn" && c != "moved_to" {
						text = append(text, fmt.Sprintf("%s=%T:%q", c, row[i], fmt.Sprint(row[i])))
					}
				}
				slices.Sort(text)
				all[table] = append(all[table], strings.Join(text, " "))
				return nil
			})
			if err != nil {
				return err
			}
			slices.Sort(all[table])
		}
		return nil
	})
	return all
}

// A copy from any kind of store to any kind holds the same rows in every table,
// is frozen as the other is, and is searched and written to like any store.
func TestCopy(t *testing.T) {
	for from, source := range places {
		for to, target := range places {
			t.Run(from+"-"+to, func(t *testing.T) {
				s, where := fullStore(t, source(t)), target(t)
				var l *Landing
				var told int64
				err := s.Update(t.Context(), func(tx *Tx) (err error) {
					if err := tx.SetMoved("elsewhere", false); err != nil {
						return err
					}
					l, err = Land(t.Context(), where, Options{}, func(copied *Tx) error {
						c, err := copied.CopyFrom(tx, func(done, _ int64) { told = done })
						if c.Accounts != 60 || c.Secrets != 1 || c.Events != 120 {
							t.Errorf("copied %+v", c)
						}
						return err
					})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := Vacant(t.Context(), where); err != nil {
					t.Errorf("before it is committed: %v", err)
				}
				if err := l.Commit(t.Context()); err != nil || told < 60+120 {
					t.Fatalf("%v, told of %d rows", err, told)
				}
				copied, err := Open(where, Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = copied.Close() })
				compareCopy(t, s, copied)
				if found, err := Check(t.Context(), where, Options{}); err != nil || len(found) > 0 {
					t.Errorf("check: %v, %v", found, err)
				}
			})
		}
	}
}

func compareCopy(t *testing.T, s, copied *Store) {
	t.Helper()
	want, have := dump(t, s), dump(t, copied)
	for _, table := range tables() {
		if len(want[table]) == 0 {
			t.Errorf("there is nothing in %s", table)
		}
		w := want[table]
		if table == tableHead { // the other one is closed because it moves
			w = []string{strings.Replace(w[0], `closed=int64:"3"`, `closed=int64:"1"`, 1)}
		}
		if !slices.Equal(w, have[table]) {
			t.Errorf("%s: %d rows, want %d; the first are\n%s\n%s", table, len(have[table]), len(w), have[table][0], w[0])
		}
	}
	view(t, copied, func(tx *Tx) error {
		for _, q := range []string{"ünsal", "nsal-o", "amily17", "user17@example"} {
			if found, _, err := tx.Find(logiqc.UserQuery{Text: q}, logiqc.DefaultPolicy()); err != nil || len(found) != 1 {
				t.Errorf("%q finds %d accounts, %v", q, len(found), err)
			}
		}
		state, err := tx.State()
		if !state.Frozen || state.Reason != "a reason" || state.To != "" {
			t.Errorf("the copy is %+v", state)
		}
		return err
	})
	wantCode(t, s.Update(t.Context(), func(tx *Tx) error { return tx.InsertUser(newUser(100)) }), logiqc.Moved)
	update(t, copied, func(tx *Tx) error { return errors.Join(tx.InsertUser(newUser(100)), appendEvents(t, tx, 3, nil)) })
}

// A copy that fails leaves nothing, and one goes nowhere that is not empty.
func TestCopyRefused(t *testing.T) {
	broken := errors.New("broken")
	for to, target := range places {
		t.Run(to, func(t *testing.T) {
			s, where := fullStore(t, places["file"](t)), target(t)
			land := func(after error) (*Landing, error) {
				var l *Landing
				err := s.View(t.Context(), func(tx *Tx) (err error) {
					l, err = Land(t.Context(), where, Options{}, func(copied *Tx) error {
						_, err := copied.CopyFrom(tx, nil)
						return errors.Join(err, after)
					})
					return err
				})
				return l, err
			}
			if _, err := land(broken); !errors.Is(err, broken) {
				t.Fatalf("a fill that fails: %v", err)
			}
			leftNothing(t, where)
			l, err := land(nil)
			if err != nil {
				t.Fatal(err)
			}
			l.Discard()
			leftNothing(t, where)
			if to == "postgres" {
				pgtest.Exec(t, where, `CREATE TABLE others (n INT)`)
				_, err := land(nil)
				wantCode(t, err, logiqc.Exists)
				pgtest.Exec(t, where, `DROP TABLE others`)
			}
			if l, err = land(nil); err != nil {
				t.Fatal(err)
			}
			if err := l.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err = land(nil)
			wantCode(t, err, logiqc.Exists)
			if err := l.Commit(t.Context()); err == nil {
				t.Error("it can be committed twice")
			}
		})
	}
}

// leftNothing wants a place as empty as it was.
func leftNothing(t *testing.T, where string) {
	t.Helper()
	if err := Vacant(t.Context(), where); err != nil {
		t.Error(err)
	}
	if isDSN(where) {
		if n := pgtest.Value(t, where, `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace`); n != "0" {
			t.Errorf("%s tables and indexes are left", n)
		}
		return
	}
	left, err := os.ReadDir(filepath.Dir(where))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if f.Name() != "logiqc.db.lock" {
			t.Errorf("%s is left", f.Name())
		}
	}
}

// A row that is lost or changed on the way is found.
func TestCopyIsReadBack(t *testing.T) {
	s := fullStore(t, places["file"](t))
	where := places["file"](t)
	err := s.View(t.Context(), func(tx *Tx) error {
		_, err := Land(t.Context(), where, Options{}, func(copied *Tx) error {
			_, err := copied.exec(`CREATE TRIGGER thief AFTER INSERT ON policy BEGIN UPDATE policy SET value = 'x' WHERE key = new.key; END`)
			if err != nil {
				return err
			}
			_, err = copied.CopyFrom(tx, nil)
			return err
		})
		return err
	})
	wantCode(t, err, logiqc.Integrity)
	leftNothing(t, where)
}
