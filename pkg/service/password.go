package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
)

// SetPassword implements [logiqc.Service]. It ends every session of the
// account, the caller's own among them.
func (s *service) SetPassword(ctx context.Context, r logiqc.PasswordChange) (out logiqc.Changed, err error) {
	own, err := s.isOwn(ctx, r.User)
	if err != nil {
		return out, err
	}
	if !own {
		if err := s.allowed(ctx, logiqc.UsersWrite, logiqc.UserPasswordSet, r.User); err != nil {
			return out, err
		}
	}
	if r.New == "" || own && r.Current == "" {
		return out, logiqc.Errorf(logiqc.Usage, "a new password is needed, and for one's own account the current one")
	}
	hash, err := hashPassword(s.desk, r.New)
	if err != nil {
		return out, err
	}
	if own {
		// The current password passes the same way as at a sign-in, with its
		// throttle; the attempt is of no further use.
		in := &signIn{desk: s.desk}
		at, err := in.start(ctx, logiqc.SigninRequest{User: s.actor.AccountID, Password: r.Current,
			Purpose: passwordPurpose, Source: s.actor.Source})
		if err != nil {
			return out, err
		}
		defer func() { _ = in.End(ctx, at.Token, s.actor.Source) }()
	}
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		ref := r.User
		if own {
			ref = s.actor.AccountID
		} else if err := t.need(logiqc.UsersWrite, logiqc.UserPasswordSet, r.User); err != nil {
			return err
		}
		out, err = t.setPassword(ref, hash, r.DryRun)
		return err
	})
	return out, err
}

// passwordPurpose is a sign-in that only checks the password.
const passwordPurpose logiqc.Purpose = "password"

// isOwn tells whether a password change is of the actor's own account. Tokens
// have no password to change.
func (s *service) isOwn(ctx context.Context, ref string) (own bool, err error) {
	if s.actor.Kind != logiqc.Person {
		return false, nil
	}
	if ref == "" {
		return true, nil
	}
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		u, err := t.UserByID(t.actor.AccountID)
		key := logiqc.Key(ref)
		own = key == logiqc.Key(u.Username) || key == logiqc.Key(u.Email) || key == u.ID
		return err
	})
	return own, err
}

// setPassword writes the new hash and ends the account's sessions.
func (t *txn) setPassword(ref string, hash logiqc.Secret, dryRun bool) (out logiqc.Changed, err error) {
	u, err := t.UserByRef(ref)
	if err != nil {
		return out, err
	}
	if u.Auth == logiqc.BySSO {
		return out, refuse(logiqc.UserPasswordSet, ref, logiqc.Errorf(logiqc.SSOAccount,
			"%s signs in by SSO: the password is not here, their identity provider manages it", u.Username))
	}
	if err := t.check(logiqc.UserPasswordSet, ref, nil); err != nil {
		return out, err
	}
	u.PasswordHash, u.PasswordThrottle = hash, logiqc.Throttle{}
	if err := t.UpdateUser(&u); err != nil {
		return out, err
	}
	n, err := t.EndSessions(u.ID)
	if err != nil {
		return out, err
	}
	_, err = t.record(logiqc.UserPasswordSet, u.Target(), logiqc.Details{Password: password.Digest(hash.Reveal()), Sessions: &n})
	return logiqc.Changed{Changed: !dryRun, Account: u.Account(t.policy, t.Now())}, err
}
