package cmd

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// accountCard is the card of an account: who it is, its Authentication section
// and what the actor may do from here (days.md).
func accountCard(account logiqc.Account, actor logiqc.Actor, now time.Time) ui.Card {
	head := []ui.CardRow{
		{Label: "Email", Value: account.Email},
		{Label: "Phone", Value: phoneCell(account, now)},
		{Label: "Last sign-in", Value: minute(account.Signin.LastSuccessAt)},
	}
	card := ui.Card{Title: titled(account), Status: statusLine(account), Sections: []ui.Section{
		{Rows: head}, {Name: "Authentication", Rows: authenticationRows(account, actor, now)},
	}}
	if steps := nextSteps(account, actor); len(steps) > 0 {
		card.Sections = append(card.Sections, ui.Section{Name: "You can", Rows: steps})
	}
	return card
}

// statusLine is status and role, and whether the account is protected.
func statusLine(account logiqc.Account) string {
	line := string(account.Status) + " · " + string(account.Role)
	if account.Protected {
		line += " · protected"
	}
	return line
}

// phoneCell is the number to call back and whether it can be relied on.
func phoneCell(account logiqc.Account, now time.Time) ui.Text {
	note := contactNote(account, now)
	if contactIsRecent(account, now) {
		return ui.Sprintf("%s   %s", cmp.Or(account.Phone, "none on file"), ui.Yellow(note))
	}
	return ui.Sprintf("%s   %s", cmp.Or(account.Phone, "none on file"), note)
}

// contactNote says since when email and phone are as they are, "unchanged since 12
// Mar 2024", or when and by whom they were changed; in capitals when that is not
// long ago.
func contactNote(account logiqc.Account, now time.Time) string {
	at := account.ContactChangedAt
	switch {
	case at.IsZero():
		return "unchanged since " + day(account.CreatedAt)
	case !contactIsRecent(account, now):
		return "changed " + day(at) + by(account.ContactChangedBy)
	}
	return "CHANGED " + ago(at, now) + by(account.ContactChangedBy)
}

// authenticationRows is how the account signs in.
func authenticationRows(account logiqc.Account, actor logiqc.Actor, now time.Time) []ui.CardRow {
	m := account.MFA
	rows := []ui.CardRow{{Label: "Method", Value: string(account.Auth)}, {Label: "MFA", Value: mfaCell(account)}}
	if account.Auth == logiqc.ByPassword {
		rows = append(rows, ui.CardRow{Label: "Enrolment", Value: enrolmentCell(m)})
		if m.State == logiqc.EnrolmentEnrolled {
			rows = append(rows, ui.CardRow{Label: "Recovery", Value: counted(m.RecoveryCodesLeft, "code") + " left"})
		}
		rows = append(rows, ui.CardRow{Label: "Last reset", Value: lastReset(account)})
	}
	verdict, more := canSignIn(account, actor, now)
	return append(rows, ui.CardRow{Label: "Can sign in?", Value: verdict, More: more})
}

// mfaCell is the toggle in force, and who requires it.
func mfaCell(account logiqc.Account) string {
	switch m := account.MFA; {
	case account.Auth == logiqc.BySSO:
		return "none here: their identity provider manages it"
	case m.ToggleLocked:
		return "on, locked by the organisation"
	case bool(m.Toggle):
		return "on, required by the account's own toggle"
	}
	return "off: neither the organisation nor the account requires it"
}

// enrolmentCell is the state of the enrolment with its dates.
func enrolmentCell(m logiqc.MFAView) string {
	switch m.State {
	case logiqc.EnrolmentEnrolled:
		if m.LastUsedAt.IsZero() {
			return "enrolled " + day(m.EnrolledAt) + ", not used since"
		}
		return "enrolled " + day(m.EnrolledAt) + ", last used " + day(m.LastUsedAt)
	case logiqc.EnrolmentPending:
		return "pending: the secret was shown, no app code proved yet"
	}
	if !m.ResetAt.IsZero() {
		return "none since the last reset"
	}
	return "none"
}

// step is one thing that can be done from a card, and the command for it.
type step struct{ label, command string }

// nextSteps lists what this actor may do with the account now.
func nextSteps(account logiqc.Account, actor logiqc.Actor) (rows []ui.CardRow) {
	for _, s := range steps(account, actor) {
		rows = append(rows, ui.CardRow{Label: s.label, Value: ui.Cyan(s.command + " " + account.Username)})
	}
	return rows
}

