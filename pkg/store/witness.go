package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Witnesses returns those that cosign checkpoints, by name. Of a checkpoint
// only the note and the time are kept.
func (tx *Tx) Witnesses() (all []logiqc.Witness, err error) {
	err = tx.each(`SELECT name, url, vkey, added_at, at, note FROM witness ORDER BY name`, nil, func(rows *sql.Rows) error {
		var w logiqc.Witness
		err := rows.Scan(&w.Name, &w.URL, &w.Key, &w.AddedAt, &w.Last.At, &w.Last.Note)
		all = append(all, w)
		return err
	})
	return all, err
}

// SetWitness adds a witness, or replaces the one of its name.
func (tx *Tx) SetWitness(w logiqc.Witness) error {
	_, err := tx.exec(`INSERT INTO witness (name, url, vkey, added_at, at, note) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) DO UPDATE SET url = excluded.url, vkey = excluded.vkey, added_at = excluded.added_at,
			at = excluded.at, note = excluded.note`,
		w.Name, w.URL, w.Key, int64(w.AddedAt), int64(w.Last.At), w.Last.Note)
	return err
}

// DeleteWitness removes a witness by name.
func (tx *Tx) DeleteWitness(name string) error {
	_, err := tx.exec(`DELETE FROM witness WHERE name = $1`, name)
	return err
}

// Anchors returns where else checkpoints went, the place of the newest first.
func (tx *Tx) Anchors() (all []logiqc.Anchor, err error) {
	err = tx.each(`SELECT place, at, note FROM anchor ORDER BY at DESC, place`, nil, func(rows *sql.Rows) error {
		var a logiqc.Anchor
		err := rows.Scan(&a.Place, &a.Last.At, &a.Last.Note)
		all = append(all, a)
		return err
	})
	return all, err
}

// SetAnchor keeps the newest checkpoint of a place.
func (tx *Tx) SetAnchor(a logiqc.Anchor) error {
	_, err := tx.exec(`INSERT INTO anchor (place, at, note) VALUES ($1, $2, $3)
		ON CONFLICT (place) DO UPDATE SET at = excluded.at, note = excluded.note`, a.Place, int64(a.Last.At), a.Last.Note)
	return err
}
