package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// holds is the account of newUser with the id, as it is read with what acts for
// it.
func holds(id string) Holder {
	return Holder{ID: id, Username: "User" + id[len(id)-1:], Role: logiqc.RoleUser, Status: logiqc.Active}
}

func TestSessions(t *testing.T) {
	s, c := newTestStore(t)
	addUsers(t, s, 2, nil)
	now := logiqc.At(c.at)
	make := func(id, user string, stage logiqc.Stage, created, expires logiqc.Time) Session {
		return Session{ID: id, Hash: hashOf(id), UserID: user, Purpose: logiqc.SigninPurpose, Stage: stage, Host: "h", IP: "i",
			App: "a", SignedInAt: created, CreatedAt: created, LastUsedAt: created, ExpiresAt: expires, Holder: holds(user)}
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
	changeSessions(t, s, list[3], now)
	endSessions(t, s, ids)
}

func changeSessions(t *testing.T, s *Store, done Session, now logiqc.Time) {
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
}

func endSessions(t *testing.T, s *Store, ids func(string) []string) {
	update(t, s, func(tx *Tx) error {
		if ok, err := tx.DeleteSession("s1"); !ok || err != nil {
			t.Errorf("delete: %t, %v", ok, err)
		}
		ok, err := tx.DeleteSession("s1")
		if ok {
			t.Error("deleted twice")
		}
		return errors.Join(err, tx.InsertSession(Session{ID: "half", Hash: hashOf("half"), UserID: "id-000000", Stage: logiqc.StageEnrol, ExpiresAt: tx.Now() + 9}),
			resetOnly(tx, "id-000000", true))
	})
	if got := ids("id-000000"); !reflect.DeepEqual(got, []string{"try", "s2"}) {
		t.Errorf("after a reset that keeps sessions: %q", got)
	}
	view(t, s, func(tx *Tx) error { _, err := tx.SessionByID("half"); wantCode(t, err, logiqc.NotFound); return nil })
	update(t, s, func(tx *Tx) error {
		n, err := tx.EndSessions("id-000000")
		if n != 2 {
			t.Errorf("ended %d, want 2", n)
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
			Hash: hashOf(id), UserID: user, Holder: holds(user)}
	}
	a, b := mk("a", "ci", "id-000000", now-2, 0), mk("b", "app", "id-000001", now-1, now+1000)
	a.Allow = []logiqc.Right{}
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
}

// resetOnly is a reset of one account.
func resetOnly(tx *Tx, id string, keepSessions bool) error {
	u, err := tx.UserByID(id)
	if err != nil {
		return err
	}
	u.Reset("helen", tx.Now(), false)
	return tx.ResetUsers([]*logiqc.User{&u}, false, keepSessions)
}
