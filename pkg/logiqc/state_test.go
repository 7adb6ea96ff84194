package logiqc

import (
	"errors"
	"slices"
	"testing"
)

// A frozen store takes exactly this, and a new action is refused until somebody
// says otherwise here.
func TestFrozenRefusesByDefault(t *testing.T) {
	goesOn := []Action{
		SigninStarted, SigninSucceeded, SigninFailed, SigninThrottled, SessionCreated, SessionRevoked, TokenRevoked,
		EnrolmentStarted, MFAEnrolled, RecoveryCodeUsed, AuditExported, OriginStarted, KeyRotated, KeyRetired,
		WitnessAdded, WitnessRemoved,
		StoreFrozen, StoreThawed, StoreBackedUp, StoreRestored, StoreCopied,
	}
	frozen := StoreState{Frozen: true, Reason: "INC-1"}
	moving, moved := StoreState{To: "postgres://db1/x"}, StoreState{To: "postgres://db1/x", Moved: true, Frozen: true}
	for _, action := range append(slices.Clone(Actions), "something.new") {
		if err := frozen.Check(action); (err == nil) != slices.Contains(goesOn, action) || err != nil && !errors.Is(err, Frozen) {
			t.Errorf("frozen, %s: %v", action, err)
		}
		for _, s := range []StoreState{moving, moved} {
			if err := s.Check(action); !errors.Is(err, Moved) {
				t.Errorf("%+v, %s: %v", s, action, err)
			}
		}
		if err := (StoreState{}).Check(action); err != nil {
			t.Errorf("open, %s: %v", action, err)
		}
	}
}

// The place of moved and frozen in the order of checks (cli.md, "Ground rules").
func TestFrozenInOrder(t *testing.T) {
	before := []Code{Usage, Invalid, Unauthenticated, Forbidden, NotFound, Ambiguous, SelfReset, SSOAccount, Internal, Integrity, Unavailable}
	after := []Code{Privileged, ApprovalRequired, PolicyRefused, Enforced, AlreadyEnrolled, LastAdmin, Exists, Throttled, Conflict,
		ConfirmationRequired, CodeRequired}
	s := StoreState{Frozen: true}
	for _, code := range before {
		if err := s.CheckAfter(Errorf(code, "x"), MFAResetDone); !errors.Is(err, code) {
			t.Errorf("%s gives way to %v", code, err)
		}
	}
	for _, code := range after {
		if err := s.CheckAfter(Errorf(code, "x"), MFAResetDone); !errors.Is(err, Frozen) {
			t.Errorf("%s stands before frozen: %v", code, err)
		}
		if err := s.CheckAfter(Errorf(code, "x"), SessionRevoked); !errors.Is(err, code) {
			t.Errorf("%s of what goes on: %v", code, err)
		}
	}
	if err := s.CheckAfter(nil, SessionRevoked); err != nil {
		t.Error(err)
	}
}
