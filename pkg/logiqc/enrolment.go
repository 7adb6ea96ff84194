package logiqc

import "time"

// EnrolmentState is how far an account's link to an authenticator app is.
type EnrolmentState string

// The states: no link; secret shown but no app code proved yet; proved.
const (
	EnrolmentNone     EnrolmentState = "none"
	EnrolmentPending  EnrolmentState = "pending"
	EnrolmentEnrolled EnrolmentState = "enrolled"
)

// The bounds of an enrolment (product.md R12; NIST SP 800-63B §4.1.2.2) and
// of the recovery codes handed out with it.
const (
	PendingFor        = 10 * time.Minute // renewed by each attempt
	PendingAtMost     = 60 * time.Minute
	EnrolmentTries    = 5
	RecoveryCodeCount = 10
)

// Enrolment is one link between an account and an authenticator app.
type Enrolment struct {
	ID         string
	UserID     string
	State      EnrolmentState // pending or enrolled
	Sealed     string         // the secret, sealed for this account and enrolment
	Step       int64          // the newest time step spent; only grows
	CreatedAt  Time
	ExpiresAt  Time // of a pending one
	EnrolledAt Time
	LastUsedAt Time // never for one that was only proved
	// CodeID is the enrolment code with which a pending one was started, or "".
	CodeID string
}

// Renewed returns when a pending enrolment expires after an attempt at now.
func (e Enrolment) Renewed(now Time) Time {
	return min(now.Add(PendingFor), e.CreatedAt.Add(PendingAtMost))
}

// The bounds of throttling (product.md R13; NIST SP 800-63B §3.2.2, ASVS
// 6.3.1): waits start with the fifth miss in a row and double from 30 seconds
// to an hour; a hundred wrong codes in a row need an operator.
const (
	freeMisses = 5
	firstWait  = 30 * time.Second
	longest    = time.Hour
	lockAfter  = 100
)

// Throttle counts the misses in a row of one factor of one account.
type Throttle struct {
	Misses int
	Until  Time // tries before it are refused unevaluated
	Told   bool // the event of this wait has been written
}

// Waiting reports whether a try at now is refused unevaluated.
func (t Throttle) Waiting(now Time) bool { return now < t.Until }

// Locked reports whether only an operator can end the wait. It is asked of
// the counter of codes; that of passwords never locks.
func (t Throttle) Locked() bool { return t.Misses >= lockAfter }

// Miss returns the throttle after one more miss at now.
func (t Throttle) Miss(now Time) Throttle {
	t.Misses++
	t.Told = false
	if over := t.Misses - freeMisses; over >= 0 {
		wait := longest
		if over < 7 { // 30 s << 7 is past the hour
			wait = min(longest, firstWait<<over)
		}
		t.Until = now.Add(wait)
	}
	return t
}
