package cmd

import (
	"slices"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// resetOutcome is what JSON says of a reset of one account, alone or in a run.
type resetOutcome struct {
	User          string              `json:"user"`
	Outcome       logiqc.ResetOutcome `json:"outcome"`
	Changed       bool                `json:"changed"`
	Code          logiqc.Code         `json:"code"`
	Seq           *int64              `json:"seq"`
	Cleared       logiqc.Cleared      `json:"cleared"`
	NextSignin    string              `json:"next_signin"`
	EnrolmentCode *deskCode           `json:"enrolment_code"`
	Contact       *resetContact       `json:"contact"`
}

// resetContact is how the operator reaches the user, and what to send; null
// where there is nothing to send.
type resetContact struct {
	Email   string  `json:"email"`
	Phone   string  `json:"phone"`
	Message *string `json:"message"`
}

// outcomeOf puts a result into its JSON shape.
func outcomeOf(res logiqc.ResetResult) resetOutcome {
	o := resetOutcome{User: res.User, Outcome: res.Outcome, Changed: res.Changed, Cleared: res.Cleared, NextSignin: res.NextSignin,
		EnrolmentCode: deskCodeOf(res.EnrolmentCode)}
	if res.Err != nil {
		o.Code = res.Err.Code
	}
	if res.Audit != nil {
		o.Seq = &res.Audit.Seq
	}
	if acct := res.Account; acct != nil {
		o.Contact = &resetContact{Email: acct.Email, Phone: acct.Phone}
		if message := resetMessage(res); message != "" {
			o.Contact.Message = &message
		}
	}
	return o
}

// resetMessage is the ready-made message about a reset that was made and that
// lets its user sign in; otherwise "".
func resetMessage(res logiqc.ResetResult) string {
	return strings.ReplaceAll(res.Message, logiqc.PlaceTime, local(res.At, "2 Jan 2006 at 15:04"))
}

// resetTold tells people what became of one account.
func resetTold(io *ui.IO, res logiqc.ResetResult) error {
	if res.Account == nil {
		io.Answerf("%s: %s; ignored. Nothing was changed.", res.Input, res.Err.Message)
		return nil
	}
	acct := *res.Account
	switch res.Outcome {
	case logiqc.ResetIgnored:
		io.Answerf("%s; ignored. Nothing was changed.", res.Err.Message)
	case logiqc.ResetUnchanged:
		io.Answerf("%s has no enrolment to clear. Nothing was changed.", titled(acct))
		if acct.MFA.CodeNeeded {
			io.Answerf("For a fresh enrolment code: logiqc mfa enrolment-code %s", acct.Username)
		}
		if res.NextSignin == logiqc.NextBlocked {
			io.Answerf("They cannot sign in: %s.", whyBlocked(acct))
		}
	case logiqc.ResetWould:
		io.Answerf("This would reset MFA for %s. Nothing was changed.\nIt would %s.", titled(acct), strings.Join(resetWill(res, false), "; "))
	default:
		resetDone(io, acct, res)
	}
	return nil
}

// resetDone tells that a reset was made, and whom to tell what.
func resetDone(io *ui.IO, acct logiqc.Account, res logiqc.ResetResult) {
	asked := ""
	if res.Approval != nil {
		asked = ", asked for by " + res.Approval.RequestedBy
	}
	io.Answerf("MFA reset for %s%s. Event %d.", titled(acct), asked, res.Audit.Seq)
	if res.Replayed.Replayed {
		io.Answerf("It was done at %s; this repeats its outcome.", minute(res.At))
	}
	tellDeskCode(io, res.EnrolmentCode, acct)
	sessions := ""
	if n := res.Cleared.Sessions; n > 0 {
		sessions = counted(n, "session") + " ended. "
	}
	first, _, _ := strings.Cut(acct.DisplayName(), " ")
	message := resetMessage(res)
	if message == "" {
		io.Answerf("%s%s has not been notified, and cannot sign in: %s.", sessions, first, whyBlocked(acct))
	} else {
		io.Answerf("%s%s has not been notified. Tell them:", sessions, first)
	}
	phone := acct.Phone
	if phone == "" {
		phone = "none on file"
	}
	io.Answerf("  Phone  %s     Email  %s", phone, acct.Email)
	width, _ := io.Size()
	for _, line := range folded(message, min(width, 76)-4) {
		io.Answerf("  | %s", line)
	}
}

// folded breaks a text between words into lines of at most width characters;
// a longer word has a line of its own.
func folded(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// resetRow is the outcome for one account of a run.
type resetRow struct {
	Row   int    `json:"row"`
	Input string `json:"input"`
	resetOutcome
	ApprovalID string `json:"approval_id,omitempty"` // of a request for approval
	*dryRow
	logiqc.Replayed
}

// dryRow is what the row of a dry run has more, so that it can be carried out
// as a plan.
type dryRow struct {
	ID         string      `json:"id"`
	EnrolledAt logiqc.Time `json:"enrolled_at"`
}

// row makes the row of one result.
func (r *resetter) row(n int, res logiqc.ResetResult) resetRow {
	row := resetRow{Row: n, Input: res.Input, resetOutcome: outcomeOf(res), Replayed: res.Replayed}
	if res.Approval != nil {
		row.ApprovalID = res.Approval.ID
	}
	if r.reset.DryRun {
		row.dryRow = &dryRow{}
		if res.Account != nil {
			row.ID, row.EnrolledAt = res.Account.ID, res.Account.MFA.EnrolledAt
		}
	}
	return row
}

// resetHeader names the columns of a reset in CSV.
var resetHeader = []string{"row", "input", "user", "outcome", "changed", "code", "seq", "authenticator", "pending", "recovery_codes",
	"sessions", "next_signin", "email", "phone", "message", "id", "enrolled_at"}

// header names the columns of this run: those of enrolment codes only where
// there may be any.
func (r *resetter) header() []string {
	header := slices.Clone(resetHeader)
	if r.codes {
		header = append(header, "enrolment_code", "enrolment_code_expires_at")
	}
	if r.ask {
		header = append(header, "approval_id")
	}
	return header
}

func (r *resetter) record(row resetRow) []string {
	cells := resetRecord(row, r.codes)
	if r.ask {
		cells = append(cells, row.ApprovalID)
	}
	return cells
}

func resetRecord(r resetRow, codes bool) []string {
	seq, contact, message, dry := "", resetContact{}, "", dryRow{}
	if r.Seq != nil {
		seq = number(int(*r.Seq))
	}
	if r.Contact != nil {
		contact = *r.Contact
	}
	if contact.Message != nil {
		message = *contact.Message
	}
	if r.dryRow != nil {
		dry = *r.dryRow
	}
	c := r.Cleared
	cells := []string{number(r.Row), r.Input, r.User, string(r.Outcome), yesNo(r.Changed), string(r.Code), seq,
		yesNo(c.Authenticator), yesNo(c.Pending), number(c.RecoveryCodes), number(c.Sessions), r.NextSignin,
		contact.Email, contact.Phone, message, dry.ID, dry.EnrolledAt.String()}
	switch {
	case !codes:
	case r.EnrolmentCode == nil:
		cells = append(cells, "", "")
	default:
		cells = append(cells, r.EnrolmentCode.Code, r.EnrolmentCode.ExpiresAt.String())
	}
	return cells
}
