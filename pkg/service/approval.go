package service

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/store"
)

var requesting = batchKind{
	command: "mfa request", action: logiqc.MFARequested, would: logiqc.ResetWouldRequest, nothing: "nothing was asked for",
	may: (*txn).mayRequest, do: (*batchRun).requestApproval,
}

// RequestReset implements [logiqc.Service].
func (s *service) RequestReset(ctx context.Context, r logiqc.Reset) ([]logiqc.ResetResult, error) {
	return s.batch(ctx, requesting, r)
}

// mayRequestInstead tells whether a second operator's approval helps where a
// reset was refused with the code.
func mayRequestInstead(c logiqc.Code) bool {
	return c == logiqc.ApprovalRequired || c == logiqc.Privileged || c == logiqc.Forbidden
}

// mayRequest applies the rules of a request for approval.
func (t *txn) mayRequest(r logiqc.Reset, u logiqc.User) error {
	if err := u.CheckRequest(t.actor); err != nil {
		return err
	}
	return t.policy.CheckGrounds(r.Request, r.WillAsk(t.actor))
}

// requestApproval writes a request down. An enrolment code that goes with it is
// shown now and comes in force when it is approved.
func (t *batchRun) requestApproval(u *logiqc.User, res *logiqc.ResetResult) error {
	r := t.reset
	id, err := t.desk.newID()
	if err != nil {
		return err
	}
	a := store.Approval{
		ID: id, UserID: u.ID, RequesterID: t.actor.AccountID, RequestedBy: t.actor.Username, Mark: u.Shown(), Run: r.RequestID,
		Reason: r.Reason, Ticket: r.Ticket, VerifiedBy: r.VerifiedBy, KeepSessions: r.KeepSessions, Hold: r.Hold,
		RequestedAt: t.Now(), ExpiresAt: t.Now().Add(logiqc.ApprovalFor), State: logiqc.ApprovalPending, ResetSeq: -1,
	}
	d := logiqc.Details{Approval: id, RequestedBy: a.RequestedBy, KeptSessions: r.KeepSessions, Held: r.Hold, ExpiresAt: a.ExpiresAt}
	if res.WithCode {
		fresh, err := t.nextCode()
		if err != nil {
			return err
		}
		a.CodeHash, a.CodeUntil = logiqc.Secret(fresh.hash), a.ExpiresAt.Add(cmp.Or(r.CodeTTL, t.policy.CodeTTL))
		d.EnrolmentCode = password.Digest(fresh.hash)
		res.EnrolmentCode = &logiqc.IssuedCode{Code: fresh.shown, ExpiresAt: a.CodeUntil}
	}
	if err := t.InsertApproval(a); err != nil {
		return err
	}
	ref, err := t.record(logiqc.MFARequested, u.Target(), d)
	if err != nil {
		return err
	}
	res.Outcome, res.Changed, res.Audit = logiqc.ResetRequested, true, &ref
	view := t.approval(a, *u)
	res.Approval = &view
	return nil
}

// open returns the requests for an account that can be approved now, those that
// this transaction made aside.
func (t *txn) open(u logiqc.User) (refs []logiqc.ApprovalRef, err error) {
	if t.asked == nil {
		recent, err := t.Tx.Approvals(t.Now().Add(-logiqc.ApprovalFor))
		if err != nil {
			return nil, err
		}
		t.asked = map[string][]store.Approval{}
		for _, a := range recent {
			if a.StateAt(t.Now()) == logiqc.ApprovalPending {
				t.asked[a.UserID] = append(t.asked[a.UserID], a)
			}
		}
	}
	for _, a := range t.asked[u.ID] {
		if a.Mark == u.Shown() {
			refs = append(refs, logiqc.ApprovalRef{ID: a.ID, RequestedBy: a.RequestedBy, ExpiresAt: a.ExpiresAt})
		}
	}
	return refs, nil
}

// approval is a request as callers see it, without its short id.
func (t *txn) approval(a store.Approval, u logiqc.User) logiqc.Approval {
	v := logiqc.Approval{
		ID: a.ID, Run: a.Run, User: u.Username, State: a.StateAt(t.Now()), RequestedBy: a.RequestedBy, RequestedAt: a.RequestedAt,
		ExpiresAt: a.ExpiresAt, Reason: a.Reason, Ticket: a.Ticket, VerifiedBy: a.VerifiedBy, KeepSessions: a.KeepSessions,
		Hold: a.Hold, WithCode: a.CodeUntil != 0, CodeUntil: a.CodeUntil, DecidedBy: a.DecidedBy, DecidedAt: a.DecidedAt,
		Account: u.Account(t.policy, t.Now()),
	}
	v.ChangedSince = v.State == logiqc.ApprovalPending && u.Shown() != a.Mark
	if a.ResetSeq >= 0 {
		v.Seq = &a.ResetSeq
		if v.Account.Signin.Next != logiqc.NextBlocked {
			v.Message = t.policy.ResetMessage(v.Account, v.WithCode)
		}
	}
	return v
}

// named is the id of a request and where the short one goes.
type named struct {
	id    string
	short *string
}

// namesIn are the requests that a view names.
func namesIn(v *logiqc.Approval) []named {
	return append(namesOf(v.Others), named{v.ID, &v.Short})
}

func namesOf(refs []logiqc.ApprovalRef) (names []named) {
	for i := range refs {
		names = append(names, named{refs[i].ID, &refs[i].Short})
	}
	return names
}