func steps(account logiqc.Account, actor logiqc.Actor) []step {
	all := append(resetSteps(account, actor), adminSteps(account, actor)...)
	if actor.May(logiqc.AuditRead) && mayTouch(actor, account) {
		all = append(all, step{"See its log", "logiqc audit list --user"})
	}
	return all
}

// resetSteps are the help desk's.
func resetSteps(account logiqc.Account, actor logiqc.Actor) (steps []step) {
	self := actor.IsSelf(account.ID)
	if !actor.May(logiqc.MFAReset) || actor.Limited() && account.Privileged() {
		if self && account.MFA.State == logiqc.EnrolmentEnrolled {
			return []step{{"New phone", "logiqc enrol --replace"}}
		}
		if actor.May(logiqc.MFAReset) && !self && resettable(account) {
			return []step{{"Ask an admin to reset MFA", "logiqc mfa request"}}
		}
		return nil
	}
	switch account.Signin.Why {
	case logiqc.WhyHeld:
		steps = append(steps, step{"End the hold", "logiqc users unlock"})
	case logiqc.WhyThrottled, logiqc.WhyLocked:
		steps = append(steps, step{"End the wait", "logiqc users unlock"})
	}
	switch {
	case account.Auth == logiqc.BySSO:
	case self && account.MFA.State == logiqc.EnrolmentEnrolled:
		steps = append(steps, step{"New phone", "logiqc enrol --replace"})
	case !self && resettable(account):
		steps = append(steps, step{"Reset MFA", "logiqc mfa reset"})
	}
	return steps
}

// resettable reports whether a reset has anything to clear.
func resettable(account logiqc.Account) bool {
	return account.MFA.State != logiqc.EnrolmentNone || account.Signin.CodeMisses > 0
}

// adminSteps are those of whoever may change accounts.
func adminSteps(account logiqc.Account, actor logiqc.Actor) (steps []step) {
	if !actor.May(logiqc.UsersWrite) {
		return nil
	}
	if account.Status == logiqc.Inactive {
		steps = append(steps, step{"Activate", "logiqc users activate"})
	}
	if account.Auth == logiqc.ByPassword && account.Signin.Why == logiqc.WhyNoPassword {
		steps = append(steps, step{"Set password", "logiqc users passwd"})
	}
	steps = append(steps, step{"Edit", "logiqc users edit"})
	if account.Status == logiqc.Active && !actor.IsSelf(account.ID) {
		steps = append(steps, step{"Deactivate", "logiqc users deactivate"})
	}
	return steps
}

// canSignIn is the verdict of the card: whether the user gets in, why not, and
// what helps. More are the lines below it.
func canSignIn(account logiqc.Account, actor logiqc.Actor, now time.Time) (verdict ui.Text, more []string) {
	s := account.Signin
	switch s.Next {
	case logiqc.NextCode:
		return ui.Sprintf("%s, with a code.%s", ui.Green("Yes"), lastFailure(s, now)), nil
	case logiqc.NextEnrol:
		if account.MFA.CodeNeeded {
			return needsCode(account, actor, now)
		}
		return ui.Sprintf("%s, but must enrol first: the next sign-in leads into it.%s", ui.Green("Yes"), lastFailure(s, now)), nil
	case logiqc.NextPassword:
		return ui.Sprintf("%s, with the password alone.%s", ui.Green("Yes"), lastFailure(s, now)), nil
	case logiqc.NextSSO:
		return ui.Sprintf("By SSO only: their identity provider decides."), nil
	}
	why, help := blocked(account, now)
	if help.command != "" && mayHelp(help, account, actor) {
		more = append(more, help.label+": "+help.command+" "+account.Username)
	}
	return why, more
}

// needsCode is the verdict on an account that enrols with an enrolment code
// only.
func needsCode(account logiqc.Account, actor logiqc.Actor, now time.Time) (verdict ui.Text, more []string) {
	failed := lastFailure(account.Signin, now)
	if until := account.MFA.CodeUntil; !until.IsZero() {
		verdict = ui.Sprintf("%s, but must enrol first, with the enrolment code: good until %s.%s", ui.Green("Yes"), clock(until, now), failed)
	} else {
		verdict = ui.Sprintf("%s: must enrol with an enrolment code, and none is good.%s", ui.Red("No"), failed)
	}
	if actor.May(logiqc.MFAReset) && mayTouch(actor, account) && !actor.IsSelf(account.ID) {
		more = []string{"For a fresh one: logiqc mfa enrolment-code " + account.Username}
	}
	return verdict, more
}

