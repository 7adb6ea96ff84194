package store

import "github.com/logiqc/logiqc/pkg/logiqc"

// bulk is an import under way.
type bulk struct{ users []*logiqc.User }

func (b *bulk) add(batch []*logiqc.User) error {
	b.users = append(b.users, batch...)
	return nil
}

// BeginBulk prepares the transaction for very many InsertUsers. Until EndBulk
// the new accounts cannot be found by Find.
func (tx *Tx) BeginBulk() error {
	tx.bulk = &bulk{}
	return nil
}

// EndBulk makes the accounts inserted since BeginBulk findable.
func (tx *Tx) EndBulk() error {
	b := tx.bulk
	tx.bulk = nil
	return tx.indexUsers(b.users)
}
