package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

const terminate = syscall.SIGTERM

// enrol alone asks who you are, and signs nobody in.
func TestEnrolTerminal(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.terminal(80, 24, "enrol", "--png", "rgold.png")
	reply(x, "Username or email", "rgold@stmary.example")
	reply(x, "Password", password)
	x.Wait("Set up your authenticator app")
	if info, err := os.Stat(filepath.Join(h.dir, "rgold.png")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the picture: %v, %v", info, err)
	}
	p := scan(t, x)
	x.Send("000000" + uitest.Enter)
	x.Wait("Wrong code. 4 tries left.")
	x.Send(p.code(0) + uitest.Enter)
	codes := keepRecoveryCodes(t, x, "rgold")
	x.Wait("The authenticator app of rgold is set up. Event ")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	leavesNothing(t, x, p, codes)
	if out, _, _ := h.run("whoami"); !strings.HasPrefix(out, "helen") {
		t.Errorf("whoami: %s", out)
	}
	if n := h.events(logiqc.MFAEnrolled); n != 2 { // the wrong code and the right one
		t.Errorf("%d events", n)
	}
}

// The screen gives up after five wrong codes, and the wait that follows is not
// for ever: nobody is enrolled, nobody is locked out.
func TestEnrolTries(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.terminal(80, 24, "enrol", "rgold", "--qr", "none")
	reply(x, "Password", password)
	x.Wait("Set up your authenticator app")
	if strings.Contains(x.Screen(), "█") {
		t.Errorf("a QR code in spite of --qr none:\n%s", x.Screen())
	}
	p := typeIn(t, x)
	for _, left := range []string{"4 tries left.", "3 tries left.", "2 tries left.", "1 try left."} {
		x.Send("000000" + uitest.Enter)
		x.Wait(left)
	}
	x.Send("000000" + uitest.Enter)
	if status := x.Exit(); status != 5 {
		t.Errorf("exit %d", status)
	}
	leavesNothing(t, x, p, nil)
	if a := h.account("rgold"); a.MFA.State != logiqc.EnrolmentPending || a.Signin.Until == 0 {
		t.Errorf("%+v %+v", a.MFA, a.Signin)
	}
}

// Moving to a new phone in one go, with a code of the old one; whoever leaves is
// told that they still have that.
func TestEnrolReplace(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	old := phone{totp.URIParts{Key: secretOf("jlee")}}
	x := h.terminal(40, 12, "enrol", "jlee", "--replace")
	reply(x, "Password", password)
	reply(x, "Code from your authenticator app", old.code(0))
	x.Wait("Set up your authenticator app")
	x.Send(uitest.CtrlC)
	x.Wait("the old app works as", "before")
	if status := x.Exit(); status != 7 {
		t.Errorf("left: exit %d", status)
	}
	x = h.terminal(40, 12, "enrol", "jlee", "--replace")
	reply(x, "Password", password)
	reply(x, "Code from your authenticator app", old.code(totp.Period))
	x.Wait("Set up your authenticator app")
	p := typeIn(t, x)
	x.Send(p.code(0) + uitest.Enter)
	codes := keepRecoveryCodes(t, x, "jlee")
	x.Wait("The authenticator app of jlee is set up.")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	leavesNothing(t, x, p, codes)
	if h.events(logiqc.MFAReplaced) != 1 {
		t.Error("no event tells of it")
	}
}

// With a screen reader everything is lines, and is forgotten afterwards.
func TestEnrolAccessible(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	x := h.terminal(80, 60, "enrol", "--accessible")
	reply(x, "Username or email:", "rgold")
	reply(x, "Password (typing is not shown):", password)
	reply(x, "or press Enter to go on.", "p")
	picture := filepath.Join(t.TempDir(), "enrol.png")
	reply(x, "Save picture as [enrol.png]:", picture)
	x.Wait("Saved as")
	x.Send(uitest.Enter)
	reply(x, "Code:", "12345") // a slip is no try: see below
	x.Wait("type the six digits the app shows\nCode:")
	var key strings.Builder
	for _, line := range strings.Split(x.Screen(), "\n") {
		if _, group, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "  Group ") {
			key.WriteString(group)
		}
	}
	parsed, err := totp.ParseKey(key.String())
	if err != nil {
		t.Fatalf("%v:\n%s", err, x.Screen())
	}
	p := phone{totp.URIParts{Key: parsed}}
	x.Send(p.code(0) + uitest.Enter)
	x.Wait("Step 3 of 3. Recovery codes of rgold", "Press Enter when you have kept them.")
	codes := recoveryCode.FindAllString(x.Screen(), -1)
	x.Send(uitest.Enter)
	x.Wait("The authenticator app of rgold is set up.")
	if status := x.Exit(); status != 0 || len(codes) != 10 {
		t.Errorf("exit %d, %d codes", status, len(codes))
	}
	if strings.Contains(x.Output(), "\x1b[?1049h") {
		t.Error("the alternate screen was used")
	}
	if s := x.Screen(); !strings.Contains(s, "Delete "+picture+": it holds the secret.") {
		t.Errorf("nothing reminds of the picture:\n%s", s)
	}
	if n := h.failures("rgold"); n != 0 {
		t.Errorf("%d wrong codes are in the log", n)
	}
	leavesNothing(t, x, p, codes)
}

// failures counts what failed about somebody.
func (h *home) failures(username string) int {
	h.t.Helper()
	page, err := h.service("tom").Events(h.t.Context(), logiqc.EventQuery{User: username, Outcome: logiqc.Failed})
	if err != nil {
		h.t.Fatal(err)
	}
	return len(page.Events)
}

// The first ten minutes: init asks, makes everything and goes on to the
// admin's own app, which may wait.
func TestInitTerminal(t *testing.T) {
	t.Parallel()
	h := &home{t: t, dir: t.TempDir()}
	x := h.terminal(80, 24, "init")
	reply(x, "Name users will see in their app [Logiqc]", "St Mary's")
	reply(x, "First admin's username", "he len")
	x.Wait("is no username")
	x.Send(strings.Repeat("\x7f", 6), "helen", uitest.Enter)
	reply(x, "Email", "helen@stmary.example")
	reply(x, "Password", "short")
	reply(x, "Password, again", "short")
	reply(x, "Password is too short: it needs 8 characters or more.\nPassword\n", password)
	reply(x, "Password, again\n", password)
	x.Wait("Set up your authenticator app", "Issuer  St Mary's")
	p := scan(t, x)
	x.Send(p.code(0) + uitest.Enter)
	codes := keepRecoveryCodes(t, x, "helen")
	x.Wait("Store  sqlite:", "Audit  logiqc/st-marys/", "Your authenticator app is set up.", "Next: logiqc users import FILE · logiqc doctor", "helen is the only admin")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	leavesNothing(t, x, p, codes)
	if out, _, _ := h.run("users", "show", "helen", "-o", "json"); !strings.Contains(out, `"state":"enrolled"`) {
		t.Errorf("users show: %s", out)
	}
	x = h.terminal(80, 24, "init", "--store", "second.db", "--admin", "tom", "--email", "tom@stmary.example")
	reply(x, "Name users will see in their app [Logiqc]", "")
	reply(x, "Password", password)
	reply(x, "Password, again", password)
	x.Wait("Set up your authenticator app", "Issuer  Logiqc")
	x.Send(uitest.Esc)
	x.Wait("MFA is not set up yet: logiqc enrol tom")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d after Esc", status)
	}
}
