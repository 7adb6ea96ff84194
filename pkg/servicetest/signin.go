package servicetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// Until the password is right, nobody learns why it failed; the log knows.
// (ASVS 6.3.8, CVE-2023-3462, CVE-2020-35177, CVE-2026-23849, CVE-2026-23511.)
func testSignin(t *testing.T, w *World) {
	w.add("ann")
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	w.add("ina", func(n *logiqc.NewUser) { n.Status = logiqc.Inactive })
	w.add("nop", func(n *logiqc.NewUser) { n.Password = "" })
	var first string
	for _, c := range []struct {
		user     string
		password logiqc.Secret
		cause    string
	}{
		{"ann", "wrong", "wrong_password"}, {"ann@example.org", "", "wrong_password"}, {"sam", Password, "sso"},
		{"ina", Password, "inactive"}, {"nop", "", "no_password"}, {"hunter2 typed as a name", Password, "unknown_user"},
		{"", "", "unknown_user"}, {strings.Repeat("x", long), "x", "unknown_user"},
	} {
		_, err := w.start(c.user, c.password)
		want(t, c.cause, err, logiqc.SigninDenied)
		text := fmt.Sprintf("%+v", *logiqc.AsError(err))
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%s reads differently: %s", c.cause, text)
		}
		page, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		e := page.Events[0]
		if e.Action != logiqc.SigninFailed || e.Outcome != logiqc.Failed || e.Details.Cause != c.cause {
			t.Errorf("%s is in the log as %s %s %q", c.cause, e.Action, e.Outcome, e.Details.Cause)
		}
		leaf, _ := e.Leaf()
		if c.cause == "unknown_user" && (e.Target != logiqc.Target{} || strings.Contains(string(leaf), "hunter2")) {
			t.Errorf("an unknown name is in the log: %s", leaf)
		}
	}
	if f := w.get("ann").Signin.LastFailure; f == nil || f.Reason != "wrong_password" || f.Host != "desk-3" {
		t.Errorf("the operator's card says %+v", f)
	}

	w.signinStages(t)
}

// signinStages: half a sign-in is none, and a whole one ends by signing out.
func (w *World) signinStages(t *testing.T) {
	t.Helper()
	at, err := w.start("ANN@Example.Org", Password)
	if err != nil || at.Stage != logiqc.StageEnrol || at.User != "ann" {
		t.Fatalf("by email in capitals: %+v, %v", at, err)
	}
	_, err = w.As(w.ctx(), at.Token)
	want(t, "a half-finished sign-in is no session", err, logiqc.Unauthenticated)
	w.Advance(logiqc.AttemptFor + time.Second)
	_, err = w.SignIn().StartEnrolment(w.ctx(), at.Token, source)
	want(t, "an attempt that took too long", err, logiqc.Unauthenticated)

	w.off()
	at, err = w.start("ann", Password)
	if err != nil || at.Stage != logiqc.StageSignedIn {
		t.Fatalf("without enforcement a password is enough: %+v, %v", at, err)
	}
	if a := w.as(at.Token).Actor(); a.Username != "ann" || a.Kind != logiqc.Person {
		t.Errorf("signed in as %+v", a)
	}
	want(t, "sign out", w.SignIn().End(w.ctx(), at.Token, source), "")
	_, err = w.As(w.ctx(), at.Token)
	want(t, "after signing out", err, logiqc.Unauthenticated)
}

// off turns enforcement off.
func (w *World) off() {
	w.t.Helper()
	if _, err := w.Helen.Enforce(w.ctx(), logiqc.Enforcement{Request: given()}); err != nil {
		w.t.Fatal(err)
	}
}

func given() logiqc.Request { return logiqc.Request{Consent: logiqc.Consent{Given: true}} }

// Waits grow from the fifth miss; tries during a wait are neither evaluated
// nor counted, and are one event. (NIST SP 800-63B §3.2.2; CVE-2026-35597,
// CVE-2026-27801: the count stands whatever becomes of the sign-in.)
func testThrottle(t *testing.T, w *World) {
	w.add("ann")
	for i := range 5 {
		_, err := w.start([]string{"ann", "ANN", "ann@example.org", " ann"[1:], w.get("ann").ID}[i], "wrong")
		want(t, "wrong password", err, logiqc.SigninDenied)
	}
	a := w.get("ann")
	if a.Signin.Next != "blocked" || a.Signin.Why != "throttled" || a.Signin.PasswordMisses != 5 ||
		a.Signin.Until != logiqc.At(w.Now().Add(30*time.Second)) {
		t.Errorf("after five misses: %+v", a.Signin)
	}
	size := w.size()
	for range 4 {
		_, err := w.start("ann", Password)
		want(t, "the right password during the wait", err, logiqc.SigninDenied)
	}
	if n := w.size() - size; n != 1 {
		t.Errorf("four tries during a wait are %d events", n)
	}
	if e := w.events("ann", 1)[0]; e.Action != logiqc.SigninThrottled {
		t.Errorf("the event is %s", e.Action)
	}
	if m := w.get("ann").Signin.PasswordMisses; m != 5 {
		t.Errorf("tries during the wait were counted: %d", m)
	}
	w.Advance(30 * time.Second)
	_, err := w.start("ann", "wrong")
	want(t, "the sixth", err, logiqc.SigninDenied)
	if got := w.get("ann").Signin.Until; got != logiqc.At(w.Now().Add(time.Minute)) {
		t.Errorf("the sixth miss waits until %v", got)
	}
	w.Advance(time.Minute)
	at, err := w.start("ann", Password)
	want(t, "after the wait", err, "")
	if m := w.get("ann").Signin.PasswordMisses; m != 0 {
		t.Errorf("a right password leaves %d misses", m)
	}
	w.finishEnrolment(at)
	t.Run("codes", func(t *testing.T) { throttleCodes(t, w) })
}

