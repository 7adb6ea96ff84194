//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// A reset that is killed at any moment leaves everything of it or nothing: the
// account, its sessions and the log agree, and the log takes the next event.
func TestResetKilled(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	start := time.Now()
	if _, stderr, status := tpl.home(t).run("mfa", "reset", "jlee", "--yes"); status != 0 {
		t.Fatal(stderr)
	}
	whole, done := time.Since(start), 0
	for i := range 40 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			h := tpl.home(t)
			c := h.command("mfa", "reset", "jlee", "--yes")
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rand.Float64() * float64(whole)))
			_ = c.Process.Kill()
			_ = c.Wait()
			if h.wholeOrNothing() {
				done++
			}
			if _, stderr, status := h.run("mfa", "reset", "mleeson", "--yes"); status != 0 {
				t.Fatalf("the store does not go on: %s", stderr)
			}
		})
	}
	t.Logf("%d of 40 were done before they were killed (a reset takes %s)", done, whole)
}

// wholeOrNothing reports whether helen has reset jlee; it fails the test when
// that is true in part only.
func (h *home) wholeOrNothing() bool {
	h.t.Helper()
	a, events := h.account("jlee"), h.events(logiqc.MFAResetDone)
	sessions, err := h.service("tom").Sessions(h.t.Context(), "jlee")
	if err != nil {
		h.t.Fatal(err)
	}
	cleared := a.MFA.State == logiqc.EnrolmentNone
	if cleared != (events == 1) || cleared != (len(sessions) == 0) || cleared != (a.MFA.ResetBy == "helen") ||
		cleared != (a.MFA.RecoveryCodesLeft == 0) {
		h.t.Fatalf("half done: state %s, %d events, %d sessions, reset by %q", a.MFA.State, events, len(sessions), a.MFA.ResetBy)
	}
	if stdout, stderr, status := h.run("audit", "verify"); status != 0 {
		h.t.Fatalf("the log is not whole: %s%s", stdout, stderr)
	}
	return cleared
}

// A killed run of several batches leaves whole batches.
func TestBulkKilled(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	list := h.crowd(1200)
	c := h.command("mfa", "reset", "--from", list, "--yes", "-o", "jsonl")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // the first batch is committed
		t.Fatal(err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	figures, err := h.service("tom").Figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := figures.AwaitingEnrolment; n != 500 && n != 1000 && n != 1200 {
		t.Errorf("%d accounts are reset", n)
	}
	if stdout, stderr, status := h.run("audit", "verify"); status != 0 {
		t.Errorf("the log is not whole: %s%s", stdout, stderr)
	}
}

// Ctrl-C lets the batch under way finish, sends no other, and says which is
// which.
func TestBulkInterrupted(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	list := h.crowd(1200)
	c := h.watched("mfa", "reset", "--from", list, "--yes", "-o", "jsonl", "--request-id", "monday")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil { // the first batch is committed, and more than a pipe holds
		t.Fatal(err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if !bytes.Contains(rest, []byte(`"reset":500,"unchanged":0,"refused":0,"ignored":0,"failed":700`)) || c.ProcessState.ExitCode() != 8 ||
		bytes.Count(rest, []byte("\n")) != 1200 || !strings.Contains(stderr.String(), "logiqc audit list --request monday") {
		t.Errorf("exit %d %s", c.ProcessState.ExitCode(), &stderr)
	}
	// The same again does the rest, and repeats nothing.
	stdout, errs, status := h.run("mfa", "reset", "--from", list, "--yes", "-o", "json", "--request-id", "monday")
	if b := readBulk(t, stdout); status != 0 || b.Summary.Reset != 1200 || h.events(logiqc.MFAResetDone) != 1200 {
		t.Errorf("exit %d %s, %+v, %d events", status, errs, b.Summary, h.events(logiqc.MFAResetDone))
	}
}

// Without a terminal to ask on nothing hangs: it says what would answer.
func TestResetNeverHangs(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	piped := h.command("mfa", "reset", "jlee")
	piped.Stdin = strings.NewReader("confirm\ny\n")
	alone := h.command("mfa", "reset", "jlee")
	alone.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	open, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = keep.Close() }()
	waiting := h.command("mfa", "reset", "jlee")
	waiting.Stdin = open
	for name, c := range map[string]*exec.Cmd{
		"</dev/null": h.command("mfa", "reset", "jlee"), "pipe": piped, "setsid": alone, "open pipe": waiting,
	} {
		stdout, stderr, status := h.finish(c)
		if status != 7 || stdout != "" || !strings.Contains(stderr, "--yes") {
			t.Errorf("%s: exit %d %s%s", name, status, stdout, stderr)
		}
	}
	if a := h.account("jlee"); a.MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("reset all the same: %s", a.MFA.State)
	}
}

// With a controlling terminal, but standard input from elsewhere, or with
// --no-input, nothing is asked either.
func TestResetControllingTerminal(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	piped := h.command("mfa", "reset", "jlee")
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	piped.Stdin = null
	for _, c := range []*exec.Cmd{piped, h.command("mfa", "reset", "jlee", "--no-input")} {
		x := uitest.Start(t, 80, 24, c)
		if status := x.Exit(); status != 7 || !strings.Contains(x.Output(), "--yes") {
			t.Errorf("exit %d:\n%s", status, x.Screen())
		}
	}
}

// The other questions of mfa: Enter alone cancels, ← and Enter agrees.
func TestToggleDialogs(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		golden string
		before []string
		args   []string
		says   string
	}{
		{"mfa_enforce_off_80x24", nil, []string{"enforce", "off"}, "MFA is left to each account's own toggle"},
		{"mfa_enforce_on_80x24", []string{"enforce", "off"}, []string{"enforce", "on"}, "MFA is required of everybody"},
		{"mfa_disable_80x24", []string{"enforce", "off"}, []string{"disable", "jlee"}, "The enrolment is kept"},
		{"mfa_enable_80x24", []string{"enforce", "off"}, []string{"enable", "rgold"}, "MFA is on for Ruth Gold (rgold)."},
	} {
		t.Run(c.golden, func(t *testing.T) {
			h := tpl.home(t)
			if c.before != nil {
				if _, stderr, status := h.run(append([]string{"mfa", c.before[0], "--yes"}, c.before[1:]...)...); status != 0 {
					t.Fatal(stderr)
				}
			}
			before := h.events("")
			x := h.terminal(80, 24, append([]string{"mfa"}, c.args...)...)
			x.Wait("[ Cancel ]")
			goldenScreen(t, c.golden, x)
			x.Send(uitest.Enter)
			if status := x.Exit(); status != 7 || h.events("") != before {
				t.Errorf("Enter alone: exit %d, %d events", status, h.events("")-before)
			}
			x = h.terminal(80, 24, append([]string{"mfa"}, c.args...)...)
			x.Wait("[ Cancel ]")
			x.Send(uitest.Left, uitest.Enter)
			if status := x.Exit(); status != 0 || !strings.Contains(x.Output(), c.says) || h.events("") != before+1 {
				t.Errorf("Confirm: exit %d, %d events:\n%s", status, h.events("")-before, x.Screen())
			}
			// It is so already: nothing is asked.
			x = h.terminal(80, 24, append([]string{"mfa"}, c.args...)...)
			if status := x.Exit(); status != 0 || strings.Contains(x.Output(), "Cancel") {
				t.Errorf("again: exit %d:\n%s", status, x.Screen())
			}
		})
	}
}
