package store

import (
	"errors"
	"reflect"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The enrolment code of an account: one at most, gone with an enrolment or a
// reset.
func TestEnrolmentCodes(t *testing.T) {
	s, _ := newTestStore(t)
	all := addUsers(t, s, 2, nil)
	u, other := all[0].ID, all[1].ID
	code := func(user string) (c *logiqc.EnrolmentCode) {
		view(t, s, func(tx *Tx) error {
			got, err := tx.UserByID(user)
			c = got.Code
			return err
		})
		return c
	}
	put := func(id, user string) logiqc.EnrolmentCode {
		c := logiqc.EnrolmentCode{ID: id, UserID: user, Hash: "phc-" + logiqc.Secret(id), CreatedAt: 5, ExpiresAt: 9}
		update(t, s, func(tx *Tx) error { return tx.PutEnrolmentCode(c) })
		return c
	}
	if code(u) != nil {
		t.Error("a new account has one")
	}
	put("a", u)
	kept := put("o", other)
	b := put("b", u)
	if got := code(u); got == nil || *got != b {
		t.Errorf("got %+v, want %+v", got, b)
	}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.MissEnrolmentCode("b"), tx.MissEnrolmentCode("b"), tx.MissEnrolmentCode("a"))
	})
	if got := code(u); got.Tries != 2 {
		t.Errorf("%d tries", got.Tries)
	}
	for _, c := range []struct {
		what string
		end  func(*Tx) error
	}{
		{"cleared", func(tx *Tx) error { return tx.ClearEnrolmentCode(u) }},
		{"reset", func(tx *Tx) error { return tx.ClearEnrolments(u) }},
		{"imported", func(tx *Tx) error { return tx.PutEnrolled(logiqc.Enrolment{ID: "e", UserID: u}) }},
		{"proved", func(tx *Tx) error {
			err := tx.PutPending(logiqc.Enrolment{ID: "p", UserID: u, ExpiresAt: tx.Now() + 1, CodeID: "proved"})
			got, err2 := tx.UserByID(u)
			if got.Pending == nil || got.Pending.CodeID != "proved" {
				t.Errorf("pending %+v", got.Pending)
			}
			_, err3 := tx.ProvePending("p", 1)
			return errors.Join(err, err2, err3)
		}},
	} {
		put(c.what, u)
		update(t, s, c.end)
		if got := code(u); got != nil {
			t.Errorf("%s: %+v is left", c.what, got)
		}
	}
	if got := code(other); !reflect.DeepEqual(got, &kept) {
		t.Errorf("another account's: %+v", got)
	}
}

// How far the accounts are that the resets of one request cleared.
func TestRun(t *testing.T) {
	s, _ := newTestStore(t)
	all := addUsers(t, s, 3, nil)
	var rows []LogRow
	add := func(user, request string, action logiqc.Action, outcome logiqc.Outcome) {
		e := logiqc.Event{Seq: int64(len(rows)), Body: logiqc.Body{ID: "e", Time: 100, Action: action, Outcome: outcome,
			Target: logiqc.Target{ID: user}, RequestID: request}}
		rows = append(rows, LogRow{Event: e, Bytes: []byte{byte(len(rows))}})
	}
	add(all[0].ID, "r", logiqc.MFAResetDone, logiqc.Success)
	add(all[1].ID, "r", logiqc.MFAResetDone, logiqc.Success)
	add(all[2].ID, "r", logiqc.MFAResetDone, logiqc.Denied)
	add(all[2].ID, "other", logiqc.MFAResetDone, logiqc.Denied)
	add(all[2].ID, "unlock", logiqc.UserUnlocked, logiqc.Success)
	add(all[2].ID, "", logiqc.MFAResetDone, logiqc.Success)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.AppendLog(rows, nil, hashOf("root")),
			tx.PutEnrolled(logiqc.Enrolment{ID: "new", UserID: all[0].ID, EnrolledAt: 101}),
			tx.PutEnrolled(logiqc.Enrolment{ID: "old", UserID: all[1].ID, EnrolledAt: 99}))
	})
	for run, want := range map[string]*logiqc.RunFigures{
		"r": {Run: "r", Reset: 2, Enrolled: 1, Waiting: 1}, "other": {Run: "other"}, "unlock": nil, "": nil, "none": nil,
	} {
		view(t, s, func(tx *Tx) error {
			got, ok, err := tx.Run(run)
			if ok != (want != nil) || ok && got != *want {
				t.Errorf("%q: %+v, %t", run, got, ok)
			}
			return err
		})
	}
}
