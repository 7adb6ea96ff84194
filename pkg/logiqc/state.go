package logiqc

import "slices"

// StoreState is what a store takes beside reads. The zero StoreState takes
// everything.
type StoreState struct {
	Frozen bool
	Reason string // why it is frozen
	To     string // where it is being moved to or has moved to, passwords masked; "" stays here
	Moved  bool   // it has moved there; otherwise a copy was begun
}

// whileFrozen are the actions that go on in a frozen store: sign-ins with the
// enrolment that one may lead into, audit, keys, revoking sessions and tokens,
// and what keeps the store itself. Every other change is refused, break-glass
// too: whoever could run it can thaw the store, which takes no sign-in there.
var whileFrozen = []Action{
	SigninStarted, SigninSucceeded, SigninFailed, SigninThrottled, SessionCreated, EnrolmentStarted, MFAEnrolled, RecoveryCodeUsed,
	AuditExported, OriginStarted, WitnessAdded, WitnessRemoved, KeyRotated, KeyRetired, SessionRevoked, TokenRevoked,
	StoreFrozen, StoreThawed, StoreBackedUp, StoreRestored, StoreCopied,
}

// CheckPlace refuses every change where the store has moved, or is being
// moved, with Moved.
func (s StoreState) CheckPlace() error {
	switch {
	case s.To == "":
		return nil
	case s.Moved:
		return Errorf(Moved, "this store has moved to %s; nothing was changed here", s.To).
			WithHint("use it there: logiqc config add NAME --store '%s' --use", s.To)
	}
	return Errorf(Moved, "this store was to be moved to %s, and that has not been finished; nothing was changed", s.To).
		WithHint("finish it: logiqc store copy --to %s; or give it up: logiqc store thaw", s.To)
}

// Check refuses a change by its action: Moved, or Frozen for what does not go
// on in a frozen store.
func (s StoreState) Check(action Action) error {
	if err := s.CheckPlace(); err != nil {
		return err
	}
	if !s.Frozen || slices.Contains(whileFrozen, action) {
		return nil
	}
	why := ""
	if s.Reason != "" {
		why = " (" + s.Reason + ")"
	}
	return Errorf(Frozen, "the store is frozen%s; nothing was changed", why).WithHint("an administrator ends it: logiqc store thaw")
}

// CheckAfter is Check at its place in the order of checks: err, which another
// check answered, stands where it says who acts or which account is meant, and
// gives way where it is a rule that comes later.
func (s StoreState) CheckAfter(err error, action Action) error {
	if err != nil {
		code := AsError(err).Code
		later := code.ExitStatus() == Frozen.ExitStatus() && code != SelfReset && code != SSOAccount ||
			code == Conflict || code == ConfirmationRequired
		if !later {
			return err
		}
	}
	if closed := s.Check(action); closed != nil {
		return closed
	}
	return err
}
