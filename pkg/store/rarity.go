package store

import (
	"cmp"
	"database/sql"
	"slices"
	"sync"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// rarity estimates how common runs of three characters are, from a sample of
// the accounts. The text index has to go through every account that has a
// trigram, so a search asks it for the rarest few only: "@example.com" costs
// nothing where everybody has it.
type rarity struct {
	mu     sync.Mutex
	upTo   int64 // the greatest account number when the sample was taken
	counts map[string]int
}

// How many trigrams the text index is asked for, and how many accounts are
// looked at to choose them.
const (
	trigramsAsked   = 4
	accountsSampled = 200
)

// rarest returns the rarest few of the trigrams of words that are indexed, rarest
// first.
func (tx *Tx) rarest(words []string, indexed func(trigram string) bool) ([]string, error) {
	all := slices.DeleteFunc(trigrams(words, maxTrigrams), func(t string) bool { return !indexed(t) })
	if len(all) <= trigramsAsked {
		return all, nil
	}
	counts, err := tx.sampled()
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(counts[a], counts[b]) })
	return all[:trigramsAsked], nil
}

// sampled returns how many accounts of the sample have each trigram. A new
// sample is taken when there are twice as many accounts.
func (tx *Tx) sampled() (map[string]int, error) {
	var last int64
	if _, err := tx.one(`SELECT coalesce(max(n), 0) FROM account`, nil, &last); err != nil {
		return nil, err
	}
	r := tx.rarity
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts != nil && last < 2*r.upTo {
		return r.counts, nil
	}
	sample := make([]int64, accountsSampled)
	for i := range sample {
		sample[i] = 1 + last*int64(i)/accountsSampled
	}
	counts := map[string]int{}
	err := eachIn(tx, `SELECT username_key, email, name FROM account WHERE n`, ``, nil, sample, func(rows *sql.Rows) error {
		var username, email, name string
		err := rows.Scan(&username, &email, &name)
		for _, t := range trigrams([]string{username, logiqc.Fold(email), logiqc.Fold(name)}, 1<<10) {
			counts[t]++
		}
		return err
	})
	if err == nil {
		r.counts, r.upTo = counts, last
	}
	return counts, err
}
