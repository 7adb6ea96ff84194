package servicetest

import (
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// unlock unlocks one user.
func (w *World) unlock(username string) logiqc.ChangeResult {
	w.t.Helper()
	out, err := w.Helen.ChangeUsers(w.ctx(), logiqc.UserChange{Request: given(), Verb: logiqc.Unlock, Users: []string{username}})
	if err != nil || out[0].Err != nil {
		w.t.Fatal(out, err)
	}
	return out[0]
}

// After a reset with a hold, and after the window to enrol in, sign-in waits
// for an operator (security.md S-35, S-36).
func testHeld(t *testing.T, w *World) {
	w.add("ann")
	w.enrol("ann")
	hold := func(r *logiqc.Reset) { r.Hold = true }
	dry := w.reset(w.Helen, "ann", hold, func(r *logiqc.Reset) { r.DryRun = true })
	if dry.NextSignin != logiqc.NextBlocked || dry.Account.Signin.HeldAt != dry.At {
		t.Errorf("dry run: %+v", dry)
	}
	if w.get("ann").Signin.HeldAt != 0 {
		t.Error("a dry run holds")
	}
	session := w.signin("ann")
	if res := w.reset(w.Helen, "ann", hold); res.NextSignin != logiqc.NextBlocked || res.Message != "" || !res.Changed {
		t.Errorf("%+v", res)
	}
	_, err := session.Sessions(w.ctx(), "")
	want(t, "a session", err, logiqc.Unauthenticated)
	_, err = w.start("ann", "wrong")
	want(t, "the wrong password learns nothing", err, logiqc.SigninDenied)
	for _, p := range []logiqc.Purpose{logiqc.SigninPurpose, logiqc.EnrolPurpose, logiqc.ReplacePurpose} {
		_, err = w.startFor("ann", Password, p)
		want(t, string(p), err, logiqc.Held)
		w.newest(t, string(p), "ann", logiqc.SigninFailed, logiqc.Failed, logiqc.Held)
	}
	if s := w.get("ann").Signin; s.Next != logiqc.NextBlocked || s.Why != logiqc.WhyHeld || s.HeldAt == 0 || s.LastFailure.Reason != "held" {
		t.Errorf("the card: %+v", s)
	}
	if res := w.reset(w.Helen, "ann", hold); res.Changed {
		t.Errorf("held twice: %+v", res)
	}
	if out := w.unlock("ann"); !out.Changed || w.unlock("ann").Changed {
		t.Errorf("unlocked: %+v", out)
	}
	w.enrol("ann")

	w.add("bob") // a stolen phone of somebody who has yet to enrol
	if res := w.reset(w.Helen, "bob", hold); res.Outcome != logiqc.ResetDone {
		t.Errorf("nothing but the hold: %+v", res)
	}
	_, err = w.start("bob", Password)
	want(t, "held before the first enrolment", err, logiqc.Held)
	t.Run("under way", func(t *testing.T) { heldUnderWay(t, w) })
	t.Run("window", func(t *testing.T) { window(t, w) })
}

// A sign-in that was begun before the hold goes no further; a session that was
// kept goes on.
func heldUnderWay(t *testing.T, w *World) {
	w.add("cat")
	w.enrol("cat")
	kept := w.signin("cat")
	w.Advance(totp.Period)
	at, _ := w.start("cat", Password)
	w.reset(w.Helen, "cat", func(r *logiqc.Reset) { r.Hold, r.KeepSessions = true, true })
	_, err := w.SignIn().Code(w.ctx(), at.Token, w.code("cat", 0), source)
	want(t, "a sign-in under way", err, logiqc.Unauthenticated)
	if _, err := kept.Sessions(w.ctx(), ""); err != nil {
		t.Errorf("a kept session: %v", err)
	}
}

func window(t *testing.T, w *World) {
	w.policy(logiqc.Setting{Key: logiqc.KeyWindow, Value: "24h"})
	w.add("dan")
	w.enrol("dan")
	w.add("eve") // never reset: no window
	w.reset(w.Helen, "dan")
	at := w.started("dan")
	w.Advance(24*time.Hour - 5*time.Minute)
	at2 := w.started("dan")
	_, err := w.SignIn().StartEnrolment(w.ctx(), at.Token, source)
	want(t, "an old attempt", err, logiqc.Unauthenticated)
	p, err := w.SignIn().StartEnrolment(w.ctx(), at2.Token, source)
	want(t, "just in time", err, "")
	key, _ := totp.ParseKey(p.Secret.Reveal())
	w.Advance(5 * time.Minute)
	_, err = w.SignIn().ProveEnrolment(w.ctx(), at2.Token, totp.Code(key, totp.Step(w.Now())), source)
	want(t, "proved too late", err, logiqc.Held)
	_, err = w.start("dan", Password)
	want(t, "too late", err, logiqc.Held)
	if s := w.get("dan").Signin; s.Why != logiqc.WhyHeld || s.HeldAt != 0 {
		t.Errorf("the card: %+v", s)
	}
	w.started("eve")
	if out := w.unlock("dan"); !out.Changed {
		t.Errorf("%+v", out)
	}
	w.newest(t, "unlocking", "dan", logiqc.UserUnlocked, logiqc.Success, "")
	w.Advance(23 * time.Hour)
	w.enrol("dan")
	w.Advance(48 * time.Hour)
	w.signin("dan")
	w.policy(logiqc.Setting{Key: logiqc.KeyWindow, Value: "0"})
}
