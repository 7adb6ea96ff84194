package cmd

import (
	"cmp"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// resetDialog asks whether to reset what the preview shows (product.md R4).
func resetDialog(preview logiqc.ResetResult, store string, keepSessions bool, now time.Time) ui.Dialog {
	acct := *preview.Account
	d := ui.Dialog{
		Title: "Reset MFA for " + acct.DisplayName() + "?",
		Facts: append([]ui.Fact{{Label: "Store", Value: store}}, append(whoFacts(acct),
			ui.Fact{Label: "Call back", Value: callBack(acct, now)},
			ui.Fact{Label: "Enrolment", Value: enrolmentCell(acct.MFA)},
			ui.Fact{Label: "Last reset", Value: lastReset(acct)})...),
		Will:    resetWill(preview, keepSessions),
		WillNot: []string{"change the password, the status, the toggle or the policy"},
		Action:  "reset",
	}
	if keepSessions {
		d.WillNot = append(d.WillNot, "end sessions")
	}
	if contactIsRecent(acct, now) {
		d.Warnings = append(d.Warnings, "The email or phone on file was changed "+ago(acct.ContactChangedAt, now)+by(acct.ContactChangedBy)+
			". Do not rely on it to verify the caller.")
	}
	if preview.NextSignin == logiqc.NextBlocked && !newlyHeld(preview) {
		d.Warnings = append(d.Warnings, "A reset will not let them sign in: "+whyBlocked(acct)+".")
	}
	if acct.Privileged() {
		d.TypeToConfirm = acct.Username
	}
	return d
}

// whoFacts say whose account a dialog is about; they stay visible in the
// smallest window.
func whoFacts(acct logiqc.Account) []ui.Fact {
	facts := []ui.Fact{
		{Label: "Account", Value: acct.Username + " · " + acct.Email, Keep: true},
		{Label: "Status", Value: statusLine(acct)},
	}
	if acct.Name != "" {
		facts = append([]ui.Fact{{Label: "Name", Value: acct.Name, Keep: true}}, facts...)
	}
	return facts
}

// callBack is the phone on file, and how far it is to be trusted.
func callBack(acct logiqc.Account, now time.Time) string {
	return cmp.Or(acct.Phone, "no phone on file") + " (" + contactNote(acct, now) + ")"
}

func lastReset(acct logiqc.Account) string {
	if acct.MFA.ResetAt.IsZero() {
		return "never"
	}
	return minute(acct.MFA.ResetAt) + by(acct.MFA.ResetBy)
}

// resetWill lists what a reset would do, one clause each.
func resetWill(preview logiqc.ResetResult, keepSessions bool) (will []string) {
	c := preview.Cleared
	switch {
	case c.Authenticator && c.RecoveryCodes == 0:
		will = append(will, "remove the authenticator link")
	case c.Authenticator:
		will = append(will, "remove the authenticator link and "+counted(c.RecoveryCodes, "recovery code"))
	case !c.Pending && !newlyHeld(preview):
		will = append(will, "forget the wrong app codes and the wait they caused")
	}
	if c.Pending {
		will = append(will, "end the enrolment that is under way")
	}
	if !keepSessions && c.Sessions > 0 {
		will = append(will, "end "+counted(c.Sessions, "session"))
	}
	if newlyHeld(preview) {
		will = append(will, "hold the sign-in until users unlock")
	}
	whoever := "let whoever has the password enrol"
	switch {
	case preview.WithCode && preview.Approval != nil:
		whoever = "let whoever has the password and the enrolment code that " + preview.Approval.RequestedBy + " was shown enrol"
	case preview.WithCode:
		whoever = "let whoever has the password and the enrolment code you will be shown enrol"
	}
	switch preview.NextSignin {
	case logiqc.NextPassword:
		return append(will, "let the password alone sign in: MFA is not required of this account")
	case logiqc.NextBlocked:
		return append(will, whoever+", once sign-in is possible again")
	}
	return append(will, whoever+" at the next sign-in")
}

// newlyHeld reports whether the reset itself holds the sign-in.
func newlyHeld(res logiqc.ResetResult) bool {
	return res.At != 0 && res.Account != nil && res.Account.Signin.HeldAt == res.At
}

// whyBlocked says why an account cannot sign in and what would change that.
func whyBlocked(acct logiqc.Account) string {
	s := acct.Signin
	switch s.Why {
	case logiqc.WhyInactive:
		return "the account is inactive (logiqc users activate " + acct.Username + ")"
	case logiqc.WhyNoPassword:
		return "it has no password (logiqc users passwd " + acct.Username + ")"
	case logiqc.WhyHeld:
		return "sign-in is held (logiqc users unlock " + acct.Username + ")"
	}
	return counted(s.PasswordMisses, "wrong password") + ", so sign-in waits until " + local(s.Until, "15:04") +
		" (logiqc users unlock " + acct.Username + ")"
}
