package store

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func TestEnrolmentLife(t *testing.T) {
	s, c := newTestStore(t)
	u := addUsers(t, s, 1, nil)[0]
	load := func() (got logiqc.User) {
		view(t, s, func(tx *Tx) (err error) { got, err = tx.UserByID(u.ID); return err })
		return got
	}
	soon := logiqc.At(c.at.Add(10 * time.Minute))
	pend := func(id string) {
		update(t, s, func(tx *Tx) error {
			return tx.PutPending(logiqc.Enrolment{ID: id, UserID: u.ID, Sealed: "s-" + id, CreatedAt: tx.Now(), ExpiresAt: soon})
		})
	}
	pend("a")
	pend("b") // starting again replaces
	if got := load(); got.Pending == nil || got.Pending.ID != "b" || got.Enrolled != nil {
		t.Fatalf("pending %+v, enrolled %+v", got.Pending, got.Enrolled)
	}
	update(t, s, func(tx *Tx) error { return tx.RenewPending("b", soon+1) })
	wantCode(t, s.Update(t.Context(), func(tx *Tx) error { return tx.RenewPending("a", soon) }), logiqc.NotFound)

	prove := func(id string, step int64, want bool) {
		t.Helper()
		update(t, s, func(tx *Tx) error {
			ok, err := tx.ProvePending(id, step)
			if ok != want {
				t.Errorf("proving %s: %t, want %t", id, ok, want)
			}
			return err
		})
	}
	prove("a", 7, false)
	prove("b", 7, true)
	prove("b", 8, false)
	got := load()
	if e := got.Enrolled; got.Pending != nil || e == nil || e.ID != "b" || e.Step != 7 || e.EnrolledAt != logiqc.At(c.at) || e.LastUsedAt != 0 {
		t.Fatalf("enrolled %+v, pending %+v", e, got.Pending)
	}
	update(t, s, func(tx *Tx) error { return tx.PutRecoveryCodes("b", [][32]byte{hashOf("1"), hashOf("2")}) })
	pend("c")
	if got = load(); got.Enrolled.ID != "b" || got.Pending.ID != "c" || got.RecoveryLeft != 2 {
		t.Fatalf("a pending one beside: %+v", got)
	}
	prove("c", 9, true)
	if got = load(); got.Enrolled.ID != "c" || got.Pending != nil || got.RecoveryLeft != 0 {
		t.Fatalf("replaced: %+v", got)
	}
	pend("d")
	c.at = c.at.Add(11 * time.Minute)
	prove("d", 10, false)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutRecoveryCodes("c", [][32]byte{hashOf("3")}), tx.ClearEnrolments(u.ID))
	})
	if got = load(); got.Enrolled != nil || got.Pending != nil || got.RecoveryLeft != 0 {
		t.Fatalf("cleared: %+v", got)
	}
	view(t, s, func(tx *Tx) error {
		n, err := tx.count(`SELECT count(*) FROM recovery_code`)
		if n != 0 {
			t.Errorf("%d recovery codes outlive their enrolment", n)
		}
		return err
	})
}

func TestStepIsSpentOnce(t *testing.T) {
	s, c := newTestStore(t)
	u := addUsers(t, s, 1, nil)[0]
	update(t, s, func(tx *Tx) error { return tx.PutEnrolled(logiqc.Enrolment{ID: "e", UserID: u.ID, Step: 5}) })
	update(t, s, func(tx *Tx) error {
		for _, try := range []struct {
			id   string
			step int64
			want bool
		}{{"e", 4, false}, {"e", 5, false}, {"e", 7, true}, {"e", 7, false}, {"e", 6, false}, {"e", 8, true}, {"x", 9, false}} {
			if ok, err := tx.SpendStep(try.id, try.step); ok != try.want || err != nil {
				t.Errorf("%+v: %t, %v", try, ok, err)
			}
		}
		return nil
	})
	view(t, s, func(tx *Tx) error {
		got, err := tx.UserByID(u.ID)
		if got.Enrolled.Step != 8 || got.Enrolled.LastUsedAt != logiqc.At(c.at) {
			t.Errorf("%+v", got.Enrolled)
		}
		return err
	})
}

func TestRecoveryCodes(t *testing.T) {
	s, _ := newTestStore(t)
	u := addUsers(t, s, 1, nil)[0]
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.PutEnrolled(logiqc.Enrolment{ID: "e", UserID: u.ID}),
			tx.PutRecoveryCodes("e", [][32]byte{hashOf("old")}),
			tx.PutRecoveryCodes("e", [][32]byte{hashOf("1"), hashOf("2"), hashOf("3")}))
	})
	update(t, s, func(tx *Tx) error {
		for _, try := range []struct {
			code string
			left int
			ok   bool
		}{{"old", 3, false}, {"2", 2, true}, {"2", 2, false}, {"1", 1, true}, {"3", 0, true}} {
			if left, ok, err := tx.SpendRecoveryCode("e", hashOf(try.code)); left != try.left || ok != try.ok || err != nil {
				t.Errorf("%+v: %d left, %t, %v", try, left, ok, err)
			}
		}
		return nil
	})
}

