package servicetest

import (
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// testNewPhone: a session that began with a recovery code may set up a new
// phone, once and for a while; no other session may (R16, S-17).
func testNewPhone(t *testing.T, w *World) {
	w.add("ann")
	at, in := w.enrol("ann"), w.SignIn()
	replace := func(session logiqc.Secret) error {
		_, err := in.StartEnrolment(w.ctx(), session, source)
		return err
	}
	want(t, "the session that enrolled", replace(at.Token), logiqc.AlreadyEnrolled)
	w.Advance(5 * totp.Period)
	at, _ = w.start("ann", Password)
	at, err := in.Code(w.ctx(), at.Token, w.code("ann", 0), source)
	want(t, "sign in with the app", err, "")
	want(t, "a session by app code", replace(at.Token), logiqc.AlreadyEnrolled)

	recovered := func(n int) logiqc.Attempt {
		t.Helper()
		at, _ := w.start("ann", Password)
		at, err := in.RecoveryCode(w.ctx(), at.Token, w.spare["ann"][n], source)
		if err != nil || at.Stage != logiqc.StageSignedIn {
			t.Fatal(at.Stage, err)
		}
		return at
	}
	late := recovered(0)
	w.Advance(logiqc.AttemptFor)
	want(t, "too late", replace(late.Token), logiqc.AlreadyEnrolled)
	w.policy(logiqc.Setting{Key: logiqc.KeySessionTTL, Value: "2m"})
	brief := recovered(1)
	want(t, "in a short session", replace(brief.Token), "")
	w.Advance(3 * time.Minute)
	want(t, "in a session that is over, whatever was begun in it", replace(brief.Token), logiqc.Unauthenticated)
	w.policy(logiqc.Setting{Key: logiqc.KeySessionTTL, Value: "12h"})
	at, old := recovered(2), w.apps["ann"]
	after := w.finishEnrolment(at)
	if after.Stage != logiqc.StageSignedIn || w.events("ann", 1)[0].Action != logiqc.MFAReplaced {
		t.Errorf("after the new phone: %s, %s", after.Stage, w.events("ann", 1)[0].Action)
	}
	if me := w.as(at.Token).Actor(); me.Username != "ann" {
		t.Errorf("the session is %s's", me.Username)
	}
	want(t, "a second time", replace(at.Token), logiqc.AlreadyEnrolled)
	w.Advance(5 * totp.Period)
	at, _ = w.start("ann", Password)
	_, err = in.Code(w.ctx(), at.Token, totp.Code(old, totp.Step(w.Now())), source)
	want(t, "the old app", err, logiqc.WrongCode)

	// The password alone never opens this way, even where it signs in.
	if _, err := w.Helen.Enforce(w.ctx(), logiqc.Enforcement{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}}); err != nil {
		t.Fatal(err)
	}
	off := logiqc.UserChange{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}, Verb: logiqc.DisableMFA, Users: []string{"ann"}}
	if _, err := w.Helen.ChangeUsers(w.ctx(), off); err != nil {
		t.Fatal(err)
	}
	at, err = w.start("ann", Password)
	if err != nil || at.Stage != logiqc.StageSignedIn {
		t.Fatal(at.Stage, err)
	}
	want(t, "a session by password", replace(at.Token), logiqc.AlreadyEnrolled)
}
