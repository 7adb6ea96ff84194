package servicetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// policy changes settings as helen.
func (w *World) policy(settings ...logiqc.Setting) {
	w.t.Helper()
	if _, err := w.Helen.ChangePolicy(w.ctx(), logiqc.PolicyEdit{Settings: settings}); err != nil {
		w.t.Fatal(err)
	}
}

// issue gives a user a fresh enrolment code.
func (w *World) issue(username string) logiqc.Secret {
	w.t.Helper()
	out, err := w.Helen.IssueEnrolmentCode(w.ctx(), logiqc.CodeIssue{User: username})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Code.Code
}

// started gives the password and wants a sign-in that leads to enrolment.
func (w *World) started(username string) logiqc.Attempt {
	w.t.Helper()
	at, err := w.start(username, Password)
	if err != nil || at.Stage != logiqc.StageEnrol {
		w.t.Fatalf("%s: %s, %v", username, at.Stage, err)
	}
	return at
}

// newest wants the newest event about a user.
func (w *World) newest(t *testing.T, what, username string, action logiqc.Action, outcome logiqc.Outcome, code logiqc.Code) {
	t.Helper()
	if e := w.events(username, 1)[0]; e.Action != action || e.Outcome != outcome || e.Code != code {
		t.Errorf("%s is in the log as %s %s %q", what, e.Action, e.Outcome, e.Code)
	}
}

// Without the one-time code from the help desk nobody enrols, whoever has the
// password (security.md S-34).
func testEnrolmentCode(t *testing.T, w *World) {
	w.add("ann")
	w.enrol("ann")
	withCode := func(r *logiqc.Reset) { r.EnrolmentCode = true }
	if dry := w.reset(w.Helen, "ann", withCode, func(r *logiqc.Reset) { r.DryRun = true }); dry.EnrolmentCode != nil || !dry.WithCode {
		t.Errorf("dry run: %+v", dry)
	}
	res := w.reset(w.Helen, "ann", withCode)
	if res.EnrolmentCode == nil || res.EnrolmentCode.ExpiresAt != logiqc.At(w.Now().Add(15*time.Minute)) || !res.WithCode {
		t.Fatalf("%+v", res)
	}
	code := res.EnrolmentCode.Code
	if a := w.get("ann"); !a.MFA.CodeNeeded || a.MFA.CodeUntil != res.EnrolmentCode.ExpiresAt {
		t.Errorf("the card: %+v", a.MFA)
	}
	w.add("bob")
	other := w.issue("bob")
	in := w.SignIn()
	at := w.started("ann")
	if !at.CodeNeeded {
		t.Error("no code is asked for")
	}
	_, err := in.StartEnrolment(w.ctx(), at.Token, source)
	want(t, "without the code", err, logiqc.EnrolmentCodeRequired)
	w.newest(t, "starting without it", "ann", logiqc.EnrolmentStarted, logiqc.Denied, logiqc.EnrolmentCodeRequired)
	for i, wrong := range []logiqc.Secret{"000000000000", other, "", "4071"} {
		_, err = in.EnrolmentCode(w.ctx(), at.Token, wrong, source)
		want(t, "a wrong one", err, logiqc.WrongCode)
		w.newest(t, "a wrong one", "ann", logiqc.EnrolmentStarted, logiqc.Failed, logiqc.WrongCode)
		if n := w.events("ann", 1)[0].Details.Misses; n != i+1 {
			t.Errorf("try %d counts as %d", i+1, n)
		}
	}
	if f := w.get("ann").Signin.LastFailure; f == nil || f.Reason != "wrong_enrolment_code" {
		t.Errorf("the card: %+v", f)
	}
	if a := w.get("ann"); a.Signin.CodeMisses != 0 {
		t.Error("it counts as a wrong app code")
	}
	at, err = in.EnrolmentCode(w.ctx(), at.Token, logiqc.Secret("-"+code.Reveal()+" "), source)
	want(t, "the right one", err, "")
	if at.CodeNeeded || at.Stage != logiqc.StageEnrol {
		t.Errorf("after it: %+v", at)
	}
	second := w.started("ann")
	_, err = in.StartEnrolment(w.ctx(), second.Token, source)
	want(t, "another sign-in, without it", err, logiqc.EnrolmentCodeRequired)
	if at = w.finishEnrolment(at); at.Stage != logiqc.StageSignedIn {
		t.Fatalf("enrolled: %+v", at)
	}
	_, err = in.EnrolmentCode(w.ctx(), second.Token, code, source)
	want(t, "spent", err, logiqc.AlreadyEnrolled)
	if a := w.get("ann"); a.MFA.CodeNeeded || a.MFA.CodeUntil != 0 {
		t.Errorf("the card afterwards: %+v", a.MFA)
	}
	t.Run("life", func(t *testing.T) { codeLife(t, w) })
	t.Run("scripts", func(t *testing.T) { codeInTwoCalls(t, w) })
	t.Run("rules", func(t *testing.T) { codeRules(t, w) })
	t.Run("races", func(t *testing.T) { codeRaces(t, w) })
}

