package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// Ruth's first sign-in leads through the whole of it, on a terminal of the two
// sizes that count: password, QR code, code, recovery codes, signed in.
func TestSigninEnrols(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name       string
		cols, rows int
		learn      func(*testing.T, *uitest.Terminal) phone
	}{
		{"80x24", 80, 24, scan},
		{"40x12", 40, 12, typeIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			h.nobody()
			x := h.terminal(c.cols, c.rows, "signin")
			reply(x, "Username or email", "rgold")
			reply(x, "Password", password)
			x.Wait("Set up your authenticator app", "Account rgold", "Issuer  St Mary's", "Code")
			if !x.AltScreen() {
				t.Error("the setup key is not on the alternate screen")
			}
			p := c.learn(t, x)
			x.Send(p.code(0) + uitest.Enter)
			codes := keepRecoveryCodes(t, x, "rgold")
			x.Wait("You are signed in as rgold.")
			if status := x.Exit(); status != 0 {
				t.Errorf("exit %d", status)
			}
			leavesNothing(t, x, p, codes)
			if out, _, _ := h.run("whoami", "-o", "json"); !strings.Contains(out, `"user":"rgold"`) {
				t.Errorf("whoami: %s", out)
			}
			if a := h.account("rgold"); a.MFA.State != logiqc.EnrolmentEnrolled || a.MFA.RecoveryCodesLeft != 10 {
				t.Errorf("%+v", a.MFA)
			}
		})
	}
}

// Whoever was reset is told so first, when and by whom, and only then sets up
// the app again. The notice outlives the screen.
func TestSigninNotice(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	if _, errs, status := h.run("mfa", "reset", "jlee", "--yes"); status != 0 {
		t.Fatal(errs)
	}
	h.nobody()
	x := h.terminal(80, 24, "signin", "--user", "jlee")
	reply(x, "Password", password)
	x.Wait("Your MFA was reset on", "by helen", "Set up your authenticator app")
	p := scan(t, x)
	x.Send(p.code(0) + uitest.Enter)
	codes := keepRecoveryCodes(t, x, "jlee")
	x.Wait("Your MFA was reset on", "You are signed in as jlee.")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	leavesNothing(t, x, p, codes)
	x = h.terminal(80, 24, "signin", "--user", "jlee")
	reply(x, "Password", password)
	reply(x, "Code from your authenticator app", p.code(totp.Period))
	x.Wait("You are signed in as jlee.")
	if x.Exit(); strings.Contains(x.History(), "was reset") {
		t.Errorf("told twice:\n%s", x.History())
	}
}

// Leaving the enrolment signs nobody in, keeps the session that was saved and
// locks nobody out.
func TestSigninLeft(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, leave := range map[string]func(*uitest.Terminal){
		"esc":     func(x *uitest.Terminal) { x.Send(uitest.Esc) },
		"ctrl-c":  func(x *uitest.Terminal) { x.Send(uitest.CtrlC) },
		"sigterm": func(x *uitest.Terminal) { x.Signal(terminate) },
	} {
		t.Run(name, func(t *testing.T) {
			h := tpl.home(t)
			x := h.terminal(80, 24, "signin", "-u", "rgold")
			reply(x, "Password", password)
			x.Wait("Set up your authenticator app")
			p := scan(t, x)
			leave(x)
			if status := x.Exit(); status != 7 {
				t.Errorf("exit %d", status)
			}
			leavesNothing(t, x, p, nil)
			if !strings.Contains(x.History(), "you are not signed in: your MFA is not set up yet") {
				t.Errorf("it does not say where things stand:\n%s", x.History())
			}
			if out, _, _ := h.run("whoami"); !strings.HasPrefix(out, "helen") {
				t.Errorf("whoami: %s", out)
			}
			if next := h.account("rgold").Signin.Next; next != logiqc.NextEnrol {
				t.Errorf("next sign-in: %s", next)
			}
		})
	}
}

// Wrong codes: what is wrong is said in place, a slip of the finger costs no
// try, and the fifth wrong one ends it.
func TestSigninTries(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.nobody()
	jordan := phone{totp.URIParts{Key: secretOf("jlee")}}
	x := h.terminal(80, 24, "signin", "-u", "jlee")
	reply(x, "Password", password)
	reply(x, "Code from your authenticator app", "12345")
	x.Wait("type six digits, or a recovery code of sixteen characters")
	x.Send(strings.Repeat("\x7f", 5), jordan.code(4*time.Minute), uitest.Enter)
	x.Wait("Wrong code: your device's clock is about 4 minutes fast; the server's time is", "4 tries left.", "No phone")
	for _, left := range []string{"3 tries left.", "2 tries left.", "1 try left."} {
		x.Send("aaaa-bbbb-cccc-dddd" + uitest.Enter)
		x.Wait(left, "No phone at hand?")
	}
	x.Send(jordan.code(-285*time.Second) + uitest.Enter) // in the middle of a step: the next may begin meanwhile
	if status := x.Exit(); status != 5 || !x.Restored() {
		t.Errorf("exit %d, restored %t", status, x.Restored())
	}
	if !strings.Contains(x.History(), "clock is about 5 minutes slow") {
		t.Errorf("the last answer is missing:\n%s", x.History())
	}
	if a := h.account("jlee"); a.Signin.CodeMisses != 5 || a.Signin.Why != logiqc.WhyThrottled {
		t.Errorf("%+v", a.Signin)
	}
}

