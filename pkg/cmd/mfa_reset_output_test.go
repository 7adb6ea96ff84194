package cmd

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

func TestResetWill(t *testing.T) {
	full := logiqc.Cleared{Authenticator: true, RecoveryCodes: 10, Sessions: 1}
	for _, c := range []struct {
		name    string
		cleared logiqc.Cleared
		next    string
		keep    bool
		want    []string
	}{
		{"everything", full, logiqc.NextEnrol, false, []string{"remove the authenticator link and 10 recovery codes", "end 1 session",
			"let whoever has the password enrol at the next sign-in"}},
		{"sessions kept", full, logiqc.NextEnrol, true, []string{"remove the authenticator link and 10 recovery codes",
			"let whoever has the password enrol at the next sign-in"}},
		{"no codes, not required", logiqc.Cleared{Authenticator: true}, logiqc.NextPassword, false, []string{"remove the authenticator link",
			"let the password alone sign in: MFA is not required of this account"}},
		{"one code, and a move under way", logiqc.Cleared{Authenticator: true, RecoveryCodes: 1, Pending: true}, logiqc.NextEnrol, false,
			[]string{"remove the authenticator link and 1 recovery code", "end the enrolment that is under way",
				"let whoever has the password enrol at the next sign-in"}},
		{"only under way", logiqc.Cleared{Pending: true}, logiqc.NextEnrol, false, []string{"end the enrolment that is under way",
			"let whoever has the password enrol at the next sign-in"}},
		{"only misses", logiqc.Cleared{}, logiqc.NextBlocked, false, []string{"forget the wrong app codes and the wait they caused",
			"let whoever has the password enrol, once sign-in is possible again"}},
	} {
		got := resetWill(logiqc.ResetResult{Cleared: c.cleared, NextSignin: c.next}, c.keep)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestResetDialogWarns(t *testing.T) {
	now := time.Date(2026, time.November, 23, 9, 12, 0, 0, time.UTC)
	acct := logiqc.Account{Username: "mchen", Role: logiqc.RoleUser, Status: logiqc.Active, Phone: "+61 4 5550 7788",
		ContactChangedAt: logiqc.At(now.Add(-2 * time.Hour)), ContactChangedBy: "tom"}
	preview := logiqc.ResetResult{Account: &acct, NextSignin: logiqc.NextBlocked}
	acct.Signin = logiqc.SigninView{Why: logiqc.WhyThrottled, PasswordMisses: 7, Until: logiqc.At(now.Add(34 * time.Minute))}
	d := resetDialog(preview, "stmary", false, now)
	text := strings.Join(d.Warnings, "\n")
	for _, want := range []string{"changed 2 hours ago by tom", "A reset will not let them sign in: 7 wrong passwords", "logiqc users unlock mchen"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	if d.TypeToConfirm != "" || d.Title != "Reset MFA for mchen?" {
		t.Errorf("%+v", d)
	}
	acct.Protected, acct.ContactChangedAt = true, logiqc.At(now.AddDate(-1, 0, 0))
	preview.NextSignin = logiqc.NextEnrol
	if d = resetDialog(preview, "stmary", true, now); d.TypeToConfirm != "mchen" || len(d.Warnings) != 0 ||
		!slices.Contains(d.WillNot, "end sessions") {
		t.Errorf("%+v", d)
	}
}

func TestTally(t *testing.T) {
	for _, c := range []struct {
		want string
		t    tally
	}{
		{"281 reset, 6 unchanged, 13 refused", tally{{281, "reset"}, {6, "unchanged"}, {13, "refused"}, {0, "failed"}}},
		{"0 reset", tally{{0, "reset"}, {0, "unchanged"}}},
		{"0 reset, 1 refused", tally{{0, "reset"}, {0, "unchanged"}, {1, "refused"}}},
	} {
		if got := c.t.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestFolded(t *testing.T) {
	got := folded("Hello Jordan, your MFA was reset. Antidisestablishmentarianism é é é", 12)
	want := []string{"Hello", "Jordan, your", "MFA was", "reset.", "Antidisestablishmentarianism", "é é é"}
	if !slices.Equal(got, want) || folded("", 10) != nil {
		t.Errorf("%q", got)
	}
}

// A plan is the hash of what it would do: the same for the same, another for
// another, and nothing of how it is written.
func TestPlanOf(t *testing.T) {
	row := resetRow{Row: 1, Input: "a<b", resetOutcome: resetOutcome{User: "ab", Outcome: logiqc.ResetWould}, dryRow: &dryRow{ID: "1", EnrolledAt: 7}}
	one, err := planOf([]resetRow{row})
	if err != nil || len(one) != 64 {
		t.Fatal(one, err)
	}
	again, _ := planOf([]resetRow{row})
	row.dryRow = &dryRow{ID: "1", EnrolledAt: 8}
	other, _ := planOf([]resetRow{row})
	if one != again || one == other {
		t.Errorf("%s %s %s", one, again, other)
	}
}
