package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// shownCode is an enrolment code as the operator's screen shows it.
var shownCode = regexp.MustCompile(`Enrolment code  (\d{4} \d{4} \d{4})`)

// recovers starts the break-glass for helen, by sudo.
func (h *home) recovers(cols, rows int, args ...string) *uitest.Terminal {
	h.t.Helper()
	c := h.command(append([]string{"recover", "helen"}, args...)...)
	c.Env = append(c.Env, "SUDO_USER=ben")
	return uitest.Start(h.t, cols, rows, c)
}

// Sunday: the only on-call admin's phone is in the lake. Whoever holds the
// store and its keys types her name and reads her a code; at her next sign-in
// she sets up a new phone with it, and everybody who works here is told.
func TestRecoverStory(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.nobody()
	x := h.recovers(80, 24, "--reason", "lost phone, sole on-call")
	x.Wait("Break-glass recovery of Helen Marsh (helen)?", "sudo by ben", "end 1 session", "tell every operator",
		"revoke a token", "Type helen to go on, or Esc to cancel:")
	x.Send("helen" + uitest.Enter)
	x.Wait("They type it after the password")
	if status := x.Exit(); status != 0 || !x.Restored() {
		t.Fatalf("exit %d:\n%s", status, x.Screen())
	}
	code := shownCode.FindStringSubmatch(x.History())
	if code == nil || !strings.Contains(x.History(), "Every operator is told of it at the next sign-in") {
		t.Fatalf("no code is shown:\n%s", x.History())
	}

	x = h.terminal(80, 24, "signin", "--user", "helen")
	reply(x, "Password", password)
	x.Wait("Your MFA was reset on", "break-glass recovery")
	reply(x, "Enrolment code from the help desk", code[1])
	x.Wait("Set up your authenticator app")
	p := scan(t, x)
	x.Send(p.code(0) + uitest.Enter)
	codes := keepRecoveryCodes(t, x, "helen")
	x.Wait("You are signed in as helen.")
	if status := x.Exit(); status != 0 || !strings.Contains(x.History(), "Break-glass recovery of helen by ") {
		t.Errorf("exit %d, she is not told:\n%s", status, x.History())
	}
	leavesNothing(t, x, p, codes)

	for _, who := range []string{"tom", "priya"} {
		x = h.terminal(80, 24, "signin", "--user", who)
		reply(x, "Password", password)
		reply(x, "Code from your authenticator app", phoneOf(who).code(0))
		x.Wait("You are signed in as " + who)
		said := strings.Join(strings.Fields(x.History()), " ")
		if status := x.Exit(); status != 0 || !strings.Contains(said, "Break-glass recovery of helen by ") || !strings.Contains(said, "(sudo by ben") {
			t.Errorf("%s: exit %d\n%s", who, status, x.History())
		}
	}
	if n := h.events(logiqc.MFARecovered); n != 1 {
		t.Errorf("%d events", n)
	}
}

// Nothing but the name agrees to it: Esc, ^C, Enter alone and another name
// change and record nothing; and the reason is asked for where no flag gave it.
func TestRecoverCancelled(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	before := h.events("")
	for name, keys := range map[string]string{"esc": uitest.Esc, "ctrl-c": uitest.CtrlC, "ctrl-d": uitest.CtrlD, "enter": uitest.Enter,
		"another": "tom" + uitest.Enter + uitest.Esc} {
		x := h.recovers(40, 12)
		reply(x, "Reason", "lost phone")
		x.Wait("Helen Marsh", "helen@stmary.example", "Type helen to go on")
		x.Send(keys)
		if status := x.Exit(); status != 7 || h.events("") != before {
			t.Errorf("%s: exit %d, %d events:\n%s", name, status, h.events("")-before, x.Screen())
		}
	}
	if a := h.account("helen"); a.MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("it is gone all the same: %+v", a.MFA)
	}
}

// Line by line it is the same question.
func TestRecoverAccessible(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.recovers(80, 24, "--accessible", "--reason", "lost phone", "--dry-run")
	if status := x.Exit(); status != 0 || !strings.Contains(x.History(), "Nothing was changed") {
		t.Errorf("dry run: exit %d:\n%s", status, x.History())
	}
	x = h.recovers(80, 24, "--accessible", "--reason", "lost phone")
	reply(x, "Type helen to go on", "confirm")
	x.Wait(`That was not "helen".`)
	x.Send(uitest.Enter)
	if status := x.Exit(); status != 7 {
		t.Errorf("the word of other questions: exit %d:\n%s", status, x.History())
	}
	x = h.recovers(80, 24, "--accessible", "--reason", "lost phone")
	reply(x, "Type helen to go on", "helen")
	x.Wait("Break-glass recovery of Helen Marsh (helen). Event", "shown once")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
}
