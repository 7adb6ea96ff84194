package cmd

import (
	"strconv"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// bulkRun is the answer of a run over several accounts on its way out: rows in
// the order of the input, then a summary. JSON lines and CSV go out as they
// come; JSON and text at the end, text only for rows that are a problem.
type bulkRun[T any] struct {
	io     *ui.IO
	id     string
	csv    *ui.CSV
	record func(T) []string
	rows   []T
	bad    [][]any
}

// newRun starts the answer of the run with that id. record gives the cells of
// a row under the header.
func newRun[T any](io *ui.IO, id string, header []string, record func(T) []string) *bulkRun[T] {
	r := &bulkRun[T]{io: io, id: id, record: record, rows: []T{}}
	if io.Format() == ui.FormatCSV {
		r.csv = io.CSV(header)
	}
	return r
}

// add gives the answer its next row.
func (r *bulkRun[T]) add(row T) error {
	switch r.io.Format() {
	case ui.FormatJSONL:
		return r.io.JSONLine(row)
	case ui.FormatCSV:
		return r.csv.Row(r.record(row)...)
	case ui.FormatJSON:
		r.rows = append(r.rows, row)
	}
	return nil
}

// problem notes a row that people are to be told about.
func (r *bulkRun[T]) problem(row int, input, outcome string, code logiqc.Code, why string) {
	if r.io.Format() == ui.FormatText {
		r.bad = append(r.bad, []any{number(row), input, outcome, string(code), why})
	}
}

// close ends the answer with its summary; plan is "" but for a dry run that
// can be carried out as a plan, text is the summary for people.
func (r *bulkRun[T]) close(summary any, plan, text string) error {
	type ending struct {
		Run     string `json:"run"`
		Results *[]T   `json:"results,omitempty"`
		Summary any    `json:"summary"`
		Plan    string `json:"plan,omitempty"`
	}
	end := ending{Run: r.id, Summary: summary, Plan: plan}
	switch r.io.Format() {
	case ui.FormatJSON:
		end.Results = &r.rows
		return r.io.JSON(end)
	case ui.FormatJSONL:
		return r.io.JSONLine(end)
	case ui.FormatCSV: // its rows have no place for the id of the run
		if err := r.csv.Close(); err != nil {
			return err
		}
		r.io.Notef("%s", text)
		return nil
	}
	if len(r.bad) > 0 {
		table := r.io.Table(ui.Column{Name: "row", Right: true}, ui.Column{Name: "user", Whole: true},
			ui.Column{Name: "outcome", Whole: true}, ui.Column{Name: "code", Whole: true}, ui.Column{Name: "why"})
		for _, cells := range r.bad {
			if err := table.Row(cells...); err != nil {
				return err
			}
		}
		if err := table.Close(); err != nil {
			return err
		}
	}
	r.io.Answerf("%s", text)
	return nil
}

// tally is what a run came to, in words: "281 reset, 6 unchanged". The first is
// always said, the others where they are not 0.
type (
	tally   []tallied
	tallied struct {
		n    int
		what string
	}
)

func (t tally) String() string {
	if t[0].n > 0 {
		return t.some()
	}
	return strings.TrimSuffix("0 "+t[0].what+", "+t.some(), ", ")
}

// some is the tally without what is 0.
func (t tally) some() string {
	var words []string
	for _, part := range t {
		if part.n > 0 {
			words = append(words, number(part.n)+" "+part.what)
		}
	}
	return strings.Join(words, ", ")
}

// partial is the error of a run over rows in which some were refused or
// failed; nil if none was.
func partial(rows, bad int, words tally, dryRun bool) error {
	if bad == 0 {
		return nil
	}
	nothing := ""
	if dryRun {
		nothing = ". Nothing was changed"
	}
	return logiqc.Errorf(logiqc.Partial, "%s: %s%s", counted(rows, "row"), words, nothing)
}

func number(n int) string { return strconv.Itoa(n) }

func yesNo(b bool) string { return strconv.FormatBool(b) }
