package cmd

import (
	"fmt"
	"strings"

	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/ui"
)

// text tells the report to a person.
func (r auditReport) text(io *ui.IO) error {
	if !r.Log.OK {
		return r.Log.text(io)
	}
	rows := []ui.CardRow{
		{Label: "Log", Value: r.logLine()},
		{Label: "Accounts", Value: r.accountsLine()},
		{Label: "Resets", Value: r.resetsLine()},
	}
	if n := r.Asked; n.Requested+n.Approved+n.Rejected > 0 {
		rows = append(rows, ui.CardRow{Label: "Approvals", Value: fmt.Sprintf("%s asked for; %s approved, %s rejected",
			thousands(n.Requested), thousands(n.Approved), thousands(n.Rejected))})
	}
	if lines := r.lookLines(); io.OutTerminal() {
		rows = append(rows, ui.CardRow{Label: "Look at", Value: lines[0], More: lines[1:]})
	} else {
		for _, line := range lines { // a line each for a program
			rows = append(rows, ui.CardRow{Label: "Look at", Value: line})
		}
	}
	rows = append(rows, ui.CardRow{Label: "Changes", Value: r.changesLine()})
	if len(r.Written) > 0 {
		rows = append(rows, ui.CardRow{Label: "Written", Value: strings.Join(r.Written, "  ")})
	}
	if err := io.Card(ui.Card{Title: r.title(), Sections: []ui.Section{{Rows: rows}}}); err != nil {
		return err
	}
	if io.OutTerminal() && r.Resets.Total > 0 {
		r.charts(io)
	}
	return nil
}

// title names the log and the period.
func (r auditReport) title() string { return r.Origin + ", " + r.periodText() }

func (r auditReport) periodText() string {
	switch {
	case r.Since == 0 && r.Until == 0:
		return "from the beginning to " + day(r.MadeAt)
	case r.Until == 0:
		return "from " + minute(r.Since) + " to " + minute(r.MadeAt)
	case r.Since == 0:
		return "from the beginning to before " + minute(r.Until)
	}
	return "from " + minute(r.Since) + " to before " + minute(r.Until)
}

func (r auditReport) logLine() string {
	if old := r.grownFrom(); old != nil {
		return fmt.Sprintf("whole; grown from %s to %s, nothing before changed", thousands(int(old.Size)), events(r.Log.Size))
	}
	return fmt.Sprintf("whole: %s; compared with no checkpoint that you kept", events(r.Log.Size))
}

func (r auditReport) accountsLine() string {
	return fmt.Sprintf("%s compared with the log, %s", thousands(r.Accounts.Compared), counted(len(r.Accounts.Differences), "difference"))
}

func (r auditReport) resetsLine() string {
	n := r.Resets
	if n.Total == 0 {
		return fmt.Sprintf("none; %s refused", thousands(n.Refused))
	}
	by := counted(n.Operators, "operator")
	switch {
	case n.Operators == 0:
		by = counted(n.Tokens, "token")
	case n.Tokens > 0:
		by += " and " + counted(n.Tokens, "token")
	}
	with := thousands(n.Explained) + " with reason and ticket"
	if n.Explained < n.Total {
		with = fmt.Sprintf("%s with a reason, %s with a ticket", thousands(n.WithReason), thousands(n.WithTicket))
	}
	return fmt.Sprintf("%s by %s; %s; %s refused", thousands(n.Total), by, with, thousands(n.Refused))
}

// findingTexts say what a finding of each kind is, for one case and for more.
var findingTexts = map[service.FindingKind][2]string{
	service.PasswordAndReset:   {"password set and MFA reset by the same person within 24 h", "accounts: password set and MFA reset by the same person within 24 h"},
	service.ResetAfterContact:  {"reset within 24 h of a change of the contact on file", "resets within 24 h of a change of the contact on file"},
	service.PrivilegedReset:    {"reset of a privileged account", "resets of a privileged account"},
	service.BreakGlass:         {"break-glass recovery of an administrator", "break-glass recoveries of administrators"},
	service.NewHostAfterReset:  {"reset followed by an enrolment from a new host", "resets followed by an enrolment from a new host"},
	service.NeverEnrolledAfter: {"reset never followed by an enrolment", "resets never followed by an enrolment"},
	service.RepeatedWithinDay:  {"reset of a user within 24 h of the one before", "resets of a user within 24 h of the one before"},
	service.ManyInAnHour:       {"time that one operator made more resets in an hour than is usual", "times that one operator made more resets in an hour than is usual"},
	service.ApprovalWanted:     {"reset refused for want of a second operator", "resets refused for want of a second operator"},
	service.ClockWentBack:      {"event that is earlier than the one before it: the clock went back", "events that are earlier than the one before them: the clock went back"},
	service.RepeatedResets:     {"reset of a user who had one in the 30 days before", "resets of a user who had one in the 30 days before"},
}

