package service

import (
	"context"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// CreateToken implements [logiqc.Service].
func (s *service) CreateToken(ctx context.Context, r logiqc.NewToken) (info logiqc.TokenInfo, bearer logiqc.Secret, err error) {
	if err := r.Check(); err != nil {
		return info, "", err
	}
	r.Given = true
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if err := t.needs(logiqc.Administer, logiqc.TokenCreated, ""); err != nil {
			return err
		}
		matter := r
		matter.Request = logiqc.Request{Reason: r.Reason}
		info, _, err = once(t, "tokens create", matter, func() (logiqc.TokenInfo, error) {
			var hash [32]byte
			if bearer, hash, err = newBearer(s.desk.rand, tokenPrefix); err != nil {
				return info, err
			}
			return t.createToken(r, hash)
		})
		return err
	})
	return info, bearer, err
}

func joinRights(rights []logiqc.Right) string {
	names := make([]string, len(rights))
	for i, r := range rights {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

func (t *txn) createToken(r logiqc.NewToken, hash [32]byte) (info logiqc.TokenInfo, err error) {
	if r.Lifetime != 0 {
		r.ExpiresAt = t.Now().Add(r.Lifetime)
	}
	if r.ExpiresAt != 0 && r.ExpiresAt <= t.Now() {
		return info, logiqc.Errorf(logiqc.Usage, "the token would have expired already")
	}
	id, err := t.desk.newID()
	if err != nil {
		return info, err
	}
	info = logiqc.TokenInfo{ID: id, Name: r.Name, Role: r.Role, Allow: r.Allow, User: t.actor.Username,
		CreatedAt: t.Now(), ExpiresAt: r.ExpiresAt}
	if info.Allow == nil {
		info.Allow = []logiqc.Right{}
	}
	if err := t.InsertToken(store.Token{TokenInfo: info, Hash: hash, UserID: t.actor.AccountID}); err != nil {
		return info, refuse(logiqc.TokenCreated, "", err)
	}
	_, err = t.record(logiqc.TokenCreated, logiqc.Target{ID: t.actor.AccountID, Username: t.actor.Username},
		logiqc.Details{Token: id, Bearer: logiqc.Digest(hash), Name: r.Name, Role: r.Role, Allow: r.Allow, ExpiresAt: r.ExpiresAt})
	return info, err
}

// Tokens implements [logiqc.Service].
func (s *service) Tokens(ctx context.Context) (infos []logiqc.TokenInfo, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		if err := t.need(logiqc.Administer, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		tokens, err := t.Tokens()
		infos = make([]logiqc.TokenInfo, 0, len(tokens))
		for _, k := range tokens {
			infos = append(infos, k.TokenInfo)
		}
		return err
	})
	return infos, err
}

// RevokeTokens implements [logiqc.Service].
func (s *service) RevokeTokens(ctx context.Context, r logiqc.Revocation) (logiqc.Revoked, error) {
	return s.revoke(ctx, r, "tokens revoke", func(t *txn) (int, error) {
		if err := t.need(logiqc.Administer, logiqc.TokenRevoked, ""); err != nil {
			return 0, err
		}
		return t.revokeTokens(r)
	})
}

// revoke runs fn, which ends tokens or sessions and counts them. Where there
// are any and nobody agreed to it, that is undone and ConfirmationRequired.
func (s *service) revoke(ctx context.Context, r logiqc.Revocation, command string, fn func(*txn) (int, error)) (out logiqc.Revoked, err error) {
	matter := r
	matter.Request = logiqc.Request{Reason: r.Reason}
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		out.Count, out.Replayed.Replayed, err = once(t, command, matter, func() (int, error) { return fn(t) })
		if err == nil && out.Count > 0 && !out.Replayed.Replayed && !r.Given && !r.DryRun {
			err = confirmationRequired("nothing was revoked")
		}
		return err
	})
	return out, err
}

