// Package servicetest is what every logiqc.Service must do, as one suite of
// subtests. An implementation is tested by calling [Run] with a function that
// opens a new store of its kind.
package servicetest

import (
	"context"
	"errors"
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// Password is everybody's password in a new store.
const Password = logiqc.Secret("correct horse battery")

// long is the length of a text that is much too long, and that every Service
// still takes in to say so.
const long = 32 << 10

// Desk is an implementation under test, on a new store with one admin, helen,
// whose password is [Password], with enforcement on and nobody enrolled.
type Desk interface {
	SignIn() logiqc.SignIn
	// As returns the Service of whoever holds the session or token.
	As(ctx context.Context, bearer logiqc.Secret) (logiqc.Service, error)
	// AuditOf returns the Audit of whoever holds the session or token.
	AuditOf(ctx context.Context, bearer logiqc.Secret) (logiqc.Audit, error)
	// Init is helen's first session.
	Init() logiqc.Secret
	// Now is the clock of the store; Advance moves it on.
	Now() time.Time
	Advance(d time.Duration)
	// Check verifies the log, and that the store is what the log tells.
	Check(t *testing.T)
}

// tables are the groups that go through every case of rules to which it is all the
// same what keeps the store, and what is between.
var tables = []string{"throttle", "refusals", "approvers"}

var all = flag.Bool("servicetest.all", false, "run every group of the suite of a Service, in every setting")

// NoTables are all groups but tables; for Run.
func NoTables(group string) bool { return !slices.Contains(tables, group) }

// Run tests a Service with the groups of subtests that are wanted, or with all
// where wanted is nil or -servicetest.all is given. open makes a new store for each group.
func Run(t *testing.T, open func(t *testing.T) Desk, wanted func(group string) bool) {
	for name, group := range map[string]func(t *testing.T, w *World){
		"signin":      testSignin,
		"throttle":    testThrottle,
		"enrolment":   testEnrolment,
		"factor":      testFactor,
		"recovery":    testRecovery,
		"replace":     testReplace,
		"newPhone":    testNewPhone,
		"reset":       testReset,
		"resetRules":  testResetRules,
		"batch":       testBatch,
		"idempotency": testIdempotency,
		"roles":       testRoles,
		"tokens":      testTokens,
		"sessions":    testSessions,
		"users":       testUsers,
		"toggle":      testToggle,
		"events":      testEvents,
		"races":       testRaces,
		"code":        testEnrolmentCode,
		"held":        testHeld,
		"policy":      testPolicy,
		"verify":      testVerify,
		"run":         testRun,
		"approval":    testApproval,
		"refusals":    testRefusals,
		"kept":        testOtherRefusals,
		"approvers":   testApprovalTable,
		"velocity":    testVelocity,
		"stepup":      testStepUp,
		"twoDecide":   testApprovalRaces,
		"open":        testOpenApprovals,
		"nobody":      testNobodyApproves,
		"application": testSecondFactor,
		"audit":       testAudit,
		"fresh":       testFreshToken,
	} {
		if wanted != nil && !wanted(name) && !*all {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open(t))
			group(t, w)
			w.Check(t)
		})
	}
}

// World is a store with people in it.
type World struct {
	Desk
	t     *testing.T
	Helen logiqc.Service // admin; signs in again when the clock has moved on
	since time.Time      // when helen signed in
	apps  map[string]totp.Key
	spare map[string][]logiqc.Secret // recovery codes by username
}

// source is where every call of the suite comes from.
var source = logiqc.Source{Host: "desk-3", OSUser: "tester"}

func newWorld(t *testing.T, d Desk) *World {
	w := &World{Desk: d, t: t, apps: map[string]totp.Key{}, spare: map[string][]logiqc.Secret{}}
	w.Helen, w.since = w.as(d.Init()), w.Now()
	return w
}

// Advance moves the clock, and signs helen in again before her session ends.
func (w *World) Advance(d time.Duration) {
	w.t.Helper()
	w.Desk.Advance(d)
	if w.Now().Sub(w.since) > 10*time.Hour {
		w.since = w.Now()
		w.Helen = w.signin("helen")
	}
}

func (w *World) as(bearer logiqc.Secret) logiqc.Service {
	w.t.Helper()
	s, err := w.As(w.ctx(), bearer)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *World) ctx() context.Context { return w.t.Context() }

// add makes an account with [Password], unless it signs in by SSO.
func (w *World) add(username string, change ...func(*logiqc.NewUser)) logiqc.Account {
	w.t.Helper()
	r := logiqc.NewUser{Username: username, Email: username + "@example.org", Name: "The " + username, Password: Password}
	for _, f := range change {
		f(&r)
	}
	if r.Auth == logiqc.BySSO {
		r.Password = ""
	}
	out, err := w.Helen.AddUser(w.ctx(), r)
	if err != nil {
		w.t.Fatalf("add %s: %v", username, err)
	}
	return out.Account
}

