package store

import "github.com/logiqc/logiqc/pkg/logiqc"

// The bits of log_head.closed.
const (
	closedFrozen int64 = 1 << iota
	closedMoving
	closedMoved
)

// State tells what the store takes beside reads.
func (tx *Tx) State() (s logiqc.StoreState, err error) {
	closed := tx.closed
	if !tx.write {
		if _, err = tx.one(`SELECT closed FROM log_head`, nil, &closed); err != nil {
			return s, err
		}
	}
	s.Frozen, s.Moved = closed&closedFrozen != 0, closed&closedMoved != 0
	if closed == 0 {
		return s, nil
	}
	var to string
	_, err = tx.one(`SELECT frozen_for, moved_to FROM store`, nil, &s.Reason, &to)
	if closed&(closedMoving|closedMoved) != 0 {
		s.To = to
	}
	return s, err
}

// SetFrozen freezes the store for a reason, or thaws it.
func (tx *Tx) SetFrozen(frozen bool, reason string) error {
	closed := tx.closed &^ closedFrozen
	if frozen {
		closed |= closedFrozen
	}
	if _, err := tx.exec(`UPDATE store SET frozen_for = $1 WHERE one = 1`, reason); err != nil {
		return err
	}
	return tx.setClosed(closed)
}

// SetMoved says where the store is being moved to, with done that it is there,
// or with "" that it stays after all. It is the one change that a store which
// has moved takes, whatever else is in the transaction with it.
func (tx *Tx) SetMoved(to string, done bool) error {
	closed := tx.closed &^ (closedMoving | closedMoved)
	switch {
	case done:
		closed |= closedMoved
	case to != "":
		closed |= closedMoving
	}
	if _, err := tx.exec(`UPDATE store SET moved_to = $1 WHERE one = 1`, to); err != nil {
		return err
	}
	tx.moving = true
	return tx.setClosed(closed)
}

func (tx *Tx) setClosed(closed int64) error {
	_, err := tx.exec(`UPDATE log_head SET closed = $1 WHERE one = 1`, closed)
	tx.closed = closed
	return err
}

// checkPlace refuses to commit a change to a store that has moved: whatever is written
// here would be another future of the log that goes on there.
func (tx *Tx) checkPlace() error {
	if tx.closed&(closedMoving|closedMoved) == 0 || tx.moving || !tx.wrote {
		return nil
	}
	s, err := tx.State()
	if err != nil {
		return err
	}
	return s.CheckPlace()
}
