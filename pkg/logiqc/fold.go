package logiqc

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// foldMap maps letters that have no decomposition to what people type for them.
var foldMap = map[rune]string{
	'ł': "l", 'ø': "o", 'đ': "d", 'ð': "d", 'ħ': "h", 'ŧ': "t", 'ı': "i", 'ŋ': "n",
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'þ': "th", 'ĳ': "ij",
}

// Fold returns s as it is compared and searched: NFKD, marks stripped, letters
// without a decomposition mapped (ł ø ß …), lower case, runs of blanks as one.
func Fold(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	blank := false
	for _, r := range norm.NFKD.String(s) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		if unicode.IsSpace(r) {
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		r = unicode.ToLower(r)
		if m, ok := foldMap[r]; ok {
			b.WriteString(m)
		} else if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPlain reports whether s is lower-case ASCII without blanks, which folds to
// itself: the common case of a username or an email.
func isPlain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || ('A' <= c && c <= 'Z') {
			return false
		}
	}
	return true
}

// Key returns a username or an email as it is compared for being the same:
// letter case ignored, nothing else.
func Key(s string) string { return strings.ToLower(s) }
