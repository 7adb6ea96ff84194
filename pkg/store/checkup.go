package store

import "github.com/logiqc/logiqc/pkg/logiqc"

// Vitals are what tells that the clock of the store went wrong.
type Vitals struct {
	Ahead     int         // enrolments whose newest step is after the one asked for
	NewestAt  logiqc.Time // of the newest event
	WentBack  int64       // the newest event that is earlier than the one before it, -1 for none
	BackEarly logiqc.Time // its time
	BackLate  logiqc.Time // the time of the one before it
}

// Vitals looks at the steps of enrolments, and at the last recent events: those
// count whose time is more than slack before that of the event before them.
func (tx *Tx) Vitals(step, recent int64, slack logiqc.Time) (v Vitals, err error) {
	v.WentBack = -1
	if _, err = tx.one(`SELECT count(*) FROM enrolment WHERE last_step > $1`, []any{step}, &v.Ahead); err != nil {
		return v, err
	}
	if _, err = tx.one(`SELECT at FROM event ORDER BY seq DESC LIMIT 1`, nil, &v.NewestAt); err != nil {
		return v, err
	}
	_, err = tx.one(`SELECT later.seq, later.at, earlier.at FROM event later JOIN event earlier ON earlier.seq = later.seq - 1
		WHERE later.seq >= (SELECT coalesce(max(seq), 0) FROM event) - $1 AND later.at < earlier.at - $2
		ORDER BY later.seq DESC LIMIT 1`, []any{recent, int64(slack)}, &v.WentBack, &v.BackEarly, &v.BackLate)
	return v, err
}
