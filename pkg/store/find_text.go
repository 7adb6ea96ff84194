package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// textQuery asks for accounts that may have every long word of a text, in the
// order of their numbers.
type textQuery struct {
	columns string       // of account a, to be read after one that is empty
	words   []string     // folded; at least one is long
	filter  func(*query) // adds what else is asked of account a; or nil
	after   int64        // the number of an account; those that follow are asked for
	ahead   int64        // how many of them are looked at one by one; 0: all of them, by the index
	limit   int          // how many are wanted; 0: all
}

// eachText calls fn for what q asks for, until that returns an error; errStop is
// none. size is how many to ask a database for that would send what nobody
// reads, and want how many are to be taken: fn returns the number of its account
// and whether it was one of them.
func (tx *Tx) eachText(q textQuery, size, want int, fn func(*sql.Rows) (n int64, took bool, err error)) error {
	streams := tx.engine.dialect().streams
	if !streams {
		q.limit = size
	}
	var w walk
	for {
		stopped, seen, last, taken := false, 0, q.after, 0
		if !streams {
			q.ahead = w.next(want - w.took)
		}
		var sel query
		if err := tx.engine.textSQL(tx, &sel, q); err != nil {
			return err
		}
		// The index is worth a plan for these very words, which the walk is not.
		err := tx.rows(sel.String(), sel.args, q.ahead == 0 || q.filter != nil, func(rows *sql.Rows) error {
			n, took, err := fn(rows)
			seen, last = seen+1, n
			if took {
				taken++
			}
			stopped = err != nil
			return err
		})
		full := q.limit > 0 && seen == q.limit
		switch {
		case err != nil || stopped:
			return err
		case q.ahead > 0 && !full:
			last = q.after + q.ahead
		case !full:
			return nil
		case q.ahead == 0:
			q.limit = min(4*q.limit, logiqc.PageMax)
		}
		w.add(last-q.after, taken)
		q.after = last
	}
}

// walk decides how a database is asked for accounts with a text: along the
// accounts, where so many have it that enough of them are soon met; otherwise by
// the index, which has to get and sort whatever has it, be it few or very many.
type walk struct {
	passed int64 // accounts so far
	took   int   // of them
	newly  int   // of them on the last stretch: none past the last account
}

func (w *walk) add(passed int64, took int) {
	w.passed, w.took, w.newly = w.passed+passed, w.took+took, took
}

// A walk begins with firstWalk accounts. It goes on while no more than
// longestWalk seem to be left, or a page of very many is met that densely.
const (
	firstWalk   = 2048
	longestWalk = 40_000
	denseWalk   = 256 // accounts to one that is met
)

// next is how many accounts to walk along for those still wanted, 0 for none.
func (w *walk) next(want int) int64 {
	switch {
	case w.passed == 0:
		return firstWalk
	case w.newly == 0:
		return 0
	}
	left := int64(want) * w.passed / int64(w.took)
	if left > max(longestWalk, denseWalk*int64(want)) {
		return 0
	}
	return min(max(left*5/4, firstWalk), 4*w.passed)
}
