package store

import (
	"database/sql"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Info is what a store says of itself.
type Info struct {
	ID        string // UUIDv7
	Schema    int
	Origin    string // of the log's checkpoints
	CreatedAt logiqc.Time
}

// NewInfo describes a store that is being made, of the current schema.
func NewInfo(id, origin string, at logiqc.Time) Info {
	return Info{ID: id, Schema: schemaVersion, Origin: origin, CreatedAt: at}
}

// Info returns what the store says of itself.
func (tx *Tx) Info() (i Info, err error) {
	if tx.memo.info != nil {
		return *tx.memo.info, nil
	}
	_, err = tx.one(`SELECT id, schema, origin, created_at FROM store`, nil, &i.ID, &i.Schema, &i.Origin, &i.CreatedAt)
	if err == nil {
		tx.memo.info = &i
	}
	return i, err
}

// SetInfo replaces what the store says of itself. The schema stays as it is:
// only migrations change it.
func (tx *Tx) SetInfo(i Info) error {
	tx.memo.info = nil
	_, err := tx.exec(`UPDATE store SET id = $1, origin = $2, created_at = $3 WHERE one = 1`,
		i.ID, i.Origin, int64(i.CreatedAt))
	return err
}

// Policy returns the organisation's settings; a key that was never set has its
// default.
func (tx *Tx) Policy() (logiqc.Policy, error) {
	if tx.memo.policy != nil {
		return *tx.memo.policy, nil
	}
	p := logiqc.DefaultPolicy()
	err := tx.each(`SELECT key, value FROM policy`, nil, func(rows *sql.Rows) error {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		if err := p.Set(key, value); err != nil {
			return logiqc.Errorf(logiqc.Integrity, "the store's policy cannot be read: %w", err)
		}
		return nil
	})
	if err == nil {
		tx.memo.policy = &p
	}
	return p, err
}

// SetPolicy replaces every setting.
func (tx *Tx) SetPolicy(p logiqc.Policy) error {
	tx.memo.policy = nil
	for key, value := range p.Values() {
		_, err := tx.exec(`INSERT INTO policy (key, value) VALUES ($1, $2)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
		if err != nil {
			return err
		}
	}
	return nil
}
