package service_test

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// What operators do to the model of model_test.go: toggles, unlocking, policy,
// enrolment codes, holds and the window after a reset.

// late tells whether the window to enrol in is over.
func (m *model) late(u *modelUser) bool {
	return m.window > 0 && u.wasReset && u.app == nil && m.required(u) && !m.Now().Before(u.windowAt.Add(m.window))
}

// isHeld tells whether sign-in is held, and expects the answer.
func (m *model) isHeld(rt *rapid.T, u *modelUser, err error) bool {
	if !u.held && !m.late(u) {
		return false
	}
	expect(rt, "held", err, logiqc.Held)
	return true
}

// needsCode tells whether nobody enrols for the user without an enrolment code.
func (m *model) needsCode(u *modelUser) bool {
	return u.app == nil && (u.code != nil || m.codes == logiqc.CodeAlways || m.codes == logiqc.CodeAfterReset && u.wasReset)
}

// given notes a code that was issued.
func (m *model) given(u *modelUser, c *logiqc.IssuedCode) {
	if c != nil {
		u.code = &modelCode{text: c.Code, expires: m.Now().Add(15 * time.Minute)}
	}
}

func (m *model) changesPolicy(rt *rapid.T) {
	m.codes = rapid.SampledFrom([]logiqc.CodeRule{logiqc.CodeOff, logiqc.CodeOff, logiqc.CodeAfterReset, logiqc.CodeAlways}).Draw(rt, "codes")
	m.window = rapid.SampledFrom([]time.Duration{0, 12 * time.Minute}).Draw(rt, "window")
	_, err := m.helen.ChangePolicy(rt.Context(), logiqc.PolicyEdit{Settings: []logiqc.Setting{
		{Key: logiqc.KeyEnrolmentCode, Value: string(m.codes)}, {Key: logiqc.KeyWindow, Value: m.window.String()},
	}})
	expect(rt, "policy", err, "")
}

func (m *model) issuesCode(rt *rapid.T) {
	u := m.user(rt)
	out, err := m.helen.IssueEnrolmentCode(rt.Context(), logiqc.CodeIssue{User: u.name})
	if u.app != nil {
		expect(rt, "issue to somebody enrolled", err, logiqc.AlreadyEnrolled)
		return
	}
	expect(rt, "issue", err, "")
	m.given(u, out.Code)
}

func (m *model) givesDeskCode(rt *rapid.T) {
	u := m.user(rt)
	a := m.attempt(rt, u, logiqc.StageEnrol)
	code, right := logiqc.Secret("0000 0000 0000"), u.code != nil && rapid.IntRange(0, 2).Draw(rt, "right") > 0
	if right {
		code = u.code.text
	}
	at, err := m.SignIn().EnrolmentCode(rt.Context(), a.token, code, logiqc.Source{})
	switch {
	case m.isHeld(rt, u, err):
	case u.app != nil:
		expect(rt, "enrolled meanwhile", err, logiqc.AlreadyEnrolled)
	case !m.needsCode(u):
		expect(rt, "a code that nobody asked for", err, "")
	case u.code == nil || u.code.tries >= 5 || !m.Now().Before(u.code.expires):
		expect(rt, "no code is good", err, logiqc.Expired)
	case !right:
		expect(rt, "a wrong enrolment code", err, logiqc.WrongCode)
		u.code.tries++
	default:
		expect(rt, "a right enrolment code", err, "")
		if a.code = u.code; at.CodeNeeded {
			rt.Fatal("it is asked for again")
		}
	}
}

func (m *model) verifiesCode(rt *rapid.T) {
	u := m.user(rt)
	if u.app == nil {
		_, err := m.helen.VerifyCode(rt.Context(), logiqc.CodeCheck{User: u.name, Code: "000000"})
		expect(rt, "nothing to verify", err, logiqc.EnrolmentRequired)
		return
	}
	step := totp.Step(m.Now()) + rapid.Int64Range(-2, 2).Draw(rt, "steps off")
	_, err := m.helen.VerifyCode(rt.Context(), logiqc.CodeCheck{User: u.name, Code: totp.Code(u.app.key, step)})
	switch off := step - totp.Step(m.Now()); {
	case m.waits(rt, u, err):
	case off < -1 || off > 1 || step <= u.app.spent:
		expect(rt, "a code that does not verify", err, logiqc.WrongCode)
		miss(&u.misses, &u.until, m.Now())
	default:
		expect(rt, "a code that verifies", err, "")
		u.app.spent, u.misses, u.until = step, 0, time.Time{}
	}
}

