package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// admin starts Admin mode and opens an account.
func (h *home) admin(cols, rows int, user string) *uitest.Terminal {
	h.t.Helper()
	x := h.terminal(cols, rows, "admin")
	x.Wait("Find", "Letters of a name")
	if user != "" {
		x.Send(user)
		x.Wait("> " + user)
		x.Send(uitest.Enter)
		x.Wait("(" + user + ")")
	}
	return x
}

// quit leaves Admin mode: the terminal is as it was, and nothing that was shown
// is left on it.
func quit(t *testing.T, x *uitest.Terminal, status int, shown ...string) {
	t.Helper()
	if got := x.Exit(); got != status || !x.Restored() || x.AltScreen() {
		t.Errorf("exit %d, restored %t, alternate screen %t:\n%s", got, x.Restored(), x.AltScreen(), x.Screen())
	}
	for _, s := range shown {
		if strings.Contains(x.History(), s) {
			t.Errorf("%q is left on the terminal:\n%s", s, x.History())
		}
	}
}

// The screens of Admin mode, on terminals of the two sizes that count, and back
// in the first after both.
func TestAdminScreens(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, size := range []struct {
		name       string
		cols, rows int
	}{{"80x24", 80, 24}, {"40x12", 40, 12}} {
		t.Run(size.name, func(t *testing.T) {
			h := tpl.home(t)
			h.exec(h.db(), `UPDATE account SET last_success_at = ?1`, created.AddDate(1, 11, 7).UnixMilli())
			x := h.terminal(size.cols, size.rows, "admin")
			for _, s := range []struct {
				name string
				keys []string
			}{
				{"start", nil},
				{"find", []string{"lee"}},
				{"account", []string{uitest.Enter}},
				{"reset", []string{"r"}},
				{"help", []string{uitest.Esc, "?"}},
				{"protected", []string{"?", "/", "mchen", uitest.Enter}},
			} {
				x.Send(s.keys...)
				goldenScreen(t, "admin_"+s.name+"_"+size.name, x)
			}
			x.Resize(120-size.cols, 36-size.rows)
			time.Sleep(100 * time.Millisecond)
			x.Resize(size.cols, size.rows)
			goldenScreen(t, "admin_protected_"+size.name, x)
			x.Send(uitest.CtrlC)
			quit(t, x, 0, "mchen", "Jordan")
			for _, asked := range []string{"\x1b[c", "\x1b[?u", "$p", "\x1b[6n", ";?\x07", ";?\x1b"} {
				if strings.Contains(x.Output(), asked) {
					t.Errorf("it asks the terminal %q", asked)
				}
			}
		})
	}
}

// The main job, on a file and from a laptop.
func TestAdminReset(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, desk := range map[string]func(h *home) *home{
		"file":  func(h *home) *home { return h },
		"https": func(h *home) *home { return h.laptop(h.serve("--listen", "127.0.0.1:0", "--tls-self-signed"), "priya") },
	} {
		t.Run(name, func(t *testing.T) {
			h := tpl.home(t)
			h.as("priya")
			x := desk(h).admin(80, 24, "jlee")
			x.Wait("Can sign in?  Yes, with a code.", "priya (helpdesk)", "r reset")
			x.Send("r")
			x.Wait("Reset MFA for Jordan Lee?", "let whoever has the password enrol", "Confirm   [ Cancel ]")
			x.Send(uitest.Left, uitest.Enter)
			x.Wait("MFA reset for Jordan Lee (jlee). Event", "Jordan has not been notified. Tell them:", "+61 2 5550 1234", "| Hello Jordan")
			if e := h.lastReset(); e.Actor.Username != "priya" || h.account("jlee").MFA.State != logiqc.EnrolmentNone {
				t.Errorf("%+v", e)
			}
			x.Send(uitest.Enter)
			x.Wait("Yes, but must enrol first", "Fresh enrolment code")
			x.Send("e")
			x.Wait("Events about or by jlee", "> ", "mfa.reset", "priya")
			x.Send(uitest.Enter)
			x.Wait("mfa.reset", "Details")
			x.Send("/")
			x.Wait("Letters of a name")
			x.Send("rgold", uitest.Enter) // at once: it opens when it is found
			x.Wait("Ruth Gold (rgold)")
			x.Send("q")
			quit(t, x, 0, "Jordan", "Ruth")
		})
	}
}

