package store

import "testing"

func TestCheckpoint(t *testing.T) {
	s, _ := newTestStore(t)
	view(t, s, func(tx *Tx) error {
		if c, ok, err := tx.LastCheckpoint(); ok || err != nil {
			t.Errorf("a new store has the checkpoint %+v, %v", c, err)
		}
		return nil
	})
	for _, c := range []Checkpoint{{3, 1000, "first\n"}, {7, 2000, "second\n"}} {
		update(t, s, func(tx *Tx) error { return tx.SetCheckpoint(c) })
		view(t, s, func(tx *Tx) error {
			if got, ok, err := tx.LastCheckpoint(); got != c || !ok || err != nil {
				t.Errorf("last checkpoint %+v, %v, %v; want %+v", got, ok, err, c)
			}
			return nil
		})
	}
}
