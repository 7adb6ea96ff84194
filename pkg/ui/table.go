package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Column is a column of a [Table].
type Column struct {
	Name  string // shown in upper case
	Right bool   // aligned right
	Min   int    // least width in cells on a terminal
	Whole bool   // never cut on a terminal
}

// Table starts a table on standard output.
func (u *IO) Table(cols ...Column) *Table { return &Table{u: u, cols: cols} }

// Table streams rows. On a terminal they are aligned under a header and cut to
// the window; widths are settled by the first rows, which are held back until
// there are [tableSample] of them or Flush or Close is called. A window too
// narrow for that, and accessible mode, get one "Name: value" block per row. In
// a pipe every row is written at once, its cells separated by tabs, uncut,
// without a header.
type Table struct {
	u      *IO
	cols   []Column
	held   [][]string
	widths []int // nil until settled
	blocks bool
	rows   int
}

// tableSample is how many rows decide a table's widths.
const tableSample = 100

// columnGap separates columns on a terminal.
const columnGap = "  "

// Row adds a row: for each column a string, a [Text], or a value as
// [fmt.Sprint] shows it.
func (t *Table) Row(cells ...any) error {
	line := t.cells(cells)
	if !t.u.outTTY {
		return t.u.write(t.u.out, strings.Join(line, "\t")+"\n")
	}
	t.held = append(t.held, line)
	if t.widths == nil && len(t.held) < tableSample {
		return nil
	}
	return t.Flush()
}

// cells makes text of a row, with a cell for each column.
func (t *Table) cells(row []any) []string {
	line := make([]string, len(t.cols))
	for i := range line {
		if i < len(row) {
			line[i] = cell(row[i])
		}
	}
	return line
}

// Flush writes the rows held back.
func (t *Table) Flush() error {
	if len(t.held) == 0 {
		return nil
	}
	var b strings.Builder
	if t.widths == nil {
		t.settle()
		if !t.blocks {
			b.WriteString(t.header())
		}
	}
	for _, r := range t.held {
		b.WriteString(t.line(r))
	}
	t.held = nil
	return t.u.write(t.u.out, b.String())
}

// Close writes what is left. A table without rows has no header either.
func (t *Table) Close() error { return t.Flush() }

// settle chooses the widths for the window.
func (t *Table) settle() {
	width, _ := t.u.Size()
	over := t.fit(width)
	t.blocks = over > 0 || t.u.accessible
	if last := len(t.widths) - 1; over < 0 && !t.cols[last].Right {
		t.widths[last] -= over // room for longer cells of later rows
	}
}

// fit gives each column what its cells need, the widest giving way first where
// width is less, and returns how many cells that is too wide still.
func (t *Table) fit(width int) (over int) {
	t.widths = make([]int, len(t.cols))
	over = len(columnGap)*(len(t.cols)-1) - width
	for i, c := range t.cols {
		t.widths[i] = max(c.Min, ansi.StringWidth(Clean(c.Name)))
		for _, r := range t.held {
			t.widths[i] = max(t.widths[i], ansi.StringWidth(r[i]))
		}
		over += t.widths[i]
	}
	for ; over > 0; over-- {
		i := t.widest()
		if i < 0 {
			break
		}
		t.widths[i]--
	}
	return over
}

// TableLines lays rows out as a [Table] does on a terminal, the header first. In
// a window that is too narrow for all columns the last ones are left out.
func TableLines(width int, cols []Column, rows [][]any) []string {
	t := &Table{cols: cols}
	for _, r := range rows {
		t.held = append(t.held, t.cells(r))
	}
	for t.fit(width) > 0 && len(t.cols) > 1 {
		t.cols = t.cols[:len(t.cols)-1]
	}
	out := []string{t.header()}
	for _, r := range t.held {
		out = append(out, t.line(r[:len(t.cols)]))
	}
	for i, line := range out {
		out[i] = ansi.Truncate(strings.ReplaceAll(line, "\n", ""), width, "…")
	}
	return out
}

// leastCut is the width below which a cut column says too little.
const leastCut = 6

// widest returns the widest column that may still be cut, or -1.
func (t *Table) widest() int {
	at := -1
	for i, c := range t.cols {
		if !c.Whole && t.widths[i] > max(c.Min, leastCut) && (at < 0 || t.widths[i] > t.widths[at]) {
			at = i
		}
	}
	return at
}

// header is the line of column names.
func (t *Table) header() string {
	names := make([]string, len(t.cols))
	for i, c := range t.cols {
		names[i] = strings.ToUpper(Clean(c.Name))
	}
	return "\x1b[1m" + strings.TrimSuffix(t.line(names), "\n") + "\x1b[22m\n"
}

// line lays out one row.
func (t *Table) line(cells []string) string {
	if t.blocks {
		return t.block(cells)
	}
	out := make([]string, len(cells))
	for i, s := range cells {
		out[i] = pad(ansi.Truncate(s, t.widths[i], "…"), t.widths[i], t.cols[i].Right)
	}
	return strings.TrimRight(strings.Join(out, columnGap), " ") + "\n"
}

// block is one row as lines of name and value; empty cells are left out.
func (t *Table) block(cells []string) string {
	var b strings.Builder
	if t.rows > 0 {
		b.WriteByte('\n')
	}
	t.rows++
	for i, s := range cells {
		if s != "" {
			b.WriteString(Clean(t.cols[i].Name) + ": " + s + "\n")
		}
	}
	return b.String()
}
