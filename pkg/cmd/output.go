package cmd

import (
	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// answer writes the one result of a command: v for a program, text for a
// person.
func (a *App) answer(v any, text func(io *ui.IO) error) error {
	io := a.IO()
	switch io.Format() {
	case ui.FormatJSON, ui.FormatJSONL:
		return io.JSON(v)
	case ui.FormatCSV:
		return noCSV()
	}
	return text(io)
}

// oneAnswer marks a command whose answer is no list: -o csv is refused before it
// does anything.
var oneAnswer = map[string]string{noList: ""}

// noList is the name of that mark.
const noList = "no list"

// noCSV refuses -o csv where the answer is no list.
func noCSV() error {
	return logiqc.Errorf(logiqc.Usage, "this answer is no list, so there is no csv of it").WithHint("-o json")
}

// rows is a list on its way out, in whichever format was asked for: a streamed
// JSON array or lines, CSV with a header, or a table.
type rows[T any] struct {
	add   func(T) error
	close func() error
	flush func() error // writes what is held back
	n     int
}

// list starts a list. cells gives the row of an element for CSV and tables; a
// nil csv header means the table's columns.
func list[T any](io *ui.IO, columns []ui.Column, cells func(T) []any, header []string, record func(T) []string) *rows[T] {
	nothing := func() error { return nil }
	switch io.Format() {
	case ui.FormatJSON:
		array := io.JSONArray()
		return &rows[T]{add: func(v T) error { return array.Add(v) }, close: array.Close, flush: nothing}
	case ui.FormatJSONL:
		return &rows[T]{add: func(v T) error { return io.JSONLine(v) }, close: nothing, flush: nothing}
	case ui.FormatCSV:
		out := io.CSV(header)
		return &rows[T]{add: func(v T) error { return out.Row(record(v)...) }, close: out.Close, flush: nothing}
	}
	table := io.Table(columns...)
	return &rows[T]{add: func(v T) error { return table.Row(cells(v)...) }, close: table.Close, flush: table.Flush}
}

// Add writes the next element.
func (r *rows[T]) Add(v T) error {
	r.n++
	return r.add(v)
}

// addAll writes the next elements.
func (r *rows[T]) addAll(elements []T) error {
	for _, v := range elements {
		if err := r.Add(v); err != nil {
			return err
		}
	}
	return nil
}

// pages writes what page gives, a page after the other from a cursor on, at most
// limit elements unless that is 0, and ends the list. It returns where to go on.
func (r *rows[T]) pages(cursor string, limit int, page func(cursor string, limit int) ([]T, string, error)) (next string, err error) {
	for {
		size := logiqc.PageMax
		if limit > 0 {
			size = min(limit-r.n, size)
		}
		var elements []T
		if elements, cursor, err = page(cursor, size); err != nil {
			return "", err
		}
		if err := r.addAll(elements); err != nil {
			return "", err
		}
		if cursor == "" || limit > 0 && r.n >= limit {
			return cursor, r.Close()
		}
	}
}

// listLimit is how many elements a list shows: what --limit says, and without it
// so many for people, and all for a program.
func (a *App) listLimit(c *cobra.Command, typed, forPeople int) int {
	if !c.Flags().Changed("limit") && a.IO().Format() == ui.FormatText && a.IO().OutTerminal() {
		return forPeople
	}
	return typed
}

// checkLimit refuses a --limit that is none.
func checkLimit(c *cobra.Command, typed int) error {
	if c.Flags().Changed("limit") && typed < 1 {
		return logiqc.Errorf(logiqc.Usage, "--limit takes a number from 1 on, not %d", typed)
	}
	return nil
}

// all writes the elements, which are all there are.
func (r *rows[T]) all(elements []T) error {
	if err := r.addAll(elements); err != nil {
		return err
	}
	return r.Close()
}

// Close ends the list.
func (r *rows[T]) Close() error { return r.close() }

// day is a date for people, "never" for none, in the machine's time zone.
func day(t logiqc.Time) string { return local(t, "2 Jan 2006") }

// minute is a date and time of day for people.
func minute(t logiqc.Time) string { return local(t, "2 Jan 2006 15:04") }

func local(t logiqc.Time, layout string) string {
	if t.IsZero() {
		return "never"
	}
	return t.Std().Local().Format(layout)
}

// counted is a number with the right form of its noun: "1 account".
func counted(n int, singular string) string {
	if n == 1 {
		return "1 " + singular
	}
	return thousands(n) + " " + singular + "s"
}

// thousands is a number with its digits in groups: 5,113.
func thousands(n int) string {
	digits := number(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
