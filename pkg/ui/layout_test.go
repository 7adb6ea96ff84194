package ui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
)

// TestEveryWindow draws the screens for windows of all sizes: nothing
// breaks, nothing is drawn outside, and from 40×12 up what matters is there.
func TestEveryWindow(t *testing.T) {
	d := resetDialog()
	d.Title = strings.Repeat("李雷 ", 60)
	d.Facts[1].Keep, d.Facts[1].Value = true, strings.Repeat("very long ", 30)
	agreed := false
	field := huh.NewConfirm().Affirmative("Confirm").Negative("Cancel").Value(&agreed)
	q := newQuestion(d.Title, d.rows(), field, 80, 24)
	q.Init()
	m := &enrolModel{s: enrolScreen(), code: newField("Code  "), path: newField("Save picture as  ")}
	m.message = triesLeft("That code is 4 minutes ahead.", 5, 1)
	s := &secretModel{s: recoveryCodes(10)}
	s.s.Prompt = "Press Enter when you have kept them."
	draw := func(w, h int) {
		q.Update(tea.WindowSizeMsg{Width: w, Height: h})
		fits(t, "dialog", q.View().Content, w, h, "[ Cancel ]", "jlee@stmary.example", "李雷")
		m.Update(tea.WindowSizeMsg{Width: w, Height: h})
		fits(t, "enrolment", strings.Join(m.layout(), "\n"), w, h, "Code", "JBSW Y3DP", "jordan.lee", "help desk")
		s.Update(tea.WindowSizeMsg{Width: w, Height: h})
		lines, _ := s.layout()
		fits(t, "secrets", strings.Join(lines, "\n"), w, h, "8w00", "8w09", "Press Enter")
	}
	for w := 1; w <= 130; w += 3 {
		for h := 2; h <= 60; h += 2 {
			draw(w, h)
		}
	}
	for _, size := range [][2]int{{80, 24}, {80, 25}, {41, 13}, {200, 50}, {121, 44}, {500, 200}} {
		draw(size[0], size[1])
	}
}

// fits fails if content leaves a window of w by h, or lacks any of texts where
// the window is at least 40×12.
func fits(t *testing.T, name, content string, w, h int, texts ...string) {
	t.Helper()
	if w < 40 || h < 12 {
		return
	}
	lines := strings.Split(content, "\n")
	if len(lines) > h {
		t.Fatalf("%s at %dx%d has %d lines:\n%s", name, w, h, len(lines), content)
	}
	for _, l := range lines {
		if n := ansi.StringWidth(l); n > w {
			t.Fatalf("%s at %dx%d has a line of %d cells:\n%s", name, w, h, n, content)
		}
	}
	for _, text := range texts {
		if !strings.Contains(ansi.Strip(content), text) {
			t.Fatalf("%s at %dx%d lacks %q:\n%s", name, w, h, text, content)
		}
	}
}

// A line is broken between words, as it is indented, and else stays what it was.
func TestFit(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"  Phone  +61 2    Email  x@y": "  Phone  +61\n  2    Email\n  x@y",
		"Jamie has no enrolment":       "Jamie has no\nenrolment",
		"ok  store  " + "--a-long-flag-of-its-own x": "ok  store  --a-long-flag-of-its-own\nx",
		"wait (logiqc -h) for it":                    "wait\n(logiqc -h)\nfor it",
		"wait (logiqc users unlock jlee)":            "wait (logiqc users unlock jlee)",
		"it fits   so":                               "it fits   so",
		"\x1b[31mred red\x1b[39m it is so":           "\x1b[31mred red\x1b[39m it is\nso",
	} {
		if got := fit(in, 13); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	under := "warn     anchor  nothing was kept\n                 anywhere else yet"
	if got := fit(strings.Join(strings.Split(under, "\n                 "), " "), 41); got != under {
		t.Errorf("under its labels: %q", got)
	}
}