// After a reset the old sealed secret is nowhere in the store's files (S-66).
func TestScrub(t *testing.T) {
	s, _ := newTestStore(t)
	canary := "CANARY" + strings.Repeat("7f3a9c", 12)
	all := addUsers(t, s, 200, nil)
	update(t, s, func(tx *Tx) error {
		for i, u := range all {
			sealed := strings.Repeat("other", 15)
			if i%10 == 0 {
				sealed = canary
			}
			if err := tx.PutEnrolled(logiqc.Enrolment{ID: "e" + u.ID, UserID: u.ID, Sealed: sealed}); err != nil {
				return err
			}
		}
		return nil
	})
	path := s.engine.(*sqliteEngine).path
	hits := func() (n int) {
		for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
			raw, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			n += bytes.Count(raw, []byte(canary))
		}
		return n
	}
	if hits() == 0 {
		t.Fatal("the canary is not where it should be before the reset")
	}
	update(t, s, func(tx *Tx) error {
		for i := 0; i < len(all); i += 10 {
			if err := tx.ClearEnrolments(all[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := hits(); n != 0 {
		t.Errorf("%d sealed secrets are left in the files", n)
	}
}

func TestSessions(t *testing.T) {
	s, c := newTestStore(t)
	addUsers(t, s, 2, nil)
	now := logiqc.At(c.at)
	make := func(id, user string, stage logiqc.Stage, created, expires logiqc.Time) Session {
		return Session{ID: id, Hash: hashOf(id), UserID: user, Purpose: logiqc.SigninPurpose, Stage: stage, Host: "h", IP: "i",
			App: "a", SignedInAt: created, CreatedAt: created, LastUsedAt: created, ExpiresAt: expires}
	}
	old := make("s1", "id-000000", logiqc.StageSignedIn, now-5, now+1000)
	list := []Session{old, make("s2", "id-000000", logiqc.StageSignedIn, now-3, now+1000), make("s3", "id-000001", logiqc.StageSignedIn, now-4, now+5000),
		make("try", "id-000000", logiqc.StageCode, now-1, now+1000), make("over", "id-000000", logiqc.StageSignedIn, now-9, now)}
	update(t, s, func(tx *Tx) error {
		for _, x := range list {
			if err := tx.InsertSession(x); err != nil {
				return err
			}
		}
		return nil
	})
	ids := func(user string) (all []string) {
		view(t, s, func(tx *Tx) error {
			found, err := tx.Sessions(user)
			for _, x := range found {
				all = append(all, x.ID)
			}
			if n, err := tx.CountSessions(user); n != len(all) || err != nil {
				t.Errorf("counted %d, listed %d, %v", n, len(all), err)
			}
			return err
		})
		return all
	}
	if got := ids(""); !reflect.DeepEqual(got, []string{"s2", "s3", "s1"}) {
		t.Errorf("all: %q", got)
	}
	if got := ids("id-000000"); !reflect.DeepEqual(got, []string{"s2", "s1"}) {
		t.Errorf("of one: %q", got)
	}
	view(t, s, func(tx *Tx) error {
		if got, err := tx.SessionByHash(hashOf("s1")); got != old || err != nil {
			t.Errorf("by hash %+v, %v", got, err)
		}
		if got, err := tx.SessionByID("try"); got != list[3] || err != nil {
			t.Errorf("by id %+v, %v", got, err)
		}
		_, err := tx.SessionByHash(hashOf("over"))
		wantCode(t, err, logiqc.NotFound)
		_, err = tx.SessionByID("none")
		wantCode(t, err, logiqc.NotFound)
		return nil
	})
	done := list[3]
	done.Hash, done.Stage, done.SignedInAt, done.ExpiresAt, done.Purpose = hashOf("new"), logiqc.StageSignedIn, now, now+9000, logiqc.EnrolPurpose
	update(t, s, func(tx *Tx) error { return errors.Join(tx.UpdateSession(done), tx.TouchSession("s3")) })
	wantCode(t, s.Update(t.Context(), func(tx *Tx) error { return tx.UpdateSession(Session{ID: "none"}) }), logiqc.NotFound)
	view(t, s, func(tx *Tx) error {
		if got, err := tx.SessionByHash(hashOf("new")); got != done || err != nil {
			t.Errorf("updated %+v, %v", got, err)
		}
		got, err := tx.SessionByID("s3")
		if got.LastUsedAt != now {
			t.Errorf("touched %+v", got)
		}
		return err
	})
	endSessions(t, s, c, ids)
}

func endSessions(t *testing.T, s *Store, c *clock, ids func(string) []string) {
	update(t, s, func(tx *Tx) error {
		if ok, err := tx.DeleteSession("s1"); !ok || err != nil {
			t.Errorf("delete: %t, %v", ok, err)
		}
		ok, err := tx.DeleteSession("s1")
		if ok {
			t.Error("deleted twice")
		}
		return errors.Join(err, tx.InsertSession(Session{ID: "half", Hash: hashOf("half"), UserID: "id-000000", Stage: logiqc.StageEnrol, ExpiresAt: tx.Now() + 9}),
			tx.EndAttempts("id-000000"))
	})
	if got := ids("id-000000"); !reflect.DeepEqual(got, []string{"try", "s2"}) {
		t.Errorf("after EndAttempts: %q", got)
	}
	view(t, s, func(tx *Tx) error { _, err := tx.SessionByID("half"); wantCode(t, err, logiqc.NotFound); return nil })
	update(t, s, func(tx *Tx) error {
		n, err := tx.EndSessions("id-000000")
		if n != 2 {
			t.Errorf("ended %d, want 2", n)
		}
		return err
	})
	c.at = c.at.Add(6 * time.Second)
	update(t, s, func(tx *Tx) error {
		if err := tx.PurgeExpired(); err != nil {
			return err
		}
		n, err := tx.count(`SELECT count(*) FROM session`)
		if n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		return err
	})
}

func TestTokens(t *testing.T) {
	s, c := newTestStore(t)
	addUsers(t, s, 2, nil)
	now := logiqc.At(c.at)
	mk := func(id, name, user string, created, expires logiqc.Time) Token {
		return Token{TokenInfo: logiqc.TokenInfo{ID: id, Name: name, Role: logiqc.RoleApp, CreatedAt: created, ExpiresAt: expires, User: "User" + user[len(user)-1:]},
			Hash: hashOf(id), UserID: user}
	}
	a, b := mk("a", "ci", "id-000000", now-2, 0), mk("b", "app", "id-000001", now-1, now+1000)
	b.Role, b.Allow = "", []logiqc.Right{logiqc.UsersRead, logiqc.MFAReset}
	insert := func(x Token) error { return s.Update(t.Context(), func(tx *Tx) error { return tx.InsertToken(x) }) }
	if err := errors.Join(insert(a), insert(b)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, insert(mk("c", "app", "id-000000", now, 0)), logiqc.Exists)
	view(t, s, func(tx *Tx) error {
		all, err := tx.Tokens()
		if !reflect.DeepEqual(all, []Token{b, a}) {
			t.Errorf("tokens %+v", all)
		}
		if got, err := tx.TokenByHash(hashOf("b")); !reflect.DeepEqual(got, b) || err != nil {
			t.Errorf("by hash %+v, %v", got, err)
		}
		_, e := tx.TokenByID("none")
		wantCode(t, e, logiqc.NotFound)
		return err
	})
	c.at = c.at.Add(2 * time.Second) // b has expired, so its name is free
	if err := insert(mk("c", "app", "id-000000", now, 0)); err != nil {
		t.Error(err)
	}
	update(t, s, func(tx *Tx) error {
		if ok, err := tx.RevokeToken("a"); !ok || err != nil {
			t.Errorf("revoke: %t, %v", ok, err)
		}
		if ok, err := tx.RevokeToken("a"); ok || err != nil {
			t.Errorf("revoke again: %t, %v", ok, err)
		}
		if n, err := tx.RevokeTokens("id-000001"); n != 0 || err != nil {
			t.Errorf("revoked %d expired ones, %v", n, err)
		}
		if err := tx.TouchToken("c"); err != nil {
			return err
		}
		n, err := tx.RevokeTokens("")
		if n != 1 {
			t.Errorf("revoked %d, want 1", n)
		}
		return err
	})
	view(t, s, func(tx *Tx) error {
		got, err := tx.TokenByID("c")
		if got.RevokedAt != tx.Now() || got.LastUsedAt != tx.Now() {
			t.Errorf("%+v", got)
		}
		return err
	})
}

func TestRequests(t *testing.T) {
	s, c := newTestStore(t)
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.Remember("helen", "reset", "r1", 0, []byte("d0"), []byte("out0")),
			tx.Remember("helen", "reset", "r1", 1, []byte("d1"), []byte("out1")))
	})
	recall := func(actor, command, id string, batch int) (out string) {
		view(t, s, func(tx *Tx) error {
			digest, result, ok, err := tx.Remembered(actor, command, id, batch)
			if ok {
				out = string(digest) + " " + string(result)
			}
			return err
		})
		return out
	}
	for _, try := range []struct {
		actor, command, id string
		batch              int
		want               string
	}{{"helen", "reset", "r1", 0, "d0 out0"}, {"helen", "reset", "r1", 1, "d1 out1"}, {"helen", "reset", "r1", 2, ""},
		{"bob", "reset", "r1", 0, ""}, {"helen", "add", "r1", 0, ""}, {"helen", "reset", "r2", 0, ""}} {
		if got := recall(try.actor, try.command, try.id, try.batch); got != try.want {
			t.Errorf("%+v: %q", try, got)
		}
	}
	c.at = c.at.Add(8 * 24 * time.Hour)
	if got := recall("helen", "reset", "r1", 0); got != "" {
		t.Errorf("after a week: %q", got)
	}
	update(t, s, func(tx *Tx) error { return tx.PurgeExpired() })
	view(t, s, func(tx *Tx) error {
		n, err := tx.count(`SELECT count(*) FROM request`)
		if n != 0 {
			t.Errorf("%d requests are left", n)
		}
		return err
	})
}
