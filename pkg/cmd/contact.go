package cmd

import (
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// recentContact is how long a change of email or phone is something to look at
// twice: whoever takes an account over changes the number to be called first.
const recentContact = 30 * 24 * time.Hour

// contactIsRecent reports whether email or phone were changed lately.
func contactIsRecent(acct logiqc.Account, now time.Time) bool {
	at := acct.ContactChangedAt
	return !at.IsZero() && now.Sub(at.Std()) < recentContact
}

// by is the end of a sentence that names who did it, where that is known.
func by(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

// ago is how long t lies back, in its biggest whole unit.
func ago(t logiqc.Time, now time.Time) string {
	switch d := now.Sub(t.Std()); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return counted(int(d/time.Minute), "minute") + " ago"
	case d < 24*time.Hour:
		return counted(int(d/time.Hour), "hour") + " ago"
	default:
		return counted(int(d/(24*time.Hour)), "day") + " ago"
	}
}
