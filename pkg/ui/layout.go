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

// wrapTo breaks s into lines of at most width cells, inside words if it must, and
// inside a command only then.
func wrapTo(s string, width int) []string {
	return strings.Split(unglued(ansi.Wrap(glued(s, width), max(width, 1), "")), "\n")
}

// glue stands for a blank at which no line is to be broken.
const glue = "\ue0ff"

// glued keeps the commands in s that are at most width long in one piece, so that
// they can be copied: each goes from the program's name on as far as its clause.
func glued(s string, width int) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "logiqc ")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		end := strings.IndexAny(rest, ";,()\n")
		if end < 0 {
			end = len(rest)
		}
		command := "logiqc " + rest[:end]
		if ansi.StringWidth(command) <= width {
			command = strings.ReplaceAll(command, " ", glue)
		}
		b.WriteString(command)
		s = rest[end:]
	}
}

func unglued(s string) string { return strings.ReplaceAll(s, glue, " ") }

// Wrap breaks a paragraph into lines of at most width cells, at blanks alone: a
// flag or a path stays in one piece, however long it is.
func Wrap(paragraph string, width int) string {
	return fit(strings.Join(strings.Fields(paragraph), " "), width)
}

// fit breaks a line as Wrap does and keeps its blanks, those that it begins with
// in front of the other lines too. Labels, each before more than one blank, stay
// with what follows them, and the other lines stand under that. A command stays in
// one piece, as does what is longer than a line: the terminal breaks it so that it
// can be copied.
func fit(line string, width int) string {
	var b strings.Builder
	line = glued(line, len(line))
	rest := strings.TrimLeft(line, " ")
	indent := len(line) - len(rest)
	under, gap, used, labels := indent, indent, 0, 0
	for words := 0; ; words++ {
		word, after, more := strings.Cut(rest, " ")
		w := ansi.StringWidth(word)
		if labelled := gap > 1 && words == labels+1; labelled {
			labels++
			if width-used-gap >= narrowest {
				under = used + gap
			}
		} else if words > 0 && used+gap+w > width {
			if under+w > width {
				under = indent
			}
			if under+w <= width {
				b.WriteByte('\n')
				gap, used = under, 0
			}
		}
		b.WriteString(strings.Repeat(" ", gap) + word)
		used += gap + w
		if !more {
			return unglued(b.String())
		}
		rest = strings.TrimLeft(after, " ")
		gap = len(after) - len(rest) + 1
	}
}

// narrowest is the column, in cells, in which text is still read.
const narrowest = 24

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
