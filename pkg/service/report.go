package service

import (
	"cmp"
	"slices"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Report is what the log says of a period: how many resets there were and by
// whom, what an auditor should look at, and which settings changed. It is a
// pure function of the events.
type Report struct {
	Since  logiqc.Time `json:"since"` // first instant of the period, null from the beginning
	Until  logiqc.Time `json:"until"` // first instant after it, null to the end
	Events int64       `json:"events"`
	Resets Resets      `json:"resets"`
	Asked  Approvals   `json:"approvals"`
	LookAt []Finding   `json:"look_at"` // those that were found, in a fixed order
	Change Changes     `json:"changes"`
}

// Resets are the figures about resets.
type Resets struct {
	Total      int             `json:"total"`
	Refused    int             `json:"refused"`
	Operators  int             `json:"operators"` // people, those behind tokens aside
	Tokens     int             `json:"tokens"`
	WithReason int             `json:"with_reason"`
	WithTicket int             `json:"with_ticket"`
	Explained  int             `json:"with_reason_and_ticket"`
	PerDay     []DayResets     `json:"per_day"`      // every day from the first reset to the last
	PerActor   []OperatorShare `json:"per_operator"` // most first
}

// Approvals are the figures about requests for a second operator's approval.
type Approvals struct {
	Requested int `json:"requested"`
	Approved  int `json:"approved"`
	Rejected  int `json:"rejected"`
}

// DayResets counts the resets of one day.
type DayResets struct {
	Day    string `json:"day"` // YYYY-MM-DD
	Resets int    `json:"resets"`
}

// OperatorShare counts the resets of one operator or token.
type OperatorShare struct {
	Operator string           `json:"operator"`
	Kind     logiqc.ActorKind `json:"kind"`
	Resets   int              `json:"resets"`
}

// Changes counts changes of what decides who may do what.
type Changes struct {
	Policy        int           `json:"policy"`
	Roles         int           `json:"roles"`
	TokensMade    int           `json:"tokens_made"`
	TokensRevoked int           `json:"tokens_revoked"`
	KeysRotated   int           `json:"keys_rotated"`
	KeysRetired   int           `json:"keys_retired"`
	List          []ChangeEvent `json:"events"`
}

// ChangeEvent is one such change.
type ChangeEvent struct {
	Seq    int64         `json:"seq"`
	Time   logiqc.Time   `json:"time"`
	Action logiqc.Action `json:"action"`
	By     string        `json:"by"`
	User   string        `json:"user"`
	What   string        `json:"what"`
}

// Reporter makes a [Report] of a log that is applied to it from its first
// event on: what happened before the period tells what was new in it.
type Reporter struct {
	since, until logiqc.Time
	loc          *time.Location
	report       Report
	actors       map[OperatorShare]int // with Resets 0
	days         map[string]int
	look         *lookout
}

// NewReporter makes a Reporter for the period from since (zero: the
// beginning) to just before until (zero: the end). Days are those of loc.
func NewReporter(since, until logiqc.Time, loc *time.Location) *Reporter {
	return &Reporter{
		since: since, until: until, loc: loc, actors: map[OperatorShare]int{}, days: map[string]int{}, look: newLookout(),
		report: Report{Since: since, Until: until, Change: Changes{List: []ChangeEvent{}}},
	}
}

// In tells whether an event is in the period.
func (r *Reporter) In(e logiqc.Event) bool {
	return e.Time >= r.since && (r.until == 0 || e.Time < r.until)
}

// Apply takes the next event. Integrity when the log cannot be so.
func (r *Reporter) Apply(e logiqc.Event) error {
	in := r.In(e)
	if in {
		r.report.Events++
		r.count(e)
	}
	return r.look.apply(e, in)
}

// count adds an event of the period to the figures.
func (r *Reporter) count(e logiqc.Event) {
	if e.Action == logiqc.MFAResetDone {
		r.countReset(e)
		return
	}
	if e.Outcome != logiqc.Success {
		return
	}
	c := &r.report.Change
	switch e.Action {
	case logiqc.MFARequested:
		r.report.Asked.Requested++
		return
	case logiqc.MFAApproved:
		r.report.Asked.Approved++
		return
	case logiqc.MFARejected:
		r.report.Asked.Rejected++
		return
	case logiqc.PolicyChanged, logiqc.MFAEnforced, logiqc.MFAUnenforced:
		c.Policy++
	case logiqc.TokenCreated:
		c.TokensMade++
	case logiqc.TokenRevoked:
		c.TokensRevoked++
	case logiqc.KeyRotated:
		c.KeysRotated++
	case logiqc.KeyRetired:
		c.KeysRetired++
	case logiqc.UserUpdated:
		if !slices.ContainsFunc(e.Details.Changes, isRole) {
			return
		}
		c.Roles++
	default:
		return
	}
	c.List = append(c.List, ChangeEvent{Seq: e.Seq, Time: e.Time, Action: e.Action, By: e.Actor.Who(), User: e.Target.Username, What: changed(e)})
}

func isRole(c logiqc.Change) bool { return c.Field == "role" }

func (r *Reporter) countReset(e logiqc.Event) {
	n := &r.report.Resets
	if e.Outcome != logiqc.Success {
		n.Refused++
		return
	}
	n.Total++
	if e.Reason != "" {
		n.WithReason++
	}
	if e.Ticket != "" {
		n.WithTicket++
		if e.Reason != "" {
			n.Explained++
		}
	}
	r.days[e.Time.Std().In(r.loc).Format(time.DateOnly)]++
	r.actors[OperatorShare{Operator: e.Actor.Who(), Kind: e.Actor.Kind}]++
}

// Report is what the events applied so far come to.
func (r *Reporter) Report() Report {
	out := r.report
	out.Resets.PerActor = make([]OperatorShare, 0, len(r.actors))
	for a, n := range r.actors {
		if a.Kind == logiqc.Token {
			out.Resets.Tokens++
		} else {
			out.Resets.Operators++
		}
		a.Resets = n
		out.Resets.PerActor = append(out.Resets.PerActor, a)
	}
	slices.SortFunc(out.Resets.PerActor, func(a, b OperatorShare) int {
		return cmp.Or(cmp.Compare(b.Resets, a.Resets), cmp.Compare(a.Operator, b.Operator))
	})
	out.Resets.PerDay = everyDay(r.days)
	out.LookAt = r.look.findings()
	return out
}

// everyDay lists the days from the first to the last, those without a reset
// too: a quiet week has to be seen as one.
func everyDay(days map[string]int) []DayResets {
	all := []DayResets{}
	if len(days) == 0 {
		return all
	}
	var first, last string
	for day := range days {
		if first == "" || day < first {
			first = day
		}
		last = max(last, day)
	}
	at, err := time.Parse(time.DateOnly, first)
	for day := first; err == nil && day <= last; day = at.Format(time.DateOnly) {
		all = append(all, DayResets{day, days[day]})
		at = at.AddDate(0, 0, 1)
	}
	return all
}

// changed says what an event of [Changes] changed.
func changed(e logiqc.Event) string {
	what := ""
	for _, c := range e.Details.Changes {
		if e.Action == logiqc.UserUpdated && !isRole(c) {
			continue
		}
		if what != "" {
			what += ", "
		}
		what += c.Field + " " + cmp.Or(c.From, "none") + " → " + cmp.Or(c.To, "none")
	}
	switch d := e.Details; {
	case what != "":
		return what
	case d.All:
		return "all of them"
	case d.Name != "":
		return cmp.Or(string(d.Role), joinRights(d.Allow)) + " token " + d.Name
	case d.Key != "":
		return d.Key
	}
	return ""
}
