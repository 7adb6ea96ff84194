package store

import (
	"errors"
	"reflect"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func TestUserComesBackWhole(t *testing.T) {
	s, _ := newTestStore(t)
	u := newUser(1)
	e := logiqc.Enrolment{ID: "e1", UserID: u.ID, Sealed: "sealed-1", Step: 5, CreatedAt: 21, EnrolledAt: 22, LastUsedAt: 23}
	p := logiqc.Enrolment{ID: "p1", UserID: u.ID, Sealed: "sealed-2", CreatedAt: 24, ExpiresAt: 25}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.InsertUser(u), tx.PutEnrolled(e), tx.PutPending(p),
			tx.PutRecoveryCodes(e.ID, [][32]byte{hashOf("a"), hashOf("b")}))
	})
	want := *u
	e.State, p.State = logiqc.EnrolmentEnrolled, logiqc.EnrolmentPending
	want.Enrolled, want.Pending, want.RecoveryLeft = &e, &p, 2
	view(t, s, func(tx *Tx) error {
		for _, ref := range []string{"USER1", "user1", u.Email, "user1@example.ORG", u.ID} {
			got, err := tx.UserByRef(ref)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, %v\nwant %+v", ref, got, err, want)
			}
		}
		return nil
	})
}

func TestUserRefs(t *testing.T) {
	s, _ := newTestStore(t)
	addUsers(t, s, 3, func(i int, u *logiqc.User) {
		u.Username = []string{"jlee", "id-000000", "mbrown"}[i]
	})
	view(t, s, func(tx *Tx) error {
		_, err := tx.UserByRef("ID-000000")
		wantCode(t, err, logiqc.Ambiguous)
		if m := logiqc.AsError(err).Matches; len(m) != 2 {
			t.Errorf("matches %q", m)
		}
		_, err = tx.UserExact("jle")
		wantCode(t, err, logiqc.NotFound)
		if m := logiqc.AsError(err).Matches; m != nil {
			t.Errorf("UserExact offers %q", m)
		}
		for ref, want := range map[string]string{"jle": "jlee", "jlee1": "jlee", "mbrwon": "mbrown", "xbrown": "mbrown",
			"mbrown@elsewhere.org": "mbrown", "Given2": "mbrown"} {
			_, err := tx.UserByRef(ref)
			wantCode(t, err, logiqc.NotFound)
			if m := logiqc.AsError(err).Matches; len(m) == 0 || len(m) > 3 || m[0] != want {
				t.Errorf("%s: offers %q, want %s first", ref, m, want)
			}
		}
		_, err = tx.UserByRef("given")
		wantCode(t, err, logiqc.Ambiguous)
		if m := logiqc.AsError(err).Matches; len(m) != 3 {
			t.Errorf("given: candidates %q", m)
		}
		for _, ref := range []string{"", " ", "\x00", "qqqqqq", "@", "\xff\xfe", "%", "'; DROP TABLE account; --"} {
			_, err := tx.UserByRef(ref)
			wantCode(t, err, logiqc.NotFound)
		}
		got, err := tx.Users([]string{"id-000002", "nobody", "id-000000"})
		if len(got) != 2 || got[0].Username != "mbrown" || got[1].Username != "jlee" {
			t.Errorf("users %+v", got)
		}
		return err
	})
}

func TestInsertTaken(t *testing.T) {
	s, _ := newTestStore(t)
	addUsers(t, s, 1, nil)
	for name, c := range map[string]struct {
		batch []*logiqc.User
		row   int
		field string
	}{
		"username in the store": {[]*logiqc.User{newUser(1), {ID: "x", Username: "USER0", Email: "x@x"}}, 1, "username"},
		"email in the store":    {[]*logiqc.User{{ID: "x", Username: "x", Email: "uSER0@example.org"}}, 0, "email"},
		"username in the batch": {[]*logiqc.User{newUser(1), newUser(2), {ID: "x", Username: "user1", Email: "x@x"}}, 2, "username"},
		"email in the batch":    {[]*logiqc.User{newUser(1), {ID: "x", Username: "x", Email: "USER1@example.org"}}, 1, "email"},
		"id":                    {[]*logiqc.User{{ID: "id-000000", Username: "x", Email: "x@x"}}, 0, "id"},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.Update(t.Context(), func(tx *Tx) error { return tx.InsertUsers(c.batch) })
			wantCode(t, err, logiqc.Exists)
			var row *RowError
			if !errors.As(err, &row) || row.Row != c.row || row.Field != c.field {
				t.Errorf("%+v, want row %d, %s", row, c.row, c.field)
			}
		})
	}
	err := s.Update(t.Context(), func(tx *Tx) error {
		return tx.InsertUser(&logiqc.User{ID: "y", Username: "user0", Email: "y@y"})
	})
	wantCode(t, err, logiqc.Exists)
	if got := logiqc.AsError(err).Message; got != "the username user0 is taken" {
		t.Errorf("message %q", got)
	}
}

