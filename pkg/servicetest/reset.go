package servicetest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// A reset clears the enrolment and nothing else (product.md R2, R3, R10).
func testReset(t *testing.T, w *World) {
	w.add("ann", func(n *logiqc.NewUser) { n.Phone = "+61 2 5550 1234" })
	if res := w.reset(w.Helen, "ann"); res.Outcome != logiqc.ResetUnchanged || res.Changed || res.Audit != nil || res.Err != nil {
		t.Errorf("nothing to clear: %+v", res)
	}
	w.enrol("ann")
	session := w.signin("ann")
	w.start("ann", "wrong") //nolint:errcheck // a miss of the password, which the reset leaves
	half, err := w.start("ann", Password)
	if err != nil {
		t.Fatal(err)
	}
	w.SignIn().Code(w.ctx(), half.Token, "000000", source) //nolint:errcheck // a miss of the code, which it does not
	w.start("ann", "wrong")                                //nolint:errcheck // again
	before := w.get("ann")
	if before.Signin.CodeMisses != 1 || before.Signin.PasswordMisses != 1 {
		t.Fatalf("misses %+v", before.Signin)
	}
	size := w.size()
	dry := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.DryRun = true })
	if dry.Outcome != logiqc.ResetWould || dry.Changed || dry.Err != nil || dry.Cleared.Sessions != 2 {
		t.Errorf("dry run: %+v", dry)
	}
	preview := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Given = false })
	want(t, "without consent", errOf(preview.Err), logiqc.ConfirmationRequired)
	if w.size() != size || w.get("ann").Version != before.Version {
		t.Error("a preview or a dry run changed something")
	}
	res := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Reason, r.Ticket, r.Users[0].Shown = "new phone", "INC1", preview.Shown })
	cleared := logiqc.Cleared{Authenticator: true, RecoveryCodes: 10, Sessions: 2}
	if res.Outcome != logiqc.ResetDone || !res.Changed || res.Cleared != cleared || res.NextSignin != "enrol" {
		t.Fatalf("got %+v", res)
	}
	e := w.events("ann", 1)[0]
	if e.Seq != res.Audit.Seq || e.Action != logiqc.MFAResetDone || e.Reason != "new phone" || e.Ticket != "INC1" ||
		*e.Details.RecoveryCodes != 10 || *e.Details.Sessions != 2 || e.Actor.Username != "helen" || e.Source.Host != "desk-3" {
		t.Errorf("the event is %+v", e)
	}
	w.onlyEnrolmentCleared(t, before, w.get("ann"))
	_, err = session.GetUser(w.ctx(), "ann")
	want(t, "an old session (CVE-2024-21722, CVE-2026-9162)", err, logiqc.Unauthenticated)
	_, err = w.SignIn().Code(w.ctx(), half.Token, w.code("ann", 0), source)
	want(t, "a sign-in under way", err, logiqc.Unauthenticated)

	w.signinAfterReset(t)
	w.resetOfPending(t)
}

// signinAfterReset: it leads into enrolment and says why, once; then a reset that
// keeps the sessions.
func (w *World) signinAfterReset(t *testing.T) {
	t.Helper()
	w.Advance(time.Hour)
	at, err := w.start("ann", Password)
	if err != nil || at.Stage != logiqc.StageEnrol || at.Notice == "" {
		t.Fatalf("next sign-in: %+v, %v", at, err)
	}
	if done := w.finishEnrolment(at); !strings.Contains(done.Notice, "Your MFA was reset") {
		t.Errorf("who sees only the end of the sign-in is told %q", done.Notice)
	}
	w.Advance(totp.Period)
	if at, _ = w.start("ann", Password); at.Notice != "" || at.Stage != logiqc.StageCode {
		t.Errorf("told twice, or not asked: %+v", at)
	}
	kept := w.signin("ann")
	if res := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.KeepSessions = true }); res.Cleared.Sessions != 0 || !res.Changed {
		t.Errorf("keep sessions: %+v", res)
	}
	if kept.Actor().Username != "ann" {
		t.Error("no session")
	}
	if _, err = kept.Sessions(w.ctx(), ""); err != nil {
		t.Errorf("a kept session: %v", err)
	}
}

