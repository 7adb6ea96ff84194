package console

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// View implements [tea.Model]: a line that says where and who, what is open, and
// the keys.
func (c *console) View() tea.View {
	if c.leaving && c.op == nil {
		return tea.View{AltScreen: true}
	}
	body, keys := c.body()
	out := append([]string{c.head()}, body...)
	for len(out) < c.height-1 {
		out = append(out, "")
	}
	out = append(out[:max(c.height-1, 1)], fitting(keys, c.width))
	return tea.View{Content: strings.Join(out, "\n"), AltScreen: true}
}

// gap is the number of empty lines below the head.
func (c *console) gap() int {
	if c.height < 20 {
		return 0
	}
	return 1
}

// room is the size of what is between the head and the keys.
func (c *console) room() (width, height int) { return c.width, max(c.height-2-c.gap(), 3) }

// body draws what is in front, and names its keys.
func (c *console) body() (lines, keys []string) {
	w, h := c.room()
	switch {
	case c.help:
		lines, keys = cut(helpLines(w), 0, h), []string{"any key goes back"}
	case c.op != nil:
		lines, keys = c.op.lines(c, w, h), c.op.keys()
	default:
		lines, keys = c.top().lines(c, w, h), c.top().keys(c)
	}
	return append(make([]string, c.gap()), lines[:min(len(lines), h)]...), keys
}

// head is the first line: the store, and who is signed in.
func (c *console) head() string {
	who := c.desk.Service.Actor()
	left := ui.Clean(" logiqc admin · " + c.desk.Store)
	right := ui.Clean(who.Username + " (" + string(who.Role) + ") ")
	if n := c.width - ansi.StringWidth(right) - 1; n > 8 {
		left = ansi.Truncate(left, n, "…")
	}
	line := left + strings.Repeat(" ", max(c.width-ansi.StringWidth(left)-ansi.StringWidth(right), 1)) + right
	return "\x1b[7m" + ansi.Truncate(line, c.width, "…") + "\x1b[27m"
}

// fitting joins as many keys as the width holds. The last stays, as it leads
// out; of the others the last go first.
func fitting(keys []string, width int) string {
	keys = slices.Clone(keys)
	line := func() string { return strings.Join(keys, " · ") }
	for len(keys) > 1 && ansi.StringWidth(line()) > width {
		keys = slices.Delete(keys, len(keys)-2, len(keys)-1)
	}
	return ansi.Truncate(line(), width, "…")
}

// cut is the part of lines from an offset on that height holds, with a line that
// says where it is when it is not all.
func cut(lines []string, from, height int) []string {
	if len(lines) <= height {
		return lines
	}
	height = max(height-1, 1)
	from = max(min(from, len(lines)-height), 0)
	end := min(from+height, len(lines))
	return append(append([]string{}, lines[from:end]...), fmt.Sprintf("-- %d-%d of %d lines, ↑↓ for more --", from+1, end, len(lines)))
}

// scrolled is the offset after a key, and whether the key was one of these.
func scrolled(from int, key string, height int) (int, bool) {
	switch key {
	case "up", "k":
		return max(from-1, 0), true
	case "down", "j":
		return from + 1, true
	case "pgup":
		return max(from-height+1, 0), true
	case "pgdown", "space":
		return from + height - 1, true
	case "home":
		return 0, true
	}
	return from, false
}

// alert draws a failure: its sentence, its code and the next step.
func (c *console) alert(err error, width int) []string {
	if err == nil {
		return nil
	}
	e := c.desk.Told(err)
	if e.Code == logiqc.Cancelled {
		return wrap(ui.Clean(e.Message), width)
	}
	lines := wrap(ui.Clean("! "+e.Message+" ("+string(e.Code)+")"), width)
	for i := range lines {
		lines[i] = "\x1b[31m" + lines[i] + "\x1b[39m"
	}
	if e.Hint != "" && e.Code != logiqc.Conflict { // which is looked at again already
		lines = append(lines, wrap(ui.Sprintf("  %s", e.Hint).String(), width)...)
	}
	return lines
}

func wrap(s string, width int) []string { return strings.Split(ansi.Wrap(s, max(width, 1), ""), "\n") }

// passing reports whether trying again is all there is to do.
func passing(e *logiqc.Error) bool {
	return e.Code == logiqc.Unavailable || e.Code == logiqc.UnknownOutcome
}

const helpText = `Type letters of a name, username or email; the list follows. Enter opens.
Esc goes back, or clears the search; / starts anew, for the next caller.

The keys of an open account are in its last line: what is not there, you may
not do. Each asks before it changes anything, and Enter alone cancels: ← and
Enter confirms.

  r  reset MFA
  c  the same with an enrolment code (phone lost), or a fresh code
  h  the same, and hold the sign-in (phone stolen)
  u  unlock: end a wait or a hold
  v  verify a code of their app; nothing is reset
  e  events, newest first
  d  deactivate, or activate
  a  requests that wait for a second operator; in the search Tab
  q  quit; Ctrl-C quits everywhere, but leaves a question first

Nobody is told of a reset but by you. After 15 minutes without a key what is
open is closed, and a question left as by Esc.`

func helpLines(width int) (lines []string) {
	for line := range strings.SplitSeq(helpText, "\n") {
		lines = append(lines, wrap(line, min(width, 76))...)
	}
	return lines
}
