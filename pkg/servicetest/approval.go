package servicetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// ask asks for approval of one reset, with consent given.
func (w *World) ask(by logiqc.Service, username string, change ...func(*logiqc.Reset)) logiqc.ResetResult {
	w.t.Helper()
	r := logiqc.Reset{Request: given(), Users: []logiqc.ResetTarget{{User: username}}}
	for _, f := range change {
		f(&r)
	}
	results, err := by.RequestReset(w.ctx(), r)
	if err != nil {
		return logiqc.ResetResult{Err: logiqc.AsError(err)}
	}
	if len(results) != 1 {
		w.t.Fatalf("%d results", len(results))
	}
	return results[0]
}

// asked is ask where that has to succeed.
func (w *World) asked(by logiqc.Service, username string, change ...func(*logiqc.Reset)) logiqc.Approval {
	w.t.Helper()
	res := w.ask(by, username, change...)
	if res.Err != nil || res.Outcome != logiqc.ResetRequested || res.Approval == nil {
		w.t.Fatalf("%s asks for %s: %+v", by.Actor().Name, username, res)
	}
	return *res.Approval
}

// decide approves or rejects, with consent given.
func (w *World) decide(by logiqc.Service, id string, approve bool) (logiqc.Decided, error) {
	return by.DecideApproval(w.ctx(), logiqc.Decision{Request: given(), ID: id, Approve: approve})
}

