package cmd

import (
	"strings"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// approvalRequest is what JSON says of a request for approval. Nothing to
// clear is the state unchanged, a dry run would_request, both without an id.
type approvalRequest struct {
	ID            *string              `json:"approval_id"`
	User          string               `json:"user"`
	State         logiqc.ApprovalState `json:"state"`
	RequestedBy   string               `json:"requested_by"`
	ExpiresAt     logiqc.Time          `json:"expires_at"`
	EnrolmentCode *deskCode            `json:"enrolment_code"`
	ShortID       string               `json:"short_id"`
	Run           string               `json:"run"`
	RequestedAt   logiqc.Time          `json:"requested_at"`
	Reason        string               `json:"reason"`
	Ticket        string               `json:"ticket"`
	VerifiedBy    string               `json:"verified_by"`
	KeepSessions  bool                 `json:"keep_sessions"`
	Hold          bool                 `json:"hold"`
	DecidedBy     string               `json:"decided_by"`
	DecidedAt     logiqc.Time          `json:"decided_at"`
	Seq           *int64               `json:"seq"` // of the reset
	ChangedSince  bool                 `json:"changed_since"`
	Account       *logiqc.Account      `json:"account"`
	Warnings      []string             `json:"warnings,omitempty"`
	logiqc.Replayed
}

// decided puts a request as it is now into the JSON of one.
func (r *approvalRequest) decided(a logiqc.Approval) {
	r.ID, r.User, r.State, r.RequestedBy, r.ExpiresAt = &a.ID, a.User, a.State, a.RequestedBy, a.ExpiresAt
	r.ShortID, r.Run, r.RequestedAt, r.Reason, r.Ticket, r.VerifiedBy = a.Short, a.Run, a.RequestedAt, a.Reason, a.Ticket, a.VerifiedBy
	r.KeepSessions, r.Hold, r.DecidedBy, r.DecidedAt = a.KeepSessions, a.Hold, a.DecidedBy, a.DecidedAt
	r.Seq, r.ChangedSince, r.Account = a.Seq, a.ChangedSince, &a.Account
}

func requestView(a logiqc.Approval) (r approvalRequest) {
	r.decided(a)
	return r
}

// requestOf puts the outcome of a request into its JSON shape.
func requestOf(res logiqc.ResetResult) approvalRequest {
	r := approvalRequest{User: res.User, State: logiqc.ApprovalState(res.Outcome), Account: res.Account, Replayed: res.Replayed}
	if res.Approval != nil {
		r.decided(*res.Approval)
		r.EnrolmentCode = deskCodeOf(res.EnrolmentCode)
	}
	return r
}

// requestTold tells people what became of a request for one account.
func requestTold(io *ui.IO, res logiqc.ResetResult) error {
	switch {
	case res.Outcome == logiqc.ResetWouldRequest:
		io.Answerf("This would ask for approval to reset MFA for %s. Nothing was changed.", titled(*res.Account))
		return nil
	case res.Approval == nil:
		return resetTold(io, res)
	}
	a := *res.Approval
	io.Answerf("Approval %s asked for, open until %s: reset MFA for %s.", shortID(a), local(a.ExpiresAt, "15:04"), titled(a.Account))
	if res.Replayed.Replayed {
		io.Answerf("It was asked for at %s; this repeats its outcome.", minute(a.RequestedAt))
	}
	switch code := deskCodeOf(res.EnrolmentCode); {
	case code != nil:
		io.Answerf("  Enrolment code  %s     works once it is approved, until %s, shown once", code.Code, clock(code.ExpiresAt, time.Now()))
	case res.EnrolmentCode != nil:
		io.Answerf("The enrolment code was shown the first time and is not shown again.")
	}
	io.Answerf("A second operator: logiqc mfa approve %s", shortID(a))
	return nil
}

// openAlready says which requests for the account were open before this one.
func openAlready(res logiqc.ResetResult) (said []string) {
	for _, o := range res.Open {
		said = append(said, o.RequestedBy+" has asked for this already: request "+strings.ToUpper(o.Short)+" is open until "+local(o.ExpiresAt, "15:04")+".")
	}
	return said
}

// approvedTold tells whoever waited that a reset was approved, and whom to
// tell.
func approvedTold(io *ui.IO, a logiqc.Approval) {
	io.Answerf("%s approved it.", a.DecidedBy)
	res := logiqc.ResetResult{User: a.User, Outcome: logiqc.ResetDone, At: a.DecidedAt, Message: a.Message, Account: &a.Account}
	if a.Seq != nil {
		res.Audit = &logiqc.AuditRef{Seq: *a.Seq}
	}
	resetDone(io, a.Account, res)
}

// whyApproval says why a reset of the account takes a second operator.
func whyApproval(refused logiqc.ResetResult) string {
	acct := *refused.Account
	if isCode(refused.Err, logiqc.Forbidden) {
		return acct.DisplayName() + " is a privileged account: an administrator must approve."
	}
	if rest, ok := strings.CutPrefix(refused.Err.Message, acct.Username+" "); ok {
		return acct.DisplayName() + " " + rest + "."
	}
	return sentence(refused.Err.Message)
}

// grounds is why a reset was asked for, in one line.
func grounds(a logiqc.Approval) string {
	var parts []string
	for _, p := range []string{a.Reason, a.Ticket, a.VerifiedBy} {
		if strings.TrimSpace(p) != "" {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return "none given"
	}
	return strings.Join(parts, " · ")
}
