package main

import (
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// strict sets a policy that wants a reason, a ticket and a verification.
func (h *home) strict() {
	h.t.Helper()
	if _, errs, status := h.run("policy", "set", "reset.reason=required", "reset.reasons=new phone,lost,stolen", "reset.ticket=INC[0-9]{6}",
		"reset.verified_by=callback,manager,in_person"); status != 0 {
		h.t.Fatal(errs)
	}
}

// lastReset is the newest event of a reset.
func (h *home) lastReset() logiqc.Event {
	h.t.Helper()
	page, err := h.service("tom").Events(h.t.Context(), logiqc.EventQuery{Actions: []logiqc.Action{logiqc.MFAResetDone}, Limit: 1})
	if err != nil || len(page.Events) == 0 {
		h.t.Fatal(err)
	}
	return page.Events[0]
}

// On a terminal the policy's questions come on a page before the dialog, with
// the contact on file to call back.
func TestGroundsPage(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, size := range [][2]int{{80, 24}, {40, 12}} {
		h := tpl.home(t)
		h.strict()
		h.as("priya")
		x := h.terminal(size[0], size[1], "mfa", "reset", "jlee")
		x.Wait("Call back   +61 2 5550 1234", "jlee@stmary.example", "Reason", "> new phone")
		x.Send(uitest.Down + uitest.Enter)
		reply(x, "Ticket", "INC12")
		x.Wait(`"INC12" is not as tickets`)
		x.Send("3456" + uitest.Enter)
		x.Wait("How was the caller verified?", "+61 2 5550 1234", "callback")
		x.Send(uitest.Enter)
		x.Wait("[ Cancel ]")
		x.Send(uitest.Left, uitest.Enter)
		if status := x.Exit(); status != 0 || !x.Restored() {
			t.Errorf("%v: exit %d:\n%s", size, status, x.Screen())
		}
		if e := h.lastReset(); e.Reason != "lost" || e.Ticket != "INC123456" || e.VerifiedBy != "callback" || e.Actor.Username != "priya" {
			t.Errorf("%v: %+v", size, e)
		}
	}
}

// In the smallest window the number to call back stands whole beside the
// question how the caller was verified.
func TestGroundsPageSmall(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.strict()
	x := h.terminal(40, 12, "mfa", "reset", "jlee", "--reason", "lost", "--ticket", "INC123456")
	x.Wait("How was the caller verified?", "> callback", "On file: +61 2 5550 1234\n")
	x.Send(uitest.Esc)
	if status := x.Exit(); status != 7 {
		t.Errorf("exit %d", status)
	}
}

// Leaving the page changes nothing and writes nothing.
func TestGroundsPageLeft(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, keys := range map[string][]string{
		"at the reason":       {uitest.Esc},
		"at the ticket":       {uitest.Enter, uitest.CtrlC},
		"at the end of input": {uitest.Enter, uitest.CtrlD},
	} {
		t.Run(name, func(t *testing.T) {
			h := tpl.home(t)
			h.strict()
			before := h.events("")
			x := h.terminal(80, 24, "mfa", "reset", "jlee")
			x.Wait("> new phone")
			x.Send(keys[0])
			if len(keys) > 1 {
				x.Wait("Ticket")
				x.Send(keys[1])
			}
			if status := x.Exit(); status != 7 || h.events("") != before || h.account("jlee").MFA.State != logiqc.EnrolmentEnrolled {
				t.Errorf("exit %d, %d events:\n%s", status, h.events("")-before, x.Screen())
			}
		})
	}
}

// Flags answer the page; an unfit one is refused before anything is asked, and
// so is whatever a rule refuses.
func TestGroundsFlags(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.strict()
	x := h.terminal(80, 24, "mfa", "reset", "jlee", "--reason", "lost", "--ticket", "INC123456", "--verified-by", "callback")
	x.Wait("[ Cancel ]")
	if strings.Contains(x.History(), "Call back   +61") && strings.Contains(x.History(), "How was the caller") {
		t.Errorf("it asks what flags have said:\n%s", x.History())
	}
	x.Send(uitest.Esc)
	x.Exit()
	for want, args := range map[string][]string{
		"is not as tickets are here":      {"jlee", "--ticket", "1"},
		"is none of the reasons":          {"jlee", "--reason", "bored"},
		"--reason takes one of":           {"jlee", "--yes"},
		"their identity provider manages": {"ssmith"},
		"nobody resets their own MFA":     {"helen"},
	} {
		x := h.terminal(80, 24, append([]string{"mfa", "reset"}, args...)...)
		status, said := x.Exit(), unfolded(x)
		if status != 5 || !strings.Contains(said, want) || strings.Contains(said, "Ticket") {
			t.Errorf("%v: exit %d:\n%s", args, status, x.Screen())
		}
	}
}

// A run asks once for all, then for the number; an enrolment code asks too.
func TestGroundsOfRunAndCode(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.strict()
	x := h.terminal(80, 24, "mfa", "reset", "jlee", "mleeson", "--reason", "new phone", "--ticket", "INC123456")
	x.Wait("Reset MFA of several accounts", "How was the caller verified?")
	x.Send(uitest.Enter)
	x.Wait("Type 2 to go on")
	x.Send("2", uitest.Enter)
	if status := x.Exit(); status != 0 || h.lastReset().VerifiedBy != "callback" {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
	x = h.terminal(80, 24, "mfa", "enrolment-code", "jlee", "--reason", "lost", "--ticket", "INC123456")
	x.Wait("Enrolment code for Jordan Lee (jlee)", "How was the caller verified?")
	x.Send(uitest.Down, uitest.Enter)
	x.Wait("Enrolment code for Jordan Lee (jlee). Event", "shown once")
	if status := x.Exit(); status != 0 || h.events(logiqc.EnrolmentCodeIssued) != 1 {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
}

// What a caller reads out is asked for, and asked again when it was wrong.
func TestVerifyOnTerminal(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.as("priya")
	x := h.terminal(80, 24, "mfa", "verify", "jlee")
	reply(x, "Code from the app of Jordan Lee (jlee)", "000000")
	x.Wait("Wrong code. 4 tries left.")
	x.Send(phoneOf("jlee").code(0) + uitest.Enter)
	x.Wait("The code is right: Jordan Lee (jlee) has the app.")
	if status := x.Exit(); status != 0 || h.events(logiqc.MFACodeVerified) != 2 {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
}
