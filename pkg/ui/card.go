package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Card is what is known about one thing. Strings are cleaned.
type Card struct {
	Title    string
	Status   string // right-aligned on the title's line
	Sections []Section
}

// Section is a group of a card's rows; the first usually has no name.
type Section struct {
	Name string
	Rows []CardRow
}

// CardRow is a labelled value: a string or a [Text]. More are further lines
// under it.
type CardRow struct {
	Label string
	Value any
	More  []string
}

// cardWidth is where a card's status ends on a wide terminal.
const cardWidth = 78

// Card writes c to standard output: on a terminal a title line and aligned
// rows, wrapped to the window; in a pipe lines of label, TAB and value, the
// first with title and status; accessible, lines of "Label: value".
func (u *IO) Card(c Card) error {
	var out []string
	switch {
	case u.accessible && u.outTTY:
		out = c.separated(": ", ", ")
	case u.outTTY:
		w, _ := u.Size()
		out = c.Lines(w)
	default:
		out = c.separated("\t", "\t")
	}
	return u.write(u.out, strings.Join(out, "\n")+"\n")
}

// separated is the card as lines of label, sep and value.
func (c Card) separated(sep, status string) []string {
	head := Clean(c.Title)
	if c.Status != "" {
		head += status + Clean(c.Status)
	}
	out := []string{head}
	for _, s := range c.Sections {
		for _, r := range s.Rows {
			values := append([]string{cell(r.Value)}, cleanAll(r.More)...)
			label := Clean(r.Label) + sep
			if strings.HasSuffix(r.Label, "?") {
				label = Clean(r.Label) + strings.TrimPrefix(sep, ":")
			}
			out = append(out, label+strings.Join(values, " "))
		}
	}
	return out
}

// Lines is the card for a terminal of the given width.
func (c Card) Lines(width int) []string {
	end := min(width, cardWidth)
	title, status := Clean(c.Title), Clean(c.Status)
	head := wrapTo(title, end)
	last := ansi.StringWidth(head[len(head)-1])
	for i := range head {
		head[i] = "\x1b[1m" + head[i] + "\x1b[22m"
	}
	if n := ansi.StringWidth(status); n > 0 && last+2+n <= end {
		head[len(head)-1] += strings.Repeat(" ", end-last-n) + status
	} else if n > 0 {
		head = append(head, wrapTo(status, end)...)
	}
	var rows []row
	for _, s := range c.Sections {
		for _, r := range s.Rows {
			rows = append(rows, row{label: Clean(r.Label), values: append([]string{cell(r.Value)}, cleanAll(r.More)...)})
		}
	}
	cols := columnsFor(rows, width, 2)
	out := head
	for _, s := range c.Sections {
		if s.Name != "" {
			out = append(out, Clean(s.Name))
		}
		for range s.Rows {
			out = append(out, cols.lines(rows[0])...)
			rows = rows[1:]
		}
	}
	return out
}
