package ui

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"Jordan Lee · Zoë 李雷 O'Brien – “x” é", "Jordan Lee · Zoë 李雷 O'Brien – “x” é"},
		{"a\x00b\x07\x1b[31m\x7f", `a\x00b\x07\x1b[31m\x7f`},
		{"line\nnext\r\ttab", `line\nnext\r\ttab`},
		{"\u009b31m\u0085", `\u009b31m\u0085`},
		{"\u202eeeL\u2066x\u2069\u200f\u061c", `\u202eeeL\u2066x\u2069\u200f\u061c`},
		{"a\u200bb\u200dc\ufeffd\u00ade\u2060", `a\u200bb\u200dc\ufeffd\u00ade\u2060`},
		{"\u2028\u2029\u3164\u115f", `\u2028\u2029\u3164\u115f`},
		{"\u034f\u1160\u17b4\u17b5\u2800\uffa0", `\u034f\u1160\u17b4\u17b5\u2800\uffa0`},
		{"\u180b\u180c\u180d\u180e\u180f\x1f", `\u180b\u180c\u180d\u180e\u180f\x1f`},
		{"\U000e0041\U000e0100", `\U000e0041\U000e0100`},
		{"\xff\xc3(", `\xff\xc3(`},
		{"\ufffd", "\ufffd"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// harmless fails if s could steer a terminal or hide something.
func harmless(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Fatalf("invalid UTF-8: %q", s)
	}
	for _, r := range s {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029) {
			t.Fatalf("%U in %q", r, s)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"Jordan", "\x1b]0;x\a", "\u202e", "\xff", "a\nb", "%s%d%!", "\u009b", "\U000e0001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		harmless(t, c)
		if strings.Contains(c, "\n") {
			t.Fatalf("a newline in %q", c)
		}
		if clean(s) && c != s {
			t.Fatalf("printable %q became %q", s, c)
		}
		for _, text := range []Text{
			Sprintf("%s|%v|%-20q|%10.3s|%x", s, []string{s}, s, s, s),
			Sprintf("%v", fmt.Errorf("wrapped: %s", s)), Sprintf("%+v", struct{ Name string }{s}), Lines(s),
		} {
			harmless(t, text.s)
		}
		for _, text := range []Text{Bold(s), Red(s), Sprintf("%s", Green(s))} {
			harmless(t, text.plain())
		}
		line, err := marshal(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		harmless(t, line)
	})
}

func TestSprintf(t *testing.T) {
	for _, c := range []struct {
		got  Text
		want string
	}{
		{Sprintf("%d of %5.1f %t\n%s", 3, 2.25, true, "x\ny"), "3 of   2.2 true\nx\\ny"},
		{Sprintf("%s", Bold("a\x1b")), "\x1b[1ma\\x1b\x1b[22m"},
		{Sprintf("%-5s|%5s|", "ab", "cd"), "ab   |   cd|"},
		{Sprintf("%*d", 4, 7), "   7"},
		{Lines("a\nb\tc"), "a\nb\\tc"},
	} {
		if c.got.s != c.want {
			t.Errorf("got %q, want %q", c.got.s, c.want)
		}
	}
}