func throttleCodes(t *testing.T, w *World) {
	w.Advance(time.Hour)
	for i := range 100 {
		w.Advance(time.Hour)
		at, err := w.start("ann", Password)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.SignIn().Code(w.ctx(), at.Token, "000000", source)
		want(t, fmt.Sprintf("wrong code %d", i+1), err, logiqc.WrongCode)
		if i == 4 {
			_, err = w.SignIn().Code(w.ctx(), at.Token, w.code("ann", 0), source)
			want(t, "a right code during the wait", err, logiqc.Throttled)
			_, err = w.SignIn().RecoveryCode(w.ctx(), at.Token, w.spare["ann"][0], source)
			want(t, "a recovery code during the wait", err, logiqc.Throttled)
		}
	}
	w.Advance(24 * time.Hour)
	if s := w.get("ann").Signin; s.Why != "locked" || s.CodeMisses != 100 {
		t.Errorf("after a hundred: %+v", s)
	}
	at, err := w.start("ann", Password)
	want(t, "the password is still right", err, "")
	_, err = w.SignIn().Code(w.ctx(), at.Token, w.code("ann", 0), source)
	want(t, "locked", err, logiqc.Throttled)
	res, err := w.Helen.ChangeUsers(w.ctx(), logiqc.UserChange{Request: given(), Verb: logiqc.Unlock, Users: []string{"ann"}})
	if err != nil || !res[0].Changed {
		t.Fatalf("unlock: %+v, %v", res, err)
	}
	if _, err = w.SignIn().Code(w.ctx(), at.Token, w.code("ann", 0), source); err != nil {
		t.Errorf("after unlock: %v", err)
	}
}

// A code is for its own step and one either side, once, the step growing only
// (RFC 6238 §5.2; CVE-2025-6014, CVE-2026-20779, CVE-2026-33473 and kin).
func testFactor(t *testing.T, w *World) {
	w.add("ann")
	w.enrol("ann")
	try := func(what string, offset time.Duration, code logiqc.Code) {
		t.Helper()
		at, err := w.start("ann", Password)
		if err != nil || at.Stage != logiqc.StageCode {
			t.Fatalf("%s: stage %s, %v", what, at.Stage, err)
		}
		_, err = w.SignIn().Code(w.ctx(), at.Token, w.code("ann", offset), source)
		want(t, what, err, code)
	}
	try("the code that proved the enrolment", 0, logiqc.WrongCode)
	w.Advance(10 * totp.Period)
	try("two steps early", 2*totp.Period, logiqc.WrongCode)
	try("one step early", totp.Period, "")
	if n := w.get("ann").Signin.CodeMisses; n != 0 {
		t.Errorf("%d misses after a right code", n)
	}
	try("the same again", totp.Period, logiqc.WrongCode)
	try("its own step, behind the one spent", 0, logiqc.WrongCode)
	w.Advance(3 * totp.Period)
	try("one step late", -totp.Period, "")
	try("its own step after that", 0, "")
	try("two steps late", -2*totp.Period, logiqc.WrongCode)

	at, _ := w.start("ann", Password)
	for _, bad := range []string{"", "12345", "1234567", "abcdef", "１２３４５６", strings.Repeat("1", long)} {
		_, err := w.SignIn().Code(w.ctx(), at.Token, bad, source)
		if err == nil {
			t.Fatalf("code %.10q was taken", bad)
		}
		w.Advance(2 * time.Hour)
		at, _ = w.start("ann", Password)
	}
	w.Advance(2 * time.Hour)
	at, _ = w.start("ann", Password)
	misses := w.get("ann").Signin.CodeMisses
	_, err := w.SignIn().Code(w.ctx(), at.Token, w.code("ann", 4*time.Minute), source)
	want(t, "a fast clock", err, logiqc.WrongCode)
	if n := w.get("ann").Signin.CodeMisses; n != misses+1 { // or whoever looks for a code tries more of them
		t.Errorf("%d misses after %d and a fast clock", n, misses)
	}
	if msg := err.Error(); !strings.Contains(msg, "4 minutes fast") || !strings.Contains(msg, w.Now().UTC().Format("15:04:05")) {
		t.Errorf("a fast clock reads %q", msg)
	}
	if e := w.events("ann", 1)[0]; e.Details.Drift != 240 {
		t.Errorf("the log says %d s", e.Details.Drift)
	}
	a := w.get("ann")
	if a.MFA.LastUsedAt == 0 || a.MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("got %+v", a.MFA)
	}
}

// Fifty sign-ins with one code: one succeeds. (CVE-2026-20779.)
func testRaces(t *testing.T, w *World) {
	w.add("ann")
	w.enrol("ann")
	w.Advance(5 * totp.Period)
	const n = 20
	attempts := make([]logiqc.Attempt, n)
	for i := range attempts {
		var err error
		if attempts[i], err = w.start("ann", Password); err != nil {
			t.Fatal(err)
		}
	}
	results := make(chan error, n)
	code := w.code("ann", 0)
	for _, at := range attempts {
		go func() {
			_, err := w.SignIn().Code(w.ctx(), at.Token, code, source)
			results <- err
		}()
	}
	ok := 0
	for range n {
		if err := <-results; err == nil {
			ok++
		}
	}
	if ok != 1 {
		t.Errorf("%d of %d sign-ins with one code succeeded", ok, n)
	}
}
