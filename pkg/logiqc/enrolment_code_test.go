package logiqc_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func TestNewEnrolmentCode(t *testing.T) {
	form := regexp.MustCompile(`^\d{4} \d{4} \d{4}$`)
	seen, first := map[string]bool{}, map[byte]int{}
	for range 2000 {
		c, err := logiqc.NewEnrolmentCode(rand.Reader)
		if err != nil || !form.MatchString(c.Reveal()) || seen[c.Reveal()] {
			t.Fatal(c.Reveal(), err)
		}
		seen[c.Reveal()] = true
		first[c.Reveal()[0]]++
	}
	for digit := byte('0'); digit <= '9'; digit++ { // 200 each; 100 is more than seven standard deviations off
		if n := first[digit]; n < 100 || n > 300 {
			t.Errorf("%d of 2000 begin with %c", n, digit)
		}
	}
	if _, err := logiqc.NewEnrolmentCode(bytes.NewReader(nil)); err == nil {
		t.Error("made without randomness")
	}
}

func TestParseEnrolmentCode(t *testing.T) {
	for typed, want := range map[string]string{
		"407122859316": "407122859316", " 4071 2285-9316\n": "407122859316", "4 0 7 1 2 2 8 5 9 3 1 6": "407122859316",
		"4071 2285 931": "", "4071 2285 93160": "", "4071 2285 931x": "", "": "", "４０７１２２８５９３１６": "",
		strings.Repeat(" ", 1<<20): "",
	} {
		got, ok := logiqc.ParseEnrolmentCode(typed)
		if got.Reveal() != want || ok != (want != "") {
			t.Errorf("%.40q: %q, %t", typed, got.Reveal(), ok)
		}
	}
}

func TestEnrolmentCodeAlive(t *testing.T) {
	c := logiqc.EnrolmentCode{ExpiresAt: 1000}
	for tries, want := range map[int]bool{0: true, 4: true, 5: false, 6: false} {
		c.Tries = tries
		if c.Alive(999) != want || c.Alive(1000) {
			t.Errorf("after %d tries", tries)
		}
	}
	for d, want := range map[time.Duration]bool{59 * time.Second: false, time.Minute: true, 720 * time.Hour: true, 721 * time.Hour: false, 0: false, -1: false} {
		if err := logiqc.CheckCodeTTL(d); (err == nil) != want || err != nil && !errors.Is(err, logiqc.Usage) {
			t.Errorf("%s: %v", d, err)
		}
	}
}

func TestNeedsEnrolmentCode(t *testing.T) {
	fresh := logiqc.User{Auth: logiqc.ByPassword}
	with := func(f func(*logiqc.User)) logiqc.User { u := fresh; f(&u); return u }
	reset := with(func(u *logiqc.User) { u.ResetAt = 1 })
	issued := with(func(u *logiqc.User) { u.Code = &logiqc.EnrolmentCode{Tries: 5} })
	enrolled := with(func(u *logiqc.User) { u.ResetAt, u.Enrolled = 1, &logiqc.Enrolment{} })
	sso := logiqc.User{Auth: logiqc.BySSO}
	for name, c := range map[string]struct {
		u                  logiqc.User
		off, reset, always bool
	}{
		"never enrolled": {fresh, false, false, true}, "reset": {reset, false, true, true}, "issued, and dead": {issued, true, true, true},
		"enrolled": {enrolled, false, false, false}, "sso": {sso, false, false, false},
	} {
		for rule, want := range map[logiqc.CodeRule]bool{logiqc.CodeOff: c.off, logiqc.CodeAfterReset: c.reset, logiqc.CodeAlways: c.always} {
			if got := c.u.NeedsEnrolmentCode(logiqc.Policy{EnrolmentCode: rule}); got != want {
				t.Errorf("%s, %s: %t", name, rule, got)
			}
		}
	}
}