func TestUpdateUser(t *testing.T) {
	s, c := newTestStore(t)
	all := addUsers(t, s, 2, nil)
	u, stale := *all[0], *all[0]
	c.at = noon.Add(1e9)
	u.Phone, u.Role, u.Status, u.Auth, u.Protected, u.Toggle = "2", logiqc.RoleAdmin, logiqc.Inactive, logiqc.BySSO, true, false
	u.ContactChangedAt, u.ContactChangedBy, u.PasswordHash = 31, "bob", "other"
	u.PasswordThrottle, u.CodeThrottle = logiqc.Throttle{Misses: 5, Until: 32}, logiqc.Throttle{Misses: 6, Until: 33, Told: true}
	u.ResetAt, u.ResetBy, u.ResetSeen, u.LastSuccessAt = 34, "eve", false, 35
	u.LastFailure = logiqc.Failure{At: 36, Reason: "r", Host: "h"}
	for range 2 { // twice in one transaction is no conflict
		update(t, s, func(tx *Tx) error { return errors.Join(tx.UpdateUser(&u), tx.UpdateUser(&u)) })
	}
	if u.Version != 5 || u.UpdatedAt != logiqc.At(c.at) {
		t.Errorf("version %d, updated %s", u.Version, u.UpdatedAt)
	}
	view(t, s, func(tx *Tx) error {
		got, err := tx.UserByID(u.ID)
		if !reflect.DeepEqual(got, u) {
			t.Errorf("got  %+v\nwant %+v", got, u)
		}
		return err
	})
	wantCode(t, s.Update(t.Context(), func(tx *Tx) error { return tx.UpdateUser(&stale) }), logiqc.Conflict)
	gone := logiqc.User{ID: "gone", Version: 1}
	wantCode(t, s.Update(t.Context(), func(tx *Tx) error { return tx.UpdateUser(&gone) }), logiqc.Conflict)
	u.Email = "USER1@example.org"
	wantCode(t, s.Update(t.Context(), func(tx *Tx) error { return tx.UpdateUser(&u) }), logiqc.Exists)
}

func TestUpdateKeepsSearchInStep(t *testing.T) {
	s, _ := newTestStore(t)
	u := addUsers(t, s, 3, nil)[1]
	u.Name, u.Email = "Łukasz Øster", "zoë@example.net"
	update(t, s, func(tx *Tx) error { return tx.UpdateUser(u) })
	for text, want := range map[string]int{
		"given1": 0, "family1": 0, "amily1": 0, "user1@": 0, "ser1@exam": 0, "lukasz": 1, "oster luk": 1, "ukas": 1,
		"os": 1, "zoe@": 1, "zo": 1, "zoë@example.net": 1, "example.net": 1, "user1": 1, "given2": 1,
	} {
		view(t, s, func(tx *Tx) error {
			got, _, err := tx.Find(logiqc.UserQuery{Text: text}, logiqc.DefaultPolicy())
			if len(got) != want {
				t.Errorf("%q finds %d, want %d", text, len(got), want)
			}
			return err
		})
	}
}

func TestFigures(t *testing.T) {
	s, c := newTestStore(t)
	now := logiqc.At(c.at)
	addUsers(t, s, 6, func(i int, u *logiqc.User) {
		u.Toggle = i == 0
		u.ResetAt = 0
		switch i {
		case 1:
			u.Auth = logiqc.BySSO
		case 2:
			u.ResetAt = 5
		case 3:
			u.ResetAt, u.Status = 5, logiqc.Inactive
		case 4:
			u.ResetAt, u.Role = 5, logiqc.RoleAdmin
		}
	})
	update(t, s, func(tx *Tx) error {
		return errors.Join(
			tx.PutEnrolled(logiqc.Enrolment{ID: "e0", UserID: "id-000000", EnrolledAt: 1}),
			tx.PutPending(logiqc.Enrolment{ID: "p0", UserID: "id-000000", ExpiresAt: now + 1}),
			tx.PutEnrolled(logiqc.Enrolment{ID: "e4", UserID: "id-000004", EnrolledAt: 1}),
			tx.PutPending(logiqc.Enrolment{ID: "p2", UserID: "id-000002", ExpiresAt: now + 1}),
			tx.PutPending(logiqc.Enrolment{ID: "p5", UserID: "id-000005", ExpiresAt: now}))
	})
	view(t, s, func(tx *Tx) error {
		got, err := tx.Figures(logiqc.Policy{Enforced: true})
		want := logiqc.Figures{Accounts: 6, Password: 5, SSO: 1, Required: 5, Enrolled: 2, Pending: 1, None: 3, AwaitingEnrolment: 1}
		if got != want || err != nil {
			t.Errorf("enforced: %+v, %v, want %+v", got, err, want)
		}
		got, err = tx.Figures(logiqc.Policy{})
		want.Required, want.AwaitingEnrolment = 1, 0
		if got != want || err != nil {
			t.Errorf("not enforced: %+v, %v, want %+v", got, err, want)
		}
		if n, err := tx.ActiveAdmins(); n != 1 || err != nil {
			t.Errorf("%d active admins, %v", n, err)
		}
		return nil
	})
}
