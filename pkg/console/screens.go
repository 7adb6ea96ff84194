package console

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// listing is rows of which one is marked.
type listing[T any] struct {
	table Table[T]
	rows  []T
	at    int
}

// replace takes new rows. The mark stays on what it was on, if that is there
// still.
func (l *listing[T]) replace(table Table[T], rows []T) {
	was, at := "", 0
	if l.at < len(l.rows) {
		was = table.ID(l.rows[l.at])
	}
	for i, r := range rows {
		if table.ID(r) == was {
			at = i
		}
	}
	*l = listing[T]{table, rows, at}
}

// move moves the mark and reports whether the key was for it.
func (l *listing[T]) move(key string, page int) bool {
	switch key {
	case "up", "ctrl+p":
		l.at--
	case "down", "ctrl+n":
		l.at++
	case "pgup":
		l.at -= page
	case "pgdown":
		l.at += page
	default:
		return false
	}
	l.at = max(min(l.at, len(l.rows)-1), 0)
	return true
}

// lines draws the rows around the marked one, below their header.
func (l *listing[T]) lines(width, height int) []string {
	if len(l.rows) == 0 {
		return nil
	}
	l.at = min(l.at, len(l.rows)-1)
	cells := make([][]any, len(l.rows))
	for i, r := range l.rows {
		cells[i] = l.table.Cells(r)
	}
	lines := ui.TableLines(width-2, l.table.Columns, cells)
	for i, line := range lines {
		if i == l.at+1 {
			lines[i] = "\x1b[1m> " + line + "\x1b[22m"
		} else {
			lines[i] = "  " + line
		}
	}
	page := max(height-1, 1)
	from := max(min(l.at-page/2, len(l.rows)-page), 0)
	return append(lines[:1], lines[1+from:min(1+from+page, len(lines))]...)
}

// account is one account, open. It looks for news, so that what the caller tries
// meanwhile is seen.
type account struct {
	acct logiqc.Account
	from int   // what is scrolled to
	err  error // of what was asked for last
	lost error // while it cannot be read anew
	note string
}

// refresh implements [screen].
func (a *account) refresh(c *console) tea.Cmd {
	return call(c.ctx, c, func(ctx context.Context) (logiqc.Account, error) {
		return c.desk.Service.GetUser(ctx, a.acct.ID)
	}, func(acct logiqc.Account, err error) tea.Cmd {
		if a.lost = err; err == nil {
			a.acct = acct
		}
		return nil
	})
}

// press implements [screen].
func (a *account) press(c *console, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	if from, ok := scrolled(a.from, key, c.height-3); ok {
		w, h := c.room()
		a.from = max(min(from, len(a.all(c, w))-h+1), 0)
		return nil
	}
	for _, action := range c.desk.Actions(a.acct) {
		if action.Key == key {
			if a.err, a.note = nil, ""; action.Start == nil {
				return c.push(&events{of: a.acct})
			}
			return c.begin(action, a.acct.ID)
		}
	}
	if k.Text != "" {
		a.err, a.note = nil, fmt.Sprintf("Nothing to do here with %s. ? explains the keys.", ui.Clean(k.Text))
	}
	return nil
}

// keys implements [screen].
func (a *account) keys(c *console) (keys []string) {
	for _, action := range c.desk.Actions(a.acct) {
		if action.Word != "" {
			keys = append(keys, action.Key+" "+action.Word)
		}
	}
	return append(keys, "/ next", "? help", "Esc back")
}

// lines implements [screen].
func (a *account) lines(c *console, w, h int) []string { return cut(a.all(c, w), a.from, h) }

func (a *account) all(c *console, w int) (lines []string) {
	lines = c.alert(a.err, w)
	if a.err != nil && passing(c.desk.Told(a.err)) {
		lines = append(lines, wrap("  "+c.kept.key+" tries again; what you answered is kept.", w)...)
	}
	if a.lost != nil && a.err == nil {
		lines = append(lines, c.alert(a.lost, w)...)
	}
	if a.note != "" {
		lines = append(lines, wrap(a.note, w)...)
	}
	return append(lines, c.desk.Account(a.acct).Lines(w)...)
}

