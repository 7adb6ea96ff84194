package service_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/totp"
)

// The state machine of accounts, written a second time and from the rules of
// product.md only: what rapid does to the service is done to this model too,
// and every answer must be the one the model foretells. More steps:
//
//	go test ./pkg/service -run TestModel -rapid.checks=300 -rapid.steps=100

// modelUser is one account as the model knows it.
type modelUser struct {
	name             string
	admin            bool
	told             int // of how many recoveries
	active, toggle   bool
	app, pending     *modelApp
	spare            []logiqc.Secret // unused recovery codes
	pwMisses, misses int
	pwUntil, until   time.Time
	attempts         []*modelAttempt
	sessions         []logiqc.Secret
	code             *modelCode // from the help desk
	wasReset, held   bool
	windowAt         time.Time // when the window to enrol in began
}

// modelApp is a phone with the secret on it.
type modelApp struct {
	key              totp.Key
	spent            int64 // newest step used
	created, expires time.Time
	code             *modelCode // it was started with
}

// modelCode is an enrolment code.
type modelCode struct {
	text    logiqc.Secret
	tries   int
	expires time.Time
}

// modelAttempt is a sign-in after its password.
type modelAttempt struct {
	token   logiqc.Secret
	stage   logiqc.Stage
	expires time.Time
	code    *modelCode // that was given on it
}

type model struct {
	*desk
	helen      logiqc.Service
	tom        logiqc.Service // asks for approvals, which helen decides
	requests   []*modelRequest
	users      []*modelUser
	recoveries int // by break-glass
	enforced   bool
	codes      logiqc.CodeRule
	window     time.Duration
	backup     string // a file, once there is one
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{desk: openDesk(t), enforced: true, codes: logiqc.CodeOff}
		var err error
		if m.helen, err = m.As(t.Context(), m.init); err != nil {
			rt.Fatal(err)
		}
		for name, role := range map[string]logiqc.Role{"ann": logiqc.RoleUser, "bob": logiqc.RoleUser, "ada": logiqc.RoleAdmin} {
			who := logiqc.NewUser{Username: name, Email: name + "@x", Password: servicetest.Password, Role: role}
			if _, err := m.helen.AddUser(t.Context(), who); err != nil {
				rt.Fatal(err)
			}
			m.users = append(m.users, &modelUser{name: name, active: true, admin: role == logiqc.RoleAdmin})
		}
		slices.SortFunc(m.users, func(a, b *modelUser) int { return strings.Compare(a.name, b.name) })
		m.tom = m.second(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"":           func(rt *rapid.T) { m.look(rt) },
			"clock":      m.clockMoves,
			"password":   m.givesPassword,
			"code":       m.givesCode,
			"recovery":   m.givesRecoveryCode,
			"enrol":      m.startsEnrolment,
			"prove":      m.provesEnrolment,
			"reset":      m.isReset,
			"enforce":    m.enforcement,
			"toggle":     m.toggles,
			"deactivate": m.deactivates,
			"unlock":     m.unlocks,
			"policy":     m.changesPolicy,
			"issue":      m.issuesCode,
			"deskcode":   m.givesDeskCode,
			"verify":     m.verifiesCode,
			"request":    m.asksForApproval,
			"decide":     m.decides,
			"recover":    m.isRecovered,
			"backup":     m.isBackedUp,
		})
		ends := func(t *testing.T) {
			m.Check(t)
			m.isRestored(t)
		}
		if !t.Run("end", ends) { // not t.Failed: what is tried next, to find a shorter way to it, may be good
			rt.Fatal("the store is not what the log tells")
		}
	})
}

func (m *model) user(rt *rapid.T) *modelUser { return rapid.SampledFrom(m.users).Draw(rt, "user") }

func (m *model) required(u *modelUser) bool { return m.enforced || u.toggle }

// expect compares an answer with what the model foretold.
func expect(rt *rapid.T, what string, err error, code logiqc.Code) {
	rt.Helper()
	if code == "" && err != nil || code != "" && !errors.Is(err, code) {
		rt.Fatalf("%s: got %v, want %q", what, err, code)
	}
}

// miss is product.md R13 once more: waits from the fifth miss, doubling from
// 30 s to an hour.
func miss(misses *int, until *time.Time, now time.Time) {
	*misses++
	if *misses >= 5 {
		wait := 30 * time.Second
		for range *misses - 5 {
			wait = min(2*wait, time.Hour)
		}
		*until = now.Add(wait)
	}
}

func (m *model) clockMoves(rt *rapid.T) {
	m.Advance(rapid.SampledFrom([]time.Duration{time.Second, 29 * time.Second, totp.Period, 3 * totp.Period,
		5 * time.Minute, 11 * time.Minute, 61 * time.Minute}).Draw(rt, "by"))
	for _, u := range m.users {
		kept := u.attempts[:0]
		for _, a := range u.attempts {
			if m.Now().Before(a.expires) {
				kept = append(kept, a)
			}
		}
		u.attempts = kept
	}
	if time.Duration(m.Now().Sub(newClock().now)) > 11*time.Hour {
		rt.Skip("helen's session would end")
	}
}

