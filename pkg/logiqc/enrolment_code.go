package logiqc

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
)

// The form of an enrolment code: twelve digits, 39.9 bits, with
// [EnrolmentTries] tries (NIST SP 800-63B §4.2.2.2).
const (
	enrolmentCodeDigits = 12
	enrolmentCodeGroup  = 4
)

// The shortest and longest life of an enrolment code: long enough to be typed,
// or to come by letter.
const (
	MinCodeTTL = time.Minute
	MaxCodeTTL = 30 * 24 * time.Hour
)

// EnrolmentCode is a one-time code, as it is stored, without which nobody
// enrols for the account. It stays, dead or alive, until an enrolment is proved
// or a reset or a fresh code takes its place.
type EnrolmentCode struct {
	ID        string
	UserID    string
	Hash      Secret // PHC string
	Tries     int    // wrong ones
	CreatedAt Time
	ExpiresAt Time
}

// Alive reports whether the code is still looked at.
func (c EnrolmentCode) Alive(now Time) bool { return c.Tries < EnrolmentTries && now < c.ExpiresAt }

// IssuedCode is an enrolment code as the operator who asked for it gets it,
// once.
type IssuedCode struct {
	Code      Secret `json:"code"` // "4071 2285 9316"; "" in a retry
	ExpiresAt Time   `json:"expires_at"`
}

// NewEnrolmentCode makes a code: twelve digits, each number as likely, in
// groups of four.
func NewEnrolmentCode(random io.Reader) (Secret, error) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(enrolmentCodeDigits), nil)
	n, err := rand.Int(random, limit)
	if err != nil {
		return "", fmt.Errorf("make an enrolment code: %w", err)
	}
	digits := fmt.Sprintf("%0*d", enrolmentCodeDigits, n)
	var groups []string
	for at := 0; at < len(digits); at += enrolmentCodeGroup {
		groups = append(groups, digits[at:at+enrolmentCodeGroup])
	}
	return Secret(strings.Join(groups, " ")), nil
}

// ParseEnrolmentCode returns the twelve digits of a typed code, blanks and
// dashes dropped, and whether it has that form.
func ParseEnrolmentCode(typed string) (digits Secret, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	s := strings.NewReplacer(" ", "", "\t", "", "\u00a0", "", "-", "").Replace(strings.TrimSpace(typed))
	if len(s) != enrolmentCodeDigits || strings.Trim(s, "0123456789") != "" {
		return "", false
	}
	return Secret(s), true
}

// CheckCodeTTL refuses with Usage a life that no enrolment code has.
func CheckCodeTTL(d time.Duration) error {
	if d < MinCodeTTL || d > MaxCodeTTL {
		return Errorf(Usage, "an enrolment code is good for 1 minute to 30 days")
	}
	return nil
}

// NeedsEnrolmentCode reports whether nobody enrols for the account without an
// enrolment code: because one was issued for it, or because the policy says so.
// Whoever is enrolled moves to a new phone with the old factor instead.
func (u User) NeedsEnrolmentCode(p Policy) bool {
	switch {
	case u.Enrolled != nil || u.Auth == BySSO:
		return false
	case u.Code != nil || p.EnrolmentCode == CodeAlways:
		return true
	}
	return p.EnrolmentCode == CodeAfterReset && u.ResetAt != 0
}

// CheckIssue refuses an enrolment code for the account: Forbidden, SelfReset
// or SSOAccount as for a reset, and AlreadyEnrolled.
func (u User) CheckIssue(by Actor) error {
	if err := u.CheckTouch(by); err != nil {
		return err
	}
	if by.IsSelf(u.ID) {
		return Errorf(SelfReset, "nobody gives themselves an enrolment code").WithHint("ask another operator")
	}
	if err := u.CheckHasMFA("enrol"); err != nil {
		return err
	}
	if u.Enrolled != nil {
		return Errorf(AlreadyEnrolled, "%s is enrolled already: there is nothing to enrol", u.Username).
			WithHint("for a lost phone: logiqc mfa reset %s --enrolment-code", u.Username)
	}
	return nil
}

// CheckVerify refuses to prove the app code of the account: Forbidden, for
// one's own account too, SSOAccount, and EnrolmentRequired where there is no
// app.
func (u User) CheckVerify(by Actor) error {
	if err := u.CheckTouch(by); err != nil {
		return err
	}
	if by.IsSelf(u.ID) {
		return Errorf(Forbidden, "nobody verifies themselves").WithHint("ask another operator")
	}
	if err := u.CheckHasMFA("verify"); err != nil {
		return err
	}
	if u.Enrolled == nil {
		return Errorf(EnrolmentRequired, "%s has no authenticator app set up: there is no code to verify", u.Username)
	}
	return nil
}
