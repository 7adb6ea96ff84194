package service_test

import (
	"context"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

// isBackedUp makes the one backup of a run, from which the store is restored at
// its end.
func (m *model) isBackedUp(rt *rapid.T) {
	if m.backup != "" {
		return
	}
	m.backup = filepath.Join(filepath.Dir(m.path), "backup.db")
	_, err := m.Backup(context.Background(), system, logiqc.Request{}, m.backup, nil)
	expect(rt, "backup", err, "")
}

// isRestored restores the backup with the log as it is now, and compares what
// came of it with the store that went on: nothing may be otherwise but what no
// log holds, and that must be closed and not open.
func (m *model) isRestored(t *testing.T) {
	if m.backup == "" {
		return
	}
	folder := filepath.Join(filepath.Dir(m.path), "log")
	m.exported(t, folder)
	place := m.at(filepath.Join(filepath.Dir(m.path), "restored.db"))
	ring := func(string) (service.Keys, error) { return m.ring, nil }
	r := service.Restore{From: m.at(m.backup), Log: folder}
	out, err := service.RestoreTo(t.Context(), place, ring, system, r, nil)
	if err != nil {
		t.Fatalf("restore with the log: %v", err)
	}
	restored := m.moved(t, place.Where)
	restored.Check(t)
	lost := map[string]logiqc.LostAccount{}
	for _, l := range out.Carried.Lost {
		lost[l.User] = l
	}
	is := accountsOf(t, restored.Desk)
	for id, live := range accountsOf(t, m.Desk) {
		sameButLost(t, live, is[id], lost[live.Username])
	}
}

// sameButLost wants an account to be as it went on, or closed.
func sameButLost(t *testing.T, live, is logiqc.User, lost logiqc.LostAccount) {
	t.Helper()
	enrolment := func(u logiqc.User) (id string, step int64, used logiqc.Time) {
		if u.Enrolled == nil {
			return "", 0, 0
		}
		return u.Enrolled.ID, u.Enrolled.Step, u.Enrolled.LastUsedAt
	}
	liveID, liveStep, liveUsed := enrolment(live)
	id, step, used := enrolment(is)
	switch {
	case lost.Enrolment:
		if is.Enrolled != nil || is.Code != nil || is.HeldAt == 0 && is.PasswordHash != "" {
			t.Errorf("%s lost the enrolment, and is open: %+v", live.Username, is)
		}
		live.CodeThrottle, live.ResetAt, live.ResetBy, live.ResetSeen = is.CodeThrottle, is.ResetAt, is.ResetBy, is.ResetSeen
		live.HeldAt, live.WindowAt, live.Code = is.HeldAt, is.WindowAt, nil
	case id != liveID || step != liveStep || used != liveUsed:
		t.Errorf("%s: enrolled as %q, step %d, used %v, and was %q, %d, %v", live.Username, id, step, used, liveID, liveStep, liveUsed)
	case is.RecoveryLeft != live.RecoveryLeft && (is.RecoveryLeft != 0 || !lost.RecoveryCodes):
		t.Errorf("%s has %d recovery codes and had %d", live.Username, is.RecoveryLeft, live.RecoveryLeft)
	}
	if lost.Password {
		live.PasswordHash = ""
	}
	if (is.Code == nil) != (live.Code == nil) || is.Code != nil && is.Code.Hash != live.Code.Hash {
		t.Errorf("%s: enrolment code %+v, and was %+v", live.Username, is.Code, live.Code)
	}
	for _, u := range []*logiqc.User{&live, &is} { // what is not told by events, or was compared
		u.N, u.Version, u.UpdatedAt, u.Enrolled, u.Pending, u.RecoveryLeft, u.Code = 0, 0, 0, nil, nil, 0, nil
		u.PasswordThrottle.Told, u.CodeThrottle.Told = false, false
	}
	if live != is {
		t.Errorf("after the restore\n%+v, and was\n%+v", is, live)
	}
}

func accountsOf(t *testing.T, d *service.Desk) map[string]logiqc.User {
	t.Helper()
	all := map[string]logiqc.User{}
	err := d.Store().View(t.Context(), func(tx *store.Tx) error {
		users, _, err := tx.Find(logiqc.UserQuery{Limit: 1000}, logiqc.DefaultPolicy())
		for _, u := range users {
			all[u.ID] = u
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// exported writes the log to a folder, as `audit export` does.
func (d *desk) exported(t *testing.T, folder string) {
	t.Helper()
	c, err := d.Audit(system).BeginExport(t.Context(), logiqc.LogExport{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Export(t.Context(), folder, d.Log(), []byte(c.Note), testOrigin, d.verifiers(t)...); err != nil {
		t.Fatal(err)
	}
}

// A sign-in whose password was right goes on after wrong ones, of another hand
// perhaps: that forgives them neither here nor in a store restored with the log.
func TestRestoreKeepsMisses(t *testing.T) {
	for _, wrong := range []int{1, 5} {
		m := &model{desk: openDesk(t)}
		helen, err := m.As(t.Context(), m.init)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := helen.AddUser(t.Context(), logiqc.NewUser{Username: "bob", Email: "bob@x", Password: servicetest.Password}); err != nil {
			t.Fatal(err)
		}
		start := func(p logiqc.Secret) (logiqc.Attempt, error) {
			return m.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "bob", Password: p, Purpose: logiqc.SigninPurpose})
		}
		at, err := start(servicetest.Password)
		if err != nil {
			t.Fatal(err)
		}
		for range wrong {
			if _, err := start("wrong"); logiqc.AsError(err).Code != logiqc.SigninDenied {
				t.Fatal(err)
			}
		}
		m.backup = filepath.Join(filepath.Dir(m.path), "backup.db")
		if _, err := m.Backup(t.Context(), system, logiqc.Request{}, m.backup, nil); err != nil {
			t.Fatal(err)
		}
		key := m.shownKey(t, at)
		if _, err := m.SignIn().ProveEnrolment(t.Context(), at.Token, totp.Code(key, totp.Step(m.Now())), logiqc.Source{}); err != nil {
			t.Fatal(err)
		}
		bob, err := helen.GetUser(t.Context(), "bob")
		if err != nil || bob.Signin.PasswordMisses != wrong {
			t.Fatalf("%+v, %v", bob.Signin, err)
		}
		m.isRestored(t)
	}
}
