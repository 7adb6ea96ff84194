package store

import (
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// A request is decided once, while it is open, and keeps no enrolment code then.
func TestDecideApproval(t *testing.T) {
	s, _ := newTestStore(t)
	user := addUsers(t, s, 1, nil)[0].ID
	for _, c := range []struct {
		id    string
		state logiqc.ApprovalState
		open  time.Duration
		want  bool
	}{
		{"approved", logiqc.ApprovalApproved, time.Hour, true}, {"rejected", logiqc.ApprovalRejected, time.Hour, true},
		{"late", logiqc.ApprovalApproved, 0, false},
	} {
		update(t, s, func(tx *Tx) error {
			return tx.InsertApproval(Approval{ID: c.id, UserID: user, RequesterID: user, State: logiqc.ApprovalPending,
				CodeHash: "phc", RequestedAt: tx.Now(), ExpiresAt: tx.Now().Add(c.open), ResetSeq: -1})
		})
		decide := func() (ok bool) {
			update(t, s, func(tx *Tx) (err error) {
				ok, err = tx.DecideApproval(c.id, c.state, user, 7)
				return err
			})
			return ok
		}
		if first, second := decide(), decide(); first != c.want || second {
			t.Errorf("%s: %t, then %t", c.id, first, second)
		}
		view(t, s, func(tx *Tx) error {
			all, err := tx.Approvals(0)
			for _, a := range all {
				if a.ID == c.id && c.want && (a.CodeHash != "" || a.State != c.state) {
					t.Errorf("%s: %+v", c.id, a)
				}
			}
			return err
		})
	}
}
