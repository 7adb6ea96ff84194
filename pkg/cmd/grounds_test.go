package cmd

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// An answer on the page is told what is wrong with it without the flag that
// would give it in a script.
func TestPlainly(t *testing.T) {
	p := logiqc.Policy{ReasonRequired: true, Reasons: "lost", Ticket: "INC[0-9]+"}
	for _, c := range []struct {
		check       func(string) error
		typed, want string
	}{
		{p.CheckReason, "", "a reason is needed"}, {p.CheckReason, "bored", `"bored" is none of the reasons to choose from`}, {p.CheckReason, "lost", ""},
		{p.CheckTicket, "", "a ticket is needed"}, {p.CheckTicket, "1", `"1" is not as tickets are here`}, {p.CheckTicket, "INC1", ""},
		{p.CheckTicket, strings.Repeat("x", 1001), "this is longer than 1000 characters"},
	} {
		got := ""
		if err := plainly(c.check)(c.typed); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%.20q: %q, want %q", c.typed, got, c.want)
		}
	}
}

// What the card says of an account that is held, or needs an enrolment code.
func TestCardOfHeldAndCode(t *testing.T) {
	desk := logiqc.Actor{Kind: logiqc.Person, AccountID: "h", Role: logiqc.RoleHelpdesk, Rights: logiqc.RoleHelpdesk.Rights()}
	auditor := logiqc.Actor{Kind: logiqc.Person, AccountID: "i", Role: logiqc.RoleAuditor, Rights: logiqc.RoleAuditor.Rights()}
	now := time.Date(2026, time.November, 23, 9, 12, 0, 0, time.Local)
	soon := logiqc.At(now.Add(10 * time.Minute))
	for _, c := range []struct {
		name   string
		change func(*logiqc.Account)
		says   string
		help   string
	}{
		{"held", func(a *logiqc.Account) {
			a.Signin = logiqc.SigninView{Next: logiqc.NextBlocked, Why: logiqc.WhyHeld, HeldAt: logiqc.At(now)}
			a.MFA.ResetBy = "priya"
		}, "No: held by the help desk since 09:12 by priya.", "To let them sign in again: logiqc users unlock jlee"},
		{"too late", func(a *logiqc.Account) { a.Signin = logiqc.SigninView{Next: logiqc.NextBlocked, Why: logiqc.WhyHeld} },
			"No: held, as the time to enrol after the reset is over.", "To let them sign in again: logiqc users unlock jlee"},
		{"a code", func(a *logiqc.Account) {
			a.Signin.Next, a.MFA.CodeNeeded, a.MFA.CodeUntil = logiqc.NextEnrol, true, soon
		}, "Yes, but must enrol first, with the enrolment code: good until 09:22.", "For a fresh one: logiqc mfa enrolment-code jlee"},
		{"no code", func(a *logiqc.Account) { a.Signin.Next, a.MFA.CodeNeeded = logiqc.NextEnrol, true },
			"No: must enrol with an enrolment code, and none is good.", "For a fresh one: logiqc mfa enrolment-code jlee"},
	} {
		a := logiqc.Account{ID: "u", Username: "jlee", Role: logiqc.RoleUser, Auth: logiqc.ByPassword}
		c.change(&a)
		verdict, more := canSignIn(a, desk, now)
		if plain(verdict.String()) != c.says || strings.Join(more, "|") != c.help {
			t.Errorf("%s: %q, %q", c.name, plain(verdict.String()), more)
		}
		if _, more := canSignIn(a, auditor, now); len(more) > 0 {
			t.Errorf("%s: an auditor is told %q", c.name, more)
		}
	}
}
