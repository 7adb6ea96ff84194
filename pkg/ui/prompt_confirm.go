package ui

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
)

// Dialog is a question with its facts and consequences. All strings are data
// and are cleaned; the title is also cut to one line of the window, so that a
// long name cannot push the facts away.
type Dialog struct {
	Title         string
	Facts         []Fact
	Extra         []string // paragraphs below the facts
	Will, WillNot []string // consequences, one clause each
	Warnings      []string // drawn with a leading "!"
	Affirmative   string   // default "Confirm"
	Negative      string   // default "Cancel"; has the focus
	TypeToConfirm string   // if set, typing it (letter case ignored) replaces the buttons
	Word          string   // typed to agree in line mode; default "confirm"
	Action        string   // "Type confirm to <action>, …"; default "go on"

	// Other is a second thing that can be chosen, a button between the two others,
	// for [IO.Choose] only; with TypeToConfirm Tab chooses it. OtherWord is typed
	// for it in line mode, to do OtherAction; Decline is what Enter does there,
	// default "cancel".
	Other, OtherWord, OtherAction string
	Decline                       string
}

// Fact is a labelled value. A fact to Keep stays visible in the smallest
// window, cut to two lines there.
type Fact struct {
	Label, Value string
	Keep         bool
}

// Answer is what was chosen in a dialog.
type Answer int

// The answers: the negative button, the affirmative one, the other one.
const (
	Declined Answer = iota
	Agreed
	Otherwise
)

// Confirm implements [Prompter]. The focus starts on the negative button, which
// stands to the right: ← or Shift-Tab, then Enter, agrees. With
// d.TypeToConfirm an empty answer is (false, nil).
func (u *IO) Confirm(ctx context.Context, d Dialog) (bool, error) {
	answer, err := u.Choose(ctx, d)
	return answer == Agreed, err
}

// Choose implements [Prompter].
func (u *IO) Choose(ctx context.Context, d Dialog) (Answer, error) {
	if !u.CanPrompt() {
		return Declined, ErrNoPrompt
	}
	d.Affirmative, d.Negative = cmp.Or(d.Affirmative, "Confirm"), cmp.Or(d.Negative, "Cancel")
	d.Word, d.Action, d.Decline = cmp.Or(d.Word, "confirm"), cmp.Or(d.Action, "go on"), cmp.Or(d.Decline, "cancel")
	switch {
	case u.accessible:
		return u.confirmLine(ctx, d)
	case d.TypeToConfirm != "":
		return u.confirmTyped(ctx, d)
	case d.Other != "":
		return u.chooseButton(ctx, d)
	}
	var agreed bool
	w, h := u.promptSize()
	field := huh.NewConfirm().Affirmative(Clean(d.Affirmative)).Negative(Clean(d.Negative)).Value(&agreed)
	q := newQuestion(d.Title, d.rows(), field, w, h)
	q.indent = buttonIndent(w)
	q.accept = func(k tea.KeyPressMsg) bool {
		switch k.String() {
		case "left", "shift+tab":
			return !agreed
		case "right", "tab":
			return agreed
		}
		return true
	}
	if err := u.ask(ctx, q); err != nil || !agreed {
		return Declined, err
	}
	return Agreed, nil
}

// buttonIndent sets the buttons in from the left where there is room.
func buttonIndent(width int) int {
	if width < 60 {
		return 0
	}
	return 12
}

// confirmTyped asks for d.TypeToConfirm instead of showing buttons.
func (u *IO) confirmTyped(ctx context.Context, d Dialog) (Answer, error) {
	var answer string
	w, h := u.promptSize()
	instead := ""
	if d.Other != "" {
		instead = ", Tab to " + Clean(d.OtherAction)
	}
	field := huh.NewInput().Value(&answer).CharLimit(0).Prompt("> ").
		Title(fmt.Sprintf("Type %s to %s%s, or Esc to %s:", Clean(d.TypeToConfirm), Clean(d.Action), instead, Clean(d.Decline))).
		Validate(func(s string) error {
			if !d.typed(s) {
				return fmt.Errorf("that is not %s", d.TypeToConfirm)
			}
			return nil
		})
	q := newQuestion(d.Title, d.rows(), field, w, h)
	declined, otherwise := false, false
	q.accept = func(k tea.KeyPressMsg) bool {
		declined = k.String() == "enter" && strings.TrimSpace(answer) == ""
		otherwise = k.String() == "tab" && d.Other != ""
		q.gone = declined || otherwise
		return !q.gone
	}
	err := u.ask(ctx, q)
	switch {
	case declined:
		return Declined, nil
	case otherwise:
		return Otherwise, nil
	case err != nil || !d.typed(answer):
		return Declined, err
	}
	return Agreed, nil
}

// typed reports whether s is what had to be typed.
func (d Dialog) typed(s string) bool {
	return strings.EqualFold(strings.TrimSpace(s), strings.TrimSpace(d.TypeToConfirm))
}

// rows are the dialog's facts and consequences in the order they are read.
func (d Dialog) rows() []row {
	var rows []row
	for _, f := range d.Facts {
		rows = append(rows, row{label: Clean(f.Label), values: []string{Clean(f.Value)}, keep: f.Keep})
	}
	for _, e := range cleanAll(d.Extra) {
		rows = append(rows, row{values: []string{e}, wide: true, space: true})
	}
	for i, w := range cleanAll(d.Warnings) {
		rows = append(rows, row{values: []string{"! " + w}, wide: true, space: i == 0})
	}
	for i, c := range []struct {
		label   string
		clauses []string
	}{{"Will", d.Will}, {"Will not", d.WillNot}} {
		if len(c.clauses) > 0 {
			rows = append(rows, row{label: c.label, values: clauses(c.clauses), space: i == 0 || len(d.Will) == 0})
		}
	}
	return rows
}

// clauses punctuates a list of consequences.
func clauses(cs []string) []string {
	out := cleanAll(cs)
	for i := range out[:len(out)-1] {
		out[i] += ";"
	}
	return out
}
