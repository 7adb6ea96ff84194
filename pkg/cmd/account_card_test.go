package cmd

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

var (
	cardNow  = time.Date(2026, 11, 23, 9, 41, 0, 0, time.Local)
	operator = logiqc.Actor{Kind: logiqc.Person, AccountID: "op", Username: "priya", Role: logiqc.RoleHelpdesk, Rights: logiqc.RoleHelpdesk.Rights()}
	admin    = logiqc.Actor{Kind: logiqc.Person, AccountID: "ad", Username: "helen", Role: logiqc.RoleAdmin, Rights: logiqc.RoleAdmin.Rights()}
	auditor  = logiqc.Actor{Kind: logiqc.Person, AccountID: "au", Username: "ines", Role: logiqc.RoleAuditor, Rights: logiqc.RoleAuditor.Rights()}
)

// person is an account in order.
func person(change ...func(*logiqc.User)) logiqc.User {
	u := logiqc.User{
		ID: "u1", Username: "rpatel", Email: "r@stmary.example", Name: "Ravi Patel", Role: logiqc.RoleUser, Status: logiqc.Active,
		Auth: logiqc.ByPassword, PasswordHash: "x", CreatedAt: logiqc.At(cardNow.AddDate(-1, 0, 0)),
		Enrolled: &logiqc.Enrolment{ID: "e1"},
	}
	for _, c := range change {
		c(&u)
	}
	return u
}

// missed counts misses of one factor, the last a minute ago.
func missed(t *logiqc.Throttle, u *logiqc.User, n int, reason string, before time.Duration) {
	at := logiqc.At(cardNow.Add(-before))
	*t = logiqc.Throttle{Misses: n - 1}.Miss(at)
	if at > u.LastFailure.At {
		u.LastFailure = logiqc.Failure{At: at, Reason: reason, Host: "ward3-pc2"}
	}
}

func passwords(n int, before time.Duration) func(*logiqc.User) {
	return func(u *logiqc.User) { missed(&u.PasswordThrottle, u, n, "wrong_password", before) }
}

func codes(n int, before time.Duration) func(*logiqc.User) {
	return func(u *logiqc.User) { missed(&u.CodeThrottle, u, n, "wrong_code", before) }
}

// plain takes the styling off.
func plain(s string) string { return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(s, "") }