// Whatever but ← and Enter on the dialog resets nothing and writes nothing, and
// the account is there again. Keys typed before the dialog is there are not for
// it.
func TestAdminCancel(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, keys := range map[string][]string{
		"enter": {uitest.Enter}, "esc": {uitest.Left, uitest.Esc}, "ctrl-c": {uitest.Left, uitest.CtrlC},
		"right": {uitest.Left, uitest.Right, uitest.Enter}, "ctrl-d": {uitest.CtrlD},
	} {
		t.Run(name, func(t *testing.T) {
			h := tpl.home(t)
			before := h.events("")
			x := h.admin(80, 24, "jlee")
			x.Send("r" + uitest.Left + uitest.Enter)
			x.Wait("[ Cancel ]")
			x.Send(keys...)
			x.Wait("Cancelled; nothing was changed.", "Jordan Lee (jlee)")
			if h.account("jlee").MFA.State != logiqc.EnrolmentEnrolled || h.events("") != before {
				t.Error("something was changed")
			}
			x.Send(uitest.CtrlC)
			quit(t, x, 0)
		})
	}
}

// What the operator may not do is not offered, and its key says so.
func TestAdminOffers(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct{ as, user, shows, hides, key string }{
		{"helen", "ssmith", "their identity provider manages it", "Reset MFA", "r"},
		{"helen", "helen", "New phone", "Reset MFA", "r"},
		{"priya", "mchen", "Ask an admin to reset MFA", "unlock", "u"},
		{"ines", "jlee", "See its log", "Reset MFA", "r"},
	} {
		t.Run(c.as+" on "+c.user, func(t *testing.T) {
			h := tpl.home(t)
			h.as(c.as)
			before := h.events("")
			x := h.admin(80, 24, c.user)
			if s := x.Wait(c.shows); strings.Contains(s, c.hides) {
				t.Errorf("it offers %q:\n%s", c.hides, s)
			}
			x.Send(c.key)
			x.Wait("Nothing to do here with " + c.key)
			if h.events("") != before {
				t.Error("it is in the log")
			}
			x.Send(uitest.CtrlC)
			quit(t, x, 0)
		})
	}
	h := tpl.home(t)
	h.as("jlee")
	x := h.terminal(80, 24, "admin")
	if status := x.Exit(); status != 4 || !strings.Contains(x.Screen(), "has no access") || strings.Contains(x.Output(), "Find") {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
}

// A privileged account takes its name, or a second operator.
func TestAdminPrivileged(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.admin(80, 24, "mchen")
	x.Send("r")
	x.Wait("Type mchen to reset, Tab to ask for approval, or Esc to cancel:")
	x.Send("jlee", uitest.Enter)
	x.Wait("that is not mchen")
	x.Send(uitest.Tab)
	x.Wait("Approval", "asked for, open until", "Waiting for a second operator")
	x.Send(uitest.Esc)
	x.Wait("the request for mchen is left open until")
	x.Send(uitest.Enter)
	x.Wait("Marcus Chen (mchen)")
	x.Send("r")
	x.Wait("Type mchen to reset")
	x.Send("mchen", uitest.Enter)
	x.Wait("MFA reset for Marcus Chen (mchen). Event")
	if h.events(logiqc.MFARequested) != 1 || h.events(logiqc.MFAResetDone) != 1 {
		t.Error("it is not in the log")
	}
	x.Send("q")
	quit(t, x, 0)
}

// R6: an account that changed under the dialog is shown anew, and asked about
// again.
func TestAdminConflict(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.admin(80, 24, "jlee")
	x.Send("c")
	x.Wait("[ Cancel ]")
	if _, err := h.service("tom").ResetMFA(t.Context(), logiqc.Reset{
		Request: logiqc.Request{RequestID: "tom", Consent: logiqc.Consent{Given: true}}, Users: []logiqc.ResetTarget{{User: "jlee"}}, Total: 1}); err != nil {
		t.Fatal(err)
	}
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("! the enrolment of jlee has changed since it was shown; nothing was reset", "(conflict)", "Yes, but must enrol first", "by tom")
	x.Send("c")
	x.Wait("Fresh enrolment code for Jordan Lee (jlee)?", "end the code before it", "[ Cancel ]")
	x.Send(uitest.Enter)
	x.Wait("Cancelled; nothing was changed.")
	if h.events(logiqc.EnrolmentCodeIssued) != 0 {
		t.Error("a key alone issues a code")
	}
	x.Send("c")
	x.Wait("[ Cancel ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("Enrolment code for Jordan Lee (jlee). Event", "good until")
	if h.events(logiqc.MFAResetDone) != 1 || h.events(logiqc.EnrolmentCodeIssued) != 1 {
		t.Error("something else was done")
	}
	x.Send(uitest.CtrlC)
	quit(t, x, 0, "Enrolment code")
}

// The other keys: a wait is ended, a code is proved, a request is decided.
func TestAdminKeys(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	h := tpl.home(t)
	a := h.ask("priya", "mchen")
	h.exec(h.db(), `UPDATE account SET password_misses = 7, password_until = ?1 WHERE username = 'jlee'`, time.Now().Add(time.Hour).UnixMilli())
	x := h.admin(80, 24, "jlee")
	x.Send("u")
	x.Wait("Unlock Jordan Lee (jlee)?", "[ Cancel ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("Jordan Lee (jlee) is unlocked")
	x.Send(uitest.Enter)
	x.Wait("v verify")
	x.Send("v")
	reply(x, "Code from the app of Jordan Lee", "000000")
	x.Wait("tries left")
	x.Send(totp.Code(secretOf("jlee"), totp.Step(time.Now())), uitest.Enter)
	x.Wait("The code is right: Jordan Lee (jlee) has the app.")
	x.Send(uitest.Enter, "a")
	x.Wait("Requests that wait for a second operator", "> "+strings.ToUpper(a.Short), "mchen (protected)", "INC104412")
	x.Send(uitest.Enter)
	x.Wait("Approve an MFA reset for Marcus Chen?", "[ Leave it open ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("Rejected: reset MFA for Marcus Chen (mchen), asked for by priya.")
	x.Send(uitest.Enter)
	x.Wait("Nothing waits.")
	x.Send(uitest.CtrlC)
	quit(t, x, 0)

	h = tpl.home(t)
	h.ask("tom", "jlee")
	h.as("priya") // who may not decide
	x = h.terminal(80, 24, "admin")
	x.Wait("Tab approvals (1)")
	x.Send(uitest.Tab)
	x.Wait("> ", "INC104412")
	x.Send(uitest.Enter)
	x.Wait("Asked by    tom", "Open until")
	x.Send("q")
	quit(t, x, 0)
}

var colour = regexp.MustCompile("\x1b\\[[34][0-9]m")

// Names that would steer the terminal are shown; wide ones keep the columns;
// NO_COLOR is kept.
func TestAdminHostileNames(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.exec(h.db(), `UPDATE account SET name = char(27) || ']0;x' || char(7) || 'Jo' || char(8238) || 'nad' WHERE username = 'jlee'`)
	h.exec(h.db(), `UPDATE account SET name = '李雷' WHERE username = 'mleeson'`)
	c := h.command("admin")
	c.Env = append(c.Env, "NO_COLOR=1")
	x := uitest.Start(t, 80, 24, c)
	x.Wait("Letters of a name")
	x.Send("lee")
	x.Wait(`\x1b]0;x\x07Jo\u2`, "李雷                mlee@")
	x.Send(uitest.Enter)
	x.Wait(`\x1b]0;x\x07Jo\u202enad (jlee)`)
	if strings.Contains(x.Output(), "\x1b]0;") || strings.Contains(x.Output(), "\u202e") || colour.MatchString(x.Output()) {
		t.Errorf("%q", x.Output())
	}
	x.Send(uitest.CtrlC)
	quit(t, x, 0)
}

// Whoever has no whole screen is sent to the lines.
func TestAdminNeedsScreen(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	h := tpl.home(t)
	for _, args := range [][]string{{"--accessible"}, {"--no-input"}, {"-o", "json"}, {"--no-alt-screen"}} {
		x := h.terminal(80, 24, append([]string{"admin"}, args...)...)
		if status := x.Exit(); status != 2 || !strings.Contains(x.Screen(), "logiqc users find TEXT") || strings.Contains(x.Output(), "1049") {
			t.Errorf("%v: exit %d:\n%s", args, status, x.Screen())
		}
	}
	c := h.command("admin")
	c.Env = append(c.Env, "TERM=dumb")
	x := uitest.Start(t, 80, 24, c)
	if status := x.Exit(); status != 2 || !strings.Contains(x.Screen(), "in lines") {
		t.Errorf("dumb: exit %d:\n%s", status, x.Screen())
	}
	if _, stderr, status := h.run("admin"); status != 2 || !strings.Contains(stderr, "takes a terminal") || !strings.Contains(stderr, "logiqc mfa reset") {
		t.Errorf("exit %d: %s", status, stderr)
	}
}
