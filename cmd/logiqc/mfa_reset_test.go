package main

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// The dialog, as it stands on a terminal of the two sizes that count.
func TestResetDialogScreens(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name       string
		cols, rows int
		args       []string
		keys       []string
	}{
		{"mfa_reset_80x24", 80, 24, []string{"jlee"}, nil},
		{"mfa_reset_80x24_confirm", 80, 24, []string{"jlee"}, []string{uitest.Left}},
		{"mfa_reset_40x12", 40, 12, []string{"jlee"}, nil},
		{"mfa_reset_privileged_80x24", 80, 24, []string{"mchen"}, nil},
		{"mfa_reset_privileged_40x12", 40, 12, []string{"mchen"}, nil},
		{"mfa_reset_inactive_80x24", 80, 24, []string{"mleeson"}, nil},
		{"mfa_reset_bulk_80x24", 80, 24, []string{"jlee", "mleeson", "ssmith", "rgold"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			x := h.terminal(c.cols, c.rows, append([]string{"mfa", "reset"}, c.args...)...)
			x.Wait("Reset MFA for")
			x.Send(c.keys...)
			goldenScreen(t, c.name, x)
			x.Send(uitest.Esc)
			if status := x.Exit(); status != 7 || !x.Restored() {
				t.Errorf("exit %d, restored %t", status, x.Restored())
			}
		})
	}
}

// Enter alone cancels, and so does everything else but ← and Enter. Cancel
// changes nothing and writes nothing.
func TestResetDialogKeys(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name  string
		keys  []string
		reset bool
	}{
		{"enter", []string{uitest.Enter}, false},
		{"left and enter", []string{uitest.Left, uitest.Enter}, true},
		{"left, right and enter", []string{uitest.Left, uitest.Right, uitest.Enter}, false},
		{"tab and enter", []string{uitest.Tab, uitest.Enter}, false},
		{"y", []string{"y", uitest.Enter}, false},
		{"esc", []string{uitest.Esc}, false},
		{"ctrl-c", []string{uitest.CtrlC}, false},
		{"left and ctrl-c", []string{uitest.Left, uitest.CtrlC}, false},
		{"end of input", []string{uitest.CtrlD}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			before := h.events("")
			x := h.terminal(80, 24, "mfa", "reset", "jlee", "--reason", "new phone")
			x.Wait("[ Cancel ]")
			x.Send(c.keys...)
			status, state := x.Exit(), h.account("jlee").MFA.State
			if !x.Restored() {
				t.Error("the terminal is not as it was")
			}
			if c.reset {
				x.Wait("MFA reset for Jordan Lee (jlee). Event", "has not been notified")
				if status != 0 || state != logiqc.EnrolmentNone || h.events(logiqc.MFAResetDone) != 1 {
					t.Errorf("exit %d, state %s", status, state)
				}
				return
			}
			if status != 7 || state != logiqc.EnrolmentEnrolled || h.events("") != before {
				t.Errorf("exit %d, state %s, %d events more", status, state, h.events("")-before)
			}
			if !strings.Contains(x.History(), "logiqc: error: cancelled; nothing was changed") {
				t.Errorf("it does not say that nothing was changed:\n%s", x.History())
			}
		})
	}
}

// Keys typed before the dialog is there are not an answer to it.
func TestResetTypeAhead(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.terminal(80, 24, "mfa", "reset", "jlee")
	for range 5 {
		x.Send(uitest.Left, uitest.Enter)
	}
	x.Wait("[ Cancel ]")
	time.Sleep(200 * time.Millisecond)
	if state := h.account("jlee").MFA.State; state != logiqc.EnrolmentEnrolled {
		t.Fatalf("the dialog took what was typed before it: %s", state)
	}
	x.Send(uitest.Enter)
	if status := x.Exit(); status != 7 {
		t.Errorf("exit %d", status)
	}
}

