package service

import (
	"slices"
	"strconv"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// manyInAnHour is how many resets of one operator in an hour an auditor looks
// at where the policy sets no limit.
const manyInAnHour = 30

// burst is what one operator reset in the last hour, alone.
type burst struct {
	times []logiqc.Time
	told  int // that tells of it, -1 for none yet
}

// velocity looks at how fast resets come, and at those that were refused for
// want of a second operator (security.md S-37).
func (l *lookout) velocity(e *logiqc.Event, in bool) {
	switch {
	case e.Action != logiqc.MFAResetDone:
	case e.Outcome == logiqc.Denied && e.Code == logiqc.ApprovalRequired && in:
		l.add(ApprovalWanted, e, -1, "takes a second operator")
	case e.Outcome == logiqc.Success && e.Details.RequestedBy == "":
		l.count(e, in)
	}
}

// count adds a reset to those of its operator. Those of one hour are one case,
// of the first that was too many.
func (l *lookout) count(e *logiqc.Event, in bool) {
	b := l.bursts[e.Actor.Responsible()]
	if b == nil {
		b = &burst{told: -1}
		l.bursts[e.Actor.Responsible()] = b
	}
	b.times = append(slices.DeleteFunc(b.times, func(t logiqc.Time) bool { return e.Time.Sub(t) >= time.Hour }), e.Time)
	limit := l.replay.Policy.MaxPerHour
	if limit == 0 {
		limit = manyInAnHour
	}
	switch {
	case len(b.times) <= limit:
		b.told = -1
		return
	case !in:
		return
	case b.told < 0:
		l.add(ManyInAnHour, e, -1, "")
		b.told = len(l.found[ManyInAnHour]) - 1
	}
	l.found[ManyInAnHour][b.told].What = strconv.Itoa(len(b.times)) + " resets by one operator within an hour"
}

// approvedBy says of a reset who asked for it and who approved.
func approvedBy(e *logiqc.Event) string {
	if e.Details.RequestedBy == "" {
		return ", without a second operator"
	}
	return ", asked for by " + e.Details.RequestedBy + ", approved by " + e.Actor.Who()
}

// wanted tells whether a person brought a reset about: made or approved it, or
// asked for it.
func wanted(e *logiqc.Event, person string) bool {
	return e.Actor.Responsible() == person || e.Details.RequestedBy == person
}