// mayTouch reports whether the account is not too much for the actor.
func mayTouch(actor logiqc.Actor, account logiqc.Account) bool {
	return !actor.Limited() || !account.Privileged()
}

// mayHelp reports whether the actor may do what would help.
func mayHelp(help step, account logiqc.Account, actor logiqc.Actor) bool {
	if strings.HasSuffix(help.command, "unlock") {
		return actor.May(logiqc.MFAReset) && mayTouch(actor, account)
	}
	return actor.May(logiqc.UsersWrite)
}

// blocked says why an account cannot sign in now, and what changes that.
func blocked(account logiqc.Account, now time.Time) (why ui.Text, help step) {
	s := account.Signin
	switch s.Why {
	case logiqc.WhyInactive:
		return ui.Sprintf("%s: the account is inactive.", ui.Red("No")), step{"To let them in again", "logiqc users activate"}
	case logiqc.WhyNoPassword:
		return ui.Sprintf("%s: there is no password yet.", ui.Red("No")), step{"To set one", "logiqc users passwd"}
	case logiqc.WhyHeld:
		return held(account, now), step{"To let them sign in again", "logiqc users unlock"}
	case logiqc.WhyLocked:
		return ui.Sprintf("%s: %d wrong app codes in a row.", ui.Red("No"), s.CodeMisses),
			step{"To let them try again without a reset", "logiqc users unlock"}
	case logiqc.WhyThrottled:
		misses, what, help := s.CodeMisses, "app codes", "To end the wait without a reset"
		if waitsForPassword(s) {
			misses, what, help = s.PasswordMisses, "PASSWORDS", "A reset will not help. To end the wait"
		}
		until := ui.Yellow("Not before " + clock(s.Until, now))
		return ui.Sprintf("%s: %d wrong %s%s.", until, misses, what, lastMiss(s, now)),
			step{help, "logiqc users unlock"}
	}
	return ui.Sprintf("%s: %s.", ui.Red("No"), s.Why), step{}
}

// held says since when and why sign-in is held.
func held(account logiqc.Account, now time.Time) ui.Text {
	if at := account.Signin.HeldAt; !at.IsZero() {
		return ui.Sprintf("%s: held by the help desk since %s%s.", ui.Red("No"), clock(at, now), by(account.MFA.ResetBy))
	}
	return ui.Sprintf("%s: held, as the time to enrol after the reset is over.", ui.Red("No"))
}

// waitsForPassword tells whose wait it is when both factors were missed: that
// of the passwords ends when the last of their misses makes it end.
func waitsForPassword(s logiqc.SigninView) bool {
	if s.PasswordMisses == 0 || s.CodeMisses == 0 || s.LastFailure == nil {
		return s.PasswordMisses > 0
	}
	last := logiqc.Throttle{Misses: s.PasswordMisses - 1}.Miss(s.LastFailure.At)
	return last.Until == s.Until
}

// lastMiss is when and where the newest failure came from.
func lastMiss(s logiqc.SigninView, now time.Time) string {
	if s.LastFailure == nil {
		return ""
	}
	text := ", last " + clock(s.LastFailure.At, now)
	if s.LastFailure.Host != "" {
		text += " from " + s.LastFailure.Host
	}
	return text
}

// lastFailure is the sentence about a failure since the last sign-in.
func lastFailure(s logiqc.SigninView, now time.Time) string {
	f := s.LastFailure
	if f == nil || f.At < s.LastSuccessAt {
		return ""
	}
	return fmt.Sprintf(" Last failure %s: %s.", whenToday(f.At, now), strings.ReplaceAll(f.Reason, "_", " "))
}

// clock is a time of day, with its date unless that is today's.
func clock(t logiqc.Time, now time.Time) string {
	if sameDay(t, now) {
		return local(t, "15:04")
	}
	return minute(t)
}

// whenToday is a clock that says "today".
func whenToday(t logiqc.Time, now time.Time) string {
	if sameDay(t, now) {
		return local(t, "15:04") + " today"
	}
	return minute(t)
}

func sameDay(t logiqc.Time, now time.Time) bool { return day(t) == day(logiqc.At(now)) }