// A code dies of five wrong tries, of time, of a fresh one and of a reset; and
// without it nobody enrols all the same.
func codeLife(t *testing.T, w *World) {
	in := w.SignIn()
	give := func(what string, code logiqc.Secret, want1 logiqc.Code) {
		t.Helper()
		_, err := in.EnrolmentCode(w.ctx(), w.started("bob").Token, code, source)
		want(t, what, err, want1)
	}
	code := w.issue("bob")
	for range logiqc.EnrolmentTries {
		give("a wrong one", "0000 0000 0000", logiqc.WrongCode)
	}
	give("the right one, after five wrong ones", code, logiqc.Expired)
	w.newest(t, "a dead one", "bob", logiqc.EnrolmentStarted, logiqc.Denied, logiqc.Expired)
	code = w.issue("bob")
	w.Advance(15 * time.Minute)
	give("too late", code, logiqc.Expired)
	_, err := in.StartEnrolment(w.ctx(), w.started("bob").Token, source)
	want(t, "when it has expired", err, logiqc.EnrolmentCodeRequired)
	if a := w.get("bob"); !a.MFA.CodeNeeded || a.MFA.CodeUntil != 0 {
		t.Errorf("the card: %+v", a.MFA)
	}
	old := w.issue("bob")
	started := w.started("bob")
	if _, err = in.EnrolmentCode(w.ctx(), started.Token, old, source); err != nil {
		t.Fatal(err)
	}
	p, err := in.StartEnrolment(w.ctx(), started.Token, source)
	want(t, "start", err, "")
	key, _ := totp.ParseKey(p.Secret.Reveal())
	fresh := w.issue("bob")
	give("one that was replaced", old, logiqc.WrongCode)
	_, err = in.ProveEnrolment(w.ctx(), started.Token, totp.Code(key, totp.Step(w.Now())), source)
	want(t, "the proof of what the old one started", err, logiqc.EnrolmentCodeRequired)
	at := w.started("bob")
	if at.Pending {
		t.Error("what the old one started is said to wait for its proof")
	}
	at, err = in.EnrolmentCode(w.ctx(), at.Token, fresh, source)
	want(t, "the fresh one", err, "")
	w.Advance(9 * time.Minute)
	if w.finishEnrolment(at).Stage != logiqc.StageSignedIn {
		t.Error("not signed in")
	}
	codeEnds(t, w)
}

