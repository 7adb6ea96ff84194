package logiqc_test

import (
	"errors"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func person(role logiqc.Role, id string) logiqc.Actor {
	return logiqc.Actor{Kind: logiqc.Person, ID: id, AccountID: id, Name: "op", Username: "op", Role: role, Rights: role.Rights()}
}

func token(role logiqc.Role, owner string) logiqc.Actor {
	return logiqc.Actor{Kind: logiqc.Token, ID: "t", Name: "nightly", AccountID: owner, Username: "op", Role: role, Rights: role.Rights()}
}

func TestCheckReset(t *testing.T) {
	plain := logiqc.User{ID: "u", Username: "jlee", Role: logiqc.RoleUser, Auth: logiqc.ByPassword}
	with := func(f func(*logiqc.User)) logiqc.User { u := plain; f(&u); return u }
	admin := with(func(u *logiqc.User) { u.Role = logiqc.RoleAdmin })
	protected := with(func(u *logiqc.User) { u.Protected = true })
	sso := with(func(u *logiqc.User) { u.Auth = logiqc.BySSO })
	yes := logiqc.Consent{Given: true}
	ask := logiqc.Consent{CanAsk: true}
	typed := logiqc.Consent{Given: true, Typed: " JLee "}
	for name, c := range map[string]struct {
		u    logiqc.User
		by   logiqc.Actor
		c    logiqc.Consent
		want logiqc.Code
	}{
		"helpdesk, a user":                   {plain, person(logiqc.RoleHelpdesk, "h"), yes, ""},
		"admin, a user":                      {plain, person(logiqc.RoleAdmin, "a"), yes, ""},
		"helpdesk, an admin":                 {admin, person(logiqc.RoleHelpdesk, "h"), typed, logiqc.Forbidden},
		"helpdesk, a protected user":         {protected, person(logiqc.RoleHelpdesk, "h"), typed, logiqc.Forbidden},
		"helpdesk token, an admin":           {admin, token(logiqc.RoleHelpdesk, "h"), yes, logiqc.Forbidden},
		"own account":                        {admin, person(logiqc.RoleAdmin, "u"), typed, logiqc.SelfReset},
		"own account through a token":        {admin, token(logiqc.RoleAdmin, "u"), yes, logiqc.SelfReset},
		"helpdesk, own account":              {with(func(u *logiqc.User) { u.Role = logiqc.RoleHelpdesk }), person(logiqc.RoleHelpdesk, "u"), yes, logiqc.Forbidden},
		"sso":                                {sso, person(logiqc.RoleAdmin, "a"), yes, logiqc.SSOAccount},
		"sso and protected":                  {with(func(u *logiqc.User) { u.Auth, u.Protected = logiqc.BySSO, true }), person(logiqc.RoleAdmin, "a"), yes, logiqc.SSOAccount},
		"admin with --yes alone":             {admin, person(logiqc.RoleAdmin, "a"), yes, logiqc.Privileged},
		"protected with --yes alone":         {protected, person(logiqc.RoleAdmin, "a"), yes, logiqc.Privileged},
		"admin, a dialog will follow":        {admin, person(logiqc.RoleAdmin, "a"), ask, ""},
		"admin, given after a dialog only":   {admin, person(logiqc.RoleAdmin, "a"), logiqc.Consent{CanAsk: true, Given: true}, logiqc.Privileged},
		"admin, another name typed":          {admin, person(logiqc.RoleAdmin, "a"), logiqc.Consent{Given: true, Typed: "jle"}, logiqc.Privileged},
		"admin, name typed":                  {admin, person(logiqc.RoleAdmin, "a"), typed, ""},
		"admin by a token that types":        {admin, token(logiqc.RoleAdmin, "a"), typed, logiqc.Privileged},
		"admin by a token that says it asks": {admin, token(logiqc.RoleAdmin, "a"), ask, logiqc.Privileged},
		"dry run off a terminal":             {admin, person(logiqc.RoleAdmin, "a"), logiqc.Consent{DryRun: true}, logiqc.Privileged},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.u.CheckReset(c.by, c.c)
			if (c.want == "") != (err == nil) || (err != nil && !errors.Is(err, c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestCheckDisable(t *testing.T) {
	u := logiqc.User{Username: "jlee", Auth: logiqc.ByPassword}
	if err := u.CheckDisable(logiqc.Policy{Enforced: true}); !errors.Is(err, logiqc.Enforced) {
		t.Errorf("enforced: %v", err)
	}
	if err := u.CheckDisable(logiqc.Policy{}); err != nil {
		t.Error(err)
	}
	u.Auth = logiqc.BySSO
	if err := u.CheckDisable(logiqc.Policy{Enforced: true}); !errors.Is(err, logiqc.SSOAccount) {
		t.Errorf("sso comes before enforcement: %v", err)
	}
}

func TestCheckKeepsAdmin(t *testing.T) {
	admin := logiqc.User{Role: logiqc.RoleAdmin, Status: logiqc.Active}
	if err := admin.CheckKeepsAdmin(1); !errors.Is(err, logiqc.LastAdmin) {
		t.Errorf("the last one: %v", err)
	}
	if err := admin.CheckKeepsAdmin(2); err != nil {
		t.Error(err)
	}
	admin.Status = logiqc.Inactive
	if err := admin.CheckKeepsAdmin(1); err != nil {
		t.Errorf("an inactive one is not the last active one: %v", err)
	}
}

func TestCheckShown(t *testing.T) {
	u := logiqc.User{Username: "jlee", Auth: logiqc.ByPassword, Role: logiqc.RoleUser,
		Enrolled: &logiqc.Enrolment{ID: "e1", EnrolledAt: 1000}}
	mark := u.Shown()
	at := func(t logiqc.Time) *logiqc.Time { return &t }
	if err := u.CheckShown(mark, at(1000)); err != nil {
		t.Error(err)
	}
	if err := u.CheckShown("", nil); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*logiqc.User){
		"enrolled again":  func(u *logiqc.User) { u.Enrolled = &logiqc.Enrolment{ID: "e2", EnrolledAt: 1000} },
		"reset":           func(u *logiqc.User) { u.Enrolled = nil },
		"new one started": func(u *logiqc.User) { u.Pending = &logiqc.Enrolment{ID: "p"} },
		"signs in by sso": func(u *logiqc.User) { u.Auth = logiqc.BySSO },
		"made admin":      func(u *logiqc.User) { u.Role = logiqc.RoleAdmin },
		"protected":       func(u *logiqc.User) { u.Protected = true },
	} {
		c := u
		change(&c)
		if err := c.CheckShown(mark, nil); !errors.Is(err, logiqc.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, when := range map[string]logiqc.Time{"another time": 1001, "none": 0} {
		if err := u.CheckShown("", at(when)); !errors.Is(err, logiqc.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	u.Enrolled = nil
	if err := u.CheckShown("", at(0)); err != nil {
		t.Errorf("none expected, none there: %v", err)
	}
}

// RFC 6238 codes have 10^6 values; this is what keeps guessing them hopeless.
func TestThrottleGrows(t *testing.T) {
	var th logiqc.Throttle
	now := logiqc.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	want := map[int]time.Duration{1: 0, 4: 0, 5: 30 * time.Second, 6: time.Minute, 7: 2 * time.Minute, 11: 32 * time.Minute,
		12: time.Hour, 13: time.Hour, 99: time.Hour}
	for n := 1; n <= 99; n++ {
		th = th.Miss(now)
		if d, ok := want[n]; ok && d > 0 && th.Until != now.Add(d) {
			t.Errorf("miss %d waits %v, want %v", n, th.Until.Sub(now), d)
		} else if ok && d == 0 && th.Waiting(now) {
			t.Errorf("miss %d waits already", n)
		}
		if th.Locked() {
			t.Errorf("miss %d locks", n)
		}
		if th.Waiting(th.Until) {
			t.Errorf("miss %d: the wait does not end", n)
		}
	}
	if th = th.Miss(now); !th.Locked() {
		t.Error("a hundred wrong codes do not lock")
	}
}

func TestRenewedAtMostAnHour(t *testing.T) {
	e := logiqc.Enrolment{CreatedAt: 1_000_000}
	if got := e.Renewed(e.CreatedAt.Add(5 * time.Minute)); got != e.CreatedAt.Add(15*time.Minute) {
		t.Errorf("got %v", got.Sub(e.CreatedAt))
	}
	if got := e.Renewed(e.CreatedAt.Add(58 * time.Minute)); got != e.CreatedAt.Add(time.Hour) {
		t.Errorf("got %v", got.Sub(e.CreatedAt))
	}
}
