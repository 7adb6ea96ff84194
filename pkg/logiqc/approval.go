package logiqc

import (
	"strconv"
	"strings"
	"time"
)

// ApprovalFor is how long a request waits for a second operator.
const ApprovalFor = time.Hour

// ApprovalRule says which resets a second operator has to approve.
type ApprovalRule string

// The rules: none but by the other guards; those of privileged accounts; all.
const (
	ApproveNone       ApprovalRule = "none"
	ApprovePrivileged ApprovalRule = "privileged"
	ApproveAll        ApprovalRule = "all"
)

// ApprovalState is what became of a request.
type ApprovalState string

// The states of a request.
const (
	ApprovalPending  ApprovalState = "pending"
	ApprovalApproved ApprovalState = "approved"
	ApprovalRejected ApprovalState = "rejected"
	ApprovalExpired  ApprovalState = "expired"
)

// Approval is a request that a second operator approves a reset.
type Approval struct {
	ID string `json:"id"`
	// Short is the shortest ending of the ID, of 4 characters or more, that means
	// this one among the requests of a day.
	Short       string        `json:"short"`
	Run         string        `json:"run"` // request id of the call that asked
	User        string        `json:"user"`
	State       ApprovalState `json:"state"`
	RequestedBy string        `json:"requested_by"`
	RequestedAt Time          `json:"requested_at"`
	ExpiresAt   Time          `json:"expires_at"`
	Reason      string        `json:"reason"`
	Ticket      string        `json:"ticket"`
	VerifiedBy  string        `json:"verified_by"`
	// What the reset is to do beside.
	KeepSessions bool `json:"keep_sessions"`
	Hold         bool `json:"hold"`
	// WithCode: the requester was given an enrolment code, good until CodeUntil.
	WithCode  bool `json:"with_code"`
	CodeUntil Time `json:"code_until"`
	// DecidedBy and DecidedAt are set once it was approved or rejected; Seq is the
	// event of the reset.
	DecidedBy string `json:"decided_by"`
	DecidedAt Time   `json:"decided_at"`
	Seq       *int64 `json:"seq"`
	// ChangedSince: the account's enrolment is not the one it was asked for, so
	// that approving it answers Conflict.
	ChangedSince bool `json:"changed_since"`
	// Account is the account as it is now; Message what to send to its user once
	// it was reset, as in a [ResetResult].
	Account Account `json:"account"`
	Message string  `json:"message"`
	// Others are the other requests for the account that can be approved now:
	// approving one makes the rest void.
	Others []ApprovalRef `json:"others,omitempty"`
}

// ApprovalRef names a request that is open.
type ApprovalRef struct {
	ID          string `json:"id"`
	Short       string `json:"short"`
	RequestedBy string `json:"requested_by"`
	ExpiresAt   Time   `json:"expires_at"`
}

// MinApprovalRef is how many characters of an approval's id mean it at least.
const MinApprovalRef = 4

// CheckApprovalRef refuses with Usage what cannot mean a request.
func CheckApprovalRef(ref string) error {
	if len(strings.TrimSpace(ref)) < MinApprovalRef {
		return Errorf(Usage, "an approval is named by the last %d characters of its id, or more", MinApprovalRef).
			WithHint("see them: logiqc mfa approvals")
	}
	return nil
}

// ApprovalQuery selects requests: those that are open, or All of the last
// ApprovalsKept; or those that wait for the actor, who may decide about them.
type ApprovalQuery struct {
	All  bool `json:"all,omitempty"`
	Mine bool `json:"mine,omitempty"`
}

// ApprovalsKept is how long a request that was decided, or has run out, is
// listed, and its short id means no other. By its id it is found a few days
// longer; then only the log tells of it.
const ApprovalsKept = 24 * time.Hour

// Decision approves or rejects a request. Without consent it is a preview.
type Decision struct {
	Request
	ID      string `json:"id"` // or an ending of it
	Approve bool   `json:"approve"`
}

