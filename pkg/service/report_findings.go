package service

import (
	"slices"
	"strconv"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The spans within which two events belong together.
const (
	soonAfter   = 24 * time.Hour
	repeatsSpan = 30 * 24 * time.Hour
)

// FindingKind names a pattern that an auditor should look at.
type FindingKind string

// The kinds of findings, in the order in which they are told.
const (
	PasswordAndReset   FindingKind = "password_and_reset"
	ResetAfterContact  FindingKind = "reset_after_contact_change"
	PrivilegedReset    FindingKind = "privileged_reset"
	BreakGlass         FindingKind = "break_glass"
	NewHostAfterReset  FindingKind = "enrolled_from_new_host"
	NeverEnrolledAfter FindingKind = "never_enrolled"
	RepeatedWithinDay  FindingKind = "repeated_within_day"
	RepeatedResets     FindingKind = "repeated_resets"
	ManyInAnHour       FindingKind = "many_in_an_hour"
	ApprovalWanted     FindingKind = "refused_without_approval"
	ClockWentBack      FindingKind = "clock_went_back"
)

// FindingKinds lists them in order.
var FindingKinds = []FindingKind{
	PasswordAndReset, ResetAfterContact, PrivilegedReset, BreakGlass, NewHostAfterReset, NeverEnrolledAfter, RepeatedWithinDay,
	RepeatedResets, ManyInAnHour, ApprovalWanted, ClockWentBack,
}

// Finding is one pattern with its cases. It proves nothing against anybody:
// it says where to look.
type Finding struct {
	Kind  FindingKind `json:"kind"`
	Cases []Case      `json:"cases"`
}

// Case is one reset that fits a pattern, or the event at which the clock had
// gone back.
type Case struct {
	Seq   int64       `json:"seq"` // of it
	Time  logiqc.Time `json:"time"`
	User  string      `json:"user"`
	By    string      `json:"by"`
	Other int64       `json:"other_seq"` // the event it belongs with, -1 for none
	What  string      `json:"what"`      // what is special about it
	Actor string      `json:"-"`         // the person behind By
	// RequestedBy is who asked for what By approved, "" for what one person did
	// alone.
	RequestedBy string `json:"requested_by"`
}

// lookout finds patterns in a log applied to it in order.
type lookout struct {
	replay   *logiqc.Replay
	accounts map[string]*watched
	found    map[FindingKind][]Case
	bursts   map[string]*burst // by operator
	last     logiqc.Time       // of the event before
}

// watched is what the patterns need to know of one account.
type watched struct {
	password  *logiqc.Event // last set by somebody else
	contactAt int64         // event of the last change of the contact
	resets    []Case        // within repeatsSpan, in the period or before
	reset     *logiqc.Event // not followed by an enrolment yet
	inPeriod  bool          // that reset is in the period
	hosts     map[string]bool
}

func newLookout() *lookout {
	return &lookout{replay: logiqc.NewReplay(), accounts: map[string]*watched{}, found: map[FindingKind][]Case{}, bursts: map[string]*burst{}}
}

func (l *lookout) add(kind FindingKind, e *logiqc.Event, other int64, what string) {
	l.found[kind] = append(l.found[kind],
		Case{Seq: e.Seq, Time: e.Time, User: e.Target.Username, By: e.Actor.Who(), Other: other, What: what, RequestedBy: e.Details.RequestedBy})
}

// apply takes the next event; in says that it is in the period.
func (l *lookout) apply(e logiqc.Event, in bool) error {
	if e.Outcome == logiqc.Success && e.Target.ID != "" {
		w := l.accounts[e.Target.ID]
		if w == nil {
			w = &watched{contactAt: -1, hosts: map[string]bool{}}
			l.accounts[e.Target.ID] = w
		}
		l.watch(w, &e, in)
	}
	l.velocity(&e, in)
	if back := l.last.Sub(e.Time); back > clockSlack && in {
		l.add(ClockWentBack, &e, e.Seq-1, back.Truncate(time.Second).String()+" earlier than the event before it")
	}
	l.last = e.Time
	return l.replay.Apply(e)
}

func (l *lookout) watch(w *watched, e *logiqc.Event, in bool) {
	switch e.Action {
	case logiqc.UserPasswordSet:
		l.passwordSet(w, e, in)
	case logiqc.UserUpdated:
		if slices.ContainsFunc(e.Details.Changes, isContact) {
			w.contactAt = e.Seq
		}
	case logiqc.UserImported:
		if a := l.replay.Accounts[e.Target.ID]; a != nil && e.Details.Account != nil &&
			(a.Email != e.Details.Account.Email || a.Phone != e.Details.Account.Phone) {
			w.contactAt = e.Seq
		}
	case logiqc.MFAResetDone, logiqc.MFARecovered:
		l.reset(w, e, in)
	case logiqc.MFAEnrolled:
		l.enrolled(w, e)
		w.hosts[whence(e)] = true
	case logiqc.SigninSucceeded:
		w.hosts[whence(e)] = true
	}
}

func isContact(c logiqc.Change) bool { return c.Field == "email" || c.Field == "phone" }

// whence is where an event came from.
func whence(e *logiqc.Event) string {
	if e.Source.IP != "" {
		return e.Source.Host + " " + e.Source.IP
	}
	return e.Source.Host
}

// passwordSet notes a password that somebody else chose, and looks at a reset
// shortly before it by the same person.
func (l *lookout) passwordSet(w *watched, e *logiqc.Event, in bool) {
	if e.Actor.Responsible() == e.Target.Username || e.Actor.ID == e.Target.ID {
		return
	}
	w.password = e
	if n := len(w.resets); in && n > 0 {
		last := w.resets[n-1]
		if last.Actor == e.Actor.Responsible() && e.Time.Sub(last.Time) <= soonAfter {
			last.Other, last.What = e.Seq, "password set "+after(e.Time.Sub(last.Time))+" the reset"
			l.found[PasswordAndReset] = append(l.found[PasswordAndReset], last)
		}
	}
}

// reset looks at a reset.
func (l *lookout) reset(w *watched, e *logiqc.Event, in bool) {
	w.resets = slices.DeleteFunc(w.resets, func(c Case) bool { return e.Time.Sub(c.Time) > repeatsSpan })
	w.resets = append(w.resets, Case{Seq: e.Seq, Time: e.Time, User: e.Target.Username, By: e.Actor.Who(), Actor: e.Actor.Responsible(), Other: -1})
	w.reset, w.inPeriod = e, in
	if !in {
		return
	}
	if p := w.password; p != nil && wanted(e, p.Actor.Responsible()) && e.Time.Sub(p.Time) <= soonAfter {
		l.add(PasswordAndReset, e, p.Seq, "reset "+after(e.Time.Sub(p.Time))+" the password was set")
	}
	if n := len(w.resets); n > 1 {
		before := w.resets[n-2]
		if e.Time.Sub(before.Time) <= soonAfter {
			l.add(RepeatedWithinDay, e, before.Seq, "reset "+after(e.Time.Sub(before.Time))+" the reset before")
		}
		l.add(RepeatedResets, e, before.Seq, "reset "+after(e.Time.Sub(before.Time))+" the reset before")
	}
	a := l.replay.Accounts[e.Target.ID]
	if a == nil {
		return
	}
	if since := e.Time.Sub(a.ContactChangedAt); a.ContactChangedAt != 0 && since <= soonAfter {
		l.add(ResetAfterContact, e, w.contactAt, "reset "+after(since)+" the contact on file was changed")
	}
	switch {
	case e.Action == logiqc.MFARecovered:
		l.add(BreakGlass, e, -1, "run by "+e.Whence())
	case a.Protected:
		l.add(PrivilegedReset, e, -1, "protected account"+approvedBy(e))
	case a.Role != logiqc.RoleUser:
		l.add(PrivilegedReset, e, -1, "role "+string(a.Role)+approvedBy(e))
	}
}

// enrolled looks at the enrolment that a reset led to.
func (l *lookout) enrolled(w *watched, e *logiqc.Event) {
	if w.reset != nil && w.inPeriod && len(w.hosts) > 0 && !w.hosts[whence(e)] {
		l.add(NewHostAfterReset, w.reset, e.Seq, "enrolled from "+whence(e)+", not seen of this account before")
	}
	w.reset = nil
}

// after is a span in words, up to "after".
func after(d time.Duration) string {
	switch {
	case d < 0:
		return "before" // clocks go back
	case d < time.Minute:
		return "within a minute after"
	case d < 2*time.Hour:
		return counted(int(d.Minutes()), "minute") + " after"
	case d < 48*time.Hour:
		return counted(int(d.Hours()), "hour") + " after"
	}
	return counted(int(d.Hours())/24, "day") + " after"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// findings are the patterns that have cases, these in the order of the log.
func (l *lookout) findings() []Finding {
	found := map[FindingKind][]Case{}
	for kind, cases := range l.found {
		found[kind] = slices.Clone(cases)
	}
	for _, w := range l.accounts {
		if w.reset != nil && w.inPeriod {
			found[NeverEnrolledAfter] = append(found[NeverEnrolledAfter], Case{Seq: w.reset.Seq, Time: w.reset.Time,
				User: w.reset.Target.Username, By: w.reset.Actor.Who(), Other: -1, What: "no enrolment since"})
		}
	}
	all := []Finding{}
	for _, kind := range FindingKinds {
		if cases := found[kind]; len(cases) > 0 {
			slices.SortStableFunc(cases, func(a, b Case) int { return int(a.Seq - b.Seq) })
			all = append(all, Finding{kind, cases})
		}
	}
	return all
}