// A recovery code signs in, and the way to a new phone is offered at once;
// Enter alone leaves it for later. It takes no second code.
func TestSigninNewPhone(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.nobody()
	codes, old := h.enrolled("rgold")
	x := h.terminal(80, 24, "signin", "-u", "rgold")
	reply(x, "Password", password)
	reply(x, "No phone at hand?", codes[0])
	reply(x, "9 recovery codes left. Set up a new phone now?", "")
	x.Wait("When you have the new phone: logiqc enrol rgold --replace")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	x = h.terminal(80, 24, "signin", "-u", "rgold")
	reply(x, "Password", password)
	reply(x, "No phone at hand?", strings.ToUpper(codes[1]))
	x.Wait("8 recovery codes left. Set up a new phone now?", "[ Later ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("Set up your authenticator app")
	p := scan(t, x)
	x.Send(p.code(0) + uitest.Enter)
	fresh := keepRecoveryCodes(t, x, "rgold")
	x.Wait("You are signed in as rgold.", "The new phone is set up; the old app is dead.")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	leavesNothing(t, x, p, fresh)
	for code, want := range map[string]int{old.code(totp.Period): 5, p.code(totp.Period): 0} {
		c := h.command("signin", "-u", "rgold", "--password-stdin", "--code", code)
		c.Stdin = strings.NewReader(password + "\n")
		if _, errs, status := h.finish(c); status != want {
			t.Errorf("exit %d, want %d: %s", status, want, errs)
		}
	}
}

// nobody forgets who is signed in.
func (h *home) nobody() {
	h.t.Helper()
	if err := os.RemoveAll(filepath.Join(h.dir, "state")); err != nil {
		h.t.Fatal(err)
	}
}

// enrolled sets up somebody's app with the two calls of a script.
func (h *home) enrolled(user string) ([]string, phone) {
	h.t.Helper()
	call := func(args ...string) string {
		c := h.command(append([]string{"enrol", user, "--password-stdin"}, args...)...)
		c.Stdin = strings.NewReader(password + "\n")
		out, errs, status := h.finish(c)
		if status != 0 {
			h.t.Fatal(errs)
		}
		return out
	}
	started := call()
	_, uri, _ := strings.Cut(started, "\nuri\t")
	uri, _, _ = strings.Cut(uri, "\n")
	parts, err := totp.ParseURI(uri)
	if err != nil {
		h.t.Fatal(err)
	}
	p := phone{parts}
	return recoveryCode.FindAllString(call("--code", p.code(0)), -1), p
}

// Fifty processes sign in with one code at once: one of them gets in.
func TestSigninOnce(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	code := phone{totp.URIParts{Key: secretOf("jlee")}}.code(0)
	var in, refused atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		c := h.command("signin", "-u", "jlee", "--password-stdin", "--code", code, "--no-save")
		c.Stdin = strings.NewReader(password + "\n")
		all.Go(func() {
			switch err := c.Run(); {
			case err == nil:
				in.Add(1)
			case c.ProcessState.ExitCode() == 5:
				refused.Add(1)
			default:
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 || refused.Load() != 49 {
		t.Errorf("%d signed in, %d refused", in.Load(), refused.Load())
	}
}

// Nothing waits for somebody who is not there, with a terminal out of reach or
// a pipe that never ends.
func TestSigninNeverHangs(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	for _, args := range [][]string{{"signin"}, {"enrol"}, {"init"}, {"recovery-codes"}, {"signin", "-u", "jlee", "--password-stdin"}} {
		if _, errs, status := h.run(args...); status != 2 || !strings.HasPrefix(errs, "logiqc: error: ") {
			t.Errorf("%v </dev/null: exit %d: %s", args, status, errs)
		}
	}
	if _, err := exec.LookPath("setsid"); err == nil {
		c := h.command("signin")
		c.Args, c.Path = append([]string{"setsid", "-w"}, c.Args...), "/usr/bin/setsid"
		if _, errs, status := h.finish(c); status != 2 {
			t.Errorf("setsid: exit %d: %s", status, errs)
		}
	}
	c := h.command("signin", "-u", "jlee", "--password-stdin")
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	end := func() { time.AfterFunc(500*time.Millisecond, func() { _ = c.Process.Signal(terminate) }) }
	if _, errs, status := h.finishWithin(c, 5*time.Second, end); status != 7 {
		t.Errorf("an open pipe: exit %d: %s", status, errs)
	}
}
