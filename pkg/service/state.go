package service

import (
	"errors"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// stateOf is what the store takes. It is read once in a transaction.
func (t *txn) stateOf() (logiqc.StoreState, error) {
	if t.state == nil {
		s, err := t.State()
		if err != nil {
			return s, err
		}
		t.state = &s
	}
	return *t.state, nil
}

// closed refuses the action in a store that is frozen or has moved. err is what
// another check answered; it stands if it comes first in the order of checks.
func (t *txn) closed(action logiqc.Action, err error) error {
	s, failed := t.stateOf()
	if failed != nil {
		return failed
	}
	return s.CheckAfter(err, action)
}

// check is closed, with a refusal that is recorded.
func (t *txn) check(action logiqc.Action, target string, err error) error {
	if err := t.closed(action, err); err != nil {
		return refuse(action, target, err)
	}
	return nil
}

// afterState puts a refusal that is about to be recorded behind that of a store
// which is closed.
func (t *txn) afterState(err error) error {
	var refused *refusal
	if !errors.As(err, &refused) {
		return err
	}
	again := t.check(refused.action, refused.target, refused.err)
	if r, ok := again.(*refusal); ok { //nolint:errorlint // as check made it
		r.about = refused.about
	}
	return again
}

// needs refuses the action when the actor lacks the right, and then where the
// store is closed to it: all there is to ask of a change that is about no one
// account.
func (t *txn) needs(right logiqc.Right, action logiqc.Action, target string) error {
	if err := t.need(right, action, target); err != nil {
		return err
	}
	return t.check(action, target, nil)
}
