package service

import (
	"context"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// NewStore is what a store is made with.
type NewStore struct {
	ID       string // its keys are in a folder of this name
	Origin   string // of the log's checkpoints
	Issuer   string
	Enforced bool
	Admin    logiqc.NewUser // the first account; Password is needed
	Source   logiqc.Source
}

// Create makes a store with its first admin, where [store.Create] takes it, and
// signs that admin in: the one sign-in without MFA. It is one transaction; a store that exists is refused
// with Exists and left as it is.
func Create(ctx context.Context, where string, o store.Options, keys KeyRing, n NewStore) (d *Desk, at logiqc.Attempt, err error) {
	d = New(nil, keys)
	n.Admin.Role, n.Admin.Auth = logiqc.RoleAdmin, logiqc.ByPassword
	if err := logiqc.CheckIssuer(n.Issuer); err != nil {
		return nil, at, err
	}
	u, err := newUser(n.Admin)
	if err != nil {
		return nil, at, err
	}
	if u.PasswordHash, err = hashPassword(d, n.Admin.Password); err != nil {
		return nil, at, err
	}
	d.store, err = store.Create(ctx, where, o, func(tx *store.Tx) error {
		u := u
		at, err = d.initialise(tx, n, &u)
		return err
	})
	return d, at, err
}

// initialise fills a new store.
func (d *Desk) initialise(tx *store.Tx, n NewStore, u *logiqc.User) (at logiqc.Attempt, err error) {
	policy := logiqc.DefaultPolicy()
	policy.Issuer, policy.Enforced = n.Issuer, n.Enforced
	if err := tx.SetInfo(store.Info{ID: n.ID, Origin: n.Origin, CreatedAt: tx.Now()}); err != nil {
		return at, err
	}
	if err := tx.SetPolicy(policy); err != nil {
		return at, err
	}
	t, err := d.begin(tx, logiqc.Actor{Kind: logiqc.System, Source: n.Source}, logiqc.Request{})
	if err != nil {
		return at, err
	}
	changes := []logiqc.Change{{Field: logiqc.KeyIssuer, To: n.Issuer}, {Field: logiqc.KeyEnforced, To: policy.Values()[logiqc.KeyEnforced]}}
	if _, err := t.record(logiqc.StoreInitialised, logiqc.Target{}, logiqc.Details{Store: n.ID, Origin: n.Origin, Changes: changes}); err != nil {
		return at, err
	}
	if err := t.addUser(u, logiqc.UserCreated); err != nil {
		return at, err
	}
	at, err = t.firstSession(u, n.Source)
	if err != nil {
		return at, err
	}
	return at, t.flush()
}

// firstSession signs the first admin in.
func (t *txn) firstSession(u *logiqc.User, src logiqc.Source) (at logiqc.Attempt, err error) {
	bearer, hash, err := newBearer(t.desk.rand, sessionPrefix)
	if err != nil {
		return at, err
	}
	id, err := t.desk.newID()
	if err != nil {
		return at, err
	}
	sess := store.Session{
		ID: id, Hash: hash, UserID: u.ID, Purpose: logiqc.SigninPurpose, Stage: logiqc.StageSignedIn, Host: src.Host, IP: src.IP,
		CreatedAt: t.Now(), SignedInAt: t.Now(), LastUsedAt: t.Now(), ExpiresAt: t.Now().Add(t.policy.SessionTTL),
	}
	if err := t.InsertSession(sess); err != nil {
		return at, err
	}
	_, err = t.record(logiqc.SessionCreated, u.Target(), logiqc.Details{Session: id, Bearer: logiqc.Digest(hash), ExpiresAt: sess.ExpiresAt})
	return t.attempt(sess, *u, bearer), err
}
