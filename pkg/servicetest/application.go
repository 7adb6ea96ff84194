package servicetest

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// application makes a token with single rights and acts with it.
func (w *World) application(name string, rights ...logiqc.Right) logiqc.Service {
	w.t.Helper()
	_, token, err := w.Helen.CreateToken(w.ctx(), logiqc.NewToken{Name: name, Allow: rights})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.as(token)
}

// An application that keeps passwords itself asks for the second factor only.
// It is the user's sign-in in the log, with the application beside it.
func testSecondFactor(t *testing.T, w *World) {
	w.add("ann")
	w.add("bob")
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	w.add("ina", func(n *logiqc.NewUser) { n.Status = logiqc.Inactive })
	w.enrol("ann")
	shop := w.application("shop", logiqc.SecondFactor)
	check := func(user, code string) (logiqc.FactorChecked, error) {
		return shop.SecondFactor(w.ctx(), logiqc.FactorCheck{User: user, Code: code, From: logiqc.Source{IP: "203.0.113.9"}})
	}
	w.factorDenied(t, check)
	_, err := check("bob", "123456")
	want(t, "nothing to check yet", err, logiqc.EnrolmentRequired)
	_, err = check("ann", "")
	want(t, "no code", err, logiqc.CodeRequired)
	_, err = check("ann", w.code("ann", 0))
	want(t, "the code that proved the enrolment", err, logiqc.WrongCode)

	w.Advance(time.Minute)
	sessions := len(w.sessions("ann"))
	out, err := check("ANN", w.code("ann", 0))
	if err != nil || out.Outcome != logiqc.FactorPassed || out.User != "ann" || out.RecoveryCodesLeft != logiqc.RecoveryCodeCount {
		t.Errorf("the right code: %+v, %v", out, err)
	}
	if n := w.get("ann").Signin.CodeMisses; n != 0 {
		t.Errorf("%d misses after the right code", n)
	}
	e := w.events("ann", 1)[0]
	if e.Action != logiqc.SigninSucceeded || e.Actor.Username != "ann" || e.Source.App != "shop" || e.Source.IP != "203.0.113.9" {
		t.Errorf("in the log as %+v", e)
	}
	if n := len(w.sessions("ann")); n != sessions {
		t.Errorf("it made a session: %d, before %d", n, sessions)
	}
	_, err = check("ann", w.code("ann", 0))
	want(t, "the same again", err, logiqc.WrongCode)
	recovery := logiqc.FactorCheck{User: "ann", RecoveryCode: w.spare["ann"][0]}
	out, err = shop.SecondFactor(w.ctx(), recovery)
	if err != nil || out.RecoveryCodesLeft != logiqc.RecoveryCodeCount-1 {
		t.Errorf("a recovery code: %+v, %v", out, err)
	}
	_, err = shop.SecondFactor(w.ctx(), recovery)
	want(t, "the recovery code again", err, logiqc.WrongCode)

	if res := w.reset(w.Helen, "ann"); res.Outcome != logiqc.ResetDone {
		t.Fatalf("%+v", res)
	}
	_, err = check("ann", "123456")
	want(t, "after a reset", err, logiqc.EnrolmentRequired)
	w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Hold = true })
	_, err = check("ann", "123456")
	want(t, "held", err, logiqc.Held)
	w.newest(t, "held", "ann", logiqc.SigninFailed, logiqc.Failed, logiqc.Held)
	w.factorNotRequired(t, check)
	w.secondFactorRights(t)
}

// factorDenied checks codes of those who have none: all are told the same, and
// the log why.
func (w *World) factorDenied(t *testing.T, check func(user, code string) (logiqc.FactorChecked, error)) {
	t.Helper()
	for user, cause := range map[string]string{"nobody": "unknown_user", "sam": "sso", "ina": "inactive"} {
		_, err := check(user, "123456")
		want(t, user, err, logiqc.SigninDenied)
		page, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
		if err != nil || page.Events[0].Details.Cause != cause {
			t.Errorf("%s is in the log as %+v, %v", user, page.Events, err)
		}
		if name := page.Events[0].Target.Username; name != map[bool]string{true: "", false: user}[user == "nobody"] {
			t.Errorf("%s is in the log as %q: it may have been a password", user, name)
		}
	}
}

// factorNotRequired ends the enforcement: then nobody is asked for a code, and who
// was reset is told so.
func (w *World) factorNotRequired(t *testing.T, check func(user, code string) (logiqc.FactorChecked, error)) {
	t.Helper()
	w.off()
	w.unlock("ann")
	want(t, "ann needs none", w.change(w.Helen, logiqc.DisableMFA, "ann"), "")
	for _, told := range []bool{true, false} {
		if out, err := check("ann", ""); err != nil || strings.Contains(out.Notice, "Your MFA was reset") != told {
			t.Errorf("of the reset it is told, once: %+v, %v", out, err)
		}
	}
	if out, err := check("bob", ""); err != nil || out.Outcome != logiqc.FactorNotRequired {
		t.Errorf("not required: %+v, %v", out, err)
	}
}

// secondFactorRights: a token with the right, and nobody else; a refusal is in
// the log.
func (w *World) secondFactorRights(t *testing.T) {
	t.Helper()
	for who, s := range map[string]logiqc.Service{
		"a token of another right": w.application("other", logiqc.SignIns), "a person": w.Helen,
	} {
		_, err := s.SecondFactor(w.ctx(), logiqc.FactorCheck{User: "ann", Code: "123456"})
		want(t, who, err, logiqc.Forbidden)
		if e := w.events("ann", 1)[0]; e.Outcome != logiqc.Denied || e.Action != logiqc.SigninStarted {
			t.Errorf("%s is in the log as %+v", who, e)
		}
	}
}

func (w *World) sessions(user string) []logiqc.SessionInfo {
	w.t.Helper()
	list, err := w.Helen.Sessions(w.ctx(), user)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// The token of an attempt is dead once the sign-in is done: it may stand in the
// address of a request.
func testFreshToken(t *testing.T, w *World) {
	w.add("ann")
	at, err := w.start("ann", Password)
	want(t, "the password", err, "")
	done := w.finishEnrolment(at)
	if done.Token == at.Token || done.Stage != logiqc.StageSignedIn {
		t.Errorf("the session has the token of the attempt, or is none: %s", done.Stage)
	}
	w.Advance(time.Minute)
	at, err = w.start("ann", Password)
	want(t, "the password", err, "")
	done, err = w.SignIn().Code(w.ctx(), at.Token, w.code("ann", 0), source)
	want(t, "the code", err, "")
	_, err = w.As(w.ctx(), at.Token)
	want(t, "the attempt's token", err, logiqc.Unauthenticated)
	want(t, "ending the attempt", w.SignIn().End(w.ctx(), at.Token, source), logiqc.Unauthenticated)
	if _, err := w.As(w.ctx(), done.Token); err != nil {
		t.Errorf("the session: %v", err)
	}
	_, err = w.startFor("ann", Password, "password")
	want(t, "a purpose of our own", err, logiqc.Usage)
}
