package logiqc

import "time"

// Reset is one batch of resets.
type Reset struct {
	Request
	KeepSessions bool `json:"keep_sessions"`
	// Hold holds the sign-in of the accounts until they are unlocked.
	Hold bool `json:"hold"`
	// EnrolmentCode asks for an enrolment code for each account, good for CodeTTL
	// or, where that is 0, as long as the policy says.
	EnrolmentCode bool          `json:"enrolment_code"`
	CodeTTL       time.Duration `json:"code_ttl"`
	Users         []ResetTarget `json:"users"`
	// Total is how many accounts the whole run names, over all its batches; more
	// than Max, where that is not 0, are refused like more than the policy allows.
	Total int `json:"total"`
	Max   int `json:"max,omitempty"`
	// Seen are the ids of accounts that earlier batches of the run dealt with:
	// those that this one may name again.
	Seen []string `json:"seen,omitempty"`
}

// ResetTarget is one account to reset.
type ResetTarget struct {
	User string `json:"user"`
	// Shown is the mark of what was shown of the account ([User.Shown]); ""
	// where nothing was.
	Shown string `json:"shown,omitempty"`
	// IfEnrolledAt refuses when the account's enrolled_at is another; a zero
	// time stands for none.
	IfEnrolledAt *Time `json:"if_enrolled_at,omitempty"`
	// IfUsername refuses when User means an account of another username; ""
	// asks for nothing.
	IfUsername string `json:"if_username,omitempty"`
}

// ResetOutcome is how a reset of one account ended.
type ResetOutcome string

// The outcomes of a reset, and of a request for one.
const (
	ResetDone      ResetOutcome = "reset"
	ResetWould     ResetOutcome = "would_reset"
	ResetUnchanged ResetOutcome = "unchanged"
	ResetRefused   ResetOutcome = "refused"
	ResetIgnored   ResetOutcome = "ignored"
	ResetFailed    ResetOutcome = "failed"
	// Those of a request for one.
	ResetRequested    ResetOutcome = "requested"
	ResetWouldRequest ResetOutcome = "would_request"
)

// Cleared is what a reset cleared, or would.
type Cleared struct {
	Authenticator bool `json:"authenticator"`
	Pending       bool `json:"pending"`
	RecoveryCodes int  `json:"recovery_codes"`
	Sessions      int  `json:"sessions"`
}

// AuditRef points at an event.
type AuditRef struct {
	Seq int64  `json:"seq"`
	ID  string `json:"id"`
}

// ResetResult is the outcome for one account of a Reset. A preview that only
// needs consent has the code ConfirmationRequired and outcome would_reset.
type ResetResult struct {
	Replayed
	Input      string       `json:"input"`
	User       string       `json:"user"`
	Outcome    ResetOutcome `json:"outcome"`
	Changed    bool         `json:"changed"`
	Cleared    Cleared      `json:"cleared"`
	NextSignin string       `json:"next_signin"` // enrol, password or blocked
	Account    *Account     `json:"account"`     // after; nil when none was found
	Audit      *AuditRef    `json:"audit"`
	Shown      string       `json:"shown"`
	At         Time         `json:"at"`
	// EnrolmentCode is the code that was issued; WithCode tells that one was, or
	// would be.
	EnrolmentCode *IssuedCode `json:"enrolment_code"`
	WithCode      bool        `json:"with_code"`
	// Message is the message to the user, "" where there is none to send, with
	// [PlaceTime] where the time At is to be put.
	Message string `json:"message"`
	Err     *Error `json:"error,omitempty"`
	// MayRequest tells of a refusal, or of a privileged account, that the actor
	// may ask a second operator for approval instead.
	MayRequest bool `json:"may_request,omitempty"`
	// Approval is the request for approval: the one that was made, or approved.
	Approval *Approval `json:"approval,omitempty"`
	// Open are the requests for the account that were open before, where
	// another is made, or would be.
	Open []ApprovalRef `json:"open,omitempty"`
}

// Reset clears what links the account to an authenticator app, and nothing else
// (product.md R2): the enrolment, a pending one, the recovery codes, the misses of
// codes and the wait they caused. With hold, its sign-in waits.
func (u *User) Reset(by string, now Time, hold bool) {
	u.Enrolled, u.Pending, u.RecoveryLeft, u.Code = nil, nil, 0, nil
	u.CodeThrottle = Throttle{}
	u.ResetAt, u.ResetBy, u.ResetSeen, u.WindowAt = now, by, false, now
	if hold {
		u.HeldAt = now
	}
}
