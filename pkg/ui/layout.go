package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// row is a label and its values, each value starting on a line of its own and
// wrapped under itself.
type row struct {
	label  string
	values []string
	keep   bool
	space  bool // an empty line before it
	wide   bool // no label: the values start where labels do
}

// columns says where rows stand: narrow windows give up indentation first.
type columns struct{ indent, label, width int }

// columnsFor measures the labels of rows for a window of the given width.
func columnsFor(rows []row, width, gap int) columns {
	c := columns{indent: 2, width: width}
	for _, r := range rows {
		c.label = max(c.label, ansi.StringWidth(r.label))
	}
	if width < 60 {
		c.indent, gap = 0, 1
	}
	if c.label > 0 {
		c.label = min(c.label+gap, width/2)
	}
	return c
}

// lines lays one row out, without the empty line before it.
func (c columns) lines(r row) []string {
	left := strings.Repeat(" ", c.indent)
	if r.wide {
		c.label = 0
	}
	label := ansi.Truncate(r.label, max(c.label-1, 0), "…")
	var out []string
	for _, v := range r.values {
		for _, line := range wrapTo(v, c.width-c.indent-c.label) {
			out = append(out, strings.TrimRight(left+pad(label, c.label, false)+line, " "))
			label = ""
		}
	}
	return out
}

// wrapTo breaks s into lines of at most width cells, inside words if it must.
func wrapTo(s string, width int) []string {
	return strings.Split(ansi.Wrap(s, max(width, 1), ""), "\n")
}

// Wrap breaks a paragraph into lines of at most width cells, at blanks alone: a
// flag or a path stays in one piece, however long it is.
func Wrap(paragraph string, width int) string {
	var b strings.Builder
	used := 0
	for word := range strings.FieldsSeq(paragraph) {
		w := ansi.StringWidth(word)
		switch {
		case used == 0:
		case used+1+w > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += w
	}
	return b.String()
}

// pad fills s with blanks up to width cells.
func pad(s string, width int, right bool) string {
	n := width - ansi.StringWidth(s)
	if n <= 0 {
		return s
	}
	if right {
		return strings.Repeat(" ", n) + s
	}
	return s + strings.Repeat(" ", n)
}

// cleanAll returns every string cleaned.
func cleanAll(ss []string) []string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = Clean(s)
	}
	return out
}
