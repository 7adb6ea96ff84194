package logiqc

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The names of the policy's keys.
const (
	KeyEnforced      = "mfa.enforced"
	KeyReason        = "reset.reason"
	KeyReasons       = "reset.reasons"
	KeyTicket        = "reset.ticket"
	KeyVerifiedBy    = "reset.verified_by"
	KeyApproval      = "reset.approval"
	KeyApprovers     = "reset.approvers"
	KeyMaxPerHour    = "reset.max_per_hour"
	KeyBulkMax       = "reset.bulk_max"
	KeyEnrolmentCode = "enrolment.code"
	KeyCodeTTL       = "enrolment.code_ttl"
	KeyWindow        = "enrolment.window"
	KeySessionTTL    = "session.ttl"
	KeyStepUp        = "stepup.minutes"
	KeySameUser      = "reset.same_user_hours"
	KeyContact       = "reset.contact_changed_hours"
	KeyIssuer        = "totp.issuer"
	KeyMessage       = "message.template"
)

// policyKey is one key: its text in a policy, and how a text is put into one.
type policyKey struct {
	name string
	get  func(Policy) string
	set  func(*Policy, string) error
}

// policyKeys are the keys in the order of the contract.
var policyKeys = []policyKey{
	{KeyEnforced, func(p Policy) string { return strconv.FormatBool(p.Enforced) }, func(p *Policy, s string) (err error) {
		p.Enforced, err = strconv.ParseBool(s)
		return err
	}},
	{KeyReason, func(p Policy) string { return optional(p.ReasonRequired) }, func(p *Policy, s string) error {
		p.ReasonRequired = s == optional(true)
		return oneOf(s, optional(false), optional(true))
	}},
	{KeyReasons, func(p Policy) string { return string(p.Reasons) }, func(p *Policy, s string) (err error) {
		p.Reasons, err = parseList(s)
		return err
	}},
	{KeyTicket, func(p Policy) string { return p.Ticket }, setTicket},
	{KeyVerifiedBy, func(p Policy) string { return string(p.VerifiedBy) }, setVerifiedBy},
	{KeyApproval, func(p Policy) string { return string(p.Approval) }, func(p *Policy, s string) error {
		p.Approval = ApprovalRule(s)
		return oneOf(s, string(ApproveNone), string(ApprovePrivileged), string(ApproveAll))
	}},
	{KeyApprovers, func(p Policy) string { return string(p.Approvers) }, func(p *Policy, s string) error {
		p.Approvers = Role(s)
		return oneOf(s, string(RoleAdmin), string(RoleHelpdesk))
	}},
	numberKey(KeyMaxPerHour, 1_000_000, func(p *Policy) *int { return &p.MaxPerHour }),
	{KeyBulkMax, func(p Policy) string { return strconv.Itoa(p.BulkMax) }, func(p *Policy, s string) (err error) {
		if p.BulkMax, err = strconv.Atoi(s); err != nil || p.BulkMax < 1 {
			return fmt.Errorf("it is a number from 1 up")
		}
		return nil
	}},
	{KeyEnrolmentCode, func(p Policy) string { return string(p.EnrolmentCode) }, func(p *Policy, s string) error {
		p.EnrolmentCode = CodeRule(s)
		return oneOf(s, string(CodeOff), string(CodeAfterReset), string(CodeAlways))
	}},
	{KeyCodeTTL, func(p Policy) string { return shortDuration(p.CodeTTL) }, func(p *Policy, s string) (err error) {
		if p.CodeTTL, err = ParseAge(s); err == nil {
			err = CheckCodeTTL(p.CodeTTL)
		}
		return err
	}},
	{KeyWindow, func(p Policy) string { return shortDuration(p.Window) }, func(p *Policy, s string) (err error) {
		p.Window, err = parseSpan(s, 0)
		return err
	}},
	{KeySessionTTL, func(p Policy) string { return shortDuration(p.SessionTTL) }, func(p *Policy, s string) (err error) {
		p.SessionTTL, err = parseSpan(s, time.Minute)
		return err
	}},
	numberKey(KeyStepUp, longestHours*60, func(p *Policy) *int { return &p.StepUpMinutes }),
	numberKey(KeySameUser, longestHours, func(p *Policy) *int { return &p.SameUserHours }),
	numberKey(KeyContact, longestHours, func(p *Policy) *int { return &p.ContactChangedHours }),
	{KeyIssuer, func(p Policy) string { return p.Issuer }, func(p *Policy, s string) error {
		p.Issuer = s
		return CheckIssuer(s)
	}},
	{KeyMessage, func(p Policy) string { return p.Message }, func(p *Policy, s string) error {
		p.Message = s
		return checkTemplate(s)
	}},
}