// state is what became of a request.
func (w *World) state(id string) logiqc.Approval {
	w.t.Helper()
	a, err := w.Helen.Approval(w.ctx(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// desk adds who approvals take: priya of the help desk, ines who audits, ann
// and the protected cfo, both enrolled.
func (w *World) desk() (priya, ines logiqc.Service) {
	w.t.Helper()
	w.add("priya", role(logiqc.RoleHelpdesk))
	w.add("ines", role(logiqc.RoleAuditor))
	w.add("ann")
	w.add("cfo", func(n *logiqc.NewUser) { n.Protected = true })
	w.enrol("ann")
	w.enrol("cfo")
	return w.signin("priya"), w.signin("ines")
}

// One operator asks, another approves, and that is the reset: in one
// transaction, with both names, and with a code that only the first has seen
// (security.md S-33).
func testApproval(t *testing.T, w *World) {
	priya, _ := w.desk()
	cfo := w.signin("cfo")
	size := w.size()
	preview := w.ask(priya, "cfo", func(r *logiqc.Reset) { r.Given = false })
	want(t, "a preview", errOf(preview.Err), logiqc.ConfirmationRequired)
	dry := w.ask(priya, "cfo", func(r *logiqc.Reset) { r.DryRun, r.EnrolmentCode = true, true })
	if dry.Outcome != logiqc.ResetWouldRequest || dry.Approval != nil || dry.EnrolmentCode != nil || !dry.WithCode || w.size() != size {
		t.Errorf("a dry run: %+v", dry)
	}
	res := w.ask(priya, "cfo", func(r *logiqc.Reset) {
		r.EnrolmentCode, r.Reason, r.Ticket, r.VerifiedBy = true, "new phone", "INC1", "callback"
	})
	a := res.Approval
	if a == nil || res.EnrolmentCode == nil {
		t.Fatalf("%+v", res)
	}
	hour := logiqc.At(w.Now().Add(time.Hour))
	if a.User != "cfo" || a.State != logiqc.ApprovalPending || a.RequestedBy != "priya" || a.ExpiresAt != hour || !a.WithCode || a.Seq != nil ||
		a.Reason != "new phone" || a.Ticket != "INC1" || a.VerifiedBy != "callback" || a.Account.Username != "cfo" || res.Account.MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("%+v", a)
	}
	if len(a.Short) != 4 || !strings.HasSuffix(a.ID, a.Short) {
		t.Errorf("short for %s: %s", a.ID, a.Short)
	}
	if res.EnrolmentCode.ExpiresAt != hour.Add(15*time.Minute) || w.get("cfo").MFA.CodeNeeded {
		t.Errorf("the code: %+v", res.EnrolmentCode)
	}
	e := w.events("cfo", 1)[0]
	if e.Action != logiqc.MFARequested || e.Actor.Username != "priya" || e.Details.Approval != a.ID || e.Details.RequestedBy != "priya" || e.Ticket != "INC1" {
		t.Errorf("the request's event: %+v", e)
	}
	w.previewOfApproval(t, a.ID)
	w.approved(t, *a, res.EnrolmentCode.Code, cfo)
	t.Run("rejected", func(t *testing.T) { rejected(t, w, priya) })
	t.Run("expired", func(t *testing.T) { expired(t, w, priya) })
	t.Run("changed", func(t *testing.T) { changed(t, w) })
	t.Run("about oneself", func(t *testing.T) { aboutOneself(t, w) })
}

// previewOfApproval: without consent nothing is decided, and nothing written.
func (w *World) previewOfApproval(t *testing.T, id string) {
	size := w.size()
	for _, approve := range []bool{true, false} {
		out, err := w.Helen.DecideApproval(w.ctx(), logiqc.Decision{ID: id, Approve: approve})
		if err != nil || !is(out.Err, logiqc.ConfirmationRequired) || approve && (out.Reset.Outcome != logiqc.ResetWould || !out.Reset.Cleared.Authenticator) {
			t.Errorf("preview: %+v, %v", out, err)
		}
		dry := logiqc.Request{Consent: logiqc.Consent{DryRun: true, Given: true}}
		out, err = w.Helen.DecideApproval(w.ctx(), logiqc.Decision{Request: dry, ID: id, Approve: approve})
		if err != nil || out.Err != nil {
			t.Errorf("dry run: %+v, %v", out, err)
		}
	}
	if w.size() != size || w.state(id).State != logiqc.ApprovalPending {
		t.Error("looking decides")
	}
}

func is(e *logiqc.Error, code logiqc.Code) bool { return e != nil && e.Code == code }

// approved approves the request of priya for cfo, whose session is given.
func (w *World) approved(t *testing.T, a logiqc.Approval, code logiqc.Secret, cfo logiqc.Service) {
	out, err := w.decide(w.Helen, strings.ToUpper(a.Short), true)
	if err != nil || out.Reset == nil {
		t.Fatalf("%+v, %v", out, err)
	}
	res := out.Reset
	if res.Outcome != logiqc.ResetDone || !res.Changed || res.EnrolmentCode != nil || !res.WithCode || res.NextSignin != logiqc.NextEnrol ||
		res.Cleared.Sessions != 2 || !strings.Contains(res.Message, "enrolment code") {
		t.Errorf("the reset: %+v", res)
	}
	now := out.Approval
	if now.State != logiqc.ApprovalApproved || now.DecidedBy != "helen" || now.Seq == nil || *now.Seq != res.Audit.Seq || now.Message != res.Message {
		t.Errorf("the request then: %+v", now)
	}
	for i, action := range []logiqc.Action{logiqc.MFAResetDone, logiqc.MFAApproved} {
		e := w.events("cfo", 2)[i]
		if e.Action != action || e.Actor.Username != "helen" || e.Details.RequestedBy != "priya" || e.Details.Approval != a.ID ||
			e.Reason != "new phone" || e.Ticket != "INC1" || e.VerifiedBy != "callback" {
			t.Errorf("the event: %+v", e)
		}
	}
	_, err = cfo.Sessions(w.ctx(), "")
	want(t, "a session of the account", err, logiqc.Unauthenticated)
	if acct := w.get("cfo"); acct.MFA.ResetBy != "helen" || !acct.MFA.CodeNeeded {
		t.Errorf("the account: %+v", acct.MFA)
	}
	at := w.started("cfo")
	_, err = w.SignIn().EnrolmentCode(w.ctx(), at.Token, "0000 0000 0000", source)
	want(t, "a wrong code", err, logiqc.WrongCode)
	if at, err = w.SignIn().EnrolmentCode(w.ctx(), at.Token, code, source); err != nil {
		t.Fatalf("the code of the request: %v", err)
	}
	w.finishEnrolment(at)
	for _, approve := range []bool{true, false} {
		_, err = w.decide(w.Helen, a.ID, approve)
		want(t, "once more", err, logiqc.Conflict)
	}
}

func rejected(t *testing.T, w *World, priya logiqc.Service) {
	a := w.asked(priya, "ann", func(r *logiqc.Reset) { r.EnrolmentCode, r.Ticket = true, "INC2" })
	r := given()
	r.Reason = "not on the phone"
	out, err := w.Helen.DecideApproval(w.ctx(), logiqc.Decision{Request: r, ID: a.ID})
	if err != nil || out.Reset != nil || out.Approval.State != logiqc.ApprovalRejected || out.Approval.DecidedBy != "helen" {
		t.Errorf("%+v, %v", out, err)
	}
	e := w.events("ann", 1)[0]
	if e.Action != logiqc.MFARejected || e.Reason != "not on the phone" || e.Ticket != "INC2" || e.Details.RequestedBy != "priya" || e.Actor.Username != "helen" {
		t.Errorf("the event: %+v", e)
	}
	if acct := w.get("ann"); acct.MFA.State != logiqc.EnrolmentEnrolled || acct.MFA.CodeNeeded {
		t.Errorf("the account: %+v", acct.MFA)
	}
	_, err = w.decide(w.Helen, a.ID, true)
	want(t, "approve what was rejected", err, logiqc.Conflict)
	if open, _ := w.Helen.Approvals(w.ctx(), logiqc.ApprovalQuery{}); len(open) != 0 {
		t.Errorf("open: %+v", open)
	}
	if all, _ := w.Helen.Approvals(w.ctx(), logiqc.ApprovalQuery{All: true}); len(all) != 2 || all[1].ID != a.ID {
		t.Errorf("all: %+v", all)
	}
}

func expired(t *testing.T, w *World, priya logiqc.Service) {
	a := w.asked(priya, "ann")
	w.Advance(time.Hour - time.Second)
	if open, err := priya.Approvals(w.ctx(), logiqc.ApprovalQuery{}); err != nil || len(open) != 1 || open[0].ID != a.ID {
		t.Errorf("to the last: %+v, %v", open, err)
	}
	w.Advance(time.Second)
	if open, _ := w.Helen.Approvals(w.ctx(), logiqc.ApprovalQuery{}); len(open) != 0 || w.state(a.Short).State != logiqc.ApprovalExpired {
		t.Errorf("open: %+v", open)
	}
	for approve, action := range map[bool]logiqc.Action{true: logiqc.MFAApproved, false: logiqc.MFARejected} {
		_, err := w.decide(w.Helen, a.ID, approve)
		want(t, "too late", err, logiqc.Expired)
		w.newest(t, "too late", "ann", action, logiqc.Denied, logiqc.Expired)
		if d := w.events("ann", 1)[0].Details; d.RequestedBy != "priya" || d.Approval != a.ID {
			t.Errorf("the refusal says %+v", d)
		}
	}
	w.Advance(25 * time.Hour)
	if all, _ := w.Helen.Approvals(w.ctx(), logiqc.ApprovalQuery{All: true}); len(all) != 0 {
		t.Errorf("a day later: %+v", all)
	}
	if w.state(a.Short).ID != a.ID {
		t.Error("it is not found by its short id any more")
	}
}

// Nobody sees what is asked for about their own account: who took it over would
// learn that the help desk is about to act.
func aboutOneself(t *testing.T, w *World) {
	priya := w.signin("priya")
	a := w.asked(priya, "helen", func(r *logiqc.Reset) { r.Hold = true })
	_, err := w.Helen.Approval(w.ctx(), a.ID)
	want(t, "shown", err, logiqc.Forbidden)
	w.newest(t, "shown", "helen", logiqc.UserViewed, logiqc.Denied, logiqc.Forbidden)
	lists := func(by logiqc.Service, q logiqc.ApprovalQuery) bool {
		all, err := by.Approvals(w.ctx(), q)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(v logiqc.Approval) bool { return v.ID == a.ID })
	}
	for _, q := range []logiqc.ApprovalQuery{{}, {All: true}, {Mine: true}} {
		if lists(w.Helen, q) {
			t.Errorf("%+v lists it", q)
		}
	}
	if !lists(priya, logiqc.ApprovalQuery{}) {
		t.Error("who asked does not see it")
	}
}

// A request is for the enrolment that was there when it was made.
func changed(t *testing.T, w *World) {
	priya := w.signin("priya")
	a := w.asked(priya, "ann")
	w.reset(w.Helen, "ann")
	w.Advance(totp.Period)
	w.enrol("ann")
	if now := w.state(a.ID); !now.ChangedSince || now.State != logiqc.ApprovalPending {
		t.Errorf("it does not say that the account has changed: %+v", now)
	}
	_, err := w.decide(w.Helen, a.ID, true)
	want(t, "enrolled anew since", err, logiqc.Conflict)
	if w.get("ann").MFA.State != logiqc.EnrolmentEnrolled {
		t.Error("a conflict resets")
	}
	if out, err := w.decide(w.Helen, a.ID, false); err != nil || out.Approval.State != logiqc.ApprovalRejected {
		t.Errorf("rejected all the same: %+v, %v", out, err)
	}
	b := w.asked(priya, "ann")
	role := logiqc.RoleAuditor
	if _, err := w.Helen.EditUser(w.ctx(), logiqc.UserEdit{User: "ann", Role: &role}); err != nil {
		t.Fatal(err)
	}
	_, err = w.decide(w.Helen, b.ID, true)
	want(t, "of another role since", err, logiqc.Conflict)
}