// isRecovered is the break-glass: an administrator comes back from anything.
func (m *model) isRecovered(rt *rapid.T) {
	u := m.user(rt)
	r := logiqc.Recovery{User: u.name}
	r.Given, r.Typed = true, u.name
	res, err := m.Recover(rt.Context(), logiqc.Actor{Kind: logiqc.System}, r)
	if !u.admin {
		expect(rt, "break-glass for a user", err, logiqc.Forbidden)
		return
	}
	expect(rt, "break-glass", err, "")
	u.app, u.pending, u.spare = nil, nil, nil
	u.misses, u.until, u.pwMisses, u.pwUntil = 0, time.Time{}, 0, time.Time{}
	u.wasReset, u.windowAt, u.held = true, m.Now(), false
	m.given(u, res.EnrolmentCode)
	m.ended(rt, u)
	m.recoveries++
}

// isTold expects somebody who has signed in to be told of every recovery that
// they were not told of before, if they are an operator.
func (m *model) isTold(rt *rapid.T, u *modelUser, notice string) {
	untold := 0
	if u.admin {
		untold, u.told = m.recoveries-u.told, m.recoveries
	}
	lines := strings.Count(notice, "Break-glass recovery of ada ")
	more := strings.Contains(notice, "There were more")
	if lines != min(untold, logiqc.RecoveryNotices) || more != (untold > logiqc.RecoveryNotices) {
		rt.Fatalf("%s is told of %d recoveries of %d: %q", u.name, lines, untold, notice)
	}
}

func (m *model) enforcement(rt *rapid.T) {
	e := logiqc.Enforcement{On: rapid.Bool().Draw(rt, "on")}
	e.Given = true
	out, err := m.helen.Enforce(rt.Context(), e)
	expect(rt, "enforce", err, "")
	if out.Changed != (m.enforced != e.On) {
		rt.Fatalf("changed %t", out.Changed)
	}
	m.enforced = e.On
}

// change applies a verb and returns its outcome.
func (m *model) change(rt *rapid.T, u *modelUser, v logiqc.Verb) logiqc.ChangeResult {
	r := logiqc.UserChange{Verb: v, Users: []string{u.name}}
	r.Given = true
	res, err := m.helen.ChangeUsers(rt.Context(), r)
	expect(rt, string(v), err, "")
	return res[0]
}

func (m *model) toggles(rt *rapid.T) {
	u, on := m.user(rt), rapid.Bool().Draw(rt, "on")
	verb, code := logiqc.EnableMFA, logiqc.Code("")
	if !on {
		if verb = logiqc.DisableMFA; m.enforced {
			code = logiqc.Enforced
		}
	}
	res := m.change(rt, u, verb)
	if code != "" {
		expect(rt, "disable", res.Err, code)
		return
	}
	u.toggle = on
}

func (m *model) deactivates(rt *rapid.T) {
	u := m.user(rt)
	if !u.active {
		m.change(rt, u, logiqc.Activate)
		u.active = true
		return
	}
	m.change(rt, u, logiqc.Deactivate)
	u.active = false
	m.ended(rt, u)
}

func (m *model) unlocks(rt *rapid.T) {
	u := m.user(rt)
	if res := m.change(rt, u, logiqc.Unlock); res.Changed != (u.pwMisses+u.misses > 0 || u.held || m.late(u)) {
		rt.Fatalf("changed %t with %d and %d misses", res.Changed, u.pwMisses, u.misses)
	}
	if m.late(u) {
		u.windowAt = m.Now()
	}
	u.pwMisses, u.misses, u.pwUntil, u.until, u.held = 0, 0, time.Time{}, time.Time{}, false
}
