package service

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
)

// Recover resets the MFA of an administrator without one, for whoever holds
// the store and its keys (product.md R17). It goes further than a reset, as
// nobody may be left who could do the rest: it also ends waits and a hold, and
// always gives an enrolment code, once, here. It is loud instead: every
// operator is told at the next sign-in.
//
// Errors: Forbidden for who is no administrator, SSOAccount, Unavailable or
// Integrity without the keys of this store, Conflict when the account is not as it was
// shown. Without the username typed the result has the code
// ConfirmationRequired and says what would happen.
func (d *Desk) Recover(ctx context.Context, by logiqc.Actor, r logiqc.Recovery) (res logiqc.ResetResult, err error) {
	if by.Kind != logiqc.System {
		return res, logiqc.Errorf(logiqc.Forbidden, "break-glass is for whoever holds the store and its keys")
	}
	var codes []freshCode
	if r.Given && !r.DryRun {
		if codes, err = d.newCodes(1); err != nil {
			return res, err
		}
	}
	err = d.update(ctx, by, r.Request, func(t *txn) error {
		t.codes = codes
		matter := logiqc.Recovery{User: r.User, Request: logiqc.Request{Reason: r.Reason}}
		var again bool
		res, again, err = once(t, "recover", matter, func() (logiqc.ResetResult, error) { return t.recover(r) })
		res.Replayed.Replayed = again
		return err
	})
	return res, err
}

func (t *txn) recover(r logiqc.Recovery) (res logiqc.ResetResult, err error) {
	u, err := t.UserByRef(r.User)
	if err != nil {
		return res, err
	}
	if err := t.check(logiqc.MFARecovered, r.User, u.CheckRecover()); err != nil {
		return res, err
	}
	if err := t.holdsKeys(); err != nil {
		return res, err
	}
	if err := u.CheckShown(r.Shown, nil); err != nil {
		return res, err
	}
	res = logiqc.ResetResult{Input: r.User, User: u.Username, Outcome: logiqc.ResetWould, At: t.Now(), WithCode: true}
	res.Cleared, _ = u.Clears(t.Now())
	if res.Cleared.Sessions, err = t.CountSessions(u.ID); err != nil {
		return res, err
	}
	if err := u.CheckTyped(r.Consent); err != nil || r.DryRun {
		if !r.DryRun {
			res.Err = logiqc.AsError(err)
		}
		after := u
		after.Restore()
		t.describe(&res, after)
		return res, nil
	}
	return res, t.recovered(r, &u, &res)
}

// recovered clears the enrolment and whatever else keeps the account out, and
// records it.
func (t *txn) recovered(r logiqc.Recovery, u *logiqc.User, res *logiqc.ResetResult) error {
	if err := t.ClearEnrolments(u.ID); err != nil {
		return err
	}
	if _, err := t.EndSessions(u.ID); err != nil {
		return err
	}
	d := logiqc.Details{
		Authenticator: &res.Cleared.Authenticator, Pending: &res.Cleared.Pending, RecoveryCodes: &res.Cleared.RecoveryCodes,
		Sessions: &res.Cleared.Sessions, Misses: u.PasswordThrottle.Misses + u.CodeThrottle.Misses,
		NotifyUser: "operators", SudoUser: r.SudoUser, LoginUser: r.LoginUser,
	}
	u.Restore()
	u.Enrolled, u.Pending, u.RecoveryLeft = nil, nil, 0
	u.ResetAt, u.ResetSeen, u.WindowAt = t.Now(), false, t.Now()
	issued, digest, err := t.issueCode(u, 0)
	if err != nil {
		return err
	}
	d.EnrolmentCode, d.ExpiresAt = digest, issued.ExpiresAt
	ref, err := t.record(logiqc.MFARecovered, u.Target(), d)
	if err != nil {
		return err
	}
	u.ResetBy = t.pending[len(t.pending)-1].ResetBy()
	if err := t.UpdateUser(u); err != nil {
		return err
	}
	res.Outcome, res.Changed, res.Audit, res.EnrolmentCode = logiqc.ResetDone, true, &ref, &issued
	t.describe(res, *u)
	return nil
}

// holdsKeys makes sure that the folder of keys is this store's: its signing
// keys are whole and signed the last checkpoint, and its sealing keys open the
// secrets, as far as there are any. Whoever holds both could do by hand all that a
// recovery does.
func (t *txn) holdsKeys() error {
	info, keys, err := t.ownKeys()
	if err != nil {
		return err
	}
	signers, err := keys.signersOf(info.Origin)
	if err != nil {
		return err
	}
	verifiers, err := keys.verifiers()
	if err != nil {
		return noKeys(err)
	}
	if !slices.ContainsFunc(verifiers, func(v note.Verifier) bool { return v.KeyHash() == signers[0].KeyHash() }) {
		return otherKeys(keys)
	}
	last, signed, err := t.LastCheckpoint()
	if err != nil {
		return err
	}
	if signed {
		if _, err := note.Open([]byte(last.Note), note.VerifierList(verifiers...)); err != nil {
			return otherKeys(keys)
		}
	}
	box, err := keys.box()
	if err != nil {
		return noKeys(err)
	}
	sealed, opens, err := t.opensAny(box, info.ID)
	if err == nil && sealed && !opens {
		err = otherKeys(keys)
	}
	return err
}

// opensAny reports whether there are sealed secrets, and whether the box opens
// one of the first.
func (t *txn) opensAny(box *seal.Box, storeID string) (sealed, opens bool, err error) {
	secrets, err := t.SealedSecrets("", secretsAtOnce)
	for _, s := range secrets {
		if _, err := box.Open(s.Sealed, seal.AssociatedData(storeID, s.UserID, s.EnrolmentID)); err == nil {
			return true, true, nil
		}
	}
	return len(secrets) > 0, false, err
}

func otherKeys(keys Keys) error {
	return logiqc.Errorf(logiqc.Unavailable, "the keys in %s are not those of this store; nothing was changed", keys.dir).
		WithHint("break-glass needs the store and its keys: say where they are with --keys DIR")
}

// recoveriesUntold are the recoveries that an operator has not been told of
// yet, as a notice.
func (t *txn) recoveriesUntold(u logiqc.User) (string, error) {
	if u.Role == logiqc.RoleUser {
		return "", nil
	}
	rows, err := t.Recoveries(u.Told, u.CreatedAt, logiqc.RecoveryNotices+1)
	if err != nil {
		return "", err
	}
	more := len(rows) > logiqc.RecoveryNotices
	var recoveries []logiqc.Event
	for _, r := range rows[:min(len(rows), logiqc.RecoveryNotices)] {
		e, err := logiqc.ParseLeaf(r.Seq, r.Bytes)
		if err != nil {
			return "", fmt.Errorf("tell of break-glass recoveries: %w", err)
		}
		recoveries = append(recoveries, e)
	}
	return logiqc.RecoveryNotice(recoveries, more, u.Role), nil
}
