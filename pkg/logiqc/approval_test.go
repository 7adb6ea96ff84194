package logiqc_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// is reports whether err has the code, or is nil for "".
func is(err error, code logiqc.Code) bool {
	return code == "" && err == nil || code != "" && errors.Is(err, code)
}

// Which resets take a second operator, and why.
func TestCheckApproval(t *testing.T) {
	now := logiqc.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	ago := func(d time.Duration) logiqc.Time { return now.Add(-d) }
	plain := logiqc.User{Username: "jlee", Role: logiqc.RoleUser}
	protected, admin := plain, plain
	protected.Protected, admin.Role = true, logiqc.RoleAdmin
	reset, moved := plain, plain
	reset.ResetAt, moved.ContactChangedAt = ago(3*time.Hour), ago(3*time.Hour)
	for _, c := range []struct {
		what string
		p    logiqc.Policy
		u    logiqc.User
		made int
		says string // "" where none is needed
	}{
		{"by default", logiqc.DefaultPolicy(), admin, 1000, ""},
		{"none", logiqc.Policy{Approval: logiqc.ApproveNone}, protected, 9, ""},
		{"privileged, a user", logiqc.Policy{Approval: logiqc.ApprovePrivileged}, plain, 0, ""},
		{"privileged, protected", logiqc.Policy{Approval: logiqc.ApprovePrivileged}, protected, 0, "jlee is a protected account"},
		{"privileged, an admin", logiqc.Policy{Approval: logiqc.ApprovePrivileged}, admin, 0, "jlee is of role admin"},
		{"all", logiqc.Policy{Approval: logiqc.ApproveAll}, plain, 0, "every reset"},
		{"reset within", logiqc.Policy{SameUserHours: 4}, reset, 0, "within the last 4 hours"},
		{"reset exactly then", logiqc.Policy{SameUserHours: 3}, reset, 0, ""},
		{"never reset", logiqc.Policy{SameUserHours: 4}, plain, 0, ""},
		{"contact within", logiqc.Policy{ContactChangedHours: 4}, moved, 0, "email or phone on file"},
		{"contact before", logiqc.Policy{ContactChangedHours: 1}, moved, 0, ""},
		{"contact, but the other guard", logiqc.Policy{SameUserHours: 24}, moved, 0, ""},
		{"the last of the hour", logiqc.Policy{MaxPerHour: 3}, plain, 2, ""},
		{"one too many", logiqc.Policy{MaxPerHour: 3}, plain, 3, "more resets than one operator"},
	} {
		err := c.p.CheckApproval(c.u, now, c.made)
		if (c.says == "") != (err == nil) || err != nil && (!errors.Is(err, logiqc.ApprovalRequired) || !strings.Contains(err.Error(), c.says) ||
			logiqc.AsError(err).Hint != "ask for it: logiqc mfa request jlee") {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// Who approves and rejects: people of the roles that the policy names, not what
// they asked for, not for themselves, the help desk nobody who is privileged.
func TestCheckDecide(t *testing.T) {
	plain := logiqc.User{ID: "u", Username: "jlee", Role: logiqc.RoleUser, Auth: logiqc.ByPassword}
	cfo, boss, sso := plain, plain, plain
	cfo.Protected, boss.ID, boss.Role, sso.Auth = true, "a", logiqc.RoleAdmin, logiqc.BySSO
	for _, c := range []struct {
		what      string
		by        logiqc.Actor
		approvers logiqc.Role
		u         logiqc.User
		requester string
		want      logiqc.Code
	}{
		{"an admin", person(logiqc.RoleAdmin, "a"), logiqc.RoleAdmin, plain, "r", ""},
		{"an admin, privileged", person(logiqc.RoleAdmin, "a"), logiqc.RoleAdmin, cfo, "r", ""},
		{"an admin where the desk does", person(logiqc.RoleAdmin, "a"), logiqc.RoleHelpdesk, cfo, "r", ""},
		{"an admin, their own request", person(logiqc.RoleAdmin, "a"), logiqc.RoleAdmin, plain, "a", logiqc.Forbidden},
		{"an admin, their own account", person(logiqc.RoleAdmin, "a"), logiqc.RoleAdmin, boss, "r", logiqc.SelfReset},
		{"an SSO account", person(logiqc.RoleAdmin, "a"), logiqc.RoleAdmin, sso, "r", logiqc.SSOAccount},
		{"an admin's token", token(logiqc.RoleAdmin, "a"), logiqc.RoleAdmin, plain, "r", logiqc.Forbidden},
		{"whoever holds the store", logiqc.Actor{Kind: logiqc.System}, logiqc.RoleAdmin, plain, "r", logiqc.Forbidden},
		{"the desk", person(logiqc.RoleHelpdesk, "h"), logiqc.RoleAdmin, plain, "r", logiqc.Forbidden},
		{"the desk where it does", person(logiqc.RoleHelpdesk, "h"), logiqc.RoleHelpdesk, plain, "r", ""},
		{"the desk, privileged", person(logiqc.RoleHelpdesk, "h"), logiqc.RoleHelpdesk, cfo, "r", logiqc.Forbidden},
		{"the desk, its own request", person(logiqc.RoleHelpdesk, "h"), logiqc.RoleHelpdesk, plain, "h", logiqc.Forbidden},
		{"an auditor", person(logiqc.RoleAuditor, "i"), logiqc.RoleHelpdesk, plain, "r", logiqc.Forbidden},
	} {
		p := logiqc.Policy{Approvers: c.approvers}
		err := p.CheckApprover(c.by)
		if err == nil {
			err = c.u.CheckDecide(c.by, c.requester)
		}
		if !is(err, c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// How old a sign-in may be; a token is none.
func TestCheckStepUp(t *testing.T) {
	now := logiqc.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	by := person(logiqc.RoleAdmin, "a")
	by.SignedInAt = now.Add(-10 * time.Minute)
	for minutes, want := range map[int]logiqc.Code{0: "", 10: "", 9: logiqc.CodeRequired} {
		err := logiqc.Policy{StepUpMinutes: minutes}.CheckStepUp(by, now)
		if !is(err, want) || err != nil && logiqc.AsError(err).Hint != "logiqc signin" {
			t.Errorf("%d minutes: %v", minutes, err)
		}
		if err := (logiqc.Policy{StepUpMinutes: minutes}).CheckStepUp(token(logiqc.RoleAdmin, "a"), now); (minutes == 0) != (err == nil) {
			t.Errorf("a token, %d minutes: %v", minutes, err)
		}
		if err := (logiqc.Policy{StepUpMinutes: minutes}).CheckStepUp(logiqc.Actor{Kind: logiqc.System}, now); err != nil {
			t.Errorf("whoever holds the store: %v", err)
		}
	}
}

func TestApprovalRefs(t *testing.T) {
	for ref, want := range map[string]logiqc.Code{"": logiqc.Usage, "7k3": logiqc.Usage, "7k3f": "", "0193-aaaa-7k3f": ""} {
		if err := logiqc.CheckApprovalRef(ref); !is(err, want) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}