// A lost connection is a Cancel, where no signal tells of it too: a shell that
// ignores SIGHUP keeps it from its commands. They used to stay, for ever.
func TestResetHangup(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, line := range map[string][]string{
		"told by a signal": {"logiqc", "mfa", "reset", "jlee"},
		"not told":         {"sh", "-c", `trap "" HUP; logiqc mfa reset jlee; exit $?`},
		"in Admin mode":    {"sh", "-c", `trap "" HUP; logiqc admin; exit $?`},
	} {
		t.Run(name, func(t *testing.T) {
			h := tpl.home(t)
			before := h.events("")
			x := uitest.Start(t, 80, 24, h.commandOf(line[0], line[1:]...))
			if name == "in Admin mode" {
				x.Wait("Letters of a name")
				x.Send("jlee" + uitest.Enter)
				x.Wait("(jlee)")
				x.Send("r")
			}
			x.Wait("[ Cancel ]")
			x.Send(uitest.Left)
			x.Hangup()
			x.Exit()
			if state := h.account("jlee").MFA.State; state != logiqc.EnrolmentEnrolled || h.events("") != before {
				t.Errorf("state %s", state)
			}
		})
	}
}

// A privileged account is reset by whoever types its name, and only then.
func TestResetPrivileged(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name, user string
		keys       []string
		reset      bool
	}{
		{"protected", "mchen", []string{"mchen", uitest.Enter}, true},
		{"letter case", "mchen", []string{"MChen", uitest.Enter}, true},
		{"an admin", "tom", []string{"tom", uitest.Enter}, true},
		{"nothing typed", "mchen", []string{uitest.Enter}, false},
		{"another name", "mchen", []string{"jlee", uitest.Enter, uitest.Esc}, false},
		{"half of it", "mchen", []string{"mche", uitest.Enter, uitest.CtrlC}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			x := h.terminal(80, 24, "mfa", "reset", c.user)
			x.Wait("Type " + c.user + " to reset, Tab to ask for approval, or Esc to cancel:")
			x.Send(c.keys...)
			status := x.Exit()
			a, err := h.service("ines").GetUser(t.Context(), c.user)
			if err != nil {
				t.Fatal(err)
			}
			if gone := a.MFA.State == logiqc.EnrolmentNone; gone != c.reset || status == 0 != c.reset {
				t.Errorf("exit %d, state %s", status, a.MFA.State)
			}
		})
	}
}

// What was confirmed is what is reset: when the enrolment changes while the
// dialog is open, nothing is.
func TestResetChangedMeanwhile(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.terminal(80, 24, "mfa", "reset", "jlee")
	x.Wait("[ Cancel ]")
	_, err := h.service("tom").ResetMFA(t.Context(), logiqc.Reset{
		Request: logiqc.Request{RequestID: "tom", Consent: logiqc.Consent{Given: true}}, Users: []logiqc.ResetTarget{{User: "jlee"}}, Total: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	x.Send(uitest.Left, uitest.Enter)
	if status := x.Exit(); status != 10 {
		t.Errorf("exit %d", status)
	}
	if !strings.Contains(unfolded(x), "has changed since it was shown; nothing was reset") {
		t.Errorf("it does not say so:\n%s", x.Screen())
	}
	if a := h.account("jlee"); a.MFA.ResetBy != "tom" || h.events(logiqc.MFAResetDone) != 1 {
		t.Errorf("reset by %s", a.MFA.ResetBy)
	}
}

// A rule refuses before anything is asked, on a terminal too.
func TestResetRefusedOnTerminal(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		as, user, says string
		status         int
	}{
		{"helen", "ssmith", "their identity provider manages it", 5},
		{"helen", "helen", "nobody resets their own MFA", 5},
		{"priya", "priya", "privileged account", 4},
		{"ines", "jlee", "has no access", 4},
	} {
		t.Run(c.as+" resets "+c.user, func(t *testing.T) {
			h := tpl.home(t)
			h.as(c.as)
			x := h.terminal(80, 24, "mfa", "reset", c.user)
			if status := x.Exit(); status != c.status || !strings.Contains(unfolded(x), c.says) || strings.Contains(x.Output(), "Cancel") {
				t.Errorf("exit %d:\n%s", status, x.Screen())
			}
			if h.events(logiqc.MFAResetDone) != 1 {
				t.Errorf("the refusal is recorded %d times", h.events(logiqc.MFAResetDone))
			}
		})
	}
}

// Part of a name opens a picker, then the dialog.
func TestResetPicker(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.terminal(80, 24, "mfa", "reset", "lee")
	x.Wait("Which one do you mean?", "jlee", "mleeson")
	x.Send(uitest.Enter)
	x.Wait("[ Cancel ]", "Reset MFA for Jordan Lee?")
	x.Send(uitest.Left, uitest.Enter)
	if status := x.Exit(); status != 0 || h.account("jlee").MFA.State != logiqc.EnrolmentNone {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
}
