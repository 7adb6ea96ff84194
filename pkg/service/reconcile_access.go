package service

import (
	"maps"
	"slices"
	"strconv"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/store"
)

// field is one that the log and the store may tell differently.
type field struct{ name, log, store string }

// differing are those that they do.
func differing(fields ...field) []field {
	return slices.DeleteFunc(fields, func(f field) bool { return f.log == f.store })
}

// bearerField compares the secret of a session or a token, by what an event
// keeps of it; older ones kept nothing.
func bearerField(logged string, stored [32]byte) field {
	if logged == "" {
		return field{}
	}
	return field{"secret", logged, logiqc.Digest(stored)}
}

// otherRecoveryCodes are the accounts that have other recovery codes than those
// that the log tells of. How many there are is not looked at.
func otherRecoveryCodes(tx *store.Tx, replay *logiqc.Replay) (other map[string]bool, err error) {
	type owner struct{ account, digest string }
	owners := map[string]owner{} // by enrolment
	for id, a := range replay.Accounts {
		if a.RecoveryDigest != "" {
			owners[a.Enrolment] = owner{id, a.RecoveryDigest}
		}
	}
	other = map[string]bool{}
	return other, tx.RecoveryCodes(func(enrolmentID string, hashes [][32]byte) error {
		if o, ok := owners[enrolmentID]; ok && o.digest != logiqc.Digest(hashes...) {
			other[o.account] = true
		}
		return nil
	})
}

// recoveryCodes looks for codes that no event issued in the place of those that
// were.
func (r *reconciler) recoveryCodes() error {
	other, err := otherRecoveryCodes(r.tx, r.replay)
	for _, id := range slices.Sorted(maps.Keys(other)) {
		a := r.replay.Accounts[id]
		r.differ(r.seen[id], "recovery_codes", "those issued", "others", a.LastEvent)
	}
	return err
}

// sessions compares those that are live.
func (r *reconciler) sessions() error {
	live, err := r.tx.Sessions("")
	if err != nil {
		return err
	}
	left := maps.Clone(r.replay.Sessions)
	for _, s := range live {
		logged, user := left[s.ID], r.seen[s.UserID]
		delete(left, s.ID)
		if logged.Account != s.UserID {
			r.differ(user, "session", "", s.ID, -1)
			continue
		}
		for _, f := range differing(bearerField(logged.Bearer, s.Hash), field{"signed_in_at", logged.SignedInAt.String(), s.SignedInAt.String()},
			field{"expires_at", logged.ExpiresAt.String(), s.ExpiresAt.String()}) {
			r.differ(user, "session "+s.ID+" "+f.name, f.log, f.store, -1)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		if s := left[id]; s.ExpiresAt > r.tx.Now() {
			r.differ(r.seen[s.Account], "session", id, "", -1)
		}
	}
	return nil
}

// tokenDiffers compares a token that is in force with what the log tells of it.
func tokenDiffers(logged logiqc.Tokenable, t store.Token) []field {
	return differing(field{"owner", logged.Owner, t.UserID}, field{"name", logged.Name, t.Name}, field{"role", string(logged.Role), string(t.Role)},
		field{"allow", joinRights(logged.Allow), joinRights(t.Allow)}, field{"expires_at", logged.ExpiresAt.String(), t.ExpiresAt.String()},
		bearerField(logged.Bearer, t.Hash))
}

// tokens compares what is in force: a token that was revoked by an event must
// not be alive.
func (r *reconciler) tokens() error {
	tokens, err := r.tx.Tokens()
	if err != nil {
		return err
	}
	left := maps.Clone(r.replay.Tokens)
	for _, t := range tokens {
		if t.RevokedAt != 0 {
			continue
		}
		logged, ok := left[t.ID]
		delete(left, t.ID)
		if !ok {
			r.differ(t.User, "token", "", t.ID, -1)
			continue
		}
		for _, f := range tokenDiffers(logged, t) {
			r.differ(t.User, "token "+t.ID+" "+f.name, f.log, f.store, -1)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		r.differ(r.seen[left[id].Owner], "token", id, "", -1)
	}
	return nil
}

// approvals compares the requests for approval that are open.
func (r *reconciler) approvals() error {
	stored, err := r.tx.Approvals(0)
	if err != nil {
		return err
	}
	left := maps.Clone(r.replay.Approvals)
	for _, a := range stored {
		logged, ok := left[a.ID]
		delete(left, a.ID)
		now := r.tx.Now()
		switch pending := a.StateAt(now) == logiqc.ApprovalPending; {
		case pending && !ok:
			r.differ(r.seen[a.UserID], "approval", "", a.ID, -1)
		case !pending && ok && logged.ExpiresAt > now:
			r.differ(r.seen[logged.Account], "approval "+a.ID+" state", string(logiqc.ApprovalPending), string(a.StateAt(now)), -1)
		case pending:
			for _, f := range approvalDiffers(logged, a) {
				r.differ(r.seen[logged.Account], "approval "+a.ID+" "+f.name, f.log, f.store, -1)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		if a := left[id]; a.ExpiresAt > r.tx.Now() {
			r.differ(r.seen[a.Account], "approval", id, "", -1)
		}
	}
	return nil
}

// approvalDiffers compares a request that is open with what the log tells of it.
func approvalDiffers(logged logiqc.Approvable, a store.Approval) []field {
	code := ""
	if a.CodeHash != "" {
		code = password.Digest(a.CodeHash.Reveal())
	}
	return differing(field{"account", logged.Account, a.UserID}, field{"requested_by", logged.RequestedBy, a.RequestedBy},
		field{"reason", logged.Reason, a.Reason}, field{"ticket", logged.Ticket, a.Ticket}, field{"verified_by", logged.VerifiedBy, a.VerifiedBy},
		field{"keep_sessions", strconv.FormatBool(logged.KeepSessions), strconv.FormatBool(a.KeepSessions)},
		field{"hold", strconv.FormatBool(logged.Hold), strconv.FormatBool(a.Hold)}, field{"enrolment_code", logged.EnrolmentCode, code},
		field{"expires_at", logged.ExpiresAt.String(), a.ExpiresAt.String()})
}