// onlyEnrolmentCleared compares an account before and after its reset.
func (w *World) onlyEnrolmentCleared(t *testing.T, before, after logiqc.Account) {
	t.Helper()
	if after.MFA.State != logiqc.EnrolmentNone || after.MFA.EnrolledAt != 0 || after.MFA.RecoveryCodesLeft != 0 ||
		after.Signin.CodeMisses != 0 || after.MFA.ResetBy != "helen" || after.MFA.ResetAt != logiqc.At(w.Now()) {
		t.Errorf("not cleared: %+v %+v", after.MFA, after.Signin)
	}
	if after.Signin.PasswordMisses != 1 || !after.MFA.Required || !bool(after.MFA.ToggleOwn) {
		t.Errorf("more than the enrolment: %+v %+v", after.MFA, after.Signin)
	}
	for _, a := range []*logiqc.Account{&before, &after} {
		a.MFA, a.Signin, a.Version, a.UpdatedAt = logiqc.MFAView{}, logiqc.SigninView{}, 0, 0
	}
	if b, a := asJSON(t, before), asJSON(t, after); a != b {
		t.Errorf("before %s\nafter  %s", b, a)
	}
}

// resetOfPending: a pending secret dies with a reset, and so does its proof
// (S-18).
func (w *World) resetOfPending(t *testing.T) {
	w.add("bob")
	at, _ := w.startFor("bob", Password, logiqc.EnrolPurpose)
	p, err := w.SignIn().StartEnrolment(w.ctx(), at.Token, source)
	if err != nil {
		t.Fatal(err)
	}
	if res := w.reset(w.Helen, "bob"); !res.Cleared.Pending || res.Cleared.Authenticator || !res.Changed {
		t.Errorf("pending: %+v", res)
	}
	key, _ := totp.ParseKey(p.Secret.Reveal())
	code := totp.Code(key, totp.Step(w.Now()))
	_, err = w.SignIn().ProveEnrolment(w.ctx(), at.Token, code, source)
	want(t, "its proof, same attempt", err, logiqc.Unauthenticated)
	at, _ = w.startFor("bob", Password, logiqc.EnrolPurpose)
	_, err = w.SignIn().ProveEnrolment(w.ctx(), at.Token, code, source)
	want(t, "its proof, new attempt", err, logiqc.EnrolmentRequired)
}

// Who may be reset, by whom and how: each refusal is an event with its code.
func testResetRules(t *testing.T, w *World) {
	w.add("ann")
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	w.add("cfo", func(n *logiqc.NewUser) { n.Protected = true })
	w.add("priya", role(logiqc.RoleHelpdesk))
	w.add("aud", role(logiqc.RoleAuditor))
	w.add("second", role(logiqc.RoleAdmin))
	for _, name := range []string{"ann", "cfo", "second"} {
		w.enrol(name)
	}
	priya, aud, ann := w.signin("priya"), w.signin("aud"), w.signin("ann")
	for _, c := range []struct {
		what   string
		by     logiqc.Service
		target string
		typed  string
		want   logiqc.Code
	}{
		{"a user resets", ann, "cfo", "", logiqc.Forbidden},
		{"a user resets nobody", ann, "nobody", "", logiqc.Forbidden},
		{"an auditor resets", aud, "ann", "", logiqc.Forbidden},
		{"the desk resets an admin", priya, "second", "second", logiqc.Forbidden},
		{"the desk resets a protected user", priya, "cfo", "cfo", logiqc.Forbidden},
		{"the desk resets itself", priya, "priya", "priya", logiqc.Forbidden},
		{"an admin resets herself", w.Helen, "helen", "helen", logiqc.SelfReset},
		{"an SSO account", w.Helen, "sam", "", logiqc.SSOAccount},
		{"a protected user by --yes", w.Helen, "cfo", "", logiqc.Privileged},
		{"an admin by --yes", w.Helen, "second", "", logiqc.Privileged},
		{"an admin with the wrong name typed", w.Helen, "second", "ann", logiqc.Privileged},
		{"nobody", w.Helen, "nobody", "", logiqc.NotFound},
	} {
		size := w.size()
		res := w.reset(c.by, c.target, func(r *logiqc.Reset) { r.Typed = c.typed })
		want(t, c.what, errOf(res.Err), c.want)
		events := int64(1)
		if c.want == logiqc.NotFound {
			events = 0
		}
		if n := w.size() - size; n != events {
			t.Errorf("%s is %d events", c.what, n)
		}
		if events == 0 || c.target == "nobody" {
			continue
		}
		if e := w.events(c.target, 1)[0]; e.Outcome != logiqc.Denied || e.Action != logiqc.MFAResetDone || e.Code != c.want {
			t.Errorf("%s is in the log as %s %s %s", c.what, e.Action, e.Outcome, e.Code)
		}
	}
	if res := w.reset(priya, "ann"); res.Outcome != logiqc.ResetDone {
		t.Errorf("the desk resets a user: %+v", res)
	}
	if res := w.reset(w.Helen, "second", func(r *logiqc.Reset) { r.Typed = "SECOND" }); res.Outcome != logiqc.ResetDone {
		t.Errorf("an admin with the name typed: %+v", res)
	}
	w.resetConflicts(t)
}

