package main

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// The list of open requests, as a lead sees it, and one of them.
func TestApprovalsScreens(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.contactChanged()
	h.ask("priya", "mchen")
	h.ask("tom", "priya")
	h.exec(h.db(), `UPDATE approval SET id = '01a21325-0000-7000-8000-00000a3' ||
		(SELECT CASE username WHEN 'mchen' THEN 'e7d3f' ELSE '28b90' END FROM account WHERE id = user_id)`)
	for _, size := range []struct {
		name       string
		cols, rows int
	}{{"80x24", 80, 24}, {"40x12", 40, 12}} {
		x := h.terminal(size.cols, size.rows, "mfa", "approvals")
		x.Exit()
		goldenScreen(t, "mfa_approvals_"+size.name, x)
	}
	// Times of day differ from one run to the next; what stays is told all the same.
	x := h.terminal(80, 24, "mfa", "approvals", "show", "7D3F")
	x.Wait("Reset MFA for Marcus Chen (mchen), approval 7D3F", "pending", "CHANGED just now by tom", "priya, ", "new phone · INC104412 · callback",
		"the requester has an enrolment code", "Open until")
	x.Exit()
	if out, _, status := h.run("mfa", "approvals", "show", "28b9", "-o", "json"); status != 3 {
		t.Errorf("a beginning of the ending: exit %d: %s", status, out)
	}
	out, _, status := h.run("mfa", "approvals", "show", "28B90", "-o", "json")
	if status != 0 || !strings.Contains(out, `"user":"priya"`) {
		t.Errorf("exit %d: %s", status, out)
	}
}

// With --follow, what is open and then whatever happens, until Ctrl-C.
func TestApprovalsFollow(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	a := h.ask("priya", "mchen")
	x := h.terminal(100, 24, "mfa", "approvals", "--follow")
	x.Wait("mchen (protected)", "60m")
	h.ask("tom", "jlee")
	x.Wait("jlee")
	if _, err := h.service("tom").DecideApproval(t.Context(), logiqc.Decision{
		Request: logiqc.Request{RequestID: "no", Consent: logiqc.Consent{Given: true}}, ID: a.ID}); err != nil {
		t.Fatal(err)
	}
	x.Wait("rejected by tom")
	x.Send(uitest.CtrlC)
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
}

// A request runs out after an hour: for whoever approves, and whoever waits.
func TestApprovalRunsOut(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	a := h.ask("priya", "jlee")
	h.as("priya")
	x := h.terminal(80, 24, "mfa", "approvals", "show", a.Short, "--follow")
	x.Wait("Waiting for a second operator")
	h.exec(h.db(), `UPDATE approval SET requested_at = requested_at - 3600000, expires_at = expires_at - 3600000`)
	x.Wait("expired", "Ran out")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	h.as("helen")
	for _, verb := range []string{"approve", "reject"} {
		_, errs, status := h.run("mfa", verb, a.Short, "--yes", "-o", "json")
		if status != 5 || !strings.Contains(errs, `"code":"expired"`) || !strings.Contains(errs, "logiqc mfa request jlee") {
			t.Errorf("%s: exit %d: %s", verb, status, errs)
		}
	}
	if h.account("jlee").MFA.State != logiqc.EnrolmentEnrolled {
		t.Error("it was reset")
	}
}

// An operator whose sign-in is too old proves once more who they are; a token
// cannot.
func TestStepUp(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	out, errs, status := h.run("tokens", "create", "nightly", "--role", "admin", "-o", "json")
	_, token, _ := strings.Cut(out, `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if status != 0 {
		t.Fatal(errs)
	}
	a := h.ask("tom", "mchen")
	if _, errs, status := h.run("policy", "set", "stepup.minutes=10"); status != 0 {
		t.Fatal(errs)
	}
	if _, errs, status := h.run("mfa", "reset", "jlee", "--yes"); status != 0 {
		t.Errorf("a fresh sign-in: exit %d: %s", status, errs)
	}
	h.exec(h.db(), `UPDATE session SET signed_in_at = ?`, time.Now().Add(-11*time.Minute).UnixMilli())
	for _, args := range [][]string{
		{"mfa", "reset", "mleeson", "--yes"}, {"mfa", "reset", "mleeson", "rgold", "--yes"}, {"users", "edit", "rgold", "--role", "auditor"},
		{"mfa", "approve", a.ID, "--yes"},
	} {
		_, errs, status := h.run(append(args, "-o", "json")...)
		if status != 5 || !strings.Contains(errs, `"code":"code_required"`) || !strings.Contains(errs, `"hint":"logiqc signin"`) {
			t.Errorf("%v: exit %d: %s", args, status, errs)
		}
	}
	c := h.command("mfa", "reset", "mleeson", "--yes", "-o", "json")
	c.Env = append(c.Env, "LOGIQC_TOKEN="+token)
	if _, errs, status := h.finish(c); status != 5 || !strings.Contains(errs, `"code":"code_required"`) {
		t.Errorf("a token: exit %d: %s", status, errs)
	}
	x := h.terminal(80, 24, "mfa", "approve", a.ID)
	if status := x.Exit(); status != 5 || !strings.Contains(x.History(), "logiqc: hint: logiqc signin") {
		t.Errorf("on a terminal: exit %d:\n%s", status, x.History())
	}
	// Signing in again is all it takes.
	c = h.command("signin", "--user", "helen", "--password-stdin", "--code", phoneOf("helen").code(0))
	c.Stdin = strings.NewReader(password + "\n")
	if _, errs, status := h.finish(c); status != 0 {
		t.Fatalf("exit %d: %s", status, errs)
	}
	if _, errs, status := h.run("mfa", "approve", a.ID, "--yes"); status != 0 {
		t.Errorf("after it: exit %d: %s", status, errs)
	}
}
