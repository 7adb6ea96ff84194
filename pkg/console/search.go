package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// most is how many accounts a search shows.
const most = 50

// search is the field and what was found with it, as letters are typed.
type search struct {
	field textinput.Model
	whole bool // the text is marked: the next letter replaces it
	found listing[logiqc.Account]
	of    string // the text it was found with
	more  bool
	err   error
	gen   int // grows with every change of the text
	stop  context.CancelFunc
	enter bool // Enter came before the answer
}

func newSearch() search {
	f := textinput.New()
	f.Prompt = "Find  "
	f.SetStyles(textinput.Styles{})
	return search{field: f, stop: func() {}}
}

func (s *search) text() string { return strings.TrimSpace(s.field.Value()) }

// clear empties the field.
func (s *search) clear() {
	s.stop()
	*s = search{field: s.field, gen: s.gen + 1, stop: s.stop}
	s.field.SetValue("")
}

// edit passes a message to the field and searches when that changed the text.
func (s *search) edit(c *console, msg tea.Msg) (cmd tea.Cmd) {
	was := s.text()
	s.field, cmd = s.field.Update(msg)
	if s.text() == was {
		return cmd
	}
	s.gen, s.enter = s.gen+1, false
	s.stop()
	gen := s.gen
	return tea.Batch(cmd, after(debounce, func() tea.Cmd {
		if gen != s.gen {
			return nil
		}
		return s.refresh(c)
	}))
}

// refresh implements [screen]: it searches, in the place of any search before.
func (s *search) refresh(c *console) tea.Cmd {
	s.stop()
	text, gen := s.text(), s.gen
	if text == "" {
		s.clear()
		return nil
	}
	ctx, stop := context.WithCancel(c.ctx)
	s.stop = stop
	return call(ctx, c, func(ctx context.Context) (logiqc.UserPage, error) {
		return c.desk.Service.FindUsers(ctx, logiqc.UserQuery{Text: text, Limit: most})
	}, func(page logiqc.UserPage, err error) tea.Cmd {
		if gen != s.gen || errors.Is(err, context.Canceled) {
			return nil
		}
		if s.err = err; err != nil {
			s.enter = false
			return nil
		}
		if s.of != text {
			s.found.at = most // on the best match
		}
		s.found.replace(c.desk.Accounts, page.Accounts)
		s.more, s.of = page.Next != "", text
		if s.enter {
			return s.openSure(c)
		}
		return nil
	})
}

// openSure opens what Enter asked for before the list was there, unless that
// would be a guess.
func (s *search) openSure(c *console) tea.Cmd {
	s.enter = false
	rows, key := s.found.rows, logiqc.Key(s.text())
	if len(rows) == 1 || len(rows) > 1 && (logiqc.Key(rows[0].Username) == key || logiqc.Key(rows[0].Email) == key) {
		return c.push(&account{acct: rows[0]})
	}
	return nil
}

// press acts on a key in the search.
func (s *search) press(c *console, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	switch {
	case key == "enter" && s.text() != "" && (s.of != s.text() || s.err != nil):
		s.enter = true
		return s.refresh(c)
	case key == "enter" && len(s.found.rows) > 0:
		return c.push(&account{acct: s.found.rows[s.found.at]})
	case key == "enter":
		return nil
	case key == "esc":
		s.clear()
		return nil
	case key == "ctrl+d" && s.text() == "":
		return c.leave()
	case key == "tab" && c.may():
		return c.openApprovals()
	}
	_, h := c.room()
	if s.found.move(key, h-3) {
		return nil
	}
	if s.whole && (k.Text != "" || key == "backspace" || key == "delete") {
		s.clear()
	}
	s.whole = false
	return s.edit(c, k)
}

// keys implements [screen].
func (s *search) keys(c *console) (keys []string) {
	if len(s.found.rows) > 0 {
		keys = append(keys, "Enter open", "↑↓ choose", "Esc clear")
	}
	if c.may() {
		word := "Tab approvals"
		if c.waiting > 0 {
			word = fmt.Sprintf("Tab approvals (%d)", c.waiting)
		}
		keys = append(keys, word)
	}
	return append(keys, "? help", "Ctrl-C quit")
}

// lines implements [screen].
func (s *search) lines(c *console, w, h int) []string {
	s.field.SetWidth(max(w-8, 6))
	out := []string{ansi.Truncate(s.draw(), w, "…")}
	switch {
	case s.err != nil:
		out = append(out, c.alert(s.err, w)...)
		if passing(c.desk.Told(s.err)) {
			out = append(out, "  Enter tries again.")
		}
	case s.text() == "":
		hint := "Letters of a name, username or email."
		if c.closed {
			hint = "Nobody typed for a while, so what was open has been closed."
		}
		return append(append(out, ""), wrap(hint, w)...)
	}
	if s.of == "" && len(s.found.rows) == 0 {
		return out
	}
	out = append(out, s.found.lines(w, h-len(out)-1)...)
	return append(out, ansi.Truncate(s.count(), w, "…"))
}

// draw is the field, its text marked where the next letter replaces it.
func (s *search) draw() string {
	if !s.whole || s.text() == "" {
		return s.field.View()
	}
	return s.field.Prompt + "\x1b[7m" + ui.Clean(s.field.Value()) + "\x1b[27m"
}

// count says how many there are.
func (s *search) count() string {
	switch n := len(s.found.rows); {
	case s.of != s.text():
		return "…"
	case n == 0:
		return ui.Sprintf("No account matches %q.", s.of).String()
	case s.more:
		return fmt.Sprintf("The first %d; more may match: type more letters.", n)
	case n == 1:
		return "1 account"
	default:
		return fmt.Sprintf("%d accounts", n)
	}
}
