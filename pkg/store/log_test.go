package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// newEvent makes the event that follows a log of seq.
func newEvent(t testing.TB, seq int64, edit func(*logiqc.Event)) LogRow {
	t.Helper()
	e := logiqc.Event{Seq: seq, Body: logiqc.Body{
		ID: fmt.Sprintf("event-%d", seq), Time: logiqc.At(noon) + logiqc.Time(seq), Action: logiqc.MFAResetDone, Outcome: logiqc.Success,
		Actor:  logiqc.EventActor{Kind: logiqc.Person, ID: "id-000009", Username: "Helen"},
		Target: logiqc.Target{ID: "id-000001", Username: "User1"}, RequestID: "r1",
	}}
	if edit != nil {
		edit(&e)
	}
	raw, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	return LogRow{Event: e, Bytes: raw}
}

// appendEvents appends n events and two hashes for each.
func appendEvents(t testing.TB, tx *Tx, n int, edit func(*logiqc.Event)) error {
	t.Helper()
	size, root, err := tx.Head()
	if err != nil {
		return err
	}
	var rows []LogRow
	var hashes []StoredHash
	for i := range int64(n) {
		r := newEvent(t, size+i, edit)
		rows = append(rows, r)
		root = sha256.Sum256(append(root[:], r.Bytes...))
		hashes = append(hashes, StoredHash{2 * (size + i), root}, StoredHash{2*(size+i) + 1, hashOf("node")})
	}
	return tx.AppendLog(rows, hashes, root)
}

func TestAppendAndRead(t *testing.T) {
	s, _ := newTestStore(t)
	view(t, s, func(tx *Tx) error {
		size, root, err := tx.Head()
		if size != 0 || root != sha256.Sum256(nil) {
			t.Errorf("a new log: %d, %x", size, root)
		}
		return err
	})
	update(t, s, func(tx *Tx) error { return appendEvents(t, tx, 120, nil) })
	update(t, s, func(tx *Tx) error {
		return errors.Join(appendEvents(t, tx, 1, nil), appendEvents(t, tx, 2, nil), tx.AppendLog(nil, nil, [32]byte{}))
	})
	view(t, s, func(tx *Tx) error {
		size, root, err := tx.Head()
		events, err2 := tx.LogSize()
		if size != 123 || events != 123 {
			t.Errorf("%d, %d events, want 123", size, events)
		}
		hashes, err3 := tx.ReadHashes([]int64{244, 1, 0})
		if len(hashes) != 3 || hashes[0] != root || hashes[1] != hashOf("node") {
			t.Errorf("hashes %x, root %x", hashes, root)
		}
		_, err4 := tx.ReadHashes([]int64{1000})
		wantCode(t, err4, logiqc.Integrity)
		raw, err5 := tx.Event(7)
		if want := newEvent(t, 7, nil).Bytes; string(raw) != string(want) {
			t.Errorf("event %s, want %s", raw, want)
		}
		_, err6 := tx.Event(123)
		wantCode(t, err6, logiqc.NotFound)
		return errors.Join(err, err2, err3, err5)
	})
}

func TestReadRanges(t *testing.T) {
	s, _ := newTestStore(t)
	update(t, s, func(tx *Tx) error {
		return appendEvents(t, tx, 20, func(e *logiqc.Event) { // each column another
			e.Outcome, e.Code, e.Actor.Name, e.Actor.For = logiqc.Denied, logiqc.Privileged, "Inês's token", "Tom\x1f"
		})
	})
	sentinel := errors.New("stop")
	view(t, s, func(tx *Tx) error {
		next := int64(3)
		err := tx.IndexedLeaves(3, 1<<40, func(seq int64, raw, index []byte) error {
			e, err := logiqc.ParseLeaf(seq, raw)
			cols := ColumnsOf(e)
			if want := cols.AppendIndex(nil); seq != next || !bytes.Equal(index, want) {
				t.Errorf("event %d, want %d, with %q, want %q", seq, next, index, want)
			}
			next++
			return err
		})
		if next != 20 {
			t.Errorf("leaves end at %d", next)
		}
		var seen []int64
		err2 := tx.StoredHashes(5, 8, func(i int64, _ [32]byte) error { seen = append(seen, i); return nil })
		if !slices.Equal(seen, []int64{5, 6, 7}) {
			t.Errorf("hashes %d", seen)
		}
		if err := tx.Leaves(0, 9, func(int64, []byte) error { return sentinel }); !errors.Is(err, sentinel) {
			t.Errorf("error %v", err)
		}
		if err := tx.StoredHashes(0, 9, func(int64, [32]byte) error { return sentinel }); !errors.Is(err, sentinel) {
			t.Errorf("error %v", err)
		}
		return errors.Join(err, err2)
	})
}

