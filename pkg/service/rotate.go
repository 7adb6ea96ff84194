package service

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/store"
)

// KeyKind tells the two kinds of keys of a store apart.
type KeyKind string

// The kinds of keys.
const (
	LogKeys  KeyKind = "log"  // sign the log's checkpoints
	SealKeys KeyKind = "seal" // seal the secrets in the store
)

// KeyInfo is a key without what is secret of it.
type KeyInfo struct {
	Kind    KeyKind `json:"kind"`
	ID      string  `json:"id"`
	Current bool    `json:"current"` // signs or seals first of its kind
	Sealed  int     `json:"sealed"`  // how many secrets it seals
}

// StoreKeys lists the keys of the store, by kind and the current ones first.
func (d *Desk) StoreKeys(ctx context.Context, by logiqc.Actor) (infos []KeyInfo, err error) {
	err = d.view(ctx, by, func(t *txn) error {
		if err := t.need(logiqc.Administer, logiqc.AuditViewed, ""); err != nil {
			return err
		}
		_, keys, err := t.ownKeys()
		if err != nil {
			return err
		}
		infos, err = t.keyInfos(keys)
		return err
	})
	return infos, err
}

func (t *txn) keyInfos(keys Keys) (infos []KeyInfo, err error) {
	verifiers, err := keys.verifiers()
	if err != nil {
		return nil, noKeys(err)
	}
	for i, v := range verifiers {
		infos = append(infos, KeyInfo{Kind: LogKeys, ID: KeyName(v), Current: i == 0})
	}
	ids, err := seal.Keys(keys.dir)
	if err != nil {
		return nil, noKeys(err)
	}
	sealed := map[seal.KeyID]int{}
	err = t.eachSecret(func(s store.SealedSecret) error {
		id, err := seal.KeyOf(s.Sealed)
		sealed[id]++
		return err
	})
	for i, id := range ids {
		infos = append(infos, KeyInfo{Kind: SealKeys, ID: id.String(), Current: i == 0, Sealed: sealed[id]})
	}
	return infos, err
}

// secretsAtOnce is how many secrets are read, and sealed again, at a time.
const secretsAtOnce = 500

// eachSecret goes through all sealed secrets.
func (t *txn) eachSecret(fn func(store.SealedSecret) error) error {
	for after := ""; ; {
		secrets, err := t.SealedSecrets(after, secretsAtOnce)
		if err != nil || len(secrets) == 0 {
			return err
		}
		for _, s := range secrets {
			if err := fn(s); err != nil {
				return err
			}
			after = s.EnrolmentID
		}
	}
}

// RotateLogKey makes a new key that signs the log's checkpoints; those before
// sign too until they are retired, so that verifiers with either succeed. It
// returns the new key's verifier line, and signs a checkpoint with all of them.
// again says that an earlier call with the request's id made the key.
func (d *Desk) RotateLogKey(ctx context.Context, by logiqc.Actor, req logiqc.Request) (verifier string, again bool, err error) {
	var made [2]string // signer and verifier; the transaction may run twice
	err = d.update(ctx, by, req, func(t *txn) error {
		if err := t.need(logiqc.Administer, logiqc.KeyRotated, ""); err != nil {
			return err
		}
		verifier, again, err = once(t, "keys rotate log", LogKeys, func() (string, error) { return t.rotateLogKey(&made) })
		return err
	})
	if err != nil || req.DryRun {
		return "", false, err
	}
	_, err = d.Checkpoint(ctx, by)
	return verifier, again, err
}

func (t *txn) rotateLogKey(made *[2]string) (verifier string, err error) {
	info, keys, err := t.ownKeys()
	if err != nil {
		return "", err
	}
	if _, err := keys.signers(); err != nil { // before a key is added to what cannot be read
		return "", noKeys(err)
	}
	if made[0] == "" {
		if made[0], made[1], err = ledger.GenerateKey(rand.Reader, info.Origin); err != nil {
			return "", err
		}
	}
	v, err := ParseVerifiers(made[1])
	if err != nil {
		return "", err
	}
	about := logiqc.Details{Keys: string(LogKeys), Key: KeyName(v[0]), Verifier: made[1]}
	if err := t.recordKey(logiqc.KeyRotated, about); err != nil || t.request.DryRun {
		return "", err
	}
	// The verifier first: a key that signs must be known.
	for _, f := range []struct{ file, line string }{{verifierFile, made[1]}, {signerFile, made[0]}} {
		if err := keys.prepend(f.file, f.line); err != nil {
			return "", noKeys(err)
		}
	}
	return made[1], nil
}

