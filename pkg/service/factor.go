package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

// A step is one call on a half-finished sign-in: it gets the transaction, the
// session and its account, and answers the caller. What it wrote is committed
// whatever the answer is; only err rolls back.
type step func(t *txn, sess *store.Session, u *logiqc.User) (answer, err error)

// proceed runs a step of the sign-in that bearer holds.
func (s *signIn) proceed(ctx context.Context, bearer logiqc.Secret, src logiqc.Source, do step) error {
	prefix, hash, ok := parseBearer(bearer)
	if !ok || prefix != sessionPrefix {
		return unauthenticated("that is no sign-in of logiqc")
	}
	if err := s.mayPassOn(ctx); err != nil {
		return err
	}
	var answer error
	var who logiqc.Actor
	err := s.desk.store.Update(ctx, func(tx *store.Tx) error {
		sess, err := tx.SessionByHash(hash)
		if err != nil {
			return signinOver(err)
		}
		u, err := tx.UserByID(sess.UserID)
		if err != nil {
			return err
		}
		who = asTarget(u, true, s.whence(src, &sess))
		t, err := s.desk.begin(tx, who, logiqc.Request{})
		if err != nil {
			return err
		}
		if answer = u.CheckHeld(t.policy, t.Now()); answer != nil {
			err = t.heldBack(&u, logiqc.Details{})
		} else {
			answer, err = do(t, &sess, &u)
		}
		if err != nil {
			return err
		}
		return t.flush()
	})
	if err != nil {
		return s.desk.refused(ctx, who, logiqc.Request{}, err)
	}
	return answer
}

// refused records that a rule refused the user something, and answers with it.
func (t *txn) refused(action logiqc.Action, u logiqc.User, why error) (answer, err error) {
	return t.refusedAfter(action, u, logiqc.Details{}, why)
}

// refusedAfter is refused with what had been right until then.
func (t *txn) refusedAfter(action logiqc.Action, u logiqc.User, right logiqc.Details, why error) (answer, err error) {
	if e := logiqc.AsError(why); e.Recorded() {
		_, err = t.append(logiqc.Body{Action: action, Outcome: logiqc.Denied, Target: u.Target(), Code: e.Code, Details: right})
	}
	return why, err
}

// signinOver says that a sign-in cannot go on.
func signinOver(err error) error {
	if logiqc.AsError(err).Code == logiqc.NotFound {
		return unauthenticated("this sign-in is over: it took too long, or the account was changed meanwhile")
	}
	return err
}

// Code implements [logiqc.SignIn].
func (s *signIn) Code(ctx context.Context, bearer logiqc.Secret, code string, src logiqc.Source) (at logiqc.Attempt, err error) {
	err = s.proceed(ctx, bearer, src, func(t *txn, sess *store.Session, u *logiqc.User) (error, error) {
		if err := awaitsCode(sess, u); err != nil {
			return err, nil
		}
		spent, answer, err := t.verifySecondFactor(u, code, logiqc.SigninFailed)
		if answer != nil || err != nil {
			return answer, err
		}
		fresh, err := t.passed(sess, u, logiqc.Details{Method: "code", Step: spent})
		at = t.attempt(*sess, *u, cmp.Or(fresh, bearer))
		return nil, err
	})
	return at, err
}

// RecoveryCode implements [logiqc.SignIn].
func (s *signIn) RecoveryCode(ctx context.Context, bearer, code logiqc.Secret, src logiqc.Source) (at logiqc.Attempt, err error) {
	err = s.proceed(ctx, bearer, src, func(t *txn, sess *store.Session, u *logiqc.User) (error, error) {
		if err := awaitsCode(sess, u); err != nil {
			return err, nil
		}
		if sess.Purpose == logiqc.RecoveryPurpose {
			return logiqc.Errorf(logiqc.WrongCode, "fresh recovery codes take a code of the app, not a recovery code"), nil
		}
		answer, err := t.spendRecoveryCode(u, code)
		if answer != nil || err != nil {
			return answer, err
		}
		fresh, err := t.passed(sess, u, logiqc.Details{Method: byRecoveryCode})
		at = t.attempt(*sess, *u, cmp.Or(fresh, bearer))
		return nil, err
	})
	return at, err
}

// byRecoveryCode is the method of a sign-in with a recovery code.
const byRecoveryCode = "recovery_code"

// awaitsCode refuses a code where none is asked for.
func awaitsCode(sess *store.Session, u *logiqc.User) error {
	if sess.Stage == logiqc.StageCode && u.Enrolled != nil {
		return nil
	}
	return logiqc.Errorf(logiqc.Conflict, "this sign-in does not wait for a code")
}

// passed moves a sign-in on after its second factor: to a session, whose token
// it returns, or to the one thing it was made for.
func (t *txn) passed(sess *store.Session, u *logiqc.User, d logiqc.Details) (fresh logiqc.Secret, err error) {
	u.CodeThrottle = logiqc.Throttle{}
	if sess.Purpose == logiqc.SigninPurpose {
		if d.Method == byRecoveryCode {
			// The way to a new phone without the desk (product.md R16): see
			// mayReplace for how long it is open.
			sess.Purpose = logiqc.ReplacePurpose
		}
		return t.finish(sess, u, d)
	}
	sess.Stage = logiqc.StageEnrol
	if err := t.UpdateSession(*sess); err != nil {
		return "", err
	}
	if err := t.UpdateUser(u); err != nil {
		return "", err
	}
	d.Session, d.Next = sess.ID, string(sess.Purpose)
	_, err = t.record(logiqc.SigninStarted, u.Target(), d)
	return "", err
}