func TestAppendRefusesGaps(t *testing.T) {
	s, _ := newTestStore(t)
	err := s.Update(t.Context(), func(tx *Tx) error {
		return tx.AppendLog([]LogRow{newEvent(t, 1, nil)}, nil, [32]byte{1})
	})
	wantCode(t, err, logiqc.Internal)
	err = s.Update(t.Context(), func(tx *Tx) error {
		tx.size = 5 // as if the head had moved behind this transaction's back
		return tx.AppendLog([]LogRow{newEvent(t, 5, nil)}, nil, [32]byte{1})
	})
	wantCode(t, err, logiqc.Conflict)
}

// The log's tables refuse what only a defect of ours would try (S-59).
func TestTriggers(t *testing.T) {
	s, _ := newTestStore(t)
	update(t, s, func(tx *Tx) error { return appendEvents(t, tx, 3, nil) })
	for _, stmt := range []string{
		`UPDATE event SET outcome = 'denied' WHERE seq = 1`, `DELETE FROM event`, `DELETE FROM event WHERE seq = 2`,
		`INSERT OR REPLACE INTO event SELECT * FROM event WHERE seq = 1`,
		`UPDATE log_hash SET hash = x'00'`, `DELETE FROM log_hash`, `INSERT OR REPLACE INTO log_hash VALUES (1, x'00')`,
		`UPDATE log_head SET size = 2`, `UPDATE log_head SET root = x'00'`, `UPDATE log_head SET turn = 0`, `DELETE FROM log_head`,
		`INSERT OR REPLACE INTO log_head VALUES (1, 0, 0, x'00')`, `INSERT INTO log_head VALUES (2, 0, 0, x'00')`,
	} {
		err := s.Update(t.Context(), func(tx *Tx) error { _, err := tx.exec(stmt); return err })
		if err == nil {
			t.Errorf("%s: went through", stmt)
		}
	}
	view(t, s, func(tx *Tx) error {
		size, _, err := tx.Head()
		n, err2 := tx.LogSize()
		if size != 3 || n != 3 {
			t.Errorf("%d, %d events are left", size, n)
		}
		return errors.Join(err, err2)
	})
}

// eventful makes ten accounts and a log in which each event is another kind.
func eventful(t *testing.T) *Store {
	t.Helper()
	s, _ := newTestStore(t)
	all := addUsers(t, s, 10, nil)
	all[2].Role = logiqc.RoleAuditor
	all[3].Protected = true
	target := func(i int) logiqc.Target { return all[i].Target() }
	token := logiqc.EventActor{Kind: logiqc.Token, ID: "token-1", Username: "ci", Name: "CI", For: "User9"}
	system := logiqc.EventActor{Kind: logiqc.System, OSUser: "root"}
	edits := []func(*logiqc.Event){
		0: func(e *logiqc.Event) {
			e.Actor, e.Target, e.Action, e.RequestID = system, logiqc.Target{}, logiqc.StoreInitialised, ""
		},
		1: nil,
		2: func(e *logiqc.Event) { e.Actor, e.Target, e.RequestID = token, target(2), "r2" },
		3: func(e *logiqc.Event) { e.Target, e.Outcome, e.Code = target(3), logiqc.Denied, logiqc.Privileged },
		4: func(e *logiqc.Event) { e.Target, e.Action, e.Time = target(4), logiqc.UserUpdated, e.Time+1000 },
		5: func(e *logiqc.Event) { e.Actor, e.Target, e.Outcome = asActor(all[4]), logiqc.Target{}, logiqc.Failed },
		6: func(e *logiqc.Event) { e.Target = logiqc.Target{ID: "gone", Username: "Gone"} },
	}
	update(t, s, func(tx *Tx) error {
		for i := range edits {
			if err := appendEvents(t, tx, 1, edits[i]); err != nil {
				return err
			}
		}
		return errors.Join(tx.UpdateUser(all[2]), tx.UpdateUser(all[3]))
	})
	return s
}

