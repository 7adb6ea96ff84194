package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// EventRow is one event of a list.
type EventRow struct {
	Seq   int64
	Bytes []byte
}

// EventScope limits which events may be seen. The zero EventScope is no limit.
type EventScope struct {
	SelfID       string // only events about this account
	Unprivileged bool   // only events about accounts that exist, of role user and not protected
	Since        logiqc.Time
}

// Events returns the events that q selects within s, newest first, or oldest
// first where q.After is given; and the cursor of the next page, "" on the
// last. User, Target and Actor are a username, an email or an id, letter case
// ignored; Actor also the name of a token or whom it acts for. A User's events
// are those about the account, by it, and by tokens that act for it. Usage
// when the cursor is not one of this query.
func (tx *Tx) Events(q logiqc.EventQuery, s EventScope) (rows []EventRow, next string, err error) {
	limit := pageLimit(q.Limit)
	asked := q
	asked.Limit, asked.Cursor = 0, ""
	mark := queryMark(asked, s)
	at := position{Query: mark}
	if q.Cursor != "" {
		if at, err = parseCursor(q.Cursor, mark); err != nil {
			return nil, "", err
		}
	}
	var sel query
	if err := tx.selectEvents(&sel, q, s); err != nil {
		return nil, "", err
	}
	switch {
	case q.After == nil && q.Cursor != "":
		sel.add(` AND e.seq < `, at.N)
	case q.After != nil && q.Cursor != "":
		sel.add(` AND e.seq > `, at.N)
	case q.After != nil:
		sel.add(` AND e.seq > `, *q.After)
	}
	sel.WriteString(` ORDER BY e.seq`)
	if q.After == nil {
		sel.WriteString(` DESC`)
	}
	sel.add(` LIMIT `, limit+1)
	rows = make([]EventRow, 0, min(limit, 64))
	err = tx.search(&sel, func(r *sql.Rows) error {
		if len(rows) == limit {
			at.N = rows[limit-1].Seq
			next = at.cursor()
			return errStop
		}
		var e EventRow
		err := r.Scan(&e.Seq, &e.Bytes)
		rows = append(rows, e)
		return err
	})
	return rows, next, err
}

// selectEvents writes the SELECT with every filter.
func (tx *Tx) selectEvents(sel *query, q logiqc.EventQuery, s EventScope) error {
	sel.WriteString(`SELECT e.seq, e.bytes FROM event e WHERE 1 = 1`)
	for _, f := range []struct {
		ref  string
		cond func(sel *query, id, username, ref string)
	}{
		{q.User, aboutOrBy}, {q.Target, about}, {q.Actor, by},
	} {
		if f.ref == "" {
			continue
		}
		id, username, err := tx.eventRef(f.ref)
		if err != nil {
			return err
		}
		f.cond(sel, id, username, logiqc.Key(f.ref))
	}
	for i, a := range q.Actions {
		if i == 0 {
			sel.add(` AND e.action IN (`, string(a))
		} else {
			sel.add(`, `, string(a))
		}
	}
	if len(q.Actions) > 0 {
		sel.WriteString(`)`)
	}
	switch q.Outcome {
	case "":
	case logiqc.Success:
		sel.WriteString(` AND e.outcome = 'success'`)
	default:
		sel.add(` AND e.outcome <> 'success' AND e.outcome = `, string(q.Outcome))
	}
	if q.RequestID != "" {
		sel.add(` AND e.request_id <> '' AND e.request_id = `, q.RequestID)
	}
	selectTimes(sel, max(q.Since, s.Since), q.Until)
	if s.SelfID != "" {
		sel.add(` AND e.target_id = `, s.SelfID)
	}
	if s.Unprivileged {
		sel.WriteString(` AND EXISTS (SELECT 1 FROM account a WHERE a.id = e.target_id AND a.role = 'user' AND a.protected = 0)`)
	}
	return nil
}

// selectTimes limits the time, and the numbers with it, so that a list of the
// last hour does not look at every event there ever was. Order comes from the
// numbers alone: clocks go back.
func selectTimes(sel *query, since, until logiqc.Time) {
	if since != 0 {
		sel.add(` AND e.at >= `, int64(since),
			` AND e.seq >= coalesce((SELECT min(f.seq) FROM event f WHERE f.at >= `, int64(since), `), 0)`)
	}
	if until != 0 {
		sel.add(` AND e.at < `, int64(until),
			` AND e.seq <= coalesce((SELECT max(f.seq) FROM event f WHERE f.at < `, int64(until), `), -1)`)
	}
}

// eventRef finds the account that a filter means; without one the filter
// still means what the log wrote down. Usernames never change.
func (tx *Tx) eventRef(ref string) (id, username string, err error) {
	_, err = tx.one(`SELECT id, username_key FROM account WHERE username_key = $1 OR email_key = $1 OR id = $1`,
		[]any{logiqc.Key(ref)}, &id, &username)
	return id, username, err
}

func about(sel *query, id, _, ref string) {
	if id != "" {
		sel.add(` AND e.target_id = `, id)
		return
	}
	sel.add(` AND (e.target_id = `, ref, ` OR e.target_username = `, ref, `)`)
}

func by(sel *query, id, username, ref string) {
	if id != "" {
		sel.add(` AND (e.actor_id = `, id, ` OR (e.actor_for <> '' AND e.actor_for = `, username, `) OR e.actor_name = `, ref, `)`)
		return
	}
	sel.add(` AND (e.actor_id = `, ref, ` OR e.actor_username = `, ref, ` OR e.actor_name = `, ref,
		` OR (e.actor_for <> '' AND e.actor_for = `, ref, `))`)
}

func aboutOrBy(sel *query, id, username, ref string) {
	if id != "" {
		sel.add(` AND (e.target_id = `, id, ` OR e.actor_id = `, id, ` OR (e.actor_for <> '' AND e.actor_for = `, username, `))`)
		return
	}
	sel.add(` AND (e.target_id = `, ref, ` OR e.target_username = `, ref, ` OR e.actor_id = `, ref,
		` OR e.actor_username = `, ref, ` OR (e.actor_for <> '' AND e.actor_for = `, ref, `))`)
}

// Recoveries returns the break-glass recoveries that were made, newest first,
// from the event from on and since then, at most limit.
func (tx *Tx) Recoveries(from int64, since logiqc.Time, limit int) (rows []EventRow, err error) {
	err = tx.each(`SELECT seq, bytes FROM event WHERE action = $1 AND seq >= $2 AND outcome = 'success' AND at >= $3
		ORDER BY seq DESC LIMIT $4`, []any{string(logiqc.MFARecovered), from, int64(since), limit}, func(r *sql.Rows) error {
		var e EventRow
		err := r.Scan(&e.Seq, &e.Bytes)
		rows = append(rows, e)
		return err
	})
	return rows, err
}
