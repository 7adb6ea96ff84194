package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
)

// ErrCancelled is returned when the person leaves a question by Esc, Ctrl-C or
// end of input, or when a signal or the context ends it: nothing was agreed to.
var ErrCancelled = errors.New("cancelled")

// ErrNoPrompt is returned by every question when [IO.CanPrompt] is false.
var ErrNoPrompt = errors.New("cannot ask: no terminal, or input is switched off")

// Prompter asks a person. Every question throws typed-ahead input away before
// it opens and returns [ErrCancelled] or [ErrNoPrompt] as described there.
type Prompter interface {
	// Confirm shows d and reports whether it was agreed to. Choosing the
	// negative button, which Enter alone does, is (false, nil).
	Confirm(ctx context.Context, d Dialog) (bool, error)
	// Choose is Confirm for a dialog that offers something Other too.
	Choose(ctx context.Context, d Dialog) (Answer, error)
	// Select returns the index of the option chosen.
	Select(ctx context.Context, title string, options []Option) (int, error)
	// Input returns a line that spec.Validate accepts.
	Input(ctx context.Context, spec InputSpec) (string, error)
	// Password returns a line typed without echo, never empty; with twice it
	// was typed the same again.
	Password(ctx context.Context, title string, twice bool) (string, error)
}

var _ Prompter = (*IO)(nil)

// Option is one line of a picker: Label, then Detail. Value is the caller's
// and is never shown.
type Option struct{ Label, Detail, Value string }

// InputSpec is a question for one line of text. An empty answer is Default,
// which is shown; a nil Validate accepts everything.
type InputSpec struct {
	Title, Description, Placeholder string
	Default                         string
	Validate                        func(string) error
}

// check validates what an answer stands for.
func (s InputSpec) check(answer string) error {
	if s.Validate == nil {
		return nil
	}
	return s.Validate(s.value(answer))
}

// value is what an answer stands for.
func (s InputSpec) value(answer string) string {
	if answer == "" {
		return s.Default
	}
	return answer
}

// label is the title with the default, as a line before the answer.
func (s InputSpec) label() string {
	t := strings.TrimRight(Clean(s.Title), ": ")
	if s.Default != "" {
		t += " [" + Clean(s.Default) + "]"
	}
	return t
}

// ask runs q until it is answered.
func (u *IO) ask(ctx context.Context, q *question) error {
	if err := u.run(ctx, q, u.err.Profile); err != nil {
		return err
	}
	if !q.answered {
		return ErrCancelled
	}
	return nil
}

// filterFrom is the number of options from which typing narrows the list.
const (
	filterFrom = 9
	filterHelp = "Type to narrow, Enter takes the marked."
)

// Select implements [Prompter]. With more than eight options typing narrows
// the list.
func (u *IO) Select(ctx context.Context, title string, options []Option) (int, error) {
	switch {
	case !u.CanPrompt():
		return 0, ErrNoPrompt
	case len(options) == 0:
		return 0, errors.New("ui: nothing to select from")
	case u.accessible:
		return u.selectLine(ctx, title, options)
	}
	w, h := u.promptSize()
	picked := -1
	labels := 0
	for _, o := range options {
		labels = max(labels, ansi.StringWidth(Clean(o.Label)))
	}
	labels = min(labels, w/2)
	choices := make([]huh.Option[int], len(options))
	for i, o := range options {
		line := ansi.Truncate(Clean(o.Label), labels, "…")
		if o.Detail != "" {
			line = pad(line, labels, false) + "  " + Clean(o.Detail)
		}
		choices[i] = huh.NewOption(ansi.Truncate(line, w-4, "…"), i)
	}
	field := huh.NewSelect[int]().Options(choices...).Value(&picked)
	lines := len(options)
	if len(options) >= filterFrom {
		field.Title("Filter").Filtering(true).
			Description(filterHelp)
		lines += 1 + len(wrapTo(filterHelp, w-1))
	}
	q := newQuestion(title, nil, field, w, h)
	q.resize = func(_, room int) { field.WithHeight(min(lines, room)) }
	if err := u.ask(ctx, q); err != nil {
		return 0, err
	}
	if picked < 0 || picked >= len(options) {
		return 0, ErrCancelled
	}
	return picked, nil
}

// Input implements [Prompter].
func (u *IO) Input(ctx context.Context, spec InputSpec) (string, error) {
	if !u.CanPrompt() {
		return "", ErrNoPrompt
	}
	if u.accessible {
		return u.inputLine(ctx, spec)
	}
	answer, err := u.inputField(ctx, spec, huh.EchoModeNormal)
	if err != nil {
		return "", err
	}
	// The field validated it too; an answer is never used on its word alone.
	if err := spec.check(answer); err != nil {
		return "", err
	}
	u.echo(spec.label(), Clean(spec.value(answer)))
	return spec.value(answer), nil
}

// echo leaves a line of what was asked and answered, as a line prompt would.
func (u *IO) echo(label, answer string) { u.print(u.err, label+": "+answer) }

// inputField asks for one line with a huh input.
func (u *IO) inputField(ctx context.Context, spec InputSpec, echo huh.EchoMode) (string, error) {
	w, h := u.promptSize()
	var answer string
	field := huh.NewInput().Prompt("> ").CharLimit(0).EchoMode(echo).Value(&answer).
		Placeholder(Clean(spec.Placeholder)).
		Validate(func(s string) error {
			if !utf8.ValidString(s) {
				return errors.New("that is not valid text")
			}
			return spec.check(s)
		})
	var rows []row
	if spec.Description != "" {
		rows = append(rows, row{values: []string{Clean(spec.Description)}})
	}
	q := newQuestion(spec.label(), rows, field, w, h)
	if err := u.ask(ctx, q); err != nil {
		return "", err
	}
	return answer, nil
}

// errMismatch is said when a password is typed differently the second time.
var errMismatch = errors.New("they are not the same; once more")

// Password implements [Prompter]. Nothing is echoed, not even its length.
func (u *IO) Password(ctx context.Context, title string, twice bool) (string, error) {
	if !u.CanPrompt() {
		return "", ErrNoPrompt
	}
	for {
		first, err := u.password(ctx, title)
		if err != nil || !twice {
			return first, err
		}
		second, err := u.password(ctx, strings.TrimRight(title, ": ")+", again")
		if err != nil {
			return "", err
		}
		if first == second {
			return first, nil
		}
		u.print(u.err, errMismatch.Error())
	}
}

// password asks once, until something is typed.
func (u *IO) password(ctx context.Context, title string) (string, error) {
	spec := InputSpec{Title: title, Validate: func(s string) error {
		if s == "" {
			return errors.New("nothing was typed")
		}
		return nil
	}}
	if u.accessible {
		return u.passwordLine(ctx, spec)
	}
	spec.Description = "Typing is not shown."
	answer, err := u.inputField(ctx, spec, huh.EchoModeNone)
	if err != nil {
		return "", err
	}
	u.echo(spec.label(), "(not shown)")
	return answer, nil
}

// promptSize is the size of the terminal questions are drawn on.
func (u *IO) promptSize() (width, height int) {
	if u.pane != nil {
		return u.pane.size()
	}
	return sizeOf(u.opt.Stderr, u.opt.Stdin)
}

// quoted is how a line prompt names a word to type.
func quoted(s string) string { return fmt.Sprintf("%q", Clean(s)) }
