package ui

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// SecretScreen is a list of secrets shown once, such as recovery codes. Strings
// are cleaned.
type SecretScreen struct {
	Title string
	Lines []string
	Label string // names a line when it is read aloud ("Code"); default "Line"
	Note  string
	// Prompt asks to leave; default "Press Enter when you have kept them."
	Prompt string
}

// ShowSecrets shows s until Enter, on the alternate screen unless that was
// switched off; nothing of it stays in the scrollback. In accessible mode it is
// printed in lines, then screen and history are cleared. It returns
// [ErrCancelled] when left in another way, and [ErrNoPrompt].
func (u *IO) ShowSecrets(ctx context.Context, s SecretScreen) error {
	if !u.CanPrompt() {
		return ErrNoPrompt
	}
	s.Prompt = cmp.Or(s.Prompt, "Press Enter when you have kept them.")
	if u.accessible {
		return u.secretLines(ctx, s)
	}
	w, h := u.promptSize()
	m := &secretModel{s: s, alt: !u.opt.NoAltScreen, width: w, height: h}
	if err := u.run(ctx, m, u.err.Profile); err != nil {
		return err
	}
	if !m.read {
		return ErrCancelled
	}
	return nil
}

// secretLines is [IO.ShowSecrets] in lines.
func (u *IO) secretLines(ctx context.Context, s SecretScreen) error {
	u.discardInput()
	defer u.forget()
	u.sayf("%s%s", u.step, s.Title)
	u.step = ""
	if s.Note != "" {
		u.sayf("%s", s.Note)
	}
	for i, l := range s.Lines {
		u.sayf("  %s %d: %s", cmp.Or(s.Label, "Line"), i+1, l)
	}
	_, err := u.line(ctx, Clean(s.Prompt)+" The screen and its history are cleared.", true)
	return err
}

// secretModel is the screen of secrets. What does not fit becomes pages, and
// Enter leaves only the last.
type secretModel struct {
	s             SecretScreen
	page          int
	read          bool
	alt, gone     bool
	width, height int
}

// Init implements [tea.Model].
func (m *secretModel) Init() tea.Cmd { return nil }

// Update implements [tea.Model].
func (m *secretModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case Leave:
		m.gone = true
		return m, tea.Quit
	case tea.WindowSizeMsg:
		m.width, m.height, m.page = msg.Width, msg.Height, 0
	case tea.KeyPressMsg:
		_, pages := m.layout()
		switch {
		case cancels(msg):
			m.gone = true
			return m, tea.Quit
		case msg.String() == "enter" && m.page < pages-1:
			m.page++
		case msg.String() == "enter":
			m.read, m.gone = true, true
			return m, tea.Quit
		}
	}
	return m, nil
}

func (m *secretModel) over() bool { return m.gone }

// View implements [tea.Model].
func (m *secretModel) View() tea.View {
	if m.gone {
		return tea.View{AltScreen: m.alt}
	}
	lines, _ := m.layout()
	return tea.View{Content: strings.Join(lines, "\n"), AltScreen: m.alt}
}

// layout returns the lines of the page in view and how many pages there are.
func (m *secretModel) layout() (lines []string, pages int) {
	var head, foot []string
	for _, l := range wrapTo(Clean(m.s.Title), m.width) {
		head = append(head, "\x1b[1m"+l+"\x1b[22m")
	}
	if m.s.Note != "" {
		foot = wrapTo(Clean(m.s.Note), m.width)
	}
	foot = append(foot, wrapTo(Clean(m.s.Prompt), m.width)...)
	room := max(m.height-len(head)-len(foot), 2)
	secrets := m.grid(room)
	if blanks := room - len(secrets); blanks > 1 {
		head, foot = append(head, ""), append([]string{""}, foot...)
	}
	if len(secrets) <= room {
		return append(append(head, secrets...), foot...), 1
	}
	room--
	pages = (len(secrets) + room - 1) / room
	page := min(m.page, pages-1)
	secrets = secrets[page*room : min((page+1)*room, len(secrets))]
	more := fmt.Sprintf("-- page %d of %d, Enter for the next --", page+1, pages)
	return append(append(append(head, secrets...), more), foot...), pages
}

// grid numbers the secrets, or sets them in two columns when that saves them
// from being cut into pages.
func (m *secretModel) grid(room int) []string {
	var out []string
	wide := 0
	for i, l := range cleanAll(m.s.Lines) {
		out = append(out, fmt.Sprintf("%4d  %s", i+1, l))
		wide = max(wide, ansi.StringWidth(l))
	}
	if len(out) <= room || 2*wide+2 > m.width {
		return out
	}
	half := (len(m.s.Lines) + 1) / 2
	out = out[:half]
	for i := range out {
		out[i] = Clean(m.s.Lines[i])
		if half+i < len(m.s.Lines) {
			out[i] = pad(out[i], wide, false) + "  " + Clean(m.s.Lines[half+i])
		}
	}
	return out
}