// Decided is the outcome of a Decision: the request as it is then, and what an
// approval reset, or would.
type Decided struct {
	Replayed
	Approval Approval     `json:"approval"`
	Reset    *ResetResult `json:"reset"`
	// Err is ConfirmationRequired where nobody has agreed to it yet; every other
	// refusal is returned.
	Err *Error `json:"error,omitempty"`
}

// CheckRequest refuses a request for approval that the rules do not allow,
// whoever approves: SelfReset, SSOAccount. An operator may ask for any account
// but their own.
func (u User) CheckRequest(by Actor) error {
	if by.IsSelf(u.ID) {
		return Errorf(SelfReset, "nobody resets their own MFA").
			WithHint("move to a new phone: logiqc enrol --replace; or ask another administrator")
	}
	return u.CheckHasMFA("reset")
}

// CheckApproval refuses with ApprovalRequired a reset that takes a second
// operator. made is how many the operator made in the last hour alone.
func (p Policy) CheckApproval(u User, now Time, made int) error {
	recent := func(at Time, hours int) bool {
		return hours > 0 && at != 0 && now.Sub(at) < time.Duration(hours)*time.Hour
	}
	why := ""
	switch {
	case p.Approval == ApproveAll:
		why = "every reset takes a second operator here"
	case p.Approval == ApprovePrivileged && u.Protected:
		why = u.Username + " is a protected account"
	case p.Approval == ApprovePrivileged && u.Privileged():
		why = u.Username + " is of role " + string(u.Role)
	case recent(u.ResetAt, p.SameUserHours):
		why = "the MFA of " + u.Username + " was reset within the last " + hours(p.SameUserHours)
	case recent(u.ContactChangedAt, p.ContactChangedHours):
		why = "the email or phone on file of " + u.Username + " was changed within the last " + hours(p.ContactChangedHours)
	case p.MaxPerHour > 0 && made >= p.MaxPerHour:
		why = "these are more resets than one operator makes in an hour here"
	default:
		return nil
	}
	return Errorf(ApprovalRequired, "%s: a second operator must approve", why).
		WithHint("ask for it: logiqc mfa request %s", u.Username)
}

func hours(n int) string {
	if n == 1 {
		return "hour"
	}
	return strconv.Itoa(n) + " hours"
}

// CheckApprover refuses with Forbidden whoever approves nothing at all: a
// token, and a role that the policy does not let.
func (p Policy) CheckApprover(by Actor) error {
	switch {
	case by.Kind != Person:
		return Errorf(Forbidden, "only people approve and reject, not tokens").WithHint("logiqc signin")
	case by.Role != RoleAdmin && by.Role != p.Approvers:
		return Errorf(Forbidden, "%s (%s) may not approve or reject: that is for the role %s here", by.Username, by.Role, RoleAdmin).
			WithHint("ask an administrator")
	}
	return nil
}

// CheckDecide refuses to approve or reject what requester asked for the account:
// Forbidden for a privileged account and for one's own request, SelfReset for
// one's own account, SSOAccount.
func (u User) CheckDecide(by Actor, requesterID string) error {
	if by.Limited() && u.Privileged() {
		return Errorf(Forbidden, "%s is a privileged account: an administrator has to decide", u.Username).
			WithHint("ask an administrator")
	}
	if by.AccountID == requesterID {
		return Errorf(Forbidden, "nobody approves or rejects their own request").WithHint("ask another operator")
	}
	return u.CheckRequest(by)
}

// CheckStepUp refuses with CodeRequired an actor whose sign-in is older than the
// policy allows for what matters most. A token cannot sign in.
func (p Policy) CheckStepUp(by Actor, now Time) error {
	most := time.Duration(p.StepUpMinutes) * time.Minute
	switch {
	case most == 0 || by.Kind == System:
		return nil
	case by.Kind == Token:
		return Errorf(CodeRequired, "this takes a person who has just signed in, and the token %s is none", by.Name).
			WithHint("logiqc signin")
	case now.Sub(by.SignedInAt) > most:
		return Errorf(CodeRequired, "this takes a sign-in that is at most %s old: prove once more that it is you", shortDuration(most)).
			WithHint("logiqc signin")
	}
	return nil
}