// findingText is a finding without its cases.
func findingText(f service.Finding) string {
	if len(f.Cases) == 1 {
		text := findingTexts[f.Kind][0]
		if f.Kind == service.PasswordAndReset {
			text = "account: " + text
		}
		return "1 " + text + approvals(f)
	}
	return thousands(len(f.Cases)) + " " + findingTexts[f.Kind][1] + approvals(f)
}

// approvals says how many resets of privileged accounts a second operator
// approved.
func approvals(f service.Finding) string {
	if f.Kind != service.PrivilegedReset {
		return ""
	}
	n := 0
	for _, c := range f.Cases {
		if c.RequestedBy != "" {
			n++
		}
	}
	switch all := len(f.Cases); {
	case n == 0 && all == 1:
		return ", not approved by a second operator"
	case n == 0:
		return ", none approved by a second operator"
	case all == 1:
		return ", approved by a second operator"
	case n == all && all == 2:
		return ", both approved by a second operator"
	case n == all:
		return ", all approved by a second operator"
	}
	return ", " + thousands(n) + " approved by a second operator"
}

// casesNamed is how many cases of a finding are named in a line.
const casesNamed = 3

func (r auditReport) lookLines() []string {
	if len(r.LookAt) == 0 {
		return []string{"nothing stands out"}
	}
	lines := make([]string, 0, len(r.LookAt))
	for _, f := range r.LookAt {
		var named []string
		for _, c := range f.Cases[:min(len(f.Cases), casesNamed)] {
			named = append(named, fmt.Sprintf("%s by %s, event %s", c.User, c.By, thousands(int(c.Seq))))
		}
		if len(f.Cases) > casesNamed {
			named = append(named, "…")
		}
		lines = append(lines, findingText(f)+" ("+strings.Join(named, "; ")+")")
	}
	return lines
}

func (r auditReport) changesLine() string {
	c := r.Change
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{{c.Policy, "policy %s"}, {c.Roles, "roles %s"}, {c.TokensMade, "tokens made %s"}, {c.TokensRevoked, "tokens revoked %s"},
		{c.KeysRotated, "keys rotated %s"}, {c.KeysRetired, "keys retired %s"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf(p.text, thousands(p.n)))
		}
	}
	if len(parts) == 0 {
		return "none of policy, roles, tokens or keys"
	}
	return strings.Join(parts, " · ")
}

// bar is one bar of a chart.
type bar struct {
	Label string
	N     int
}

// The most bars that fit a screen, and a page.
const (
	barsOnScreen = 31
	barsOnPage   = 120
)

// perDay are the resets by day, or by as many days as keep the bars to most.
func (r auditReport) perDay(most int) []bar {
	days := r.Resets.PerDay
	span := 1
	for (len(days)+span-1)/span > most {
		span++
		if span > 1 && span < 7 {
			span = 7
		}
	}
	var bars []bar
	for i, d := range days {
		if i%span == 0 {
			bars = append(bars, bar{Label: d.Day})
		}
		bars[len(bars)-1].N += d.Resets
	}
	return bars
}

func (r auditReport) perOperator(most int) []bar {
	var bars []bar
	for _, o := range r.Resets.PerActor {
		if len(bars) == most {
			bars[most-1].Label, bars[most-1].N = "others", bars[most-1].N+o.Resets
			continue
		}
		bars = append(bars, bar{o.Operator, o.Resets})
	}
	return bars
}

// charts draws resets by day and by operator.
func (r auditReport) charts(io *ui.IO) {
	days := r.perDay(barsOnScreen)
	io.Answerf("\nResets by %s", spanOf(days, r.Resets.PerDay))
	drawBars(io, days)
	io.Answerf("\nResets by operator")
	drawBars(io, r.perOperator(10))
}

// spanOf says how long a bar's time is.
func spanOf(bars []bar, days []service.DayResets) string {
	if len(bars) == len(days) {
		return "day"
	}
	span := 0
	for span < len(days) && days[span].Day != bars[1].Label {
		span++
	}
	if span == 7 {
		return "week"
	}
	return counted(span, "day")
}

// drawBars draws bars as long as the window allows; a screen reader gets the
// numbers alone.
func drawBars(io *ui.IO, bars []bar) {
	width, _ := io.Size()
	most, label := 1, 0
	for _, b := range bars {
		most, label = max(most, b.N), max(label, len([]rune(ui.Clean(b.Label))))
	}
	label = min(label, max(10, width/3))
	room := max(1, width-label-12)
	for _, b := range bars {
		name := []rune(ui.Clean(b.Label))
		if len(name) > label {
			name = append(name[:label-1], '…')
		}
		line := ""
		if !io.Accessible() {
			line = strings.Repeat("█", (b.N*room+most-1)/most)
			line += strings.Repeat(" ", room-len([]rune(line))) + "  "
		}
		io.Answerf("  %s%s  %s%s", string(name), strings.Repeat(" ", label-len(name)), line, thousands(b.N))
	}
}
