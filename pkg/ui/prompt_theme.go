package ui

import (
	"charm.land/bubbles/v2/key"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
)

// theme draws focus by a marker, so that it is seen without colour:
// `[ Cancel ]` against `  Confirm  `, and `> ` before an option.
func theme(bool) *huh.Styles {
	var s huh.Styles
	plain := lipgloss.NewStyle()
	button := plain.MarginRight(1)
	s.Focused.FocusedButton = button.Bold(true).Transform(func(t string) string { return "[ " + t + " ]" })
	s.Focused.BlurredButton = button.Transform(func(t string) string { return "  " + t + "  " })
	s.Focused.SelectSelector = plain.SetString("> ")
	s.Focused.SelectedOption = plain.Bold(true)
	s.Blurred = s.Focused
	return &s
}

// keys binds only what each question needs: nothing is accepted by a single
// letter, and Esc and Ctrl-C belong to the question around the field.
func keys() *huh.KeyMap {
	bind := func(k ...string) key.Binding { return key.NewBinding(key.WithKeys(k...)) }
	enter := bind("enter")
	return &huh.KeyMap{
		Confirm: huh.ConfirmKeyMap{Toggle: bind("left", "right", "tab", "shift+tab"), Submit: enter},
		Input:   huh.InputKeyMap{Submit: enter},
		Select: huh.SelectKeyMap{
			Up: bind("up", "ctrl+p"), Down: bind("down", "ctrl+n"),
			HalfPageUp: bind("pgup"), HalfPageDown: bind("pgdown"),
			Submit: enter,
		},
	}
}
