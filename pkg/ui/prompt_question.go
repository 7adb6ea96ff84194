package ui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
)

// question is one huh field below a title and rows of facts. It keeps the
// title, the rows to keep and the field in sight in any window, and lets the
// rest scroll.
type question struct {
	title  string
	rows   []row
	field  huh.Field
	indent int // of the field

	// accept may swallow a key (false) before the field sees it.
	accept func(tea.KeyPressMsg) bool
	// resize tells the field how many lines it may have.
	resize func(width, lines int)

	view     viewport.Model
	scrolls  bool
	width    int
	height   int
	answered bool
	gone     bool
}

// newQuestion prepares field for use outside a form.
func newQuestion(title string, rows []row, field huh.Field, width, height int) *question {
	field = field.WithTheme(huh.ThemeFunc(theme)).WithKeyMap(keys()).WithPosition(huh.FieldPosition{})
	return &question{
		title: Clean(title), rows: rows, field: field, view: viewport.New(),
		width: width, height: height,
	}
}

// Init implements [tea.Model].
func (q *question) Init() tea.Cmd {
	q.fit()
	return tea.Batch(q.field.Init(), q.field.Focus())
}

// Update implements [tea.Model].
func (q *question) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if msg == huh.NextField() {
		q.answered, q.gone = true, true
		return q, tea.Quit
	}
	switch msg := msg.(type) {
	case Leave:
		q.gone = true
		return q, tea.Quit
	case tea.WindowSizeMsg:
		q.width, q.height = msg.Width, msg.Height
		q.fit()
		return q, nil
	case tea.KeyPressMsg:
		if cancels(msg) {
			q.gone = true
			return q, tea.Quit
		}
		if q.scroll(msg) || (q.accept != nil && !q.accept(msg)) {
			return q, q.quitIfGone()
		}
	}
	m, cmd := q.field.Update(msg)
	if f, ok := m.(huh.Field); ok {
		q.field = f
	}
	q.fit()
	return q, cmd
}

// cancels reports whether a key leaves a question.
func cancels(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "esc", "ctrl+c", "ctrl+d":
		return true
	}
	return false
}

// quitIfGone ends the program when accept has decided to.
func (q *question) quitIfGone() tea.Cmd {
	if q.gone {
		return tea.Quit
	}
	return nil
}

// scroll moves the scrolling part and reports whether the key was for it.
func (q *question) scroll(k tea.KeyPressMsg) bool {
	if !q.scrolls {
		return false
	}
	switch k.String() {
	case "up":
		q.view.ScrollUp(1)
	case "down":
		q.view.ScrollDown(1)
	case "pgup":
		q.view.PageUp()
	case "pgdown":
		q.view.PageDown()
	default:
		return false
	}
	return true
}

// fit tells the field its room and lays the rows out for the window.
func (q *question) fit() {
	q.field.WithWidth(max(q.width-q.indent-1, 8))
	if q.resize != nil {
		q.resize(q.width, max(q.height-len(q.body(false))-3, 3))
	}
	room := q.height - len(q.footer()) - 1
	q.scrolls = len(q.body(false))+1 > room
	if !q.scrolls {
		return
	}
	rest := q.body(true)
	q.view.SetWidth(q.width)
	q.view.SetHeight(max(room-1-len(q.kept(room)), 1))
	q.view.SetContent(strings.Join(rest, "\n"))
}

// body lays out all rows, or with rest those that may scroll.
func (q *question) body(rest bool) []string {
	c := columnsFor(q.rows, q.width, 3)
	var out []string
	for _, r := range q.rows {
		if rest && r.keep {
			continue
		}
		if r.space && len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, c.lines(r)...)
	}
	return out
}

// kept lays out the rows that stay when the window is small: two lines each,
// and never so many that nothing could scroll.
func (q *question) kept(room int) []string {
	c := columnsFor(q.rows, q.width, 3)
	var out []string
	for _, r := range q.rows {
		if !r.keep {
			continue
		}
		lines := c.lines(r)
		if len(lines) > 2 {
			lines = append(lines[:1], ansi.Truncate(lines[1], q.width-2, "")+"…")
		}
		out = append(out, lines...)
	}
	return out[:min(len(out), max(room-3, 0))]
}

// footer is the field with what is wrong about its answer.
func (q *question) footer() []string {
	var out []string
	left := strings.Repeat(" ", q.indent)
	for line := range strings.SplitSeq(strings.TrimRight(q.field.View(), "\n "), "\n") {
		out = append(out, left+strings.TrimRight(line, " "))
	}
	if err := q.field.Error(); err != nil {
		out = append(out, wrapTo("! "+Clean(err.Error()), q.width)...)
	}
	return out
}

func (q *question) over() bool { return q.gone }

// View implements [tea.Model]. An answered question leaves nothing behind.
func (q *question) View() tea.View {
	if q.gone {
		return tea.NewView("")
	}
	var out []string
	if q.title != "" {
		out = append(out, Text{"\x1b[1m" + ansi.Truncate(q.title, q.width, "…") + "\x1b[22m"}.s)
	}
	foot := q.footer()
	if body := q.body(false); !q.scrolls {
		out = append(out, spaced(body, foot, q.height-len(out))...)
	} else {
		out = append(out, q.kept(q.height-len(foot)-1)...)
		out = append(out, q.view.View(), q.more())
		out = append(out, foot...)
	}
	return tea.NewView(strings.Join(out, "\n"))
}

// spaced joins the parts with the empty lines there is room for.
func spaced(body, foot []string, room int) []string {
	blanks := room - len(body) - len(foot)
	var out []string
	if len(body) > 0 {
		if blanks > 1 {
			out = append(out, "")
		}
		out = append(out, body...)
		if blanks > 0 {
			out = append(out, "")
		}
	}
	return append(out, foot...)
}

// more says that there is more to read, and how.
func (q *question) more() string {
	from := q.view.YOffset() + 1
	to := min(from+q.view.Height()-1, q.view.TotalLineCount())
	return ansi.Truncate(fmt.Sprintf("-- %d-%d of %d lines, up/down for more --", from, to, q.view.TotalLineCount()), q.width, "…")
}