// verifySecondFactor is the one place where an app code is taken: for its own
// 30 s step and one either side, once, the step moving forward only
// (RFC 6238 §5.2, ASVS 6.5.1). It returns the step spent. missed is the action
// that a wrong code is recorded as.
func (t *txn) verifySecondFactor(u *logiqc.User, code string, missed logiqc.Action) (spent int64, answer, err error) {
	if answer, err = t.factorOpen(u); answer != nil || err != nil {
		return 0, answer, err
	}
	m, err := t.matchCode(*u, *u.Enrolled, code)
	if err != nil {
		answer, err = t.notOpened(u, missed, err)
		return 0, answer, err
	}
	cause := causeCode
	if m.OK {
		ok, err := t.SpendStep(u.Enrolled.ID, m.Step)
		if ok || err != nil {
			u.Enrolled.Step, u.Enrolled.LastUsedAt = m.Step, t.Now()
			return m.Step, nil, err
		}
		cause = causeReplayed
	}
	u.CodeThrottle = u.CodeThrottle.Miss(t.Now())
	whose := yourDevices
	if missed == logiqc.MFACodeVerified { // the operator reads this
		whose = "the caller's phone's"
	}
	return 0, t.wrongCode(m, cause, whose), t.missed(u, missed, cause, u.CodeThrottle.Misses, int64(m.Drift.Seconds()))
}

// matchCode opens the secret of an enrolment and compares the code with it.
func (t *txn) matchCode(u logiqc.User, e logiqc.Enrolment, code string) (totp.Match, error) {
	box, storeID, err := t.box()
	if err != nil {
		return totp.Match{}, err
	}
	raw, err := box.Open(e.Sealed, seal.AssociatedData(storeID, u.ID, e.ID))
	if err != nil {
		return totp.Match{}, logiqc.Errorf(logiqc.Integrity,
			"the sealed secret of %s cannot be opened: it was altered, or these are not its keys", u.Username).
			WithHint("reset it and let the user enrol again: logiqc mfa reset %s", u.Username)
	}
	key, err := totp.KeyFromBytes(raw)
	if err != nil {
		return totp.Match{}, fmt.Errorf("the secret of %s: %w", u.Username, err)
	}
	return totp.Check(key, code, t.Now().Std()), nil
}

// notOpened records that a code could not be compared because the sealed secret
// is not what was sealed (S-62), which is nobody's miss. Any other failure is
// left as it is.
func (t *txn) notOpened(u *logiqc.User, action logiqc.Action, why error) (answer, err error) {
	if !errors.Is(why, logiqc.Integrity) {
		return nil, why
	}
	u.LastFailure = logiqc.Failure{At: t.Now(), Reason: causeSealed, Host: t.actor.Source.Host}
	if err := t.UpdateUser(u); err != nil {
		return nil, err
	}
	_, err = t.append(logiqc.Body{Action: action, Outcome: logiqc.Failed, Target: u.Target(), Code: logiqc.Integrity,
		Details: logiqc.Details{Cause: causeSealed}})
	return why, err
}

// yourDevices is whose the clock is, for whoever signs in.
const yourDevices = "your device's"

// wrongCode tells what is wrong with a code; that the clock of whose device is
// off where that explains it (product.md R14).
func (t *txn) wrongCode(m totp.Match, cause, whose string) error {
	switch {
	case cause == causeReplayed:
		return logiqc.Errorf(logiqc.WrongCode, "that code has been used already").
			WithHint("wait for the next one in the app")
	case m.Drifted:
		return logiqc.Errorf(logiqc.WrongCode, "wrong code: %s clock is %s; the server's time is %s", whose,
			totp.DescribeDrift(m.Drift), t.Now().Std().Format("15:04:05 UTC")).
			WithHint("turn on automatic time on the phone")
	}
	return logiqc.Errorf(logiqc.WrongCode, "wrong code")
}

// factorOpen refuses a try while the factor is throttled, unevaluated and
// uncounted.
func (t *txn) factorOpen(u *logiqc.User) (answer, err error) {
	w := &u.CodeThrottle
	switch {
	case w.Locked():
		return logiqc.Errorf(logiqc.Throttled, "too many wrong codes in a row: only the help desk can open this account again").
			WithHint("for the operator: logiqc users unlock %s", u.Username), t.throttled(u, w)
	case w.Waiting(t.Now()):
		return logiqc.Errorf(logiqc.Throttled, "too many wrong codes: wait until %s", w.Until.Std().Format("15:04:05 UTC")).
			WithHint("codes given before then are not looked at"), t.throttled(u, w)
	}
	return nil, nil
}

// spendRecoveryCode takes a recovery code of the account's own enrolment, once.
// Wrong ones count as wrong app codes do.
func (t *txn) spendRecoveryCode(u *logiqc.User, given logiqc.Secret) (answer, err error) {
	if answer, err = t.factorOpen(u); answer != nil || err != nil {
		return answer, err
	}
	if code, ok := totp.ParseRecoveryCode(given.Reveal()); ok {
		left, ok, err := t.SpendRecoveryCode(u.Enrolled.ID, code.Hash(u.Enrolled.ID))
		if err != nil {
			return nil, err
		}
		if ok {
			u.RecoveryLeft = len(left)
			_, err = t.record(logiqc.RecoveryCodeUsed, u.Target(), logiqc.Details{RecoveryCodes: &u.RecoveryLeft, RecoveryDigest: logiqc.Digest(left...)})
			return nil, err
		}
	}
	u.CodeThrottle = u.CodeThrottle.Miss(t.Now())
	return logiqc.Errorf(logiqc.WrongCode, "wrong recovery code, or one that has been used"),
		t.missed(u, logiqc.SigninFailed, causeRecovery, u.CodeThrottle.Misses, 0)
}
