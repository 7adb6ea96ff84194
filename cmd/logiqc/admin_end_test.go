package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// A server that goes away takes nothing with it: what was typed and answered is
// there when it comes back.
func TestAdminServerGone(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.strict()
	s := h.serve("--listen", "127.0.0.1:0", "--tls-self-signed")
	address := strings.TrimPrefix(s.Listening[0], "https://")
	again := func() {
		t.Helper()
		s = h.serve("--listen", address, "--tls-self-signed")
	}
	x := h.laptop(s, "priya").admin(80, 24, "")
	if _, err := s.stop(); err != nil {
		t.Fatal(err)
	}
	x.Send("jlee")
	x.Wait("Find  jlee", "! "+s.Listening[0]+" cannot be reached", "(unavailable)", "Enter tries again.")
	again()
	x.Send(uitest.Enter)
	x.Wait("Jordan Lee (jlee)")
	x.Send("r")
	x.Wait("> new phone")
	x.Send(uitest.Enter)
	reply(x, "Ticket", "INC104412")
	x.Wait("How was the caller verified?")
	x.Send(uitest.Enter)
	x.Wait("Reason: new phone", "Ticket: INC104412", "[ Cancel ]")
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("! "+s.Listening[0]+" cannot be reached", "r tries again; what you answered is kept.", "Jordan Lee (jlee)")
	again()
	x.Send("r")
	x.Wait("Confirm   [ Cancel ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("MFA reset for Jordan Lee (jlee). Event")
	if e := h.lastReset(); e.Ticket != "INC104412" || e.Reason != "new phone" || h.events(logiqc.MFAResetDone) != 1 {
		t.Errorf("%+v", e)
	}
	x.Send("q")
	quit(t, x, 0)
}

// A signal leaves a question, and the terminal as it was.
func TestAdminSignals(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		for _, key := range []string{"", "r"} {
			t.Run(signal.String()+key, func(t *testing.T) {
				h := tpl.home(t)
				before := h.events("")
				x := h.admin(80, 24, "jlee")
				if x.Send(key); key != "" {
					x.Wait("[ Cancel ]")
				}
				x.Signal(signal)
				quit(t, x, 7, "Jordan")
				if !strings.Contains(x.Screen(), "Admin mode was ended from outside") || h.events("") != before {
					t.Errorf("it says:\n%s", x.Screen())
				}
			})
		}
	}
}

// A session that has ended, or is too old, leads to the sign-in and on to where
// one was; Esc leaves it.
func TestAdminSignsInAgain(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name, key, says, then string
		end                   logiqc.Revocation
	}{
		{name: "ended", key: "e", says: "the session has ended", then: "Events about or by jlee", end: logiqc.Revocation{User: "helen"}},
		{name: "too old", key: "r", says: "at most 1m old", then: "[ Cancel ]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			x := h.admin(80, 24, "jlee")
			if c.end.User == "" {
				h.must("policy", "set", "stepup.minutes=1")
				h.exec(h.db(), `UPDATE session SET signed_in_at = signed_in_at - 600000`)
			} else if c.end.Request = (logiqc.Request{RequestID: "r", Consent: logiqc.Consent{Given: true}}); true {
				if _, err := h.service("tom").RevokeSessions(t.Context(), c.end); err != nil {
					t.Fatal(err)
				}
			}
			x.Send(c.key)
			x.Wait(c.says, "Sign in to go on, or press Esc to leave.", "Password")
			if x.AltScreen() {
				t.Error("it asks on the alternate screen")
			}
			reply(x, "Password", password)
			reply(x, "Code from your authenticator app", totp.Code(secretOf("helen"), totp.Step(time.Now())))
			x.Wait("Can sign in?", "Jordan Lee (jlee)")
			x.Send(c.key)
			x.Wait(c.then)
			x.Send(uitest.Esc, uitest.CtrlC)
			quit(t, x, 0, "Jordan")
		})
	}
	h := tpl.home(t)
	x := h.admin(80, 24, "jlee")
	h.exec(h.db(), `UPDATE session SET expires_at = 1`)
	x.Send("e")
	x.Wait("Password")
	x.Send(uitest.Esc)
	quit(t, x, 4, "Jordan")
	if s := x.Screen(); !strings.Contains(s, "logiqc: error:") || !strings.Contains(s, "hint: logiqc signin") {
		t.Errorf("it says:\n%s", s)
	}
}
