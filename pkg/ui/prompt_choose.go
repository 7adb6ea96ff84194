package ui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
)

// buttons is a huh confirm with any number of buttons in a row, the last of
// which has the focus at first. ← and Shift-Tab, → and Tab move it, and stop at
// the ends.
type buttons struct {
	*huh.Confirm
	labels []string
	width  int
	at     int
}

func newButtons(labels ...string) *buttons {
	return &buttons{Confirm: huh.NewConfirm(), labels: cleanAll(labels), at: len(labels) - 1}
}

// WithWidth implements [huh.Field].
func (b *buttons) WithWidth(width int) huh.Field {
	b.width = width
	return b
}

// Update implements [huh.Field].
func (b *buttons) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return b, nil
	}
	switch k.String() {
	case "left", "shift+tab":
		b.at = max(b.at-1, 0)
	case "right", "tab":
		b.at = min(b.at+1, len(b.labels)-1)
	case "enter":
		return b, huh.NextField
	}
	return b, nil
}

// View implements [huh.Field]. Where the row is too long for the window each
// button has a line.
func (b *buttons) View() string {
	styles := theme(false).Focused
	cells := make([]string, len(b.labels))
	for i, label := range b.labels {
		style := styles.BlurredButton
		if i == b.at {
			style = styles.FocusedButton
		}
		cells[i] = style.Render(label)
	}
	row := strings.TrimRight(strings.Join(cells, ""), " ")
	if ansi.StringWidth(row) > b.width {
		row = strings.TrimLeft(row, " ")
	}
	if ansi.StringWidth(row) > b.width {
		return strings.Join(cells, "\n")
	}
	return row
}

// chooseButton shows a dialog of three buttons.
func (u *IO) chooseButton(ctx context.Context, d Dialog) (Answer, error) {
	w, h := u.promptSize()
	row := newButtons(d.Affirmative, d.Other, d.Negative)
	q := newQuestion(d.Title, d.rows(), row, w, h)
	q.field, q.indent = row, buttonIndent(w) // styled here, not by the form
	if err := u.ask(ctx, q); err != nil {
		return Declined, err
	}
	return [...]Answer{Agreed, Otherwise, Declined}[row.at], nil
}