// recordKey records what happens to a key, and writes the event at once: what
// cannot be recorded does not happen.
func (t *txn) recordKey(action logiqc.Action, about logiqc.Details) error {
	_, err := t.record(action, logiqc.Target{}, about)
	if err != nil {
		return err
	}
	return t.flush()
}

// RotateSealKey makes a new key that seals secrets; those before still open.
// [Desk.Reseal] has to follow.
func (d *Desk) RotateSealKey(ctx context.Context, by logiqc.Actor, req logiqc.Request) (id string, again bool, err error) {
	var added seal.KeyID // the transaction may run twice
	var commit func() error
	err = d.update(ctx, by, req, func(t *txn) error {
		if err := t.need(logiqc.Administer, logiqc.KeyRotated, ""); err != nil {
			return err
		}
		id, again, err = once(t, "keys rotate seal", SealKeys, func() (string, error) {
			_, keys, err := t.ownKeys()
			if err != nil {
				return "", err
			}
			if commit == nil {
				if added, commit, err = seal.Add(keys.dir); err != nil {
					return "", noKeys(err)
				}
			}
			if err := t.recordKey(logiqc.KeyRotated, logiqc.Details{Keys: string(SealKeys), Key: added.String()}); err != nil || t.request.DryRun {
				return "", err
			}
			if err := commit(); err != nil {
				return "", noKeys(err)
			}
			return added.String(), nil
		})
		return err
	})
	return id, again, err
}

// Reseal seals every secret that an older key seals with the current one, in
// batches: it may be stopped and begun again at any time, and every secret can
// be opened at every moment. It returns how many it sealed; progress may be
// nil.
func (d *Desk) Reseal(ctx context.Context, by logiqc.Actor, req logiqc.Request, progress func(done int64)) (done int, err error) {
	for after := ""; ; {
		n, next, err := d.resealBatch(ctx, by, after)
		if err != nil {
			return done, err
		}
		done += n
		if progress != nil {
			progress(int64(done))
		}
		if next == "" {
			break
		}
		after = next
	}
	if done > 0 {
		err = d.store.Scrub(ctx) // what the old key sealed is to be gone from the file
	}
	if err == nil && req.Remember { // a retry finds nothing left to seal, and answers what the first call did
		err = d.update(ctx, by, req, func(t *txn) error {
			done, _, err = once(t, "keys reseal", SealKeys, func() (int, error) { return done, nil })
			return err
		})
	}
	return done, err
}

func (d *Desk) resealBatch(ctx context.Context, by logiqc.Actor, after string) (done int, next string, err error) {
	err = d.update(ctx, by, logiqc.Request{}, func(t *txn) error {
		done, next = 0, ""
		if err := t.need(logiqc.Administer, logiqc.KeyRotated, ""); err != nil {
			return err
		}
		info, keys, err := t.ownKeys()
		if err != nil {
			return err
		}
		ids, err := seal.Keys(keys.dir)
		if err != nil {
			return noKeys(err)
		}
		box, err := keys.box()
		if err != nil {
			return noKeys(err)
		}
		secrets, err := t.SealedSecrets(after, secretsAtOnce)
		if err != nil {
			return err
		}
		for _, s := range secrets {
			next = s.EnrolmentID
			if id, err := seal.KeyOf(s.Sealed); err == nil && id == ids[0] {
				continue
			}
			if err := t.reseal(box, info.ID, s); err != nil {
				return err
			}
			done++
		}
		return nil
	})
	return done, next, err
}

func (t *txn) reseal(box *seal.Box, storeID string, s store.SealedSecret) error {
	ad := seal.AssociatedData(storeID, s.UserID, s.EnrolmentID)
	plain, err := box.Open(s.Sealed, ad)
	if err != nil {
		return logiqc.Errorf(logiqc.Integrity, "the sealed secret of enrolment %s cannot be opened; it was left as it is: %w", s.EnrolmentID, err).
			WithHint("logiqc audit reconcile; a reset of the account clears it")
	}
	anew, err := box.Seal(plain, ad)
	clear(plain)
	if err != nil {
		return err
	}
	return t.Reseal(s, anew)
}

