package service

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

// StartEnrolment implements [logiqc.SignIn].
func (s *signIn) StartEnrolment(ctx context.Context, bearer logiqc.Secret, src logiqc.Source) (p logiqc.PendingEnrolment, err error) {
	err = s.proceed(ctx, bearer, src, func(t *txn, sess *store.Session, u *logiqc.User) (error, error) {
		err := mayEnrol(sess, u, t.Now())
		if err == nil && !t.mayStart(*sess, *u) {
			err = codeRequired(*u)
		}
		if u.Enrolled != nil {
			err = t.closed(logiqc.MFAReplaced, err)
		}
		if err != nil {
			return t.refused(logiqc.EnrolmentStarted, *u, err)
		}
		p, err = t.startEnrolment(sess, u)
		return nil, err
	})
	return p, err
}

// mayEnrol refuses an enrolment where it would overwrite a link that works
// (NIST SP 800-63B §4.1.2.1), or before the old factor is proved.
func mayEnrol(sess *store.Session, u *logiqc.User, now logiqc.Time) error {
	switch {
	case sess.Stage == logiqc.StageCode:
		return logiqc.Errorf(logiqc.CodeRequired, "a code of the old app, or a recovery code, comes first").
			WithHint("logiqc enrol %s --replace --code C", u.Username)
	case u.Enrolled != nil && !mayReplace(sess, now):
		return logiqc.Errorf(logiqc.AlreadyEnrolled, "%s is enrolled already", u.Username).
			WithHint("to move to a new phone: logiqc enrol %s --replace", u.Username)
	}
	return nil
}

// mayReplace tells whether a link that works may be replaced: by an attempt
// made for that, and by a session that began with the password and a recovery
// code, for as long after that as such an attempt would last.
func mayReplace(sess *store.Session, now logiqc.Time) bool {
	return sess.Purpose == logiqc.ReplacePurpose &&
		(sess.Stage != logiqc.StageSignedIn || now < sess.SignedInAt.Add(logiqc.AttemptFor))
}

// startEnrolment makes a fresh secret, pending until a code proves it.
func (t *txn) startEnrolment(sess *store.Session, u *logiqc.User) (p logiqc.PendingEnrolment, err error) {
	id, err := t.desk.newID()
	if err != nil {
		return p, err
	}
	key, err := totp.NewKey(t.desk.rand)
	if err != nil {
		return p, err
	}
	box, storeID, err := t.box()
	if err != nil {
		return p, err
	}
	sealed, err := box.Seal(key.Bytes(), seal.AssociatedData(storeID, u.ID, id))
	if err != nil {
		return p, err
	}
	e := logiqc.Enrolment{ID: id, UserID: u.ID, State: logiqc.EnrolmentPending, Sealed: sealed, CreatedAt: t.Now(), CodeID: sess.CodeID}
	e.ExpiresAt = e.Renewed(t.Now())
	if err := t.PutPending(e); err != nil {
		return p, err
	}
	if err := t.outlive(sess, e.ExpiresAt); err != nil {
		return p, err
	}
	d := logiqc.Details{Enrolment: id, Session: sess.ID}
	if u.Enrolled != nil {
		d.Replaces = u.Enrolled.ID
	}
	_, err = t.record(logiqc.EnrolmentStarted, u.Target(), d)
	return logiqc.PendingEnrolment{
		User: u.Username, Issuer: t.policy.Issuer, Label: u.Username, Secret: logiqc.Secret(key.Base32()),
		URI: logiqc.Secret(totp.URI(t.policy.Issuer, u.Username, key)), ExpiresAt: e.ExpiresAt,
	}, err
}

// outlive keeps an attempt alive as long as the enrolment it leads to. A session
// ends when the policy has said, whatever is done in it.
func (t *txn) outlive(sess *store.Session, until logiqc.Time) error {
	if sess.Stage == logiqc.StageSignedIn || sess.ExpiresAt >= until {
		return nil
	}
	sess.ExpiresAt = until
	return t.UpdateSession(*sess)
}

