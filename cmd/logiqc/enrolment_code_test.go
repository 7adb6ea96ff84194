package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
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

// phoneOf is the phone with an imported app.
func phoneOf(user string) phone { return phone{totp.URIParts{Key: secretOf(user)}} }

// deskCode resets somebody with an enrolment code and returns it.
func (h *home) deskCode(user string) string {
	h.t.Helper()
	out, errs, status := h.run("mfa", "reset", user, "--yes", "--enrolment-code", "-o", "json")
	var answer struct {
		EnrolmentCode struct{ Code string } `json:"enrolment_code"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || status != 0 || answer.EnrolmentCode.Code == "" {
		h.t.Fatalf("exit %d: %s%s", status, out, errs)
	}
	return answer.EnrolmentCode.Code
}

// The terminal asks for the enrolment code before it shows a setup key; a slip
// of the finger costs no try.
func TestSigninWithEnrolmentCode(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	code := h.deskCode("jlee")
	h.nobody()
	x := h.terminal(80, 24, "signin", "--user", "jlee")
	reply(x, "Password", password)
	reply(x, "Enrolment code from the help desk", "4071")
	x.Wait("type the twelve digits that the help desk gave you")
	x.Send(strings.Repeat("\x7f", 4) + "000000000000" + uitest.Enter)
	x.Wait("Wrong enrolment code: 4 tries left.", "Enrolment code from the help desk\n")
	if strings.Contains(x.History(), "Set up your authenticator app") {
		t.Error("the setup key is shown before the code is right")
	}
	x.Send(strings.ReplaceAll(code, " ", "-") + uitest.Enter)
	x.Wait("Set up your authenticator app")
	p := scan(t, x)
	x.Send(p.code(0) + uitest.Enter)
	codes := keepRecoveryCodes(t, x, "jlee")
	x.Wait("You are signed in as jlee.")
	if status := x.Exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	leavesNothing(t, x, p, codes)
}

// With a screen reader it is one line more.
func TestEnrolmentCodeAccessible(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	code := h.deskCode("jlee")
	h.nobody()
	x := h.terminal(80, 24, "signin", "--accessible", "--user", "jlee")
	reply(x, "Password", password)
	x.Wait("Your MFA was reset on")
	reply(x, "Enrolment code from the help desk:", "0000 0000 0000")
	reply(x, "Wrong enrolment code: 4 tries left.\nEnrolment code from the help desk:", code)
	x.Wait("The setup key has 32 characters in 8 groups:")
	x.Send(uitest.Enter)
	x.Wait("Step 2 of 3. Type the six digits the app shows")
	x.Send("c" + uitest.Enter)
	if status := x.Exit(); status != 7 || h.account("jlee").MFA.State == logiqc.EnrolmentEnrolled {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
}

// Five wrong ones end it, and the right one comes too late.
func TestEnrolmentCodeDies(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	code := h.deskCode("jlee")
	h.nobody()
	x := h.terminal(80, 24, "enrol", "jlee")
	reply(x, "Password", password)
	x.Wait("Enrolment code from the help desk")
	for _, left := range []string{"4 tries left.", "3 tries left.", "2 tries left.", "1 try left.", "after 5 tries it is not good any more"} {
		x.Send("111111111111" + uitest.Enter)
		x.Wait(left)
		time.Sleep(300 * time.Millisecond) // until the next question is open: what is typed before it is thrown away
	}
	if status := x.Exit(); status != 5 || !strings.Contains(x.History(), "after 5 tries it is not good any more") {
		t.Errorf("exit %d:\n%s", status, x.History())
	}
	c := h.command("enrol", "jlee", "--password-stdin", "--enrolment-code", "-", "-o", "json")
	c.Stdin = strings.NewReader(password + "\n" + code + "\n")
	if _, errs, status := h.finish(c); status != 5 || !strings.Contains(errs, `"code":"expired"`) {
		t.Errorf("exit %d: %s", status, errs)
	}
}

// One code from many processes: nobody enrols twice with it, and of many proofs
// of one enrolment one counts.
func TestEnrolmentCodeOnce(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	code := h.deskCode("jlee")
	enrol := func(args ...string) (out string, status int) {
		c := h.command(append([]string{"enrol", "jlee", "--password-stdin", "-o", "json"}, args...)...)
		c.Stdin = strings.NewReader(password + "\n" + code + "\n")
		raw, err := c.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Error(err)
		}
		return string(raw), c.ProcessState.ExitCode()
	}
	start := func() (p phone, status int) {
		var started struct{ Secret string }
		out, status := enrol("--enrolment-code", "-")
		if status == 0 {
			if err := json.Unmarshal([]byte(out), &started); err != nil {
				t.Error(err)
			}
			p.Key, _ = totp.ParseKey(started.Secret)
		}
		return p, status
	}
	many := func(n int, do func() int) (done int32) {
		var all sync.WaitGroup
		var ok atomic.Int32
		for range n {
			all.Go(func() {
				if do() == 0 {
					ok.Add(1)
				}
			})
		}
		all.Wait()
		return ok.Load()
	}
	if n := many(10, func() int { _, status := start(); return status }); n != 10 {
		t.Errorf("%d could start, one after the other, with the right code", n)
	}
	p, status := start()
	if status != 0 {
		t.Fatalf("exit %d", status)
	}
	proof := p.code(0)
	if n := many(40, func() int { _, status := enrol("--code", proof, "--enrolment-code", "-"); return status }); n != 1 {
		t.Errorf("%d enrolled with one code", n)
	}
	if _, status = start(); status != 5 || h.account("jlee").MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("once more: exit %d", status)
	}
}

// A plan that is killed again and again, at any moment, is run until it is done,
// and does nothing twice: every line that came out is of a reset that is
// committed, and no enrolment code was shown for an account before.
func TestPlanKilled(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	plan := h.plan(120)
	shown, kills := map[string]string{}, 0
	for last := 0; ; kills++ {
		c := h.command("mfa", "reset", "--plan", plan, "--yes", "--enrolment-code", "-o", "jsonl")
		var out bytes.Buffer
		c.Stdout = &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- c.Wait() }()
		// Long enough that it gets on, and not for long before that.
		patience := 100 * time.Millisecond << kills
		killed := time.AfterFunc(patience+rand.N(patience), func() { _ = c.Process.Kill() })
		err := <-done
		killed.Stop()
		n := h.events(logiqc.MFAResetDone)
		if n < last || n > 120 || n%50 != 0 && n != 120 {
			t.Fatalf("%d were reset after %d", n, last)
		}
		last = n
		if lines := planLines(t, out.String(), shown); lines > n {
			t.Errorf("%d lines of %d resets", lines, n)
		}
		if err == nil && n == 120 {
			break
		}
	}
	if len(shown) == 0 || kills == 0 {
		t.Errorf("%d codes were seen, killed %d times", len(shown), kills)
	}
	t.Logf("killed %d times; %d of 120 codes were seen", kills, len(shown))
	if out, errs, status := h.run("audit", "verify"); status != 0 {
		t.Errorf("the log is not whole: %s%s", out, errs)
	}
}

// planLines counts the whole lines of resets in what a run said before it was
// killed, and notes the enrolment codes in them.
func planLines(t *testing.T, out string, shown map[string]string) (n int) {
	t.Helper()
	for line := range strings.Lines(out) {
		var row struct {
			User, Outcome string
			Replayed      bool
			EnrolmentCode *struct{ Code string } `json:"enrolment_code"`
		}
		if !strings.HasSuffix(line, "\n") || !strings.HasPrefix(line, `{"row"`) {
			continue // cut off, or the summary
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil || row.Outcome != "reset" {
			t.Fatalf("%v: %s", err, line)
		}
		n++
		switch code := row.EnrolmentCode; {
		case row.Replayed == (code != nil):
			t.Errorf("replayed %t, code %v", row.Replayed, code)
		case code != nil && shown[row.User] != "":
			t.Errorf("a second code is shown for %s", row.User)
		case code != nil:
			shown[row.User] = code.Code
		}
	}
	return n
}

// A plan stops when too many of its accounts have changed since.
func TestPlanStops(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	plan := h.plan(120)
	h.exec(h.db(), `UPDATE enrolment SET enrolled_at = 5 WHERE user_id IN (SELECT id FROM account WHERE username BETWEEN 'p0010' AND 'p0019')`)
	out, errs, status := h.run("mfa", "reset", "--plan", plan, "--yes", "-o", "json")
	b := readBulk(t, out)
	if status != 8 || b.Summary.Reset != 40 || b.Summary.Refused != 10 || b.Summary.Failed != 70 || len(b.Results) != 120 {
		t.Errorf("exit %d %s: %+v", status, errs, b.Summary)
	}
	if b.Results[15].Code != "conflict" || b.Results[119].Outcome != "failed" || !strings.Contains(errs, "10 of 50 accounts were refused") {
		t.Errorf("%+v %+v: %s", b.Results[15], b.Results[119], errs)
	}
	// Run again it goes on with the rest, as these are few enough of them.
	out, _, status = h.run("mfa", "reset", "--plan", plan, "--yes", "-o", "json")
	if b = readBulk(t, out); status != 8 || b.Summary.Reset != 110 || b.Summary.Refused != 10 || b.Summary.Failed != 0 {
		t.Errorf("again: exit %d %+v", status, b.Summary)
	}
}

// plan makes a plan for a crowd of n.
func (h *home) plan(n int) string {
	h.t.Helper()
	out, errs, status := h.run("mfa", "reset", "--from", h.crowd(n), "--dry-run", "-o", "json")
	if status != 0 {
		h.t.Fatal(errs)
	}
	path := filepath.Join(h.dir, "plan.json")
	h.write(path, out)
	return path
}

// Whoever ends a hold, opens a window again or forges an enrolment code in the
// store itself is found.
func TestReconcileFindsDeskChanges(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct{ field, change string }{
		{"held_at", `UPDATE account SET held_at = 0 WHERE username = 'jlee'`},
		{"window_at", `UPDATE account SET window_at = window_at + 86400000 WHERE username = 'jlee'`},
		{"enrolment_code", `DELETE FROM enrolment_code`},
		{"enrolment_code", `UPDATE enrolment_code SET hash = (SELECT password_hash FROM account WHERE username = 'tom')`},
		{"enrolment_code_until", `UPDATE enrolment_code SET expires_at = expires_at + 86400000`},
	} {
		h := tpl.home(t)
		if _, errs, status := h.run("mfa", "reset", "jlee", "--yes", "--hold", "--enrolment-code"); status != 0 {
			t.Fatal(errs)
		}
		field := `"user":"jlee","field":"` + c.field + `"`
		if out, _, _ := h.run("audit", "reconcile", "-o", "json"); strings.Contains(out, field) {
			t.Fatalf("%s differs before: %s", c.field, out)
		}
		h.exec(h.db(), c.change)
		if out, _, status := h.run("audit", "reconcile", "-o", "json"); status != 9 || !strings.Contains(out, field) {
			t.Errorf("%s: exit %d, %s", c.change, status, out)
		}
	}
}
