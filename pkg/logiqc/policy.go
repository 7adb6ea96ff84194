package logiqc

import (
	"strings"
	"time"
)

// Policy is the organisation's settings. They are kept in the store and
// changed only by an admin, with an event. Policies are compared with ==.
type Policy struct {
	// Enforced: MFA is required of every account that signs in by password.
	Enforced bool
	// Issuer is the name users see in their authenticator app.
	Issuer string
	// SessionTTL is how long a session lasts.
	SessionTTL time.Duration
	// BulkMax is the most accounts that one reset may name.
	BulkMax int

	// ReasonRequired: a reset takes a reason; Reasons are those to choose from,
	// anything if empty.
	ReasonRequired bool
	Reasons        List
	// Ticket is the regular expression (RE2) for the whole ticket; where it is
	// set a reset takes a ticket.
	Ticket string
	// VerifiedBy are the ways in which a caller may be verified; where there are
	// any a reset takes one.
	VerifiedBy List

	// Approval says which resets a second operator has to approve, Approvers who
	// that may be beside admins.
	Approval  ApprovalRule
	Approvers Role
	// MaxPerHour is how many resets an operator makes in an hour without
	// approval; SameUserHours and ContactChangedHours are how long after the last
	// reset, or a change of the contact on file, a reset takes one. 0 asks nothing.
	MaxPerHour          int
	SameUserHours       int
	ContactChangedHours int
	// StepUpMinutes is how old an operator's sign-in may be for what matters most;
	// 0 asks nothing.
	StepUpMinutes int

	// EnrolmentCode says who enrols with an enrolment code only; CodeTTL how
	// long a code is good for where nothing else is said.
	EnrolmentCode CodeRule
	CodeTTL       time.Duration
	// Window is the time after a reset in which to enrol; then sign-in is held.
	// 0 is for ever.
	Window time.Duration
	// Message is the template of the message about a reset; "" is our own.
	Message string
}

// CodeRule says who enrols with an enrolment code only.
type CodeRule string

// The rules: nobody, unless the operator asked for a code; whoever was reset;
// everybody.
const (
	CodeOff        CodeRule = "off"
	CodeAfterReset CodeRule = "after_reset"
	CodeAlways     CodeRule = "always"
)

// List is a list of words as policy keys write it: with commas between.
type List string

// Items returns the words of the list.
func (l List) Items() []string {
	if l == "" {
		return nil
	}
	return strings.Split(string(l), ",")
}

// Has reports whether the list has the word, letter case and blanks around it
// ignored.
func (l List) Has(word string) bool {
	for _, item := range l.Items() {
		if strings.EqualFold(item, strings.TrimSpace(word)) {
			return true
		}
	}
	return false
}

// String is the list as people read it.
func (l List) String() string { return strings.Join(l.Items(), ", ") }

// DefaultPolicy is what a new store starts with.
func DefaultPolicy() Policy {
	return Policy{
		Enforced: true, Issuer: "Logiqc", SessionTTL: 12 * time.Hour, BulkMax: 500,
		EnrolmentCode: CodeOff, CodeTTL: 15 * time.Minute, Approval: ApproveNone, Approvers: RoleAdmin,
	}
}

// Values returns the policy as its keys, each with the text that Set takes.
func (p Policy) Values() map[string]string {
	values := make(map[string]string, len(policyKeys))
	for _, k := range policyKeys {
		values[k.name] = k.get(p)
	}
	return values
}

// Set gives one key a value; Invalid for an unknown key or an unfit value.
func (p *Policy) Set(key, value string) error {
	for _, k := range policyKeys {
		if k.name != key {
			continue
		}
		if err := k.set(p, value); err != nil {
			return Errorf(Invalid, "%s does not take %q: %w", key, value, err)
		}
		return nil
	}
	return Errorf(Invalid, "%q is no key of the policy", key).WithHint("see them: logiqc policy show")
}

// With returns the policy with the settings of changes made in their order,
// and what differs then, in the order of the keys. Invalid as for Set.
func (p Policy) With(changes []Setting) (Policy, []Change, error) {
	then := p
	for _, s := range changes {
		if err := then.Set(s.Key, s.Value); err != nil {
			return p, nil, err
		}
	}
	var differ []Change
	for _, k := range policyKeys {
		if from, to := k.get(p), k.get(then); from != to {
			differ = append(differ, Change{Field: k.name, From: from, To: to})
		}
	}
	return then, differ, nil
}

// Setting is one key of the policy and its value.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}
