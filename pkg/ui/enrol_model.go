package ui

import (
	"context"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// enrolModel is the enrolment screen. It has the code field in focus from the
// start and redraws itself for every window size.
type enrolModel struct {
	s      EnrolScreen
	ctx    context.Context // of the checks
	cancel context.CancelFunc
	check  *check // under way, or nil
	out    EnrolOutcome
	err    error

	code, path    textinput.Model
	message       string
	leaving       bool // the person wants to go
	saving        bool // the path field is in focus
	alt, gone     bool
	width, height int
}

// check is one code being checked; the rest may be read once ended is closed.
type check struct {
	ended   chan struct{}
	done    bool
	message string
	err     error
}

// saved is what writing a picture said.
type saved struct {
	path string
	err  error
}

// Init implements [tea.Model].
func (m *enrolModel) Init() tea.Cmd { return m.code.Focus() }

// Update implements [tea.Model].
func (m *enrolModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m, nil
	case Leave:
		return m, m.leave()
	case *check:
		m.take(msg)
		if m.out.Proved || m.err != nil || m.leaving || m.exhausted() {
			return m, m.quit()
		}
		return m, nil
	case saved:
		m.tookPicture(msg)
		return m, m.code.Focus()
	case tea.KeyPressMsg:
		return m, m.press(msg)
	}
	return m, m.typed(msg)
}

// press acts on a key.
func (m *enrolModel) press(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case k.String() == "esc" && m.saving:
		m.saving = false
		return m.code.Focus()
	case cancels(k):
		return m.leave()
	case m.check != nil:
		return nil
	case k.String() == "ctrl+p" && m.s.SavePNG != nil:
		m.saving, m.message = true, ""
		return m.path.Focus()
	case k.String() == "enter" && m.saving:
		return m.save(strings.TrimSpace(m.path.Value()))
	case k.String() == "enter":
		return m.submit(strings.TrimSpace(m.code.Value()))
	}
	return m.typed(k)
}

// leave ends the screen, after the check under way: its answer decides.
func (m *enrolModel) leave() tea.Cmd {
	m.leaving = true
	if m.check != nil {
		m.cancel()
		return nil
	}
	return m.quit()
}

// typed passes a message to the field in focus.
func (m *enrolModel) typed(msg tea.Msg) (cmd tea.Cmd) {
	if m.saving {
		m.path, cmd = m.path.Update(msg)
	} else {
		m.code, cmd = m.code.Update(msg)
	}
	return cmd
}

// submit starts checking a code.
func (m *enrolModel) submit(code string) tea.Cmd {
	if code == "" {
		m.message = "Type the code the app shows, then Enter."
		return nil
	}
	if m.message = m.s.unfit(code); m.message != "" {
		return nil
	}
	c := &check{ended: make(chan struct{})}
	m.check, m.message = c, "Checking ..."
	m.code.SetValue("")
	go func() {
		defer close(c.ended)
		c.done, c.message, c.err = m.s.Submit(m.ctx, code)
	}()
	return func() tea.Msg {
		<-c.ended
		return c
	}
}

// take records what a check said.
func (m *enrolModel) take(r *check) {
	m.check = nil
	switch {
	case r.err != nil:
		m.err = r.err
	case r.done:
		m.out.Proved = true
	default:
		m.out.WrongCodes++
		m.message = triesLeft(r.message, m.s.Tries, m.out.WrongCodes)
	}
}

// exhausted reports whether the tries are used up.
func (m *enrolModel) exhausted() bool { return m.s.Tries > 0 && m.out.WrongCodes >= m.s.Tries }

// save starts writing a picture.
func (m *enrolModel) save(path string) tea.Cmd {
	if path == "" {
		return nil
	}
	m.saving, m.message = false, "Saving ..."
	return func() tea.Msg { return saved{path, m.s.SavePNG(path)} }
}

// tookPicture records where a picture was saved, or why not.
func (m *enrolModel) tookPicture(s saved) {
	if s.err != nil {
		m.message = "Not saved: " + Clean(s.err.Error())
		return
	}
	m.out.PNG = s.path
	m.message = fmt.Sprintf("Saved as %s. It holds the secret: delete it afterwards.", Clean(s.path))
}

// quit ends the program.
func (m *enrolModel) quit() tea.Cmd {
	m.gone = true
	return tea.Quit
}

func (m *enrolModel) over() bool { return m.gone }

// View implements [tea.Model].
func (m *enrolModel) View() tea.View {
	if m.gone {
		return tea.View{AltScreen: m.alt}
	}
	return tea.View{Content: strings.Join(m.layout(), "\n"), AltScreen: m.alt}
}

// textBeside is the least width of the text to the right of the QR code: with
// its gap it leaves 41 of 80 columns to the code.
const textBeside, besideGap = 37, 2

// layout fits the screen into the window: the QR code with the text beside it,
// above the text, or, where neither fits, the text alone.
func (m *enrolModel) layout() []string {
	top := wrapTo(Clean(m.s.Notice), m.width)
	if m.s.Notice == "" {
		top = nil
	} else if len(top) > 2 {
		top = []string{top[0], ansi.Truncate(top[1], m.width-1, "") + "…"}
	}
	foot := ansi.Truncate(m.help(), m.width, "…")
	room := m.height - len(top) - 1
	if qr, w := fitQR(m.s.QR, m.width-textBeside-besideGap, room); qr != "" {
		text := m.panel(m.width-w-besideGap, true, false)
		if len(text) > room {
			text = m.panel(m.width-w-besideGap, true, true)
		}
		return append(append(top, beside(strings.Split(qr, "\n"), text, w)...), foot)
	}
	text := m.panel(m.width, true, true)
	if qr, _ := fitQR(m.s.QR, m.width, room-len(text)); qr != "" {
		return append(append(append(top, strings.Split(qr, "\n")...), text...), foot)
	}
	text = m.panel(m.width, false, false)
	if len(text) > room {
		text = m.panel(m.width, false, true)
	}
	if len(text) > room && len(top) > 1 {
		top, room = []string{ansi.Truncate(top[0], m.width-1, "") + "…"}, room+1
	}
	return append(append(top, text[:min(len(text), max(room, 0))]...), foot)
}

// help names the keys.
func (m *enrolModel) help() string {
	keys := []string{"Enter send", "Esc cancel"}
	if m.saving {
		keys = []string{"Enter save", "Esc back"}
	} else if m.s.SavePNG != nil {
		keys = append(keys, "Ctrl-P save picture")
	}
	return strings.Join(keys, " · ")
}

// beside sets text to the right of a drawing of the given width.
func beside(drawing, text []string, width int) []string {
	out := make([]string, max(len(drawing), len(text)))
	for i := range out {
		left := strings.Repeat(" ", width)
		if i < len(drawing) {
			left = drawing[i]
		}
		out[i] = left
		if i < len(text) && text[i] != "" {
			out[i] += strings.Repeat(" ", besideGap) + text[i]
		}
	}
	return out
}