func TestCanSignIn(t *testing.T) {
	set := func(f func(*logiqc.User)) []func(*logiqc.User) { return []func(*logiqc.User){f} }
	for name, c := range map[string]struct {
		change []func(*logiqc.User)
		actor  logiqc.Actor
		want   string
	}{
		"in order":     {nil, operator, "Yes, with a code."},
		"last failure": {set(codes(1, 43*time.Minute)), operator, "Yes, with a code. Last failure 08:58 today: wrong code."},
		"before the last sign-in": {[]func(*logiqc.User){codes(1, time.Hour), func(u *logiqc.User) {
			u.LastSuccessAt = logiqc.At(cardNow)
		}}, operator, "Yes, with a code."},
		"yesterday": {set(codes(1, 24*time.Hour)), operator, "Yes, with a code. Last failure 22 Nov 2026 09:41: wrong code."},
		"none yet":  {set(func(u *logiqc.User) { u.Enrolled = nil }), operator, "Yes, but must enrol first: the next sign-in leads into it."},
		"inactive": {set(func(u *logiqc.User) { u.Status = logiqc.Inactive }), admin,
			"No: the account is inactive.|To let them in again: logiqc users activate rpatel"},
		"inactive, for the desk": {set(func(u *logiqc.User) { u.Status = logiqc.Inactive }), operator, "No: the account is inactive."},
		"no password": {set(func(u *logiqc.User) { u.PasswordHash = "" }), admin,
			"No: there is no password yet.|To set one: logiqc users passwd rpatel"},
		"sso": {set(func(u *logiqc.User) { u.Auth = logiqc.BySSO }), admin, "By SSO only: their identity provider decides."},
		"wrong passwords": {set(passwords(7, 0)), operator,
			"Not before 09:43: 7 wrong PASSWORDS, last 09:41 from ward3-pc2.|A reset will not help. To end the wait: logiqc users unlock rpatel"},
		"wrong codes": {set(codes(8, 0)), operator,
			"Not before 09:45: 8 wrong app codes, last 09:41 from ward3-pc2.|To end the wait without a reset: logiqc users unlock rpatel"},
		"both, the codes' wait": {[]func(*logiqc.User){codes(9, 2*time.Minute), passwords(5, time.Minute)}, operator,
			"Not before 09:47: 9 wrong app codes, last 09:40 from ward3-pc2.|To end the wait without a reset: logiqc users unlock rpatel"},
		"both, the passwords' wait": {[]func(*logiqc.User){codes(5, 2*time.Minute), passwords(9, time.Minute)}, operator,
			"Not before 09:48: 9 wrong PASSWORDS, last 09:40 from ward3-pc2.|A reset will not help. To end the wait: logiqc users unlock rpatel"},
		"locked": {set(codes(100, 2*time.Hour)), operator,
			"No: 100 wrong app codes in a row.|To let them try again without a reset: logiqc users unlock rpatel"},
		"waiting, privileged": {append(set(passwords(7, 0)), func(u *logiqc.User) { u.Protected = true }), operator,
			"Not before 09:43: 7 wrong PASSWORDS, last 09:41 from ward3-pc2."},
	} {
		t.Run(name, func(t *testing.T) {
			account := person(c.change...).Account(logiqc.DefaultPolicy(), logiqc.At(cardNow))
			verdict, more := canSignIn(account, c.actor, cardNow)
			if got := strings.Join(append([]string{plain(verdict.String())}, more...), "|"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A card offers what its reader may do, and nothing else.
func TestNextSteps(t *testing.T) {
	own := func(u *logiqc.User) { u.ID = "ad" }
	for name, c := range map[string]struct {
		actor  logiqc.Actor
		change []func(*logiqc.User)
		want   string
	}{
		"help desk":             {operator, nil, "Reset MFA, See its log"},
		"help desk, waiting":    {operator, []func(*logiqc.User){passwords(7, 0)}, "End the wait, Reset MFA, See its log"},
		"help desk, privileged": {operator, []func(*logiqc.User){func(u *logiqc.User) { u.Role = logiqc.RoleAdmin }}, "Ask an admin to reset MFA"},
		"help desk, sso":        {operator, []func(*logiqc.User){func(u *logiqc.User) { u.Auth = logiqc.BySSO }}, "See its log"},
		"auditor":               {auditor, nil, "See its log"},
		"admin":                 {admin, nil, "Reset MFA, Edit, Deactivate, See its log"},
		"admin, inactive":       {admin, []func(*logiqc.User){func(u *logiqc.User) { u.Status = logiqc.Inactive }}, "Reset MFA, Activate, Edit, See its log"},
		"admin, no password":    {admin, []func(*logiqc.User){func(u *logiqc.User) { u.PasswordHash = "" }}, "Reset MFA, Set password, Edit, Deactivate, See its log"},
		"admin, own":            {admin, []func(*logiqc.User){own}, "New phone, Edit, See its log"},
	} {
		t.Run(name, func(t *testing.T) {
			var labels []string
			for _, r := range nextSteps(person(c.change...).Account(logiqc.DefaultPolicy(), logiqc.At(cardNow)), c.actor) {
				labels = append(labels, r.Label)
			}
			if got := strings.Join(labels, ", "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAuthenticationRows(t *testing.T) {
	day := logiqc.At(time.Date(2026, 1, 5, 12, 0, 0, 0, time.Local))
	relaxed := logiqc.Policy{}
	for name, c := range map[string]struct {
		policy logiqc.Policy
		change func(*logiqc.User)
		label  string
		want   string
	}{
		"locked on":   {logiqc.DefaultPolicy(), func(*logiqc.User) {}, "MFA", "on, locked by the organisation"},
		"own toggle":  {relaxed, func(u *logiqc.User) { u.Toggle = true }, "MFA", "on, required by the account's own toggle"},
		"off":         {relaxed, func(*logiqc.User) {}, "MFA", "off: neither the organisation nor the account requires it"},
		"never used":  {relaxed, func(u *logiqc.User) { u.Enrolled.EnrolledAt = day }, "Enrolment", "enrolled 5 Jan 2026, not used since"},
		"used":        {relaxed, func(u *logiqc.User) { u.Enrolled.EnrolledAt, u.Enrolled.LastUsedAt = day, day }, "Enrolment", "enrolled 5 Jan 2026, last used 5 Jan 2026"},
		"after reset": {relaxed, func(u *logiqc.User) { u.Enrolled, u.ResetAt = nil, day }, "Enrolment", "none since the last reset"},
		"pending": {relaxed, func(u *logiqc.User) {
			u.Enrolled, u.Pending = nil, &logiqc.Enrolment{ExpiresAt: logiqc.At(cardNow.Add(time.Minute))}
		}, "Enrolment", "pending: the secret was shown, no app code proved yet"},
		"codes":      {relaxed, func(u *logiqc.User) { u.RecoveryLeft = 1 }, "Recovery", "1 code left"},
		"last reset": {relaxed, func(u *logiqc.User) { u.ResetAt, u.ResetBy = day, "helen" }, "Last reset", "5 Jan 2026 12:00 by helen"},
	} {
		t.Run(name, func(t *testing.T) {
			account := person(c.change).Account(c.policy, logiqc.At(cardNow))
			for _, r := range authenticationRows(account, admin, cardNow) {
				if r.Label == c.label {
					if got := ui.Sprintf("%s", r.Value).String(); plain(got) != c.want {
						t.Errorf("got %q, want %q", got, c.want)
					}
					return
				}
			}
			t.Errorf("there is no row %s", c.label)
		})
	}
}
