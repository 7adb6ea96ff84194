// Package service applies the rules of logiqc to a store: authorise, load,
// apply the rule, write and record, all in one transaction. It is the one
// [logiqc.Service] that holds rules; whatever else implements that interface
// passes on to it.
package service

import (
	"context"
	"crypto/rand"
	"io"
	"runtime"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// Desk is a store with its keys: where actors come from and sign-ins go to.
// It is safe for concurrent use.
type Desk struct {
	store   *store.Store
	keys    KeyRing
	rand    io.Reader
	lookups *lookups
	cores   chan struct{} // taken by sign-ins that compute a password's hash
}

// New makes a Desk over an open store. keys are called only when a secret has
// to be sealed or opened or a checkpoint signed, so that resets work without
// them.
func New(s *store.Store, keys KeyRing) *Desk {
	return &Desk{store: s, keys: keys, rand: rand.Reader, lookups: newLookups(), cores: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// As returns the Service for an actor, whose rights are checked anew in every
// transaction.
func (d *Desk) As(a logiqc.Actor) logiqc.Service { return &service{desk: d, actor: a} }

// SignIn returns the way in.
func (d *Desk) SignIn() logiqc.SignIn { return &signIn{desk: d} }

// PassOn returns the way in for sign-ins that an application passes on. Whether
// its token may is checked anew in every call. A source that is empty stands
// for the one that the application said before, or for its own.
func (d *Desk) PassOn(app logiqc.Actor) logiqc.SignIn { return &signIn{desk: d, app: &app} }

// Authenticate finds out who holds a session or an API token. It answers
// Unauthenticated for one that is malformed, unknown, expired, revoked, not yet
// signed in, or whose account may no longer use it.
func (d *Desk) Authenticate(ctx context.Context, shown logiqc.Secret, src logiqc.Source) (logiqc.Actor, error) {
	kind, hash, ok := parseBearer(shown)
	if !ok {
		return logiqc.Actor{}, unauthenticated("that is neither a session nor a token of logiqc")
	}
	h, err := d.lookups.holder(ctx, d.store, bearer{kind, hash})
	if err != nil {
		return logiqc.Actor{}, err
	}
	h.actor.Source = src
	if h.stale {
		d.touch(ctx, h.actor)
	}
	return h.actor, nil
}

// touchEvery is how exact "last used" of sessions and tokens is.
const touchEvery = time.Hour

// touch notes that the actor's session or token is in use. It is a courtesy
// to whoever reads the list, so a store that cannot be written is no error.
func (d *Desk) touch(ctx context.Context, a logiqc.Actor) {
	_ = d.store.Update(ctx, func(tx *store.Tx) error {
		if a.Kind == logiqc.Token {
			return tx.TouchToken(a.ID)
		}
		return tx.TouchSession(a.SessionID)
	})
}

func unauthenticated(format string, args ...any) *logiqc.Error {
	return logiqc.Errorf(logiqc.Unauthenticated, format, args...).WithHint("logiqc signin")
}

// unknownBearer turns "no such row" into "not signed in".
func unknownBearer(err error) error {
	if logiqc.AsError(err).Code == logiqc.NotFound {
		return unauthenticated("you are not signed in any more: the session has ended")
	}
	return err
}

// sessionActor is who holds the session.
func sessionActor(s store.Session, src logiqc.Source) (logiqc.Actor, error) {
	if s.Stage != logiqc.StageSignedIn {
		return logiqc.Actor{}, unauthenticated("this sign-in has not been finished")
	}
	u := s.Holder
	if u.Status != logiqc.Active {
		return logiqc.Actor{}, unknownBearer(logiqc.NotFound)
	}
	return logiqc.Actor{
		Kind: logiqc.Person, ID: u.ID, Name: u.Username, AccountID: u.ID, Username: u.Username,
		Role: u.Role, Rights: u.Role.Rights(), SessionID: s.ID, SignedInAt: s.SignedInAt,
		ExpiresAt: s.ExpiresAt, Source: src,
	}, nil
}

// tokenActor is whom the token acts for, with the rights that both have: it
// never does what its maker's account may not (product.md R1).
func tokenActor(now logiqc.Time, t store.Token, src logiqc.Source) (logiqc.Actor, error) {
	if t.RevokedAt != 0 || (t.ExpiresAt != 0 && t.ExpiresAt <= now) {
		return logiqc.Actor{}, unauthenticated("the token %s has been revoked or has expired", t.Name).
			WithHint("make a new one: logiqc tokens create NAME --role R")
	}
	u := t.Holder
	if u.Status != logiqc.Active {
		return logiqc.Actor{}, unknownBearer(logiqc.NotFound)
	}
	role, rights := t.Role, t.Role.Rights()
	if t.Role == "" {
		role, rights = u.Role, t.Allow
	}
	var have []logiqc.Right
	for _, r := range rights {
		if u.Role.Grants(r) {
			have = append(have, r)
		}
	}
	if len(have) == 0 || (t.Role != "" && !u.Role.Covers(t.Role)) {
		return logiqc.Actor{}, unauthenticated("the token %s died when %s lost the role for it", t.Name, u.Username)
	}
	return logiqc.Actor{
		Kind: logiqc.Token, ID: t.ID, Name: t.Name, AccountID: u.ID, Username: u.Username,
		Role: role, Rights: have, ExpiresAt: t.ExpiresAt, Source: src,
	}, nil
}

// Close closes the store.
func (d *Desk) Close() error { return d.store.Close() }
