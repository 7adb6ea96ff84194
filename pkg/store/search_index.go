package store

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// wordRunes is how much of a name is kept from each of its words on; what is
// longer is found by the text index.
const wordRunes = 40

// searchWords are the entries of account_word for an account: its folded name
// turned so that each word comes first once, and its folded email where that is
// another than the email's key.
func searchWords(nameFold, emailFold, emailKey string) []string {
	var all []string
	for at := 0; nameFold != "" && at >= 0; {
		turned := nameFold
		if at > 0 {
			turned = nameFold[at:] + " " + nameFold[:at-1]
		}
		all = append(all, firstRunes(turned, wordRunes))
		next := strings.IndexByte(nameFold[at:], ' ')
		if next < 0 {
			break
		}
		at += next + 1
	}
	if emailFold != emailKey {
		all = append(all, emailFold)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// firstRunes cuts s after n characters.
func firstRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func userWords(u *logiqc.User) []string {
	return searchWords(logiqc.Fold(u.Name), logiqc.Fold(u.Email), logiqc.Key(u.Email))
}

// entry is a row of account_word.
type entry struct {
	word string
	n    int64
}

// indexUsers makes accounts that have just been inserted findable. In a bulk
// insert the words wait to be written in order.
func (tx *Tx) indexUsers(batch []*logiqc.User) error {
	words := tx.waiting
	for _, u := range batch {
		for _, w := range userWords(u) {
			words = append(words, entry{w, u.N})
		}
	}
	if err := tx.engine.insertText(tx, batch); err != nil {
		return err
	}
	if tx.bulk {
		tx.waiting, tx.added = words, tx.added+len(batch)
		if len(words) < wordsWaiting {
			return nil
		}
		tx.waiting = tx.waiting[:0]
	}
	return tx.insertWords(words)
}

// wordsWaiting bounds how many words of a bulk insert are held in memory.
const wordsWaiting = 1 << 20

func (tx *Tx) insertWords(words []entry) error {
	slices.SortFunc(words, func(a, b entry) int { return cmp.Or(strings.Compare(a.word, b.word), cmp.Compare(a.n, b.n)) })
	return tx.insertMany(` INTO account_word (word, n)`, 2, len(words), func(i int, args []any) []any {
		return append(args, words[i].word, words[i].n)
	})
}

// BeginBulk prepares the transaction for very many InsertUsers. Until EndBulk
// the new accounts need not be found by Find.
func (tx *Tx) BeginBulk() error {
	if err := tx.Alone(); err != nil {
		return err
	}
	tx.bulk = true
	return tx.engine.bulk(tx, true)
}

// EndBulk makes every account inserted since BeginBulk findable.
func (tx *Tx) EndBulk() error {
	words := tx.waiting
	tx.waiting = nil
	defer func() { tx.bulk, tx.added = false, 0 }()
	if err := tx.insertWords(words); err != nil {
		return err
	}
	return tx.engine.bulk(tx, false)
}

// unindexUser takes an account out of the search index, as it was indexed.
func (tx *Tx) unindexUser(u *logiqc.User) error {
	for _, w := range userWords(u) {
		if _, err := tx.exec(`DELETE FROM account_word WHERE word = $1 AND n = $2`, w, u.N); err != nil {
			return err
		}
	}
	return tx.engine.deleteText(tx, u)
}

// trigrams returns the runs of three characters in words, each once, at most
// limit of them.
func trigrams(words []string, limit int) []string {
	var all []string
	for _, w := range words {
		runes := []rune(w)
		for i := 0; i+3 <= len(runes) && len(all) < limit; i++ {
			if t := string(runes[i : i+3]); !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
	}
	return all
}

// isLong reports whether a word has a trigram.
func isLong(word string) bool { return utf8.RuneCountInString(word) >= 3 }
