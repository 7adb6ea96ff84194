package store

import (
	"cmp"
	"database/sql"
	"slices"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// How many names are offered, and how many are looked at for each way they may
// be near.
const (
	nearestOffered = 3
	nearestTried   = 64
)

// nearest returns the usernames nearest to a reference that means no account:
// those that differ by a letter or two, then those that a search for it found.
func (tx *Tx) nearest(ref string, found []logiqc.User) ([]string, error) {
	key := firstRunes(logiqc.Fold(strings.TrimSpace(ref)), 64)
	local, _, _ := strings.Cut(key, "@")
	if local == "" || strings.ContainsRune(key, 0) {
		return nil, nil
	}
	tried := map[string]string{} // key to username
	if err := tx.tryNear(local, tried); err != nil {
		return nil, err
	}
	type near struct {
		name     string
		key      string
		distance int
	}
	var all []near
	for k, name := range tried {
		if d := editDistance(local, k); d <= 1+len(local)/5 {
			all = append(all, near{name, k, d})
		}
	}
	slices.SortFunc(all, func(a, b near) int { return cmp.Or(a.distance-b.distance, cmp.Compare(a.key, b.key)) })
	var names []string
	for _, n := range all[:min(len(all), nearestOffered)] {
		names = append(names, n.name)
	}
	for _, u := range found {
		if len(names) < nearestOffered && !slices.Contains(names, u.Username) {
			names = append(names, u.Username)
		}
	}
	return names, nil
}

// tryNear collects usernames that share a beginning with key, the longer the
// better, or its second half: one wrong letter leaves one of the halves whole.
func (tx *Tx) tryNear(key string, tried map[string]string) error {
	collect := func(rows *sql.Rows) error {
		var k, name string
		err := rows.Scan(&k, &name)
		tried[k] = name
		return err
	}
	runes := []rune(key)
	for _, cut := range []int{len(runes), len(runes) - 1, len(runes) - 2, len(runes) / 2} {
		if cut < 1 {
			continue
		}
		st := step{byUsername, string(runes[:cut])}
		err := tx.each(`SELECT username_key, username FROM account
			WHERE username_key >= $1 AND username_key < $2 ORDER BY username_key LIMIT $3`,
			[]any{st.prefix, st.end(), nearestTried}, collect)
		if err != nil {
			return err
		}
	}
	half := string(runes[len(runes)/2:])
	if !isLong(half) {
		return nil
	}
	left := nearestTried
	return tx.eachText(textQuery{columns: `a.n, a.username_key, a.username `, words: []string{half}}, left, left,
		func(rows *sql.Rows) (n int64, took bool, err error) {
			var k, name string
			if err := rows.Scan(new(string), &n, &k, &name); err != nil {
				return n, false, err
			}
			tried[k] = name
			if left--; left == 0 {
				return n, true, errStop
			}
			return n, true, nil
		})
}

// editDistance counts the letters to insert, delete, replace or swap with
// their neighbour to make one text of the other (optimal string alignment).
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, now := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		now[0] = i
		for j := 1; j <= len(t); j++ {
			differs := 1
			if s[i-1] == t[j-1] {
				differs = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+differs)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(t)]
}
