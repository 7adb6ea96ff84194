package logiqc

import "time"

// PolicyEdit gives keys of the policy values.
type PolicyEdit struct {
	Request
	Settings []Setting `json:"settings"`
}

// PolicyEdited is the policy after a change, and what differs from before.
type PolicyEdited struct {
	Replayed
	Changed bool     `json:"changed"`
	Policy  Policy   `json:"policy"`
	Changes []Change `json:"changes"`
	// Warnings say what the policy, as it is then, makes impossible.
	Warnings []string `json:"warnings,omitempty"`
}

// CodeCheck is an app code that a caller read out.
type CodeCheck struct {
	Request
	User string `json:"user" required:"true"`
	Code string `json:"code" required:"true"`
}

// CodeChecked is the outcome for a code that was right.
type CodeChecked struct {
	Replayed
	Account Account  `json:"account"`
	Audit   AuditRef `json:"audit"`
	Err     *Error   `json:"error,omitempty"`
}

// CodeIssue asks for an enrolment code, good for TTL or, where that is 0, as
// long as the policy says. A preview that a person is asked after changes
// nothing ([Consent.WillAsk]).
type CodeIssue struct {
	Request
	User string        `json:"user"`
	TTL  time.Duration `json:"ttl"`
}

// CodeIssued is a fresh enrolment code for an account.
type CodeIssued struct {
	Replayed
	Changed bool        `json:"changed"`
	Code    *IssuedCode `json:"enrolment_code"` // nil in a dry run or preview
	Account Account     `json:"account"`
	Audit   *AuditRef   `json:"audit"`
}

// RunFigures tell how far the accounts are that a run reset.
type RunFigures struct {
	Run      string `json:"run"`
	Reset    int    `json:"reset"`
	Enrolled int    `json:"enrolled"`
	Waiting  int    `json:"waiting"`
}