// RetireKey removes an older key for good. A signing key stops signing; one
// that seals must have no secret left. PolicyRefused is answered for a key that
// is current or in use, NotFound for none.
func (d *Desk) RetireKey(ctx context.Context, by logiqc.Actor, req logiqc.Request, id string) (again bool, err error) {
	kind := LogKeys
	if strings.HasPrefix(id, string(SealKeys)+"+") {
		kind = SealKeys
	}
	err = d.update(ctx, by, req, func(t *txn) error {
		if err := t.need(logiqc.Administer, logiqc.KeyRetired, ""); err != nil {
			return err
		}
		_, again, err = once(t, "keys retire", id, func() (_ string, err error) { return id, t.retireKey(kind, id) })
		return err
	})
	if err != nil || kind == SealKeys || req.DryRun {
		return again, err
	}
	_, err = d.Checkpoint(ctx, by)
	return again, err
}

func (t *txn) retireKey(kind KeyKind, id string) error {
	_, keys, err := t.ownKeys()
	if err != nil {
		return err
	}
	infos, err := t.keyInfos(keys)
	if err != nil {
		return err
	}
	if err := retirable(infos, id); err != nil {
		return refuse(logiqc.KeyRetired, "", err)
	}
	if kind == LogKeys && !t.request.DryRun {
		if err := t.handOver(id); err != nil {
			return err
		}
	}
	if err := t.recordKey(logiqc.KeyRetired, logiqc.Details{Keys: string(kind), Key: id}); err != nil || t.request.DryRun {
		return err
	}
	return keys.remove(kind, id)
}

// retirable refuses a key that is not there, or still needed.
func retirable(infos []KeyInfo, id string) error {
	i := slices.IndexFunc(infos, func(k KeyInfo) bool { return k.ID == id })
	switch {
	case i < 0:
		return logiqc.Errorf(logiqc.NotFound, "there is no key %s", id).WithHint("logiqc keys list")
	case infos[i].Current:
		return logiqc.Errorf(logiqc.PolicyRefused, "%s is in use: it is the current key", id).WithHint("logiqc keys rotate %s", string(infos[i].Kind))
	case infos[i].Sealed > 0:
		return logiqc.Errorf(logiqc.PolicyRefused, "%s is in use: %s sealed with it", id, counted(infos[i].Sealed, "secret")).
			WithHint("logiqc keys rotate seal --resume")
	}
	return nil
}

// remove takes a key out of its files; the one that signs goes first.
func (k Keys) remove(kind KeyKind, id string) error {
	if kind == SealKeys {
		ids, err := seal.Keys(k.dir)
		if err != nil {
			return noKeys(err)
		}
		i := slices.IndexFunc(ids, func(own seal.KeyID) bool { return own.String() == id })
		if i < 0 {
			return nil // an earlier run of the transaction did it
		}
		commit, err := seal.Remove(k.dir, ids[i])
		if err == nil {
			err = commit()
		}
		if err != nil {
			return noKeys(err)
		}
		return nil
	}
	signers, err := k.signers()
	if err != nil {
		return noKeys(err)
	}
	verifiers, err := k.verifiers()
	if err != nil {
		return noKeys(err)
	}
	name, hash, _ := strings.Cut(id, "+")
	errSigners := k.change(signerFile, func(lines []string) []string {
		return keeping(lines, func(i int) bool { return signers[i].Name() != name || hex32(signers[i].KeyHash()) != hash })
	})
	if errSigners != nil {
		return noKeys(errSigners)
	}
	err = k.change(verifierFile, func(lines []string) []string {
		return keeping(lines, func(i int) bool { return KeyName(verifiers[i]) != id })
	})
	if err != nil {
		return noKeys(err)
	}
	return nil
}

// keeping are the lines whose index keep wants.
func keeping(lines []string, keep func(i int) bool) []string {
	var kept []string
	for i, line := range lines {
		if keep(i) {
			kept = append(kept, line)
		}
	}
	return kept
}