func role(r logiqc.Role) func(*logiqc.NewUser) { return func(n *logiqc.NewUser) { n.Role = r } }

// start gives the password.
func (w *World) start(username string, password logiqc.Secret) (logiqc.Attempt, error) {
	return w.startFor(username, password, logiqc.SigninPurpose)
}

func (w *World) startFor(username string, password logiqc.Secret, p logiqc.Purpose) (logiqc.Attempt, error) {
	return w.SignIn().Start(w.ctx(), logiqc.SigninRequest{User: username, Password: password, Purpose: p, Source: source})
}

// enrol takes a user from the password to a session through enrolment, and
// remembers the app.
func (w *World) enrol(username string) logiqc.Attempt {
	w.t.Helper()
	at, err := w.start(username, Password)
	if err != nil || at.Stage != logiqc.StageEnrol {
		w.t.Fatalf("%s: stage %q, %v", username, at.Stage, err)
	}
	return w.finishEnrolment(at)
}

func (w *World) finishEnrolment(at logiqc.Attempt) logiqc.Attempt {
	w.t.Helper()
	p, err := w.SignIn().StartEnrolment(w.ctx(), at.Token, source)
	if err != nil {
		w.t.Fatalf("start enrolment: %v", err)
	}
	key, err := totp.ParseKey(p.Secret.Reveal())
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.SignIn().ProveEnrolment(w.ctx(), at.Token, totp.Code(key, totp.Step(w.Now())), source)
	if err != nil {
		w.t.Fatalf("prove enrolment: %v", err)
	}
	w.apps[at.User], w.spare[at.User] = key, out.RecoveryCodes
	return out.Attempt
}

// code is what the user's app shows offset from now.
func (w *World) code(username string, offset time.Duration) string {
	return totp.Code(w.apps[username], totp.Step(w.Now().Add(offset)))
}

// signin signs a user in with password and app code, in a fresh time step.
func (w *World) signin(username string) logiqc.Service {
	w.t.Helper()
	return w.as(w.session(username))
}

// session is signin's session.
func (w *World) session(username string) logiqc.Secret {
	w.t.Helper()
	w.Advance(totp.Period)
	at, err := w.start(username, Password)
	if err != nil {
		w.t.Fatalf("%s: %v", username, err)
	}
	switch at.Stage {
	case logiqc.StageEnrol:
		at = w.finishEnrolment(at)
	case logiqc.StageCode:
		if at, err = w.SignIn().Code(w.ctx(), at.Token, w.code(username, 0), source); err != nil {
			w.t.Fatalf("%s: %v", username, err)
		}
	}
	if at.Stage != logiqc.StageSignedIn {
		w.t.Fatalf("%s is at stage %s", username, at.Stage)
	}
	return at.Token
}

// get is an account as helen sees it.
func (w *World) get(username string) logiqc.Account {
	w.t.Helper()
	a, err := w.Helen.GetUser(w.ctx(), username)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// reset resets one user with consent given.
func (w *World) reset(by logiqc.Service, username string, change ...func(*logiqc.Reset)) logiqc.ResetResult {
	w.t.Helper()
	r := logiqc.Reset{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}, Users: []logiqc.ResetTarget{{User: username}}}
	for _, f := range change {
		f(&r)
	}
	results, err := by.ResetMFA(w.ctx(), r)
	if err != nil {
		return logiqc.ResetResult{Err: logiqc.AsError(err)}
	}
	if len(results) != 1 {
		w.t.Fatalf("%d results", len(results))
	}
	return results[0]
}

// events are the newest n events about a user, newest first.
func (w *World) events(username string, n int) []logiqc.Event {
	w.t.Helper()
	page, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Target: username, Limit: n})
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Events
}

// size is how many events there are.
func (w *World) size() int64 {
	w.t.Helper()
	page, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
	if err != nil || len(page.Events) == 0 {
		w.t.Fatal(err)
	}
	return page.Events[0].Seq + 1
}

// want fails unless err has the code; "" wants none.
func want(t *testing.T, what string, err error, code logiqc.Code) {
	t.Helper()
	if code == "" && err != nil || code != "" && !errors.Is(err, code) {
		t.Errorf("%s: got %v, want %q", what, err, code)
	}
}

// errOf is an outcome's error as an error.
func errOf(e *logiqc.Error) error {
	if e == nil {
		return nil
	}
	return e
}
