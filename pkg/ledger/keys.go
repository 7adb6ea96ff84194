package ledger

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/text/unicode/norm"
)

// Origin gives the name of a store's log, which is also the name of its keys:
// logiqc/SLUG/ID. SLUG is the issuer in lower-case ASCII letters, digits and
// single hyphens ("log" when nothing of it can be written so), ID the last
// eight characters of the store's id.
func Origin(issuer, storeID string) string {
	return "logiqc/" + slug(issuer) + "/" + storeID[max(0, len(storeID)-8):]
}

// NextOrigin gives the name of a log that takes over from the one called origin
// where that cannot go on: the same name with the next number, .2 for the first
// such log, after all that are in use.
func NextOrigin(origin string, inUse ...string) string {
	base, newest := splitOrigin(origin)
	for _, name := range inUse {
		if b, n := splitOrigin(name); b == base {
			newest = max(newest, n)
		}
	}
	return base + "." + strconv.Itoa(newest+1)
}

// OriginNumber gives the number of a log among those that took over from each
// other; 1 is the first, whose name has none.
func OriginNumber(origin string) int {
	_, n := splitOrigin(origin)
	return n
}

func splitOrigin(origin string) (base string, n int) {
	base, number, found := cutLast(origin, ".")
	if n, err := strconv.Atoi(number); found && err == nil && n > 1 && strconv.Itoa(n) == number {
		return base, n
	}
	return origin, 1
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// undecomposed are Latin letters that Unicode does not take apart into a base
// letter and a mark.
var undecomposed = strings.NewReplacer(
	"ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ħ", "h", "ı", "i", "ŋ", "n")

func slug(s string) string {
	var out strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(undecomposed.Replace(strings.ToLower(s))) {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			if gap && out.Len() > 0 {
				out.WriteByte('-')
			}
			gap = false
			out.WriteRune(r)
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
			// Part of the letter or word before it: "Mary's" is "marys".
		default:
			gap = true
		}
	}
	if out.Len() == 0 {
		return "log"
	}
	return out.String()
}

// GenerateKey makes an Ed25519 key for the log called origin, in the text
// forms of C2SP signed-note: skey (PRIVATE+KEY+…) is secret, vkey is for
// everyone. Errors: [ErrOrigin] for a text that cannot name a key; those of rand.
func GenerateKey(rand io.Reader, origin string) (skey, vkey string, err error) {
	if skey, vkey, err = note.GenerateKey(rand, origin); err != nil {
		return "", "", fmt.Errorf("making a log key: %w", err)
	}
	// Names with blanks, plus signs or control characters make a key that
	// cannot be read back.
	if _, err := note.NewVerifier(vkey); err != nil || strings.ContainsFunc(origin, unicode.IsControl) {
		return "", "", fmt.Errorf("%q: %w", origin, ErrOrigin)
	}
	return skey, vkey, nil
}