// ProveEnrolment implements [logiqc.SignIn].
func (s *signIn) ProveEnrolment(ctx context.Context, bearer logiqc.Secret, code string, src logiqc.Source) (out logiqc.Enrolled, err error) {
	err = s.proceed(ctx, bearer, src, func(t *txn, sess *store.Session, u *logiqc.User) (answer, err error) {
		if answer = awaitsProof(sess, u, t.Now()); answer == nil && !t.mayProve(*sess, *u) {
			answer = codeRequired(*u)
		}
		if answer != nil {
			return t.refused(logiqc.MFAEnrolled, *u, answer)
		}
		spent, answer, err := t.verifyPending(sess, u, code)
		if answer != nil || err != nil {
			return answer, err
		}
		out, answer, err = t.enrolled(sess, u, spent)
		if out.Attempt.Stage == logiqc.StageSignedIn { // a session that was one before keeps its token
			out.Attempt.Token = cmp.Or(out.Attempt.Token, bearer)
		}
		return answer, err
	})
	return out, err
}

// awaitsProof refuses a proof where nothing waits for one. An attempt to
// replace needs no second proof of the old factor here: the pending secret was
// only given to somebody who proved it.
func awaitsProof(sess *store.Session, u *logiqc.User, now logiqc.Time) error {
	hint := "start again: logiqc enrol " + u.Username
	if u.Enrolled != nil {
		hint += " --replace"
	}
	switch {
	case u.Enrolled != nil && sess.Purpose != logiqc.ReplacePurpose:
		return mayEnrol(sess, u, now)
	case u.Pending == nil:
		return logiqc.Errorf(logiqc.EnrolmentRequired, "no enrolment has been started for %s", u.Username).WithHint("%s", hint)
	case u.PendingAt(now) == nil:
		return logiqc.Errorf(logiqc.Expired, "the enrolment that was started has expired").WithHint("%s", hint)
	}
	return nil
}

// verifyPending checks the first code of a pending secret. Each attempt, right
// or wrong, renews the time that is left; a wrong one counts as any wrong code.
func (t *txn) verifyPending(sess *store.Session, u *logiqc.User, code string) (spent int64, answer, err error) {
	if answer, err = t.factorOpen(u); answer != nil || err != nil {
		return 0, answer, err
	}
	m, err := t.matchCode(*u, *u.Pending, code)
	if err != nil {
		answer, err = t.notOpened(u, logiqc.MFAEnrolled, err)
		return 0, answer, err
	}
	if m.OK {
		return m.Step, nil, nil
	}
	until := u.Pending.Renewed(t.Now())
	if err := t.RenewPending(u.Pending.ID, until); err != nil {
		return 0, nil, err
	}
	if err := t.outlive(sess, until); err != nil {
		return 0, nil, err
	}
	u.CodeThrottle = u.CodeThrottle.Miss(t.Now())
	u.LastFailure = logiqc.Failure{At: t.Now(), Reason: causeCode, Host: t.actor.Source.Host}
	if err := t.UpdateUser(u); err != nil {
		return 0, nil, err
	}
	_, err = t.append(logiqc.Body{Action: logiqc.MFAEnrolled, Outcome: logiqc.Failed, Target: u.Target(), Code: logiqc.WrongCode,
		Details: logiqc.Details{Enrolment: u.Pending.ID, Misses: u.CodeThrottle.Misses, Drift: int64(m.Drift.Seconds())}})
	return 0, t.wrongCode(m, causeCode, yourDevices), err
}