func (m *model) givesPassword(rt *rapid.T) {
	u, right := m.user(rt), rapid.IntRange(0, 3).Draw(rt, "right") > 0
	password := servicetest.Password
	if !right {
		password = "wrong"
	}
	at, err := m.SignIn().Start(rt.Context(), logiqc.SigninRequest{User: u.name, Password: password, Purpose: logiqc.SigninPurpose})
	switch {
	case !u.active || m.Now().Before(u.pwUntil):
		expect(rt, "inactive or waiting", err, logiqc.SigninDenied)
		return
	case !right:
		expect(rt, "wrong password", err, logiqc.SigninDenied)
		miss(&u.pwMisses, &u.pwUntil, m.Now())
		return
	}
	u.pwMisses, u.pwUntil = 0, time.Time{}
	if m.isHeld(rt, u, err) {
		return
	}
	expect(rt, "right password", err, "")
	if at.CodeNeeded != m.needsCode(u) {
		rt.Fatalf("code needed: %t", at.CodeNeeded)
	}
	stage := logiqc.StageSignedIn
	if m.required(u) {
		if stage = logiqc.StageEnrol; u.app != nil {
			stage = logiqc.StageCode
		}
	}
	if at.Stage != stage {
		rt.Fatalf("stage %s, want %s", at.Stage, stage)
	}
	if stage == logiqc.StageSignedIn {
		m.isTold(rt, u, at.Notice)
		u.sessions = append(u.sessions, at.Token)
		return
	}
	u.attempts = append(u.attempts, &modelAttempt{token: at.Token, stage: stage, expires: m.Now().Add(10 * time.Minute)})
}

// attempt draws one of a user's sign-ins at the stage, or skips.
func (m *model) attempt(rt *rapid.T, u *modelUser, stage logiqc.Stage) *modelAttempt {
	var at []*modelAttempt
	for _, a := range u.attempts {
		if a.stage == stage {
			at = append(at, a)
		}
	}
	if len(at) == 0 {
		rt.Skip("no such sign-in")
	}
	return rapid.SampledFrom(at).Draw(rt, "attempt")
}

func (u *modelUser) drop(a *modelAttempt) {
	kept := u.attempts[:0]
	for _, b := range u.attempts {
		if b != a {
			kept = append(kept, b)
		}
	}
	u.attempts = kept
}

// waits tells whether the second factor is closed, and expects the answer.
func (m *model) waits(rt *rapid.T, u *modelUser, err error) bool {
	if u.misses < 100 && !m.Now().Before(u.until) {
		return false
	}
	expect(rt, "during a wait", err, logiqc.Throttled)
	return true
}

func (m *model) givesCode(rt *rapid.T) {
	u := m.user(rt)
	a := m.attempt(rt, u, logiqc.StageCode)
	if u.app == nil {
		rt.Skip("no app")
	}
	offset := rapid.Int64Range(-2, 2).Draw(rt, "steps off")
	step := totp.Step(m.Now()) + offset
	at, err := m.SignIn().Code(rt.Context(), a.token, totp.Code(u.app.key, step), logiqc.Source{})
	switch {
	case m.isHeld(rt, u, err):
	case m.waits(rt, u, err):
	case offset < -1 || offset > 1 || step <= u.app.spent:
		expect(rt, fmt.Sprintf("step %+d, spent %+d", offset, u.app.spent-step), err, logiqc.WrongCode)
		miss(&u.misses, &u.until, m.Now())
	default:
		expect(rt, "a right code", err, "")
		u.app.spent = step
		m.signedIn(rt, u, a, at.Notice)
	}
}

func (m *model) signedIn(rt *rapid.T, u *modelUser, a *modelAttempt, notice string) {
	m.isTold(rt, u, notice)
	u.misses, u.until = 0, time.Time{}
	u.drop(a)
	u.sessions = append(u.sessions, a.token)
}

func (m *model) givesRecoveryCode(rt *rapid.T) {
	u := m.user(rt)
	a := m.attempt(rt, u, logiqc.StageCode)
	code, right := logiqc.Secret("0000-0000-0000-0000"), len(u.spare) > 0 && rapid.Bool().Draw(rt, "right")
	if right {
		code = u.spare[0]
	}
	at, err := m.SignIn().RecoveryCode(rt.Context(), a.token, code, logiqc.Source{})
	switch {
	case m.isHeld(rt, u, err):
	case m.waits(rt, u, err):
	case !right:
		expect(rt, "a wrong recovery code", err, logiqc.WrongCode)
		miss(&u.misses, &u.until, m.Now())
	default:
		expect(rt, "a right recovery code", err, "")
		u.spare = u.spare[1:]
		m.signedIn(rt, u, a, at.Notice)
	}
}

