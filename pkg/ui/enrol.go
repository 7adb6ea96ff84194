package ui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"charm.land/bubbles/v2/textinput"
	"github.com/charmbracelet/colorprofile"
)

// EnrolScreen is what somebody setting up an authenticator app sees. Strings
// are cleaned.
type EnrolScreen struct {
	Title, Notice        string
	Account, Issuer, URI string
	Groups               []string // the setup key in groups of four
	QR                   QRMatrix // of URI; nil shows none
	// Check says what is wrong with what can be no code; that is no try. nil takes
	// everything.
	Check func(code string) error
	// Submit checks a code as it was typed. done ends the screen; otherwise
	// message says, in place, what was wrong. An error ends the screen and is
	// returned. ctx ends when the person leaves.
	Submit func(ctx context.Context, code string) (done bool, message string, err error)
	Tries  int // wrong codes after which the screen gives up; 0 means no limit
	// SavePNG writes the QR code as a picture; nil offers none.
	SavePNG func(path string) error
}

// EnrolOutcome says how an enrolment screen ended, also beside an error.
type EnrolOutcome struct {
	Proved     bool   // a code was right; otherwise the tries are used up
	WrongCodes int    // how many were wrong
	PNG        string // where the picture was saved last, if it was
}

// unfit is what is wrong with what can be no code, or "".
func (s EnrolScreen) unfit(code string) string {
	if s.Check == nil {
		return ""
	}
	if err := s.Check(code); err != nil {
		return Clean(err.Error())
	}
	return ""
}

// pngName is the file name offered for a picture.
const pngName = "enrol.png"

// Enrol shows s and asks for codes until one is right. On a terminal it is one
// screen with the code field in focus, on the alternate screen unless that was
// switched off; it is left, and nothing of the secret stays in the scrollback,
// however it ends. In accessible mode it is a dialogue in lines, after which
// screen and history are cleared. It returns [ErrCancelled], [ErrNoPrompt], or
// the error of s.Submit.
func (u *IO) Enrol(ctx context.Context, s EnrolScreen) (EnrolOutcome, error) {
	if !u.CanPrompt() {
		return EnrolOutcome{}, ErrNoPrompt
	}
	if s.Submit == nil {
		return EnrolOutcome{}, errors.New("ui: an enrolment screen without Submit")
	}
	if u.accessible {
		return u.enrolLines(ctx, s)
	}
	checking, cancel := context.WithCancel(ctx)
	defer cancel()
	w, h := u.promptSize()
	m := &enrolModel{
		s: s, ctx: checking, cancel: cancel, alt: !u.opt.NoAltScreen,
		width: w, height: h, code: newField("Code  "), path: newField("Save picture as  "),
	}
	m.path.SetValue(pngName)
	err := u.run(ctx, m, colorprofile.ANSI256)
	if m.check != nil {
		// The screen was killed while a code was being checked: what is said
		// must be what happened.
		cancel()
		<-m.check.ended
		m.take(m.check)
	}
	switch {
	case m.out.Proved:
		return m.out, nil
	case m.err != nil:
		return m.out, m.err
	case err != nil:
		return m.out, err
	case !m.exhausted():
		return m.out, ErrCancelled
	}
	return m.out, nil
}

// newField is a one-line input that needs no colour to be seen.
func newField(prompt string) textinput.Model {
	f := textinput.New()
	f.Prompt = prompt
	f.SetStyles(textinput.Styles{})
	return f
}

// panel is the text beside or below the QR code, for a given width.
func (m *enrolModel) panel(width int, shown, compact bool) []string {
	var out []string
	gap := func() {
		if !compact {
			out = append(out, "")
		}
	}
	if m.s.Title != "" {
		for _, l := range wrapTo(Clean(m.s.Title), width) {
			out = append(out, "\x1b[1m"+l+"\x1b[22m")
		}
		gap()
	}
	out = append(out, wrapTo(m.how(shown, compact), width)...)
	out = append(out, keyRows(m.s.Groups, width)...)
	gap()
	out = append(out, m.identity(width)...)
	gap()
	field := &m.code
	if m.saving {
		field = &m.path
	}
	field.SetWidth(max(width-len(field.Prompt)-1, 6))
	out = append(out, field.View())
	if m.message != "" {
		out = append(out, wrapTo(m.message, width)...)
	}
	return out
}

// how says how to add the account, or why there is no QR code.
func (m *enrolModel) how(shown, compact bool) string {
	switch {
	case shown:
		return "Scan the code with your authenticator app, or add an account by setup key:"
	case m.s.QR == nil:
		return "Add an account to your authenticator app by setup key:"
	case compact:
		return "Window too small for the QR code: enlarge it or use the setup key:"
	case m.s.SavePNG == nil:
		return "The window is too small for the QR code. Make it larger (80x24), or add an account by setup key:"
	}
	return "The window is too small for the QR code. Make it larger (80x24), press Ctrl-P for a picture, or add an account by setup key:"
}

// identity is what to type beside the key.
func (m *enrolModel) identity(width int) []string {
	var rows []row
	for _, r := range [][2]string{{"Account", m.s.Account}, {"Issuer", m.s.Issuer}} {
		if r[1] != "" {
			rows = append(rows, row{label: r[0], values: []string{Clean(r[1])}})
		}
	}
	cols := columnsFor(rows, min(width, 59), 1)
	var out []string
	for _, r := range rows {
		out = append(out, cols.lines(r)...)
	}
	return out
}

// keyRows sets the groups of a setup key in rows of at most four.
func keyRows(groups []string, width int) []string {
	var out []string
	per := max(1, min(4, (width-1)/5))
	for len(groups) > 0 {
		n := min(per, len(groups))
		out = append(out, "  "+strings.Join(cleanAll(groups[:n]), " "))
		groups = groups[n:]
	}
	return out
}

// triesLeft ends a message with how many wrong codes are still allowed.
func triesLeft(message string, tries, wrong int) string {
	message = cmp.Or(Clean(message), "That code is not right.")
	switch left := tries - wrong; {
	case tries == 0:
		return message
	case left == 1:
		return message + " 1 try left."
	default:
		return fmt.Sprintf("%s %d tries left.", message, max(left, 0))
	}
}
