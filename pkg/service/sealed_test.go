package service_test

import (
	"errors"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/totp"
)

// Somebody with SQL gives one user's sealed secret to another, whose phone they
// hold: the sign-in is refused, and the log has it as what it is (S-62).
func TestSwappedSecret(t *testing.T) {
	d := openDesk(t)
	d.happens(t, "jlee", "mchen")
	d.importApp(t, "jlee", 0)
	d.importApp(t, "mchen", 1)
	d.exec(t, `UPDATE enrolment SET sealed = (SELECT e.sealed FROM enrolment e WHERE e.user_id <> enrolment.user_id)`)
	at, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "jlee", Password: servicetest.Password, Purpose: logiqc.SigninPurpose})
	if err != nil {
		t.Fatal(err)
	}
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	for phone := range byte(2) {
		_, err := d.SignIn().Code(t.Context(), at.Token, totp.Code(appOf(phone), totp.Step(d.Now())), logiqc.Source{Host: "laptop"})
		if !errors.Is(err, logiqc.Integrity) {
			t.Errorf("the phone of account %d: %v", phone, err)
		}
		page, err := helen.Events(t.Context(), logiqc.EventQuery{Target: "jlee", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if e := page.Events[0]; e.Action != logiqc.SigninFailed || e.Outcome != logiqc.Failed || e.Code != logiqc.Integrity {
			t.Errorf("in the log as %s %s %q", e.Action, e.Outcome, e.Code)
		}
	}
	if a, err := helen.GetUser(t.Context(), "jlee"); err != nil || a.Signin.CodeMisses != 0 || a.Signin.LastFailure.Reason != "secret_not_opened" {
		t.Errorf("the card says %+v, %v", a.Signin, err)
	}
}

// The same for an enrolment under way: the answer and the log say that the secret
// is not the account's, and it is proved by no phone.
func TestSwappedPendingSecret(t *testing.T) {
	d := openDesk(t)
	d.happens(t, "jlee")
	d.importApp(t, "jlee", 0)
	at, key := d.startEnrolment(t, "helen")
	d.exec(t, `UPDATE enrolment SET sealed = (SELECT sealed FROM enrolment WHERE state = 'enrolled') WHERE state = 'pending'`)
	for _, key := range []totp.Key{key, appOf(0)} {
		_, err := d.SignIn().ProveEnrolment(t.Context(), at.Token, totp.Code(key, totp.Step(d.Now())), logiqc.Source{Host: "laptop"})
		if !errors.Is(err, logiqc.Integrity) {
			t.Errorf("proved: %v", err)
		}
		helen, err := d.As(t.Context(), d.init)
		if err != nil {
			t.Fatal(err)
		}
		page, err := helen.Events(t.Context(), logiqc.EventQuery{Target: "helen", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if e := page.Events[0]; e.Action != logiqc.MFAEnrolled || e.Outcome != logiqc.Failed || e.Code != logiqc.Integrity {
			t.Errorf("in the log as %s %s %q", e.Action, e.Outcome, e.Code)
		}
	}
}