// Who may give whom a code, and verify whose.
func TestCheckIssueAndVerify(t *testing.T) {
	plain := logiqc.User{ID: "u", Username: "jlee", Role: logiqc.RoleUser, Auth: logiqc.ByPassword}
	with := func(f func(*logiqc.User)) logiqc.User { u := plain; f(&u); return u }
	admin := with(func(u *logiqc.User) { u.Role = logiqc.RoleAdmin })
	enrolled := with(func(u *logiqc.User) { u.Enrolled = &logiqc.Enrolment{} })
	desk, boss := person(logiqc.RoleHelpdesk, "h"), person(logiqc.RoleAdmin, "a")
	for name, c := range map[string]struct {
		u             logiqc.User
		by            logiqc.Actor
		issue, verify logiqc.Code
	}{
		"the desk, a user":         {plain, desk, "", logiqc.EnrolmentRequired},
		"the desk, an admin":       {admin, desk, logiqc.Forbidden, logiqc.Forbidden},
		"an admin, an admin":       {admin, boss, "", logiqc.EnrolmentRequired},
		"an enrolled user":         {enrolled, desk, logiqc.AlreadyEnrolled, ""},
		"oneself":                  {admin, person(logiqc.RoleAdmin, "u"), logiqc.SelfReset, logiqc.Forbidden},
		"oneself through a token":  {admin, token(logiqc.RoleAdmin, "u"), logiqc.SelfReset, logiqc.Forbidden},
		"an SSO account":           {with(func(u *logiqc.User) { u.Auth = logiqc.BySSO }), boss, logiqc.SSOAccount, logiqc.SSOAccount},
		"protected, the desk":      {with(func(u *logiqc.User) { u.Protected = true }), desk, logiqc.Forbidden, logiqc.Forbidden},
		"protected, by the system": {with(func(u *logiqc.User) { u.Protected = true }), logiqc.Actor{Kind: logiqc.System}, "", logiqc.EnrolmentRequired},
	} {
		for what, got := range map[string]struct {
			err  error
			want logiqc.Code
		}{"issue": {c.u.CheckIssue(c.by), c.issue}, "verify": {c.u.CheckVerify(c.by), c.verify}} {
			if (got.want == "") != (got.err == nil) || got.err != nil && !errors.Is(got.err, got.want) {
				t.Errorf("%s, %s: %v, want %q", name, what, got.err, got.want)
			}
		}
	}
}

// Sign-in is held by an operator, or when the window to enrol is over, and the
// card says which.
func TestHeld(t *testing.T) {
	p := logiqc.Policy{Enforced: true, Window: time.Hour}
	u := logiqc.User{Auth: logiqc.ByPassword, Status: logiqc.Active, PasswordHash: "x", WindowAt: 1000}
	end := u.WindowAt.Add(time.Hour)
	for name, c := range map[string]struct {
		change func(*logiqc.User, *logiqc.Policy)
		now    logiqc.Time
		want   bool
	}{
		"before the end":       {func(*logiqc.User, *logiqc.Policy) {}, end - 1, false},
		"at the end":           {func(*logiqc.User, *logiqc.Policy) {}, end, true},
		"no window":            {func(_ *logiqc.User, p *logiqc.Policy) { p.Window = 0 }, end, false},
		"never reset":          {func(u *logiqc.User, _ *logiqc.Policy) { u.WindowAt = 0 }, end, false},
		"enrolled":             {func(u *logiqc.User, _ *logiqc.Policy) { u.Enrolled = &logiqc.Enrolment{} }, end, false},
		"MFA not required":     {func(_ *logiqc.User, p *logiqc.Policy) { p.Enforced = false }, end, false},
		"held":                 {func(u *logiqc.User, _ *logiqc.Policy) { u.HeldAt = 5 }, 6, true},
		"held, and not needed": {func(u *logiqc.User, p *logiqc.Policy) { u.HeldAt, p.Enforced = 5, false }, 6, true},
	} {
		u, p := u, p
		c.change(&u, &p)
		a := u.Account(p, c.now)
		if got := u.Held(p, c.now); got != c.want || errors.Is(u.CheckHeld(p, c.now), logiqc.Held) != c.want ||
			(a.Signin.Why == logiqc.WhyHeld) != c.want || (a.Signin.Next == logiqc.NextBlocked) != c.want {
			t.Errorf("%s: %t, %+v", name, got, a.Signin)
		}
	}
}
