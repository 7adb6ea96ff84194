package servicetest

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// What waits for whom: several requests for one account, which of them an
// operator may decide about, and how long they are kept.
func testOpenApprovals(t *testing.T, w *World) {
	priya, _ := w.desk()
	w.add("omar", role(logiqc.RoleHelpdesk))
	omar := w.signin("omar")
	first := w.asked(priya, "ann")
	cfo := w.asked(priya, "cfo")
	open := func(what string, res logiqc.ResetResult) {
		t.Helper()
		if len(res.Open) != 1 || res.Open[0] != (logiqc.ApprovalRef{ID: first.ID, Short: first.Short, RequestedBy: "priya", ExpiresAt: first.ExpiresAt}) {
			t.Errorf("%s: the request that is open is not told: %+v", what, res.Open)
		}
	}
	open("a preview", w.ask(omar, "ann", func(r *logiqc.Reset) { r.Given = false }))
	open("a dry run", w.ask(omar, "ann", func(r *logiqc.Reset) { r.DryRun = true }))
	res := w.ask(omar, "ann")
	open("asked", res)
	second := *res.Approval
	if now := w.state(first.ID); len(now.Others) != 1 || now.Others[0].ID != second.ID || now.Others[0].Short != second.Short || now.Others[0].RequestedBy != "omar" {
		t.Errorf("the first does not tell of the second: %+v", now.Others)
	}
	w.waits(t, "admin", w.Helen, first.ID, cfo.ID, second.ID)
	w.waits(t, "help desk, where admins approve", omar)
	if _, err := w.Helen.ChangePolicy(w.ctx(), logiqc.PolicyEdit{Settings: []logiqc.Setting{{Key: logiqc.KeyApprovers, Value: "helpdesk"}}}); err != nil {
		t.Fatal(err)
	}
	w.waits(t, "help desk: not their own, nor a privileged account's", omar, first.ID)
	w.waits(t, "help desk, who asked", priya, second.ID)

	if _, err := w.decide(w.Helen, second.ID, true); err != nil {
		t.Fatal(err)
	}
	w.waits(t, "what is void waits for nobody", w.Helen, cfo.ID)
	if now := w.state(first.ID); !now.ChangedSince || now.State != logiqc.ApprovalPending || len(now.Others) != 0 {
		t.Errorf("void: %+v", now)
	}
	_, err := w.decide(w.Helen, first.ID, true)
	want(t, "approve the other one", err, logiqc.Conflict)

	w.Advance(6 * 24 * time.Hour)
	if w.state(first.ID).State != logiqc.ApprovalExpired {
		t.Error("it is not found after six days")
	}
	w.Advance(25 * time.Hour) // and helen signs in
	for _, ref := range []string{first.ID, first.Short} {
		_, err = w.Helen.Approval(w.ctx(), ref)
		want(t, "after a week", err, logiqc.NotFound)
		if e := logiqc.AsError(err); !strings.Contains(e.Hint, "logiqc audit list --action mfa.requested") {
			t.Errorf("its hint: %s", e.Hint)
		}
	}
}

// waits fails unless exactly these requests wait for the operator.
func (w *World) waits(t *testing.T, what string, by logiqc.Service, ids ...string) {
	t.Helper()
	mine, err := by.Approvals(w.ctx(), logiqc.ApprovalQuery{Mine: true})
	got := []string{}
	for _, a := range mine {
		got = append(got, a.ID)
	}
	if err != nil || strings.Join(got, " ") != strings.Join(ids, " ") {
		t.Errorf("%s: %s wait, want %s, %v", what, got, ids, err)
	}
}

// A policy that leaves nobody who could approve is set, with a warning.
func testNobodyApproves(t *testing.T, w *World) {
	set := func(key, value string) []string {
		t.Helper()
		out, err := w.Helen.ChangePolicy(w.ctx(), logiqc.PolicyEdit{Settings: []logiqc.Setting{{Key: key, Value: value}}})
		if err != nil || out.Policy.Values()[key] != value {
			t.Errorf("set %s: %v", key, err)
		}
		return out.Warnings
	}
	warns := func(what string, said []string, text string) {
		t.Helper()
		if text == "" && len(said) > 0 || text != "" && (len(said) != 1 || !strings.Contains(said[0], text)) {
			t.Errorf("%s: %q, want %q", what, said, text)
		}
	}
	warns("only one", set(logiqc.KeyApproval, "all"), "none beside the only administrator")
	w.add("priya", role(logiqc.RoleHelpdesk))
	warns("nothing changes", set(logiqc.KeyApproval, "all"), "what that one asks for")
	warns("the desk approves", set(logiqc.KeyApprovers, "helpdesk"), "of their own MFA")
	warns("of the privileged", set(logiqc.KeyApproval, "privileged"), "of their own MFA")
	warns("none", set(logiqc.KeyApproval, "none"), "")
	warns("by number", set(logiqc.KeyMaxPerHour, "5"), "of their own MFA")
	w.add("tom", role(logiqc.RoleAdmin))
	warns("two", set(logiqc.KeyApproval, "all"), "")
}