func TestEventsFilters(t *testing.T) {
	s := eventful(t)
	at := func(seq int) logiqc.Time { return logiqc.At(noon) + logiqc.Time(seq) }
	after := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		q    logiqc.EventQuery
		s    EventScope
		want []int64
	}{
		"all":                    {want: []int64{6, 5, 4, 3, 2, 1, 0}},
		"target by username":     {q: logiqc.EventQuery{Target: "USER1"}, want: []int64{1}},
		"target by id":           {q: logiqc.EventQuery{Target: "id-000004"}, want: []int64{4}},
		"target by email":        {q: logiqc.EventQuery{Target: "user4@example.org"}, want: []int64{4}},
		"target that is gone":    {q: logiqc.EventQuery{Target: "gONE"}, want: []int64{6}},
		"actor":                  {q: logiqc.EventQuery{Actor: "user4"}, want: []int64{5}},
		"actor with no account":  {q: logiqc.EventQuery{Actor: "token-1"}, want: []int64{2}},
		"actor by token name":    {q: logiqc.EventQuery{Actor: "ci"}, want: []int64{2}},
		"actor, own and tokens":  {q: logiqc.EventQuery{Actor: "user9"}, want: []int64{6, 4, 3, 2, 1}},
		"about or by":            {q: logiqc.EventQuery{User: "user4"}, want: []int64{5, 4}},
		"about or by, tokens":    {q: logiqc.EventQuery{User: "id-000009"}, want: []int64{6, 4, 3, 2, 1}},
		"about or by, gone":      {q: logiqc.EventQuery{User: "gone"}, want: []int64{6}},
		"nobody":                 {q: logiqc.EventQuery{User: "nobody"}, want: []int64{}},
		"actions":                {q: logiqc.EventQuery{Actions: []logiqc.Action{logiqc.UserUpdated, logiqc.StoreInitialised}}, want: []int64{4, 0}},
		"denied":                 {q: logiqc.EventQuery{Outcome: logiqc.Denied}, want: []int64{3}},
		"success":                {q: logiqc.EventQuery{Outcome: logiqc.Success, User: "user4"}, want: []int64{4}},
		"request":                {q: logiqc.EventQuery{RequestID: "r2"}, want: []int64{2}},
		"since":                  {q: logiqc.EventQuery{Since: at(5)}, want: []int64{6, 5, 4}},
		"until":                  {q: logiqc.EventQuery{Until: at(2)}, want: []int64{1, 0}},
		"until before all":       {q: logiqc.EventQuery{Until: 1}, want: []int64{}},
		"since after all":        {q: logiqc.EventQuery{Since: at(5000)}, want: []int64{}},
		"after":                  {q: logiqc.EventQuery{After: after(4)}, want: []int64{5, 6}},
		"after the beginning":    {q: logiqc.EventQuery{After: after(-1), Target: "user1"}, want: []int64{1}},
		"scope: self":            {s: EventScope{SelfID: "id-000004"}, want: []int64{4}},
		"scope: self, not other": {q: logiqc.EventQuery{Target: "user1"}, s: EventScope{SelfID: "id-000004"}, want: []int64{}},
		"scope: unprivileged":    {s: EventScope{Unprivileged: true}, want: []int64{4, 1}},
		"scope: since":           {s: EventScope{Since: at(6)}, q: logiqc.EventQuery{Since: at(1)}, want: []int64{6, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := allEvents(t, s, c.q, c.s); !slices.Equal(got, c.want) {
				t.Errorf("got %d, want %d", got, c.want)
			}
			if len(c.want) > 1 { // in pages, too
				c.q.Limit = 1
				if got := allEvents(t, s, c.q, c.s); !slices.Equal(got, c.want) {
					t.Errorf("in pages: got %d, want %d", got, c.want)
				}
			}
		})
	}
}

// asActor is an account as a person who acts.
func asActor(u *logiqc.User) logiqc.EventActor {
	return logiqc.EventActor{Kind: logiqc.Person, ID: u.ID, Username: u.Username}
}

func allEvents(t *testing.T, s *Store, q logiqc.EventQuery, scope EventScope) []int64 {
	t.Helper()
	seqs := []int64{}
	for {
		var next string
		view(t, s, func(tx *Tx) error {
			rows, n, err := tx.Events(q, scope)
			for _, r := range rows {
				if e, err := logiqc.ParseLeaf(r.Seq, r.Bytes); err != nil || e.ID != fmt.Sprintf("event-%d", r.Seq) {
					t.Errorf("event %d: %+v, %v", r.Seq, e, err)
				}
				seqs = append(seqs, r.Seq)
			}
			next = n
			return err
		})
		if next == "" {
			return seqs
		}
		q.Cursor = next
	}
}

func TestEventsCursor(t *testing.T) {
	s, _ := newTestStore(t)
	update(t, s, func(tx *Tx) error { return appendEvents(t, tx, 3, nil) })
	var cursor string
	view(t, s, func(tx *Tx) (err error) {
		_, cursor, err = tx.Events(logiqc.EventQuery{Limit: 1}, EventScope{})
		return err
	})
	for name, q := range map[string]logiqc.EventQuery{
		"nonsense": {Cursor: "nonsense"}, "not base64": {Cursor: "%%%"}, "cut": {Cursor: cursor[:len(cursor)-4]},
		"another query": {Cursor: cursor, Actor: "helen"}, "long": {Cursor: strings.Repeat("A", 1<<16)},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.View(t.Context(), func(tx *Tx) error { _, _, err := tx.Events(q, EventScope{}); return err })
			wantCode(t, err, logiqc.Usage)
		})
	}
}