// shorten gives the requests in results their short ids.
func (t *txn) shorten(results []logiqc.ResetResult) error {
	var names []named
	for _, res := range results {
		names = append(names, namesOf(res.Open)...)
		if res.Approval != nil {
			names = append(names, namesIn(res.Approval)...)
		}
	}
	return t.shortIDs(names)
}

// shortIDs gives requests the shortest ending of their id that means no other
// one of a day.
func (t *txn) shortIDs(names []named) error {
	if len(names) == 0 {
		return nil
	}
	ids, err := t.ApprovalIDs(t.Now().Add(-logiqc.ApprovalsKept))
	if err != nil {
		return err
	}
	backwards := func(id string) string {
		b := []byte(id)
		slices.Reverse(b)
		return string(b)
	}
	for i, id := range ids {
		ids[i] = backwards(id)
	}
	slices.Sort(ids)
	for _, name := range names {
		own := backwards(name.id)
		at, _ := slices.BinarySearch(ids, own)
		n := logiqc.MinApprovalRef
		for _, other := range ids[max(at-1, 0):min(at+2, len(ids))] {
			if other != own {
				n = max(n, common(own, other)+1)
			}
		}
		*name.short = name.id[len(name.id)-n:]
	}
	return nil
}

// common is how many bytes two texts begin with alike.
func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// Approvals implements [logiqc.Service].
func (s *service) Approvals(ctx context.Context, q logiqc.ApprovalQuery) (all []logiqc.Approval, err error) {
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		if err := t.need(logiqc.MFAReset, logiqc.UserViewed, ""); err != nil {
			return err
		}
		recent, err := t.Tx.Approvals(t.Now().Add(-logiqc.ApprovalsKept))
		if err != nil {
			return err
		}
		recent = slices.DeleteFunc(recent, func(a store.Approval) bool {
			return t.actor.IsSelf(a.UserID) || !q.All && a.StateAt(t.Now()) != logiqc.ApprovalPending
		})
		all, err = t.approvals(recent, func(a store.Approval, u logiqc.User) bool {
			return !q.Mine || t.policy.CheckApprover(t.actor) == nil && u.CheckDecide(t.actor, a.RequesterID) == nil && a.Mark == u.Shown()
		})
		return err
	})
	return all, err
}

// approvals shows those requests that are wanted.
func (t *txn) approvals(from []store.Approval, wanted func(store.Approval, logiqc.User) bool) ([]logiqc.Approval, error) {
	var ids []string
	for _, a := range from {
		ids = append(ids, a.UserID)
	}
	users, err := t.Users(ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]logiqc.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	views := make([]logiqc.Approval, 0, len(from))
	for _, a := range from {
		if u := byID[a.UserID]; wanted(a, u) {
			views = append(views, t.approval(a, u))
		}
	}
	var names []named
	for i := range views {
		names = append(names, namesIn(&views[i])...)
	}
	return views, t.shortIDs(names)
}

// oneApproval shows a request with the others for its account.
func (t *txn) oneApproval(a store.Approval, u logiqc.User) (v logiqc.Approval, err error) {
	v = t.approval(a, u)
	if v.State == logiqc.ApprovalPending && !v.ChangedSince {
		if v.Others, err = t.open(u); err != nil {
			return v, err
		}
		v.Others = slices.DeleteFunc(v.Others, func(r logiqc.ApprovalRef) bool { return r.ID == a.ID })
	}
	return v, t.shortIDs(namesIn(&v))
}

// Approval implements [logiqc.Service].
func (s *service) Approval(ctx context.Context, ref string) (v logiqc.Approval, err error) {
	if err := logiqc.CheckApprovalRef(ref); err != nil {
		return v, err
	}
	err = s.desk.view(ctx, s.actor, func(t *txn) error {
		if err := t.need(logiqc.MFAReset, logiqc.UserViewed, ""); err != nil {
			return err
		}
		a, u, err := t.approvalByRef(ref)
		if err != nil {
			return err
		}
		if t.actor.IsSelf(u.ID) {
			return refuse(logiqc.UserViewed, u.ID, logiqc.Errorf(logiqc.Forbidden, "requests about one's own account are for others to see"))
		}
		v, err = t.oneApproval(a, u)
		return err
	})
	return v, err
}

// approvalByRef finds the request that an id, or an ending of one, means: those
// of a day come first, so that a short id that was shown means no other.
func (t *txn) approvalByRef(ref string) (a store.Approval, u logiqc.User, err error) {
	ref = logiqc.Key(strings.TrimSpace(ref))
	found, err := t.ApprovalsEnding(ref)
	if err != nil {
		return a, u, err
	}
	since := t.Now().Add(-logiqc.ApprovalsKept)
	if recent := slices.DeleteFunc(slices.Clone(found), func(a store.Approval) bool { return a.RequestedAt < since }); len(recent) > 0 {
		found = recent
	}
	switch len(found) {
	case 0:
		return a, u, logiqc.Errorf(logiqc.NotFound, "there is no request for approval %q", ref).
			WithHint("see them: logiqc mfa approvals; those of more than a week ago: logiqc audit list --action mfa.requested,mfa.approved,mfa.rejected")
	case 1:
		u, err = t.UserByID(found[0].UserID)
		return found[0], u, err
	}
	e := logiqc.Errorf(logiqc.Ambiguous, "%q is the end of the ids of %d requests", ref, len(found)).WithHint("give more of it")
	for _, a := range found[:min(len(found), 10)] {
		e.Matches = append(e.Matches, a.ID)
	}
	return a, u, e
}