// enrolled makes a proved secret the account's own: the code that proved it is
// spent, its toggle is on, and ten recovery codes go out, once.
func (t *txn) enrolled(sess *store.Session, u *logiqc.User, spent int64) (out logiqc.Enrolled, answer, err error) {
	action, d := logiqc.MFAEnrolled, logiqc.Details{Enrolment: u.Pending.ID, Step: spent, Session: sess.ID}
	if u.Enrolled != nil {
		action, d.Replaces = logiqc.MFAReplaced, u.Enrolled.ID
	}
	ok, err := t.ProvePending(u.Pending.ID, spent)
	if err != nil {
		return out, nil, err
	}
	if !ok {
		return out, logiqc.Errorf(logiqc.Conflict, "the enrolment was changed meanwhile; nothing was enrolled").
			WithHint("start again: logiqc enrol %s", u.Username), nil
	}
	codes, err := t.issueRecoveryCodes(u.Pending.ID, &d)
	if err != nil {
		return out, nil, err
	}
	u.Toggle, u.CodeThrottle = true, logiqc.Throttle{}
	ref, err := t.record(action, u.Target(), d)
	if err != nil {
		return out, nil, err
	}
	fresh, err := t.afterProof(sess, u)
	if err != nil {
		return out, nil, err
	}
	*u, err = t.UserByID(u.ID)
	return logiqc.Enrolled{User: u.Username, RecoveryCodes: codes, Audit: ref, Attempt: t.attempt(*sess, *u, fresh)}, nil, err
}

// afterProof lets a sign-in that waited for the enrolment through, to a session
// whose token it returns, and ends an attempt that was made for the enrolment
// only.
func (t *txn) afterProof(sess *store.Session, u *logiqc.User) (fresh logiqc.Secret, err error) {
	switch {
	case sess.Stage == logiqc.StageSignedIn:
		sess.Purpose = logiqc.SigninPurpose
		if err := t.UpdateSession(*sess); err != nil {
			return "", err
		}
		return "", t.UpdateUser(u)
	case sess.Purpose != logiqc.SigninPurpose:
		if err := t.UpdateUser(u); err != nil {
			return "", err
		}
		sess.Stage = logiqc.StageOver
		_, err := t.DeleteSession(sess.ID)
		return "", err
	}
	return t.finish(sess, u, logiqc.Details{Method: "code"})
}

// issueRecoveryCodes makes a fresh set for an enrolment, which d tells of; the
// old ones die.
func (t *txn) issueRecoveryCodes(enrolmentID string, d *logiqc.Details) ([]logiqc.Secret, error) {
	codes, err := totp.NewRecoveryCodes(t.desk.rand, logiqc.RecoveryCodeCount)
	if err != nil {
		return nil, err
	}
	shown, hashes := make([]logiqc.Secret, len(codes)), make([][32]byte, len(codes))
	for i, c := range codes {
		shown[i], hashes[i] = logiqc.Secret(c.Reveal()), c.Hash(enrolmentID)
	}
	slices.SortFunc(hashes, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	n := len(codes)
	d.RecoveryCodes, d.RecoveryDigest = &n, logiqc.Digest(hashes...)
	return shown, t.PutRecoveryCodes(enrolmentID, hashes)
}

// NewRecoveryCodes implements [logiqc.SignIn].
func (s *signIn) NewRecoveryCodes(ctx context.Context, bearer logiqc.Secret, src logiqc.Source) (out logiqc.Enrolled, err error) {
	err = s.proceed(ctx, bearer, src, func(t *txn, sess *store.Session, u *logiqc.User) (answer, err error) {
		fits := sess.Purpose == logiqc.RecoveryPurpose && sess.Stage == logiqc.StageEnrol
		if !fits || u.Enrolled == nil {
			return t.refused(logiqc.RecoveryCodesIssued, *u, logiqc.Errorf(logiqc.CodeRequired,
				"a code of the app comes first").WithHint("logiqc recovery-codes --code C"))
		}
		d := logiqc.Details{Session: sess.ID}
		codes, err := t.issueRecoveryCodes(u.Enrolled.ID, &d)
		if err != nil {
			return nil, err
		}
		ref, err := t.record(logiqc.RecoveryCodesIssued, u.Target(), d)
		if err != nil {
			return nil, err
		}
		out = logiqc.Enrolled{User: u.Username, RecoveryCodes: codes, Audit: ref,
			Attempt: logiqc.Attempt{Stage: logiqc.StageOver, User: u.Username}}
		_, err = t.DeleteSession(sess.ID)
		return nil, err
	})
	return out, err
}
