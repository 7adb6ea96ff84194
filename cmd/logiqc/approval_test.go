package main

import (
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// ask asks for approval of a reset as somebody, and returns the request.
func (h *home) ask(as, username string) logiqc.Approval {
	h.t.Helper()
	r := logiqc.Reset{Request: logiqc.Request{RequestID: "ask", Reason: "new phone", Ticket: "INC104412", VerifiedBy: "callback",
		Consent: logiqc.Consent{Given: true}}, EnrolmentCode: true, Users: []logiqc.ResetTarget{{User: username}}, Total: 1}
	results, err := h.service(as).RequestReset(h.t.Context(), r)
	if err != nil || results[0].Approval == nil {
		h.t.Fatal(results, err)
	}
	return *results[0].Approval
}

// contactChanged gives mchen another number, today.
func (h *home) contactChanged() {
	h.t.Helper()
	phone := "+61 4 5550 7788"
	for _, p := range []string{"+61 4 0000 0000", phone} {
		if _, err := h.service("tom").EditUser(h.t.Context(), logiqc.UserEdit{User: "mchen", Phone: &p}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// What a second operator meets, and whoever asks, on terminals of the two sizes that
// count.
func TestApprovalScreens(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, size := range []struct {
		name       string
		cols, rows int
	}{{"80x24", 80, 24}, {"40x12", 40, 12}} {
		t.Run("ask "+size.name, func(t *testing.T) {
			h := tpl.home(t)
			h.as("priya")
			x := h.terminal(size.cols, size.rows, "mfa", "reset", "mchen")
			x.Wait("[ Cancel ]")
			goldenScreen(t, "mfa_reset_ask_"+size.name, x)
			x.Send(uitest.Esc)
			if status := x.Exit(); status != 7 || !x.Restored() {
				t.Errorf("exit %d, restored %t", status, x.Restored())
			}
		})
		t.Run("approve "+size.name, func(t *testing.T) {
			h := tpl.home(t)
			h.contactChanged()
			a := h.ask("priya", "mchen")
			// The clock stands in the dialog: at ten, of a day long ago.
			h.exec(h.db(), `UPDATE approval SET expires_at = expires_at - expires_at % 86400000 + 86400000 + 36000000`)
			x := h.terminal(size.cols, size.rows, "mfa", "approve", a.Short)
			x.Wait("[ Leave it open ]")
			goldenScreen(t, "mfa_approve_"+size.name, x)
			x.Send(uitest.Enter)
			if status := x.Exit(); status != 7 || !x.Restored() || h.events(logiqc.MFAApproved) != 0 {
				t.Errorf("exit %d, restored %t", status, x.Restored())
			}
		})
	}
}

// "I am the finance director": where the desk may not reset, or the policy wants
// a second operator, mfa reset asks for approval in place and waits for it.
func TestResetAsksForApproval(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	h := tpl.home(t)
	h.strict()
	h.as("priya")
	x := h.terminal(80, 24, "mfa", "reset", "mchen", "--enrolment-code")
	x.Wait("Marcus Chen is a privileged account: an administrator must approve.", "Call back   +61 4 5550 7788", "> new phone")
	x.Send(uitest.Enter)
	reply(x, "Ticket", "INC104412")
	x.Wait("How was the caller verified?")
	x.Send(uitest.Enter)
	x.Wait("Ask for approval   [ Cancel ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("asked for, open until", "Enrolment code", "Waiting for a second operator … Ctrl-C leaves it open.")
	open, err := h.service("tom").Approvals(t.Context(), logiqc.ApprovalQuery{})
	if err != nil || len(open) != 1 || open[0].Ticket != "INC104412" || open[0].VerifiedBy != "callback" || !open[0].WithCode {
		t.Fatalf("%+v, %v", open, err)
	}
	if h.events(logiqc.MFAResetDone) != 0 {
		t.Error("the refusal that led here is recorded")
	}
	if _, err := h.service("tom").DecideApproval(t.Context(), logiqc.Decision{
		Request: logiqc.Request{RequestID: "yes", Consent: logiqc.Consent{Given: true}}, ID: open[0].ID, Approve: true}); err != nil {
		t.Fatal(err)
	}
	x.Wait("tom approved it.", "MFA reset for Marcus Chen (mchen). Event", "has not been notified")
	if status := x.Exit(); status != 0 || h.lastReset().Actor.Username != "tom" || h.lastReset().Details.RequestedBy != "priya" {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
}

// How else the question, and the wait, end.
func TestResetAsksForApprovalEnds(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name   string
		keys   []string
		asked  bool
		status int
		says   string
	}{
		{"enter", []string{uitest.Enter}, false, 7, "nothing was changed"},
		{"esc", []string{uitest.Left, uitest.Esc}, false, 7, "nothing was changed"},
		{"ctrl-c", []string{uitest.CtrlC}, false, 7, "nothing was changed"},
		{"end of input", []string{uitest.Left, uitest.CtrlD}, false, 7, "nothing was changed"},
		{"asked, then ctrl-c", []string{uitest.Left, uitest.Enter}, true, 7, "the request for jlee is left open until"},
		{"asked, then rejected", []string{uitest.Left, uitest.Enter}, true, 5, "tom rejected the reset of jlee; nothing was reset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			if _, errs, status := h.run("policy", "set", "reset.approval=all"); status != 0 {
				t.Fatal(errs)
			}
			before := h.events("")
			x := h.terminal(80, 24, "mfa", "reset", "jlee")
			x.Wait("Every reset takes a second operator here", "Ask for approval   [ Cancel ]")
			x.Send(c.keys...)
			if c.asked {
				x.Wait("Waiting for a second operator")
				open, _ := h.service("tom").Approvals(t.Context(), logiqc.ApprovalQuery{})
				if c.status == 7 {
					x.Send(uitest.CtrlC)
				} else if _, err := h.service("tom").DecideApproval(t.Context(), logiqc.Decision{
					Request: logiqc.Request{RequestID: "no", Consent: logiqc.Consent{Given: true}}, ID: open[0].ID}); err != nil {
					t.Fatal(err)
				}
			}
			if status := x.Exit(); status != c.status || !strings.Contains(x.History(), c.says) || !x.Restored() {
				t.Errorf("exit %d:\n%s", status, x.History())
			}
			asked := h.events(logiqc.MFARequested)
			if (asked == 1) != c.asked || !c.asked && h.events("") != before || h.account("jlee").MFA.State != logiqc.EnrolmentEnrolled {
				t.Errorf("%d requests, %d events more", asked, h.events("")-before)
			}
		})
	}
}

// Enter alone leaves a request open, and so does every way out.
func TestApproveDialogKeys(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name   string
		args   []string
		keys   []string
		state  logiqc.ApprovalState
		status int
		says   string
	}{
		{"enter", nil, []string{uitest.Enter}, logiqc.ApprovalPending, 7, "nothing was changed"},
		{"left and enter", nil, []string{uitest.Left, uitest.Enter}, logiqc.ApprovalRejected, 0, "Rejected: reset MFA for Marcus Chen (mchen), asked for by priya."},
		{"left, left and enter", nil, []string{uitest.Left, uitest.Left, uitest.Enter}, logiqc.ApprovalApproved, 0,
			"MFA reset for Marcus Chen (mchen), asked for by priya. Event"},
		{"esc", nil, []string{uitest.Left, uitest.Left, uitest.Esc}, logiqc.ApprovalPending, 7, "nothing was changed"},
		{"ctrl-c", nil, []string{uitest.CtrlC}, logiqc.ApprovalPending, 7, "nothing was changed"},
		{"a letter", nil, []string{"a", "y", uitest.Enter}, logiqc.ApprovalPending, 7, "nothing was changed"},
		{"in lines", []string{"--accessible"}, []string{"approve\n"}, logiqc.ApprovalApproved, 0, "MFA reset for Marcus Chen"},
		{"in lines, rejected", []string{"--accessible"}, []string{"reject\n"}, logiqc.ApprovalRejected, 0, "Rejected: reset MFA for Marcus Chen"},
		{"in lines, left", []string{"--accessible"}, []string{"\n"}, logiqc.ApprovalPending, 7, "nothing was changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			a := h.ask("priya", "mchen")
			x := h.terminal(80, 24, append([]string{"mfa", "approve", a.Short}, c.args...)...)
			x.Wait("Approve an MFA reset for Marcus Chen?", "priya", "INC104412")
			if c.args == nil {
				x.Wait("[ Leave it open ]")
			} else {
				x.Wait("Type approve to approve, reject to reject, or press Enter to leave it open:")
			}
			x.Send(c.keys...)
			status := x.Exit()
			now, err := h.service("tom").Approval(t.Context(), a.ID)
			if err != nil || now.State != c.state || status != c.status || !strings.Contains(x.History(), c.says) {
				t.Errorf("exit %d, %s, %v:\n%s", status, now.State, err, x.History())
			}
		})
	}
}

// mfa reject asks too; a request that changed under the dialog is a conflict.
func TestDecideOnTerminal(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	h := tpl.home(t)
	a := h.ask("priya", "jlee")
	x := h.terminal(80, 24, "mfa", "reject", a.Short)
	x.Wait("Reject the MFA reset for Jordan Lee?", "Reject   [ Leave it open ]")
	x.Send(uitest.Enter)
	if status := x.Exit(); status != 7 {
		t.Errorf("exit %d", status)
	}
	x = h.terminal(80, 24, "mfa", "approve", a.Short)
	x.Wait("[ Leave it open ]")
	if _, err := h.service("tom").ResetMFA(t.Context(), logiqc.Reset{
		Request: logiqc.Request{RequestID: "tom", Consent: logiqc.Consent{Given: true}}, Users: []logiqc.ResetTarget{{User: "jlee"}}, Total: 1,
	}); err != nil {
		t.Fatal(err)
	}
	x.Send(uitest.Left, uitest.Left, uitest.Enter)
	if status := x.Exit(); status != 10 || h.events(logiqc.MFAResetDone) != 1 || h.events(logiqc.MFAApproved) != 0 {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
}

// In the place of typing the name of a privileged account, a second operator
// can be asked.
func TestResetPrivilegedAsks(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	h := tpl.home(t)
	x := h.terminal(80, 24, "mfa", "reset", "mchen")
	x.Wait("Type mchen to reset, Tab to ask for approval, or Esc to cancel:")
	x.Send(uitest.Tab)
	x.Wait("asked for, open until", "Ctrl-C leaves it open.")
	x.Send(uitest.CtrlC)
	if status := x.Exit(); status != 7 || h.events(logiqc.MFARequested) != 1 || h.events(logiqc.MFAResetDone) != 0 {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
	out, _, status := h.run("mfa", "approvals")
	if status != 0 || !strings.Contains(out, "mchen (protected)\thelen") {
		t.Errorf("exit %d: %s", status, out)
	}
}

// A run of requests is approved by typing how many they are.
func TestApproveRunOnTerminal(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	for _, user := range []string{"jlee", "mchen"} {
		h.ask("tom", user)
	}
	x := h.terminal(80, 24, "mfa", "approve", "--run", "ask")
	x.Wait("Approve 2 MFA resets?", "Asked by", "tom", "Type 2 to go on, or Esc to leave them open:")
	x.Send(uitest.Esc)
	if status := x.Exit(); status != 7 || h.events(logiqc.MFAApproved) != 0 {
		t.Errorf("left: exit %d", status)
	}
	x = h.terminal(80, 24, "mfa", "approve", "--run", "ask")
	x.Wait("Type 2 to go on")
	x.Send("2", uitest.Enter)
	if status := x.Exit(); status != 0 || h.events(logiqc.MFAApproved) != 2 || h.events(logiqc.MFAResetDone) != 2 {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
}

// Whoever may decide is told at sign-in that requests wait, and picks one without
// typing its id; the only one is not asked about.
func TestApprovePicks(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.ask("priya", "mchen")
	first := h.ask("priya", "jlee")
	h.ask("helen", "jlee") // of her own: not hers to decide
	h.nobody()
	x := h.terminal(80, 24, "signin", "--user", "helen")
	reply(x, "Password", password)
	reply(x, "Code from your authenticator app", phoneOf("helen").code(0))
	x.Wait("You are signed in as helen.", "2 requests wait for a second operator: logiqc mfa approvals")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	x = h.terminal(80, 24, "mfa", "reject")
	x.Wait("Which request?", "mchen (protected)", "60m left · priya · new phone · INC104412", strings.ToUpper(first.Short)+"  jlee")
	x.Send(uitest.Down, uitest.Enter)
	x.Wait("Reject the MFA reset for Jordan Lee?")
	x.Send(uitest.Left, uitest.Enter)
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
	x = h.terminal(80, 24, "mfa", "approve")
	x.Wait("Approve an MFA reset for Marcus Chen?")
	x.Send(uitest.Esc)
	if status := x.Exit(); status != 7 {
		t.Errorf("exit %d", status)
	}
	x = h.terminal(80, 24, "mfa", "approvals", "show")
	x.Wait("Which request?")
	x.Send(uitest.Esc)
	if status := x.Exit(); status != 7 {
		t.Errorf("exit %d", status)
	}
	h.as("ines")
	x = h.terminal(80, 24, "mfa", "approve")
	if status := x.Exit(); status != 4 {
		t.Errorf("an auditor: exit %d:\n%s", status, x.Screen())
	}
}

// Who asks where somebody has asked already is told before, and who approves too.
func TestRequestTwice(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	a := h.ask("priya", "jlee")
	x := h.terminal(80, 24, "mfa", "request", "jlee")
	x.Wait("! priya has asked for this already: request "+strings.ToUpper(a.Short)+" is open until", "Ask for approval   [ Cancel ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("asked for, open until")
	if status := x.Exit(); status != 0 || strings.Contains(x.Screen(), "has asked for this already") {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
	h.as("tom")
	x = h.terminal(80, 24, "mfa", "approve", a.Short)
	x.Wait("! helen has asked for it too (", "approving this makes that void.")
	x.Send(uitest.Left, uitest.Left, uitest.Enter)
	if status := x.Exit(); status != 0 || h.events(logiqc.MFAResetDone) != 1 {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
}
