package cmd

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/ui"
)

//go:embed audit_report.html.tmpl
var reportTemplate string

// reportPage writes the report as one HTML page that needs nothing else: no
// script, no other file, no network. All data is escaped by html/template, and
// what could mislead a reader is shown as an escape.
func reportPage(w io.Writer, r auditReport) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"clean": ui.Clean, "day": day, "minute": minute, "thousands": func(n any) string { return thousands(toInt(n)) },
		"other": func(seq int64) string {
			if seq < 0 {
				return ""
			}
			return thousands(int(seq))
		},
		"last": lastEventText,
	}).Parse(reportTemplate)
	if err != nil {
		return err
	}
	days := r.perDay(barsOnPage)
	view := reportView{auditReport: r, Period: r.periodText(), LogLine: r.logLine(), AccountsLine: r.accountsLine(),
		ResetsLine: r.resetsLine(), ChangesLine: r.changesLine(), Days: columnsOf(days), Operators: rowsOf(r.perOperator(20)),
		Span: spanOf(days, r.Resets.PerDay), Keys: r.Log.keys.lines}
	for _, f := range r.LookAt {
		shown := f.Cases[:min(len(f.Cases), casesOnPage)]
		view.Findings = append(view.Findings, findingView{findingText(f), shown, len(f.Cases) - len(shown)})
	}
	return page.Execute(w, view)
}

// reportView is what the page shows.
type reportView struct {
	auditReport
	Period, LogLine, AccountsLine, ResetsLine, ChangesLine, Span string
	Keys                                                         []string
	Days                                                         chart
	Operators                                                    []shape
	Findings                                                     []findingView
}

// casesOnPage is how many cases of a finding the page lists.
const casesOnPage = 200

type findingView struct {
	Text  string
	Cases []service.Case
	More  int
}

// shape is a bar with its place in the picture.
type shape struct {
	bar
	X, Y, W, H float64
	Percent    float64
}

// chart is a row of columns.
type chart struct {
	Bars        []shape
	Most        int
	First, Last string
}

// The picture of resets by day, in units of its viewBox.
const (
	chartWidth  = 720.0
	chartHeight = 160.0
)

// columnsOf places bars side by side.
func columnsOf(bars []bar) (c chart) {
	for _, b := range bars {
		c.Most = max(c.Most, b.N)
	}
	if len(bars) == 0 {
		return c
	}
	c.First, c.Last = bars[0].Label, bars[len(bars)-1].Label
	step := chartWidth / float64(len(bars))
	width := min(step*0.8, 40)
	for i, b := range bars {
		h := chartHeight * float64(b.N) / float64(max(c.Most, 1))
		c.Bars = append(c.Bars, shape{bar: b, X: float64(i)*step + (step-width)/2, Y: chartHeight - h, W: width, H: h})
	}
	return c
}

// rowsOf gives bars their share of the longest.
func rowsOf(bars []bar) (shapes []shape) {
	most := 1
	for _, b := range bars {
		most = max(most, b.N)
	}
	for _, b := range bars {
		shapes = append(shapes, shape{bar: b, Percent: 100 * float64(b.N) / float64(most)})
	}
	return shapes
}

func toInt(n any) int {
	switch n := n.(type) {
	case int64:
		return int(n)
	case int:
		return n
	}
	panic(fmt.Sprintf("the report page shows %T as a number", n))
}

func lastEventText(d logiqc.Difference) string { return lastEvent(d, "–") }
