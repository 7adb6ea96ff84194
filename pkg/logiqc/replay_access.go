package logiqc

import "maps"

// Sessionable is what the log knows of a session.
type Sessionable struct {
	Account    string // id
	SignedInAt Time
	ExpiresAt  Time
	Bearer     string // [Digest] of the hash that is stored, "" where no event says
}

// Tokenable is what the log knows of a live token.
type Tokenable struct {
	Owner     string // account id
	Name      string
	Role      Role
	Allow     []Right
	ExpiresAt Time
	Bearer    string // as of a session
}

// Approvable is what the log knows of a request for approval that nobody has
// decided.
type Approvable struct {
	Account       string // id
	RequestedBy   string
	Reason        string
	Ticket        string
	VerifiedBy    string
	KeepSessions  bool
	Hold          bool
	EnrolmentCode string // SHA-256 of its PHC string, hex, or ""
	ExpiresAt     Time
}

// applySession folds in a session that began. How long it lasts is what the
// policy was then.
func (r *Replay) applySession(e Event) {
	d := e.Details
	if d.Session == "" { // an application keeps its own
		return
	}
	s := Sessionable{Account: e.Target.ID, SignedInAt: e.Time, ExpiresAt: d.ExpiresAt, Bearer: d.Bearer}
	if s.ExpiresAt == 0 {
		s.ExpiresAt = e.Time.Add(r.Policy.SessionTTL)
	}
	r.Sessions[d.Session] = s
}

// applyBearer folds in a token that was made, and tokens and sessions that were
// revoked.
func (r *Replay) applyBearer(e Event) {
	d := e.Details
	all := func(owner string) bool { return d.All && (e.Target.ID == "" || e.Target.ID == owner) }
	switch e.Action {
	case TokenCreated:
		r.Tokens[d.Token] = Tokenable{Owner: e.Target.ID, Name: d.Name, Role: d.Role, Allow: d.Allow, ExpiresAt: d.ExpiresAt, Bearer: d.Bearer}
	case TokenRevoked:
		maps.DeleteFunc(r.Tokens, func(id string, t Tokenable) bool { return id == d.Token || all(t.Owner) })
	case SessionRevoked:
		maps.DeleteFunc(r.Sessions, func(id string, s Sessionable) bool { return id == d.Session || all(s.Account) })
	}
}

func (r *Replay) endSessions(account string) {
	maps.DeleteFunc(r.Sessions, func(_ string, s Sessionable) bool { return s.Account == account })
}

// applyApproval folds in a request for approval, and what was decided about
// one. Those that ran out are dropped by the next one.
func (r *Replay) applyApproval(e Event) {
	d := e.Details
	if e.Action != MFARequested {
		delete(r.Approvals, d.Approval)
		return
	}
	for len(r.asked) > 0 {
		first := r.asked[0]
		if a, open := r.Approvals[first]; open && a.ExpiresAt > e.Time {
			break
		}
		delete(r.Approvals, first)
		r.asked = r.asked[1:]
	}
	r.asked = append(r.asked, d.Approval)
	r.Approvals[d.Approval] = Approvable{
		Account: e.Target.ID, RequestedBy: d.RequestedBy, Reason: e.Reason, Ticket: e.Ticket, VerifiedBy: e.VerifiedBy,
		KeepSessions: d.KeptSessions, Hold: d.Held, EnrolmentCode: d.EnrolmentCode, ExpiresAt: d.ExpiresAt,
	}
}