func (t *txn) revokeTokens(r logiqc.Revocation) (n int, err error) {
	if r.All {
		if n, err = t.Tx.RevokeTokens(""); err != nil || n == 0 {
			return n, err
		}
		_, err = t.record(logiqc.TokenRevoked, logiqc.Target{}, logiqc.Details{All: true})
		return n, err
	}
	k, err := t.TokenByID(r.ID)
	if err != nil {
		return 0, err
	}
	ok, err := t.RevokeToken(k.ID)
	if err != nil || !ok {
		return 0, err
	}
	_, err = t.record(logiqc.TokenRevoked, logiqc.Target{ID: k.UserID, Username: k.User}, logiqc.Details{Token: k.ID, Name: k.Name})
	return 1, err
}

// Sessions implements [logiqc.Service]: one's own for everybody, those of
// others for administrators.
func (s *service) Sessions(ctx context.Context, ref string) (infos []logiqc.SessionInfo, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		userID, err := t.sessionsOf(ref, logiqc.AuditViewed)
		if err != nil {
			return err
		}
		sessions, err := t.Tx.Sessions(userID)
		if err != nil {
			return err
		}
		infos = make([]logiqc.SessionInfo, 0, len(sessions))
		names := map[string]string{}
		for _, sess := range sessions {
			if _, ok := names[sess.UserID]; !ok {
				u, err := t.UserByID(sess.UserID)
				if err != nil {
					return err
				}
				names[u.ID] = u.Username
			}
			infos = append(infos, logiqc.SessionInfo{ID: sess.ID, User: names[sess.UserID], Host: sess.Host,
				CreatedAt: sess.CreatedAt, LastUsedAt: sess.LastUsedAt, ExpiresAt: sess.ExpiresAt})
		}
		return nil
	})
	return infos, err
}

// sessionsOf returns whose sessions are meant, "" for everybody's, and refuses
// those of others to all but administrators.
func (t *txn) sessionsOf(ref string, action logiqc.Action) (userID string, err error) {
	if ref == "" {
		if t.actor.May(logiqc.Administer) {
			return "", nil
		}
		if t.actor.Kind == logiqc.Person {
			return t.actor.AccountID, nil
		}
	}
	u, err := t.UserByRef(ref)
	if err == nil && t.own(u.ID) {
		return u.ID, nil
	}
	if err := t.need(logiqc.Administer, action, ref); err != nil {
		return "", err
	}
	return u.ID, err
}

// own tells whether an account is that of the person who acts. The sessions of
// its maker are no business of a token.
func (t *txn) own(accountID string) bool {
	return t.actor.Kind == logiqc.Person && t.actor.IsSelf(accountID)
}

// RevokeSessions implements [logiqc.Service].
func (s *service) RevokeSessions(ctx context.Context, r logiqc.Revocation) (logiqc.Revoked, error) {
	return s.revoke(ctx, r, "sessions revoke", func(t *txn) (int, error) { return t.revokeSessions(r) })
}

func (t *txn) revokeSessions(r logiqc.Revocation) (n int, err error) {
	if r.ID != "" {
		return t.revokeSession(r)
	}
	target := logiqc.Target{}
	if r.All {
		if err := t.need(logiqc.Administer, logiqc.SessionRevoked, ""); err != nil {
			return 0, err
		}
	} else {
		userID, err := t.sessionsOf(r.User, logiqc.SessionRevoked)
		if err != nil {
			return 0, err
		}
		u, err := t.UserByID(userID)
		if err != nil {
			return 0, err
		}
		target = u.Target()
	}
	if n, err = t.EndSessions(target.ID); err != nil || n == 0 {
		return n, err
	}
	_, err = t.record(logiqc.SessionRevoked, target, logiqc.Details{All: true, Sessions: &n})
	return n, err
}

// revokeSession ends one session by its id.
func (t *txn) revokeSession(r logiqc.Revocation) (int, error) {
	sess, err := t.SessionByID(r.ID)
	if err == nil && !t.own(sess.UserID) || err != nil {
		if err := t.need(logiqc.Administer, logiqc.SessionRevoked, ""); err != nil {
			return 0, err
		}
	}
	if err != nil {
		return 0, err
	}
	u, err := t.UserByID(sess.UserID)
	if err != nil {
		return 0, err
	}
	if _, err := t.DeleteSession(sess.ID); err != nil {
		return 0, err
	}
	_, err = t.record(logiqc.SessionRevoked, u.Target(), logiqc.Details{Session: sess.ID})
	return 1, err
}
