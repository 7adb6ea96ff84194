package store

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Whatever adds a session, an outcome or a request for approval takes away what
// is too old of all three; a store that only tokens use does not pile them up.
func TestPurge(t *testing.T) {
	s, c := newTestStore(t)
	addUsers(t, s, 1, nil)
	n := 0
	add := map[string]func(tx *Tx) error{
		"session": func(tx *Tx) error {
			id := strconv.Itoa(n)
			return tx.InsertSession(Session{ID: id, Hash: hashOf(id), UserID: "id-000000", ExpiresAt: tx.Now().Add(time.Hour)})
		},
		"request": func(tx *Tx) error {
			return tx.Remember("helen", "reset", strconv.Itoa(n), 0, []byte("d"), []byte("out"))
		},
		"approval": func(tx *Tx) error {
			return tx.InsertApproval(Approval{ID: strconv.Itoa(n), UserID: "id-000000", RequesterID: "id-000000", State: logiqc.ApprovalPending,
				RequestedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour)})
		},
	}
	rows := func(table string) (rows int) {
		view(t, s, func(tx *Tx) (err error) {
			rows, err = tx.count(`SELECT count(*) FROM ` + table)
			return err
		})
		return rows
	}
	want := func(when string, sessions, requests, approvals int) {
		t.Helper()
		if a, b, c := rows("session"), rows("request"), rows("approval"); a != sessions || b != requests || c != approvals {
			t.Errorf("%s: %d sessions, %d requests, %d approvals", when, a, b, c)
		}
	}
	for _, by := range []string{"session", "request", "approval"} {
		update(t, s, func(tx *Tx) error {
			n++
			return errors.Join(add["session"](tx), add["request"](tx), add["approval"](tx))
		})
		want("there", 1, 1, 1)
		c.at = c.at.Add(2 * time.Hour)
		n++
		update(t, s, add[by])
		if by == "session" { // the session that has expired has gone, and nothing else
			want("after hours", 1, 1, 1)
		} else {
			want("after hours", 0, 1+int(bit(by == "request")), 1+int(bit(by == "approval")))
		}
		c.at = c.at.Add(requestsKept)
		update(t, s, func(tx *Tx) error { return tx.purge() })
		want("after a week", 0, 0, 0)
	}
}