// longestHours is [longestSpan] for keys that count hours.
const longestHours = int(longestSpan / time.Hour)

// numberKey is a key whose value is a number from 0, which asks nothing, up to
// most.
func numberKey(name string, most int, of func(*Policy) *int) policyKey {
	return policyKey{name, func(p Policy) string { return strconv.Itoa(*of(&p)) }, func(p *Policy, s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > most {
			return fmt.Errorf("it is a number from 0 to %d", most)
		}
		*of(p) = n
		return nil
	}}
}

// PolicyKeys lists the keys, in the order of the contract.
var PolicyKeys = func() (names []string) {
	for _, k := range policyKeys {
		names = append(names, k.name)
	}
	return names
}()

func optional(required bool) string {
	if required {
		return "required"
	}
	return "optional"
}

func oneOf(s string, words ...string) error {
	if slices.Contains(words, s) {
		return nil
	}
	return fmt.Errorf("it is one of %s", strings.Join(words, ", "))
}

// longestSpan bounds times in the policy: what is meant longer is meant for
// ever.
const longestSpan = 10 * 365 * 24 * time.Hour

func parseSpan(s string, least time.Duration) (time.Duration, error) {
	d, err := ParseAge(s)
	switch {
	case err != nil:
		return d, err
	case d < least || d > longestSpan:
		return d, fmt.Errorf("it is a time from %s to ten years", shortDuration(least))
	}
	return d, nil
}

// shortDuration is a length of time without the units that are 0: "12h".
func shortDuration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parseList reads words with commas between; blanks around them and empty ones
// are dropped.
func parseList(s string) (List, error) {
	if err := CheckText("the list", s, MaxReason); err != nil {
		return "", err
	}
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return List(strings.Join(items, ",")), nil
}

func setTicket(p *Policy, s string) error {
	p.Ticket = s
	if err := CheckText("the expression", s, MaxName); err != nil {
		return err
	}
	if _, err := regexp.Compile(s); err != nil { // alone: wholeText could close a bracket for it
		return err
	}
	_, err := wholeText(s)
	return err
}

// wholeText compiles an expression so that it has to match all of a text.
func wholeText(expr string) (*regexp.Regexp, error) { return regexp.Compile(`\A(?:` + expr + `)\z`) }

func setVerifiedBy(p *Policy, s string) (err error) {
	if p.VerifiedBy, err = parseList(s); err != nil {
		return err
	}
	for _, way := range p.VerifiedBy.Items() {
		if isKnowledge(way) {
			return fmt.Errorf("%s is what others know too and verifies nobody; "+
				"call back on the number on file, ask the manager, see the person", way)
		}
	}
	return nil
}

var (
	wordBreaks = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`[^a-z0-9]+`)
	})
	// knowledge is what many people know of somebody (ASVS 6.4.4; the attacks of
	// UNC3944 began with it): names, dates of birth, numbers of employees.
	knowledge = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(.*_)?(name|surname|username|dob|birth|birthday|birthdate|ssn|maiden|address)(_.*)?$|` +
			`(full|first|last|user)name|dateofbirth|(employee|staff|personnel|payroll|badge)_?(number|no|nr|num|id)(_|$)`)
	})
)

func isKnowledge(way string) bool {
	return knowledge().MatchString(strings.Trim(wordBreaks().ReplaceAllString(strings.ToLower(way), "_"), "_"))
}