// What was confirmed is what is reset (product.md R6).
func (w *World) resetConflicts(t *testing.T) {
	w.enrol("ann")
	shown := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Given = false }).Shown
	at := w.get("ann").MFA.EnrolledAt
	later, none := at+1, logiqc.Time(0)
	for what, ifAt := range map[string]*logiqc.Time{"another time": &later, "none": &none} {
		res := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Users[0].IfEnrolledAt = ifAt })
		want(t, what, errOf(res.Err), logiqc.Conflict)
	}
	w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Users[0].IfEnrolledAt = &at })
	w.Advance(totp.Period)
	w.enrol("ann")
	res := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Users[0].Shown = shown })
	want(t, "enrolled again since it was shown", errOf(res.Err), logiqc.Conflict)
	if a := w.get("ann"); a.MFA.State != logiqc.EnrolmentEnrolled || res.Changed {
		t.Error("a conflict changed something")
	}
}

// A batch: each account has its own outcome, in order, and its own event; tried
// again it answers the same.
func testBatch(t *testing.T, w *World) {
	for _, name := range []string{"ann", "bob", "eve"} {
		w.add(name)
	}
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	w.enrol("ann")
	w.enrol("bob")
	w.signin("bob")
	ids := map[string]string{"ann": w.get("ann").ID, "bob": w.get("bob").ID}
	r := logiqc.Reset{Request: given()}
	r.RequestID, r.Remember = "run-1", true
	for _, u := range []string{"ann", "nobody", "BOB@example.org", "sam", "ANN@example.org", "eve", ids["bob"], "bo", "Eve"} {
		r.Users = append(r.Users, logiqc.ResetTarget{User: u})
	}
	size := w.size()
	got, err := w.Helen.ResetMFA(w.ctx(), r)
	if err != nil || len(got) != len(r.Users) {
		t.Fatal(len(got), err)
	}
	for i, c := range []struct {
		user    string
		outcome logiqc.ResetOutcome
		code    logiqc.Code
	}{
		{"ann", logiqc.ResetDone, ""}, {"", logiqc.ResetRefused, logiqc.NotFound}, {"bob", logiqc.ResetDone, ""},
		{"sam", logiqc.ResetRefused, logiqc.SSOAccount}, {"ann", logiqc.ResetUnchanged, logiqc.Duplicate}, {"eve", logiqc.ResetUnchanged, ""},
		{"bob", logiqc.ResetUnchanged, logiqc.Duplicate}, {"", logiqc.ResetRefused, logiqc.NotFound}, {"eve", logiqc.ResetUnchanged, logiqc.Duplicate},
	} {
		res := got[i]
		want(t, res.Input, errOf(res.Err), c.code)
		if res.Outcome != c.outcome || res.Input != r.Users[i].User || res.User != c.user {
			t.Errorf("%s: %s of %q", res.Input, res.Outcome, res.User)
		}
		if c.user != "" && (res.Account == nil || asJSON(t, *res.Account) != asJSON(t, w.get(c.user))) {
			t.Errorf("%s: the answer says %+v", res.Input, res.Account)
		}
	}
	if got[2].Cleared.Sessions == 0 || got[2].Audit.Seq != got[0].Audit.Seq+1 {
		t.Errorf("bob: %+v", got[2])
	}
	for _, i := range []int{0, 2} {
		if e := w.events(got[i].User, 1)[0]; e.Seq != got[i].Audit.Seq || e.ID != got[i].Audit.ID || e.Target.ID != ids[got[i].User] {
			t.Errorf("the event of %s is %+v", got[i].User, e)
		}
	}
	if n := w.size() - size; n != 3 { // two resets and the refusal
		t.Errorf("%d events", n)
	}
	w.sameAgain(t, r, got)
	r.Total = 501
	_, err = w.Helen.ResetMFA(w.ctx(), r)
	want(t, "more than the policy allows", err, logiqc.PolicyRefused)
}

