package servicetest

import (
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// The policy: who changes it, what of it is in the log, and what a reset has to
// be founded on (security.md S-32).
func testPolicy(t *testing.T, w *World) {
	w.add("priya", role(logiqc.RoleHelpdesk))
	w.add("aud", role(logiqc.RoleAuditor))
	priya, aud := w.signin("priya"), w.signin("aud")
	ticket := logiqc.Setting{Key: logiqc.KeyTicket, Value: "INC[0-9]{3}"}
	for _, s := range []logiqc.Service{priya, aud} {
		if _, err := s.Policy(w.ctx()); err != nil {
			t.Errorf("%s reads it: %v", s.Actor().Username, err)
		}
		_, err := s.ChangePolicy(w.ctx(), logiqc.PolicyEdit{Settings: []logiqc.Setting{ticket}})
		want(t, s.Actor().Username+" changes it", err, logiqc.Forbidden)
	}
	size := w.size()
	for _, bad := range [][]logiqc.Setting{{ticket, {Key: "nope", Value: "1"}}, {{Key: logiqc.KeyEnforced, Value: "false"}}, {ticket, {Key: logiqc.KeyTicket, Value: "["}}} {
		_, err := w.Helen.ChangePolicy(w.ctx(), logiqc.PolicyEdit{Settings: bad})
		want(t, "an unfit one", err, logiqc.Invalid)
	}
	edit := logiqc.PolicyEdit{Settings: []logiqc.Setting{ticket, {Key: logiqc.KeyReason, Value: "required"}, {Key: logiqc.KeyVerifiedBy, Value: "callback,manager"}}}
	edit.DryRun = true
	out, err := w.Helen.ChangePolicy(w.ctx(), edit)
	if p, _ := w.Helen.Policy(w.ctx()); err != nil || out.Changed || len(out.Changes) != 3 || p.Ticket != "" || w.size() != size {
		t.Errorf("dry run: %+v, %v, then %+v", out, err, p)
	}
	edit.Request = logiqc.Request{RequestID: "p-1", Remember: true, Reason: "audit"}
	out, err = w.Helen.ChangePolicy(w.ctx(), edit)
	if err != nil || !out.Changed || out.Policy.Ticket != ticket.Value || w.size() != size+1 {
		t.Fatalf("%+v, %v", out, err)
	}
	page, _ := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
	if e := page.Events[0]; e.Action != logiqc.PolicyChanged || len(e.Details.Changes) != 3 || e.Reason != "audit" ||
		e.Details.Changes[0] != (logiqc.Change{Field: logiqc.KeyReason, From: "optional", To: "required"}) {
		t.Errorf("the event: %+v", e)
	}
	if out, err = w.Helen.ChangePolicy(w.ctx(), edit); err != nil || !out.Replayed.Replayed || !out.Changed || w.size() != size+1 {
		t.Errorf("a retry: %+v, %v", out, err)
	}
	edit.Request = logiqc.Request{}
	if out, err = w.Helen.ChangePolicy(w.ctx(), edit); err != nil || out.Changed || w.size() != size+1 {
		t.Errorf("once more: %+v, %v", out, err)
	}
	t.Run("grounds", func(t *testing.T) { grounds(t, w, priya) })
}

// What the policy wants of a reset is asked for after who may, and before
// whether there is anything to clear; each refusal names its flag and is an
// event.
func grounds(t *testing.T, w *World, priya logiqc.Service) {
	w.add("ann")
	w.add("cfo", func(n *logiqc.NewUser) { n.Protected = true })
	w.enrol("ann")
	found := func(r *logiqc.Reset) { r.Reason, r.Ticket, r.VerifiedBy = "lost", "INC123", "callback" }
	for _, c := range []struct {
		what, user string
		change     func(*logiqc.Reset)
		want       logiqc.Code
		flag       string
	}{
		{"nothing", "ann", func(r *logiqc.Reset) { r.Reason, r.Ticket, r.VerifiedBy = "", "", "" }, logiqc.PolicyRefused, "--reason"},
		{"no ticket", "ann", func(r *logiqc.Reset) { r.Ticket = "" }, logiqc.PolicyRefused, "--ticket"},
		{"too much of a ticket", "ann", func(r *logiqc.Reset) { r.Ticket = "INC1234" }, logiqc.PolicyRefused, "--ticket"},
		{"not verified", "ann", func(r *logiqc.Reset) { r.VerifiedBy = "" }, logiqc.PolicyRefused, "--verified-by"},
		{"verified by hearsay", "ann", func(r *logiqc.Reset) { r.VerifiedBy = "dob" }, logiqc.PolicyRefused, "--verified-by"},
		{"a dry run without", "ann", func(r *logiqc.Reset) { r.DryRun, r.Reason = true, "" }, logiqc.PolicyRefused, "--reason"},
		{"forbidden before", "cfo", func(r *logiqc.Reset) { r.Reason = "" }, logiqc.Forbidden, ""},
		{"nothing to clear, without", "cfo2", func(r *logiqc.Reset) { r.Reason = "" }, logiqc.PolicyRefused, "--reason"},
	} {
		if c.user == "cfo2" {
			w.add("cfo2")
		}
		res := w.reset(priya, c.user, found, c.change)
		want(t, c.what, errOf(res.Err), c.want)
		if res.Err == nil || !strings.Contains(res.Err.Message, c.flag) || res.Changed {
			t.Errorf("%s: %+v", c.what, res.Err)
		}
		if c.what != "a dry run without" {
			w.newest(t, c.what, c.user, logiqc.MFAResetDone, logiqc.Denied, c.want)
		}
	}
	preview := w.reset(priya, "ann", func(r *logiqc.Reset) { r.Given, r.CanAsk = false, true })
	want(t, "a preview before the questions", errOf(preview.Err), logiqc.ConfirmationRequired)
	r := logiqc.Reset{Request: given(), Users: []logiqc.ResetTarget{{User: "ann"}, {User: "cfo2"}}}
	_, err := priya.ResetMFA(w.ctx(), r)
	want(t, "several", err, logiqc.PolicyRefused)
	_, err = priya.IssueEnrolmentCode(w.ctx(), logiqc.CodeIssue{User: "cfo2"})
	want(t, "an enrolment code", err, logiqc.PolicyRefused)
	w.newest(t, "an enrolment code", "cfo2", logiqc.EnrolmentCodeIssued, logiqc.Denied, logiqc.PolicyRefused)

	if res := w.reset(priya, "ann", found); res.Outcome != logiqc.ResetDone {
		t.Fatalf("with all of it: %+v", res)
	}
	if e := w.events("ann", 1)[0]; e.Reason != "lost" || e.Ticket != "INC123" || e.VerifiedBy != "callback" {
		t.Errorf("the event: %+v", e)
	}
	w.policy(logiqc.Setting{Key: logiqc.KeyMessage, Value: "{username} of {organisation} at {time}."},
		logiqc.Setting{Key: logiqc.KeyReasons, Value: "lost,new phone"})
	w.Advance(totp.Period)
	w.enrol("ann")
	res := w.reset(priya, "ann", found, func(r *logiqc.Reset) { r.Reason = "bored" })
	want(t, "a reason that is not listed", errOf(res.Err), logiqc.PolicyRefused)
	if res = w.reset(priya, "ann", found); !strings.HasPrefix(res.Message, "ann of Logiqc at {time}. If you did not ask") {
		t.Errorf("the message: %q", res.Message)
	}
}

// A code read out proves that the caller has the app: it is spent, throttled
// and recorded, and nothing is reset.
func testVerify(t *testing.T, w *World) {
	w.add("ann")
	w.add("cfo", func(n *logiqc.NewUser) { n.Protected = true })
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	w.add("new")
	w.add("priya", role(logiqc.RoleHelpdesk))
	w.add("aud", role(logiqc.RoleAuditor))
	for _, name := range []string{"ann", "cfo"} {
		w.enrol(name)
	}
	priya, aud, ann := w.signin("priya"), w.signin("aud"), w.signin("ann")
	w.Advance(totp.Period)
	verify := func(by logiqc.Service, user, code string) error {
		_, err := by.VerifyCode(w.ctx(), logiqc.CodeCheck{User: user, Code: code})
		return err
	}
	for _, c := range []struct {
		what, user string
		by         logiqc.Service
		want       logiqc.Code
	}{
		{"a user", "cfo", ann, logiqc.Forbidden}, {"an auditor", "ann", aud, logiqc.Forbidden}, {"the desk, a protected one", "cfo", priya, logiqc.Forbidden},
		{"oneself", "helen", w.Helen, logiqc.Forbidden}, {"sso", "sam", w.Helen, logiqc.SSOAccount},
		{"nobody enrolled", "new", w.Helen, logiqc.EnrolmentRequired}, {"nobody", "nobody", w.Helen, logiqc.NotFound},
	} {
		want(t, c.what, verify(c.by, c.user, "123456"), c.want)
		if c.want != logiqc.NotFound {
			w.newest(t, c.what, c.user, logiqc.MFACodeVerified, logiqc.Denied, c.want)
		}
	}
	w.verifyCodes(t, priya, verify)
}

// verifyCodes: right ones, wrong ones, and the wait that these cause.
func (w *World) verifyCodes(t *testing.T, priya logiqc.Service, verify func(by logiqc.Service, user, code string) error) {
	t.Helper()
	code := w.code("ann", 0)
	before := w.get("ann")
	want(t, "a right one", verify(priya, "ann", code), "")
	w.newest(t, "a right one", "ann", logiqc.MFACodeVerified, logiqc.Success, "")
	if a := w.get("ann"); a.MFA.State != logiqc.EnrolmentEnrolled || a.MFA.EnrolledAt != before.MFA.EnrolledAt || a.MFA.RecoveryCodesLeft != 10 {
		t.Errorf("afterwards: %+v", a.MFA)
	}
	want(t, "the same again", verify(priya, "ann", code), logiqc.WrongCode)
	w.newest(t, "the same again", "ann", logiqc.MFACodeVerified, logiqc.Failed, logiqc.WrongCode)
	at, _ := w.start("ann", Password)
	_, err := w.SignIn().Code(w.ctx(), at.Token, code, source)
	want(t, "the same at a sign-in", err, logiqc.WrongCode)
	for range 3 {
		want(t, "a wrong one", verify(priya, "ann", "000000"), logiqc.WrongCode)
	}
	if s := w.get("ann").Signin; s.CodeMisses != 5 || s.Why != logiqc.WhyThrottled {
		t.Errorf("the card: %+v", s)
	}
	size := w.size()
	want(t, "during the wait", verify(priya, "ann", w.code("ann", 0)), logiqc.Throttled)
	want(t, "again", verify(w.Helen, "ann", w.code("ann", 0)), logiqc.Throttled)
	if n := w.size() - size; n != 1 {
		t.Errorf("the wait is %d events", n)
	}
	w.Advance(totp.Period)
	want(t, "after the wait", verify(priya, "ann", w.code("ann", 0)), "")
	if s := w.get("ann").Signin; s.CodeMisses != 0 {
		t.Errorf("the card: %+v", s)
	}
	t.Run("retry", func(t *testing.T) {
		w.Advance(totp.Period)
		r := logiqc.CodeCheck{Request: logiqc.Request{RequestID: "v-1", Remember: true}, User: "ann", Code: w.code("ann", 0)}
		one, err := w.Helen.VerifyCode(w.ctx(), r)
		want(t, "first", err, "")
		again, err := w.Helen.VerifyCode(w.ctx(), r)
		if err != nil || !again.Replayed.Replayed || again.Audit != one.Audit {
			t.Errorf("%+v, %v", again, err)
		}
	})
}

// How far the accounts of a run are.
func testRun(t *testing.T, w *World) {
	r := logiqc.Reset{Request: given()}
	r.RequestID = "run-1"
	for _, name := range []string{"ann", "bob", "cat"} {
		w.add(name)
		w.enrol(name)
		r.Users = append(r.Users, logiqc.ResetTarget{User: name})
	}
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	r.Users = append(r.Users, logiqc.ResetTarget{User: "sam"})
	_, err := w.Helen.Run(w.ctx(), "run-1")
	want(t, "before", err, logiqc.NotFound)
	if _, err := w.Helen.ResetMFA(w.ctx(), r); err != nil {
		t.Fatal(err)
	}
	for i, c := range []logiqc.RunFigures{{Run: "run-1", Reset: 3, Waiting: 3}, {Run: "run-1", Reset: 3, Enrolled: 1, Waiting: 2}} {
		if f, err := w.Helen.Run(w.ctx(), "run-1"); err != nil || f != c {
			t.Errorf("after %d enrolments: %+v, %v", i, f, err)
		}
		w.Advance(totp.Period)
		w.enrol([]string{"ann", "bob"}[i])
	}
	_, err = w.Helen.Run(w.ctx(), "")
	want(t, "no id", err, logiqc.NotFound)
	_, err = w.signin("ann").Run(w.ctx(), "run-1")
	want(t, "a user", err, logiqc.Forbidden)
}