// codeEnds has a code in use when the account is reset again without one.
func codeEnds(t *testing.T, w *World) {
	in := w.SignIn()
	res := w.reset(w.Helen, "bob", func(r *logiqc.Reset) { r.EnrolmentCode, r.CodeTTL = true, 72*time.Hour })
	if res.EnrolmentCode.ExpiresAt != logiqc.At(w.Now().Add(72*time.Hour)) {
		t.Errorf("good until %s", res.EnrolmentCode.ExpiresAt)
	}
	started := w.started("bob")
	_, err := in.EnrolmentCode(w.ctx(), started.Token, res.EnrolmentCode.Code, source)
	want(t, "before the next reset", err, "")
	if _, err = in.StartEnrolment(w.ctx(), started.Token, source); err != nil {
		t.Fatal(err)
	}
	if again := w.reset(w.Helen, "bob"); !again.Changed || again.EnrolmentCode != nil {
		t.Fatalf("%+v", again)
	}
	if at := w.started("bob"); at.CodeNeeded {
		t.Error("a reset without a code leaves the old one in force")
	}
	w.enrol("bob")
}

// Scripts enrol in two calls: the first takes the code, the second need not;
// nor does it matter then that the code has expired.
func codeInTwoCalls(t *testing.T, w *World) {
	w.add("cat")
	code, in := w.issue("cat"), w.SignIn()
	w.Advance(14 * time.Minute)
	at, _ := w.startFor("cat", Password, logiqc.EnrolPurpose)
	at, err := in.EnrolmentCode(w.ctx(), at.Token, code, source)
	want(t, "the code", err, "")
	p, err := in.StartEnrolment(w.ctx(), at.Token, source)
	want(t, "start", err, "")
	key, _ := totp.ParseKey(p.Secret.Reveal())
	w.Advance(2 * time.Minute)
	at, _ = w.startFor("cat", Password, logiqc.EnrolPurpose)
	if !at.Pending || !at.CodeNeeded {
		t.Errorf("the second call: %+v", at)
	}
	_, err = in.ProveEnrolment(w.ctx(), at.Token, totp.Code(key, totp.Step(w.Now())), source)
	want(t, "prove", err, "")
}

// Who gets a code for whom, and when the policy wants one.
func codeRules(t *testing.T, w *World) {
	w.add("dan")
	w.add("priya", role(logiqc.RoleHelpdesk))
	w.add("boss", role(logiqc.RoleAdmin))
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	priya := w.signin("priya")
	for _, c := range []struct {
		what, user string
		by         logiqc.Service
		want       logiqc.Code
	}{
		{"the desk for an admin", "boss", priya, logiqc.Forbidden}, {"a user", "dan", w.signin("ann"), logiqc.Forbidden},
		{"for oneself", "helen", w.Helen, logiqc.SelfReset}, {"sso", "sam", w.Helen, logiqc.SSOAccount},
		{"enrolled", "ann", w.Helen, logiqc.AlreadyEnrolled}, {"nobody", "nobody", w.Helen, logiqc.NotFound},
	} {
		_, err := c.by.IssueEnrolmentCode(w.ctx(), logiqc.CodeIssue{User: c.user})
		want(t, c.what, err, c.want)
		if c.want != logiqc.NotFound {
			w.newest(t, c.what, c.user, logiqc.EnrolmentCodeIssued, logiqc.Denied, c.want)
		}
	}
	if _, err := priya.IssueEnrolmentCode(w.ctx(), logiqc.CodeIssue{User: "dan"}); err != nil {
		t.Errorf("the desk for a user: %v", err)
	}
	w.newest(t, "a fresh one", "dan", logiqc.EnrolmentCodeIssued, logiqc.Success, "")

	w.add("eve")
	w.policy(logiqc.Setting{Key: logiqc.KeyEnrolmentCode, Value: string(logiqc.CodeAlways)})
	at := w.started("eve")
	_, err := w.SignIn().EnrolmentCode(w.ctx(), at.Token, "000000000000", source)
	want(t, "always, and none was issued", err, logiqc.Expired)
	at, err = w.SignIn().EnrolmentCode(w.ctx(), at.Token, w.issue("eve"), source)
	want(t, "always", err, "")
	w.finishEnrolment(at)
	w.policy(logiqc.Setting{Key: logiqc.KeyEnrolmentCode, Value: string(logiqc.CodeAfterReset)})
	w.add("fay")
	if at := w.started("fay"); at.CodeNeeded {
		t.Error("after_reset asks somebody who was never reset")
	}
	if res := w.reset(priya, "eve"); res.EnrolmentCode == nil || !w.started("eve").CodeNeeded {
		t.Errorf("after_reset: %+v", res)
	}
	req := logiqc.Request{RequestID: "c-1", Remember: true, Consent: logiqc.Consent{Given: true}}
	one, err := w.Helen.IssueEnrolmentCode(w.ctx(), logiqc.CodeIssue{Request: req, User: "eve"})
	want(t, "with a request id", err, "")
	again, err := w.Helen.IssueEnrolmentCode(w.ctx(), logiqc.CodeIssue{Request: req, User: "eve"})
	if err != nil || !again.Replayed.Replayed || again.Code.Code != "" || again.Code.ExpiresAt != one.Code.ExpiresAt || *again.Audit != *one.Audit {
		t.Errorf("a retry: %+v, %v", again, err)
	}
	w.policy(logiqc.Setting{Key: logiqc.KeyEnrolmentCode, Value: string(logiqc.CodeOff)})
}