// sameAgain: a retry of a run answers as the first time, and says so.
func (w *World) sameAgain(t *testing.T, r logiqc.Reset, got []logiqc.ResetResult) {
	t.Helper()
	again, err := w.Helen.ResetMFA(w.ctx(), r)
	for i := range again {
		if !again[i].Replayed.Replayed {
			t.Errorf("%s was done again", again[i].Input)
		}
		again[i].Replayed.Replayed = false
	}
	if err != nil || asJSON(t, again) != asJSON(t, got) {
		t.Errorf("%v\nfirst %s\nagain %s", err, asJSON(t, got), asJSON(t, again))
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A retry with the request id of a call whose answer was lost changes nothing
// twice.
func testIdempotency(t *testing.T, w *World) {
	w.add("ann")
	w.enrol("ann")
	req := func(r *logiqc.Reset) { r.RequestID, r.Remember = "r-1", true }
	first := w.reset(w.Helen, "ann", req)
	w.Advance(time.Minute)
	w.enrol("ann")
	size := w.size()
	again := w.reset(w.Helen, "ann", req)
	if !again.Replayed.Replayed || first.Replayed.Replayed || again.Audit == nil || *again.Audit != *first.Audit || again.Outcome != logiqc.ResetDone {
		t.Errorf("first %+v\nagain %+v", first, again)
	}
	if w.get("ann").MFA.State != logiqc.EnrolmentEnrolled || w.size() != size {
		t.Error("a retry reset twice")
	}
	w.add("bob")
	res := w.reset(w.Helen, "bob", req)
	want(t, "the same id for another", errOf(res.Err), logiqc.Conflict)
	r := logiqc.NewToken{Request: logiqc.Request{RequestID: "r-1", Remember: true}, Name: "nightly", Role: logiqc.RoleHelpdesk}
	_, secret, err := w.Helen.CreateToken(w.ctx(), r)
	if err != nil || secret == "" {
		t.Fatalf("the same id for another command: %v", err)
	}
	_, secret, err = w.Helen.CreateToken(w.ctx(), r)
	if err != nil || secret != "" {
		t.Errorf("a replayed token shows its secret: %q, %v", secret.Reveal(), err)
	}
	w.add("priya", role(logiqc.RoleHelpdesk))
	if res := w.reset(w.signin("priya"), "ann", req); res.Replayed.Replayed || res.Outcome != logiqc.ResetDone {
		t.Errorf("the same id of another operator: %+v", res)
	}
	testPasswordRetry(t, w)
	w.Advance(8 * 24 * time.Hour)
	w.signin("ann")
	if res := w.reset(w.Helen, "ann", req); res.Replayed.Replayed || res.Outcome != logiqc.ResetDone {
		t.Errorf("after seven days: %+v", res)
	}
}

// A password is no part of what is remembered, and yet a retry is for the same one:
// with another the request id was used for something else.
func testPasswordRetry(t *testing.T, w *World) {
	t.Helper()
	r := logiqc.Request{RequestID: "pw-1", Remember: true}
	user := logiqc.NewUser{Request: r, Username: "cob", Email: "cob@x", Password: Password}
	set := logiqc.PasswordChange{Request: r, User: "cob", New: "another long one"}
	if _, err := w.Helen.AddUser(w.ctx(), user); err != nil {
		t.Fatal(err)
	}
	if out, err := w.Helen.SetPassword(w.ctx(), set); err != nil || out.Replayed.Replayed || !out.Changed {
		t.Fatalf("%+v, %v", out, err)
	}
	size := w.size()
	if out, err := w.Helen.AddUser(w.ctx(), user); err != nil || !out.Replayed.Replayed {
		t.Errorf("added again: %+v, %v", out, err)
	}
	if out, err := w.Helen.SetPassword(w.ctx(), set); err != nil || !out.Replayed.Replayed || out.Account.Username != "cob" {
		t.Errorf("set again: %+v, %v", out, err)
	}
	user.Password, set.New = "not the same one", "not the same one"
	_, err := w.Helen.AddUser(w.ctx(), user)
	want(t, "added with another password", err, logiqc.Conflict)
	_, err = w.Helen.SetPassword(w.ctx(), set)
	want(t, "another password", err, logiqc.Conflict)
	if w.size() != size {
		t.Error("a retry is in the log")
	}
}