func (m *model) startsEnrolment(rt *rapid.T) {
	u := m.user(rt)
	a := m.attempt(rt, u, logiqc.StageEnrol)
	p, err := m.SignIn().StartEnrolment(rt.Context(), a.token, logiqc.Source{})
	switch {
	case m.isHeld(rt, u, err):
		return
	case u.app != nil:
		expect(rt, "enrolled meanwhile", err, logiqc.AlreadyEnrolled)
		return
	case m.needsCode(u) && (u.code == nil || a.code != u.code):
		expect(rt, "without the enrolment code", err, logiqc.EnrolmentCodeRequired)
		return
	}
	expect(rt, "start", err, "")
	key, err := totp.ParseKey(p.Secret.Reveal())
	expect(rt, "key", err, "")
	u.pending = &modelApp{key: key, created: m.Now(), expires: m.Now().Add(10 * time.Minute), code: a.code}
	a.expires = u.pending.expires
}

func (m *model) provesEnrolment(rt *rapid.T) {
	u := m.user(rt)
	a := m.attempt(rt, u, logiqc.StageEnrol)
	code, step := "000000", totp.Step(m.Now())
	right := u.pending != nil && rapid.IntRange(0, 2).Draw(rt, "right") > 0
	if right {
		code = totp.Code(u.pending.key, step)
	}
	out, err := m.SignIn().ProveEnrolment(rt.Context(), a.token, code, logiqc.Source{})
	switch {
	case m.isHeld(rt, u, err):
	case u.app != nil:
		expect(rt, "enrolled meanwhile", err, logiqc.AlreadyEnrolled)
	case u.pending == nil:
		expect(rt, "nothing pending", err, logiqc.EnrolmentRequired)
	case !m.Now().Before(u.pending.expires):
		expect(rt, "expired", err, logiqc.Expired)
	case m.needsCode(u) && (u.code == nil || a.code != u.code && u.pending.code != u.code):
		expect(rt, "started without the enrolment code", err, logiqc.EnrolmentCodeRequired)
	case m.waits(rt, u, err):
	case !right:
		expect(rt, "a wrong code", err, logiqc.WrongCode)
		miss(&u.misses, &u.until, m.Now())
		u.pending.expires = m.Now().Add(10 * time.Minute)
		if last := u.pending.created.Add(time.Hour); last.Before(u.pending.expires) {
			u.pending.expires = last
		}
		if a.expires.Before(u.pending.expires) {
			a.expires = u.pending.expires
		}
	default:
		expect(rt, "a right code", err, "")
		u.app, u.pending, u.code = u.pending, nil, nil
		u.app.spent, u.toggle, u.spare = step, true, out.RecoveryCodes
		m.signedIn(rt, u, a, out.Attempt.Notice)
	}
}

func (m *model) isReset(rt *rapid.T) {
	u, keep := m.user(rt), rapid.Bool().Draw(rt, "keep sessions")
	r := logiqc.Reset{KeepSessions: keep, Users: []logiqc.ResetTarget{{User: u.name}}}
	r.Given, r.Typed, r.Hold = true, u.name, rapid.IntRange(0, 4).Draw(rt, "hold") == 0
	r.EnrolmentCode = rapid.IntRange(0, 4).Draw(rt, "code") == 0 // each hashes: seldom
	res, err := m.helen.ResetMFA(rt.Context(), r)
	expect(rt, "reset", err, "")
	if changed := m.clears(u, r.Hold); res[0].Changed != changed {
		rt.Fatalf("changed %t, want %t", res[0].Changed, changed)
	} else if !changed {
		return
	}
	issued := res[0].EnrolmentCode
	if (issued != nil) != (r.EnrolmentCode || m.codes != logiqc.CodeOff) {
		rt.Fatalf("enrolment code %v", issued)
	}
	m.afterReset(rt, u, keep, r.Hold)
	m.given(u, issued)
}

// look compares every account with the model.
func (m *model) look(rt *rapid.T) {
	for _, u := range m.users {
		a, err := m.helen.GetUser(rt.Context(), u.name)
		expect(rt, "show", err, "")
		state := logiqc.EnrolmentNone
		if u.app != nil {
			state = logiqc.EnrolmentEnrolled
		} else if u.pending != nil && m.Now().Before(u.pending.expires) {
			state = logiqc.EnrolmentPending
		}
		if a.MFA.State != state || a.MFA.Required != m.required(u) || bool(a.MFA.ToggleOwn) != u.toggle ||
			a.MFA.CodeNeeded != m.needsCode(u) || (a.Signin.Why == logiqc.WhyHeld) != (u.active && (u.held || m.late(u))) ||
			a.MFA.RecoveryCodesLeft != len(u.spare) || a.Signin.PasswordMisses != u.pwMisses || a.Signin.CodeMisses != u.misses {
			rt.Fatalf("%s is %+v %+v\nwant state %s required %t toggle %t spare %d misses %d %d", u.name, a.MFA, a.Signin,
				state, m.required(u), u.toggle, len(u.spare), u.pwMisses, u.misses)
		}
	}
}