// One code, from many sign-ins at once: one of them enrols. Wrong ones at once:
// no more than five are looked at.
func codeRaces(t *testing.T, w *World) {
	in := w.SignIn()
	enrol := func(user string, code logiqc.Secret) error {
		at, err := w.start(user, Password)
		if err != nil {
			return err
		}
		if at, err = in.EnrolmentCode(w.ctx(), at.Token, code, source); err != nil {
			return err
		}
		p, err := in.StartEnrolment(w.ctx(), at.Token, source)
		if err != nil {
			return err
		}
		key, err := totp.ParseKey(p.Secret.Reveal())
		if err != nil {
			return err
		}
		_, err = in.ProveEnrolment(w.ctx(), at.Token, totp.Code(key, totp.Step(w.Now())), source)
		return err
	}
	together := func(n int, do func() error) (done, missed int64) { return codesTogether(t, n, do) }
	w.add("gil")
	code := w.issue("gil")
	if done, _ := together(20, func() error { return enrol("gil", code) }); done > 1 {
		t.Errorf("%d enrolled with one code", done)
	}
	w.add("ian")
	at, err := in.EnrolmentCode(w.ctx(), w.started("ian").Token, w.issue("ian"), source)
	want(t, "the code", err, "")
	p, err := in.StartEnrolment(w.ctx(), at.Token, source)
	want(t, "start", err, "")
	key, _ := totp.ParseKey(p.Secret.Reveal())
	proof := totp.Code(key, totp.Step(w.Now()))
	if done, _ := together(20, func() error { _, err := in.ProveEnrolment(w.ctx(), at.Token, proof, source); return err }); done != 1 {
		t.Errorf("%d proofs counted", done)
	}
	w.add("hal")
	code = w.issue("hal")
	if done, missed := together(20, func() error { return enrol("hal", "000000000000") }); done != 0 || missed != logiqc.EnrolmentTries {
		t.Errorf("%d wrong ones were looked at, %d enrolled", missed, done)
	}
	want(t, "the right one, after these", enrol("hal", code), logiqc.Expired)
}

// codesTogether does one thing n times at once, and counts what was done and
// what was a wrong code.
func codesTogether(t *testing.T, n int, do func() error) (done, missed int64) {
	var ok, wrong atomic.Int64
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			switch err := do(); {
			case err == nil:
				ok.Add(1)
			case errors.Is(err, logiqc.WrongCode):
				wrong.Add(1)
			case logiqc.AsError(err).Code == logiqc.Internal:
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	return ok.Load(), wrong.Load()
}