// page is a card alone.
type page struct {
	card ui.Card
	from int
}

func (p *page) refresh(*console) tea.Cmd { return nil }
func (p *page) keys(*console) []string   { return []string{"/ next", "? help", "Esc back"} }

func (p *page) lines(_ *console, w, h int) []string { return cut(p.card.Lines(w), p.from, h) }

func (p *page) press(c *console, k tea.KeyPressMsg) tea.Cmd {
	w, h := c.room()
	from, _ := scrolled(p.from, k.String(), h)
	p.from = max(min(from, len(p.card.Lines(w))-h+1), 0)
	return nil
}

// events are the events about an account, newest first.
type events struct {
	of   logiqc.Account
	list listing[logiqc.Event]
	more bool
	read bool
	err  error
}

// refresh implements [screen].
func (e *events) refresh(c *console) tea.Cmd {
	return call(c.ctx, c, func(ctx context.Context) (logiqc.EventPage, error) {
		return c.desk.Service.Events(ctx, logiqc.EventQuery{User: e.of.Username, Limit: 4 * most})
	}, func(page logiqc.EventPage, err error) tea.Cmd {
		if e.err = err; err != nil {
			return nil
		}
		e.list.replace(c.desk.Events, page.Events)
		e.more, e.read = page.Next != "", true
		return nil
	})
}

// press implements [screen].
func (e *events) press(c *console, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	if _, h := c.room(); e.list.move(key, h-3) || key != "enter" || len(e.list.rows) == 0 {
		return nil
	}
	return c.push(&page{card: c.desk.Event(e.list.rows[e.list.at])})
}

func (e *events) keys(*console) []string {
	return []string{"Enter open", "↑↓ choose", "/ next", "? help", "Esc back"}
}

// lines implements [screen].
func (e *events) lines(c *console, w, h int) []string {
	out := append([]string{ui.Bold("Events about or by " + e.of.Username).String()}, c.alert(e.err, w)...)
	count := fmt.Sprintf("%d events", len(e.list.rows))
	switch {
	case !e.read:
		count = ""
	case e.more:
		count = "Older ones: logiqc audit list --user " + e.of.Username
	case len(e.list.rows) == 0:
		count = "None that you may see."
	}
	out = append(out, e.list.lines(w, h-len(out)-1)...)
	return append(out, wrap(ui.Clean(count), w)...)
}

// approvals are the requests that wait for a second operator.
type approvals struct {
	list listing[logiqc.Approval]
	read bool
	err  error
}

func (c *console) openApprovals() tea.Cmd {
	if !c.may() {
		return nil
	}
	return c.push(&approvals{})
}

// refresh implements [screen].
func (a *approvals) refresh(c *console) tea.Cmd {
	return call(c.ctx, c, c.openRequests, func(open []logiqc.Approval, err error) tea.Cmd {
		if a.err = err; err != nil {
			return nil
		}
		a.list.replace(c.desk.Approvals, open)
		a.read, c.waiting = true, len(open)
		return nil
	})
}

// press implements [screen].
func (a *approvals) press(c *console, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	if _, h := c.room(); a.list.move(key, h-3) || key != "enter" || len(a.list.rows) == 0 {
		return nil
	}
	r := a.list.rows[a.list.at]
	a.err = nil
	if action := c.desk.Decide(r); action != nil {
		return c.begin(*action, r.ID)
	}
	return c.push(&page{card: c.desk.Approval(r)})
}

func (a *approvals) keys(*console) []string {
	return []string{"Enter open", "↑↓ choose", "/ find", "? help", "Esc back"}
}

// lines implements [screen].
func (a *approvals) lines(c *console, w, h int) []string {
	out := append([]string{ui.Bold("Requests that wait for a second operator").String()}, c.alert(a.err, w)...)
	if a.read && len(a.list.rows) == 0 {
		return append(out, "Nothing waits.")
	}
	return append(out, a.list.lines(w, h-len(out))...)
}
