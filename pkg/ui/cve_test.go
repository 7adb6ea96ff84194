package ui

import (
	"regexp"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// TestCVE: what other programs let data do to the terminal of whoever reads it
// (security.md §7). TestForgedTitle is about questions.
func TestCVE(t *testing.T) {
	t.Run("CVE-2026-3108,CVE-2025-64494,CVE-2021-25743,CVE-2026-45803,CVE-2026-25996", func(t *testing.T) {
		x := uitest.New(t, 80, 24)
		ours := regexp.MustCompile("\x1b\\[[0-9;]*m") // colours
		for name, attack := range map[string]string{
			"title": "\x1b]0;owned\a", "clipboard": "\x1b]52;c;b3duZWQ=\x1b\\", "clear": "\x1b[2J\x1b[H", "C1": "\u009b2J",
			"overwrite": "admin\rjlee ", "next line": "jlee\nroot  admin", "link": "\x1b]8;;http://evil\x1b\\jlee\x1b]8;;\x1b\\",
			"right to left": "\u202eeelj", "invisible": "jl\u200bee", "answerback": "\x05\x1b[c", "broken": "jlee\xff\x9b2J",
		} {
			before := len(x.Output())
			u := onTTY(x, Options{})
			u.Answerf("MFA reset for %s.", attack)
			u.Notef("note %s", attack)
			u.Hintf("hint %s", attack)
			u.Warnf("warning %s", attack)
			u.Error("usage", "error "+strings.ReplaceAll(attack, "\n", ""), strings.ReplaceAll(attack, "\n", ""))
			table := u.Table(Column{Name: "Name"})
			_ = table.Row(attack)
			_ = table.Close()
			_ = u.Card(Card{Title: attack, Status: attack, Sections: []Section{{Rows: []CardRow{{Label: "Name", Value: attack}}}}})
			csv := u.CSV([]string{"name"})
			_ = csv.Row(attack)
			_ = csv.Close()
			_ = u.JSON(map[string]string{"name": attack})
			u.Answerf("end of %s", name)
			x.Wait("end of " + name)
			for _, r := range ours.ReplaceAllString(x.Output()[before:], "") {
				if r < 0x20 && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 || strings.ContainsRune("\u202e\u200b", r) {
					t.Errorf("%s: %U reached the terminal", name, r)
				}
			}
			if strings.Contains(x.Output()[before:], "\r") && strings.Contains(strings.ReplaceAll(x.Output()[before:], "\r\n", ""), "\r") {
				t.Errorf("%s: the line was begun again", name)
			}
		}
	})
}
