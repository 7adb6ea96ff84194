package service_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/totp"
)

// What a second operator adds to the model of model_test.go.

// modelRequest is a request for approval.
type modelRequest struct {
	id           string
	user         *modelUser
	app, pending *modelApp // the enrolment that it is for
	keep, hold   bool
	code         *modelCode // that comes in force with it
	expires      time.Time
	decided      bool
}

// second makes another admin, tom.
func (m *model) second(rt *rapid.T) logiqc.Service {
	_, err := m.helen.AddUser(rt.Context(), logiqc.NewUser{Username: "tom", Email: "tom@x", Role: logiqc.RoleAdmin, Password: servicetest.Password})
	expect(rt, "add tom", err, "")
	at, err := m.SignIn().Start(rt.Context(), logiqc.SigninRequest{User: "tom", Password: servicetest.Password, Purpose: logiqc.SigninPurpose})
	expect(rt, "tom's password", err, "")
	p, err := m.SignIn().StartEnrolment(rt.Context(), at.Token, logiqc.Source{})
	expect(rt, "tom enrols", err, "")
	key, err := totp.ParseKey(p.Secret.Reveal())
	expect(rt, "tom's key", err, "")
	out, err := m.SignIn().ProveEnrolment(rt.Context(), at.Token, totp.Code(key, totp.Step(m.Now())), logiqc.Source{})
	expect(rt, "tom proves it", err, "")
	tom, err := m.As(rt.Context(), out.Attempt.Token)
	expect(rt, "tom", err, "")
	return tom
}

func (m *model) asksForApproval(rt *rapid.T) {
	u := m.user(rt)
	q := &modelRequest{user: u, app: u.app, pending: u.pending, expires: m.Now().Add(time.Hour),
		keep: rapid.Bool().Draw(rt, "keep sessions"), hold: rapid.IntRange(0, 4).Draw(rt, "hold") == 0}
	r := logiqc.Reset{KeepSessions: q.keep, Hold: q.hold, Users: []logiqc.ResetTarget{{User: u.name}}}
	r.Given, r.EnrolmentCode = true, rapid.IntRange(0, 4).Draw(rt, "code") == 0
	results, err := m.tom.RequestReset(rt.Context(), r)
	expect(rt, "request", err, "")
	res := results[0]
	if asked := m.clears(u, q.hold); (res.Approval != nil) != asked || res.Changed != asked {
		rt.Fatalf("asked for: %+v, want %t", res, asked)
	} else if !asked {
		return
	}
	if (res.EnrolmentCode != nil) != (r.EnrolmentCode || m.codes != logiqc.CodeOff) {
		rt.Fatalf("enrolment code %v", res.EnrolmentCode)
	}
	if res.EnrolmentCode != nil {
		q.code = &modelCode{text: res.EnrolmentCode.Code, expires: q.expires.Add(15 * time.Minute)}
	}
	q.id = res.Approval.ID
	m.requests = append(m.requests, q)
}

func (m *model) decides(rt *rapid.T) {
	if len(m.requests) == 0 {
		rt.Skip("nothing was asked for")
	}
	q, approve := rapid.SampledFrom(m.requests).Draw(rt, "request"), rapid.IntRange(0, 3).Draw(rt, "approve") > 0
	d := logiqc.Decision{ID: q.id, Approve: approve}
	d.Given = true
	_, err := m.tom.DecideApproval(rt.Context(), d)
	expect(rt, "whoever asked decides", err, logiqc.Forbidden)
	out, err := m.helen.DecideApproval(rt.Context(), d)
	u := q.user
	switch {
	case q.decided:
		expect(rt, "decided already", err, logiqc.Conflict)
		return
	case !m.Now().Before(q.expires):
		expect(rt, "it has run out", err, logiqc.Expired)
		return
	case approve && (u.app != q.app || u.pending != q.pending):
		expect(rt, "the enrolment has changed", err, logiqc.Conflict)
		return
	case approve && !m.clears(u, q.hold):
		expect(rt, "nothing is left to clear", err, logiqc.Conflict)
		return
	}
	expect(rt, "decide", err, "")
	q.decided = true
	if !approve {
		return
	}
	if out.Reset == nil || !out.Reset.Changed || out.Reset.EnrolmentCode != nil || out.Approval.State != logiqc.ApprovalApproved {
		rt.Fatalf("approved: %+v", out)
	}
	m.afterReset(rt, u, q.keep, q.hold)
	u.code = q.code
}

// clears tells whether a reset has something to do.
func (m *model) clears(u *modelUser, hold bool) bool {
	pending := u.pending != nil && m.Now().Before(u.pending.expires)
	return u.app != nil || pending || u.misses > 0 || hold && !u.held
}

// afterReset is what a reset does to the user.
func (m *model) afterReset(rt *rapid.T, u *modelUser, keep, hold bool) {
	u.app, u.pending, u.spare, u.misses, u.until, u.attempts = nil, nil, nil, 0, time.Time{}, nil
	u.wasReset, u.windowAt, u.held, u.code = true, m.Now(), u.held || hold, nil
	if !keep {
		m.ended(rt, u)
	}
}

// ended checks that none of the user's sessions works any more.
func (m *model) ended(rt *rapid.T, u *modelUser) {
	for _, s := range u.sessions {
		_, err := m.As(rt.Context(), s)
		expect(rt, "an ended session", err, logiqc.Unauthenticated)
	}
	u.sessions, u.attempts = nil, nil
}
