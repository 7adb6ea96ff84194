package store

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Accounts by what they are called, many at once: the same as one by one.
func TestUsersExact(t *testing.T) {
	s, _ := newTestStore(t)
	all := addUsers(t, s, 2*rowsPerStatement+7, func(i int, u *logiqc.User) {
		u.ID = fmt.Sprintf("01932a7c-0000-7000-8000-%012x", i)
		if i == 1 {
			u.Username = all0
		}
	})
	refs := []string{"nobody", "", "a@b", all0}
	for i, u := range all {
		refs = append(refs, []string{u.Username, "U" + u.Email[1:], u.ID}[i%3], u.Email)
	}
	view(t, s, func(tx *Tx) error {
		found, err := tx.UsersExact(refs)
		for _, ref := range refs {
			want, miss := tx.UserExact(ref)
			got := found[logiqc.Key(ref)]
			if (got == nil) != (miss != nil) || got != nil && !reflect.DeepEqual(*got, want) {
				t.Errorf("%q: got %+v, want %+v (%v)", ref, got, want, miss)
			}
		}
		if found[logiqc.Key(all[3].Username)] != found[logiqc.Key(all[3].Email)] {
			t.Error("an account that is named twice is there twice")
		}
		return err
	})
}

// all0 is the id of one account and the username of another.
const all0 = "01932a7c-0000-7000-8000-000000000000"

// What a reset leaves of many accounts is what the rows say afterwards; others
// are left alone.
func TestResetUsers(t *testing.T) {
	s, _ := newTestStore(t)
	const n = rowsPerStatement + 3
	all := addUsers(t, s, n+1, func(_ int, u *logiqc.User) { u.CodeThrottle = logiqc.Throttle{Misses: 3, Until: 9, Told: true} })
	for _, hold := range []bool{false, true} {
		update(t, s, func(tx *Tx) error {
			for i, u := range all {
				e := logiqc.Enrolment{ID: fmt.Sprintf("e%d-%t", i, hold), UserID: u.ID, Sealed: "s"}
				c := logiqc.EnrolmentCode{ID: fmt.Sprintf("c%d-%t", i, hold), UserID: u.ID, Hash: "h"}
				for _, err := range []error{tx.PutEnrolled(e), tx.PutRecoveryCodes(e.ID, [][32]byte{hashOf(e.ID)}), tx.PutEnrolmentCode(c)} {
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
		var us []*logiqc.User
		update(t, s, func(tx *Tx) error {
			refs := make([]string, n)
			for i := range refs {
				refs[i] = all[i].Username
			}
			named, err := tx.UsersExact(refs)
			if err != nil {
				return err
			}
			us = slices.Collect(maps.Values(named))
			for i, u := range us {
				u.Reset("helen", tx.Now(), hold)
				if i%2 == 0 {
					u.Code = &logiqc.EnrolmentCode{ID: fmt.Sprintf("new%d-%t", i, hold), UserID: u.ID, Hash: "n", CreatedAt: 1, ExpiresAt: 2}
				}
			}
			return tx.ResetUsers(us, hold, false)
		})
		view(t, s, func(tx *Tx) error {
			for _, u := range us {
				if got, err := tx.UserByID(u.ID); err != nil || !reflect.DeepEqual(got, *u) {
					t.Fatalf("%v\ngot  %+v\nwant %+v", err, got, *u)
				}
			}
			if u, err := tx.UserByID(all[n].ID); err != nil || u.Enrolled == nil || u.RecoveryLeft != 1 || u.Code == nil || u.Version != 1 {
				t.Errorf("another account: %+v, %v", u, err)
			}
			return nil
		})
	}
	err := s.Update(t.Context(), func(tx *Tx) error {
		return tx.ResetUsers([]*logiqc.User{{N: 1000, ID: "gone"}}, false, false)
	})
	wantCode(t, err, logiqc.Conflict)
}
