package ui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// approveDialog has a third button.
func approveDialog() Dialog {
	d := resetDialog()
	d.Title = "Approve an MFA reset for Jordan Lee?"
	d.Warnings = []string{"The phone number was changed 2 hours ago by tom."}
	d.Affirmative, d.Other, d.Negative = "Approve", "Reject", "Leave it open"
	d.Word, d.Action, d.OtherWord, d.OtherAction, d.Decline = "approve", "approve", "reject", "reject", "leave it open"
	return d
}

// typedDialog has something else to choose beside the word to type.
func typedDialog() Dialog {
	d := resetDialog()
	d.TypeToConfirm, d.Other, d.OtherWord, d.OtherAction = "jlee", "Ask for approval", "approval", "ask for approval"
	return d
}

func TestChooseScreens(t *testing.T) {
	for _, c := range []struct {
		name       string
		cols, rows int
		dialog     Dialog
		keys       []string
	}{
		{"choose_80x24", 80, 24, approveDialog(), nil},
		{"choose_80x24_reject", 80, 24, approveDialog(), []string{uitest.Left}},
		{"choose_40x12", 40, 12, approveDialog(), nil},
		{"choose_40x12_approve", 40, 12, approveDialog(), []string{uitest.Left, uitest.Left}},
		{"choose_30x12", 30, 12, approveDialog(), nil},
		{"choose_typed_80x24", 80, 24, typedDialog(), nil},
		{"choose_typed_40x12", 40, 12, typedDialog(), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := uitest.New(t, c.cols, c.rows)
			u := onTTY(x, Options{})
			start(x, func(ctx context.Context) (Answer, error) { return u.Choose(ctx, c.dialog) })
			x.Wait(c.dialog.Title[:20])
			x.Send(c.keys...)
			goldenScreen(t, c.name, x)
			x.Send(uitest.Esc)
			x.Exit()
		})
	}
}

func TestChooseKeys(t *testing.T) {
	for _, c := range []struct {
		name   string
		dialog Dialog
		keys   []string
		want   Answer
		err    error
	}{
		{"Enter alone declines", approveDialog(), []string{uitest.Enter}, Declined, nil},
		{"left is the other", approveDialog(), []string{uitest.Left, uitest.Enter}, Otherwise, nil},
		{"left twice agrees", approveDialog(), []string{uitest.Left, uitest.Left, uitest.Enter}, Agreed, nil},
		{"it stops at the end", approveDialog(), []string{uitest.Left, uitest.ShiftTab, uitest.Left, uitest.Enter}, Agreed, nil},
		{"there and back", approveDialog(), []string{uitest.Left, uitest.Left, uitest.Tab, uitest.Right, uitest.Right, uitest.Enter}, Declined, nil},
		{"a letter decides nothing", approveDialog(), []string{"a", "r", "y", uitest.Enter}, Declined, nil},
		{"Esc", approveDialog(), []string{uitest.Left, uitest.Esc}, Declined, ErrCancelled},
		{"Ctrl-C", approveDialog(), []string{uitest.Left, uitest.Left, uitest.CtrlC}, Declined, ErrCancelled},
		{"end of input", approveDialog(), []string{uitest.Left, uitest.CtrlD}, Declined, ErrCancelled},
		{"typed", typedDialog(), []string{"jlee", uitest.Enter}, Agreed, nil},
		{"Tab", typedDialog(), []string{uitest.Tab}, Otherwise, nil},
		{"Tab after half of it", typedDialog(), []string{"jl", uitest.Tab}, Otherwise, nil},
		{"nothing typed", typedDialog(), []string{uitest.Enter}, Declined, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := uitest.New(t, 80, 24)
			u := onTTY(x, Options{})
			r := start(x, func(ctx context.Context) (Answer, error) { return u.Choose(ctx, c.dialog) })
			x.Wait(c.dialog.Title[:20])
			if c.dialog.TypeToConfirm == "" {
				x.Wait("[ Leave it open ]")
			} else {
				x.Wait("Type jlee to reset, Tab to ask for approval, or Esc to cancel:")
			}
			x.Send(c.keys...)
			x.Exit()
			if r.v != c.want || !errors.Is(r.err, c.err) || (c.err == nil) != (r.err == nil) {
				t.Errorf("got %v, %v", r.v, r.err)
			}
			if s := x.Screen(); strings.TrimSpace(s) != "" {
				t.Errorf("the dialog is still there:\n%s", s)
			}
		})
	}
}

// In lines each choice has its word.
func TestChooseLines(t *testing.T) {
	for _, c := range []struct {
		typed  string
		dialog Dialog
		want   Answer
	}{
		{"approve\n", approveDialog(), Agreed}, {" Reject \n", approveDialog(), Otherwise}, {"\n", approveDialog(), Declined},
		{"perhaps\nreject\n", approveDialog(), Otherwise}, {"approval\n", typedDialog(), Otherwise}, {"jlee\n", typedDialog(), Agreed},
	} {
		x := uitest.New(t, 80, 24)
		u := onTTY(x, Options{Accessible: true})
		r := start(x, func(ctx context.Context) (Answer, error) { return u.Choose(ctx, c.dialog) })
		if c.dialog.TypeToConfirm == "" {
			x.Wait("Type approve to approve, reject to reject, or press Enter to leave it open:")
		} else {
			x.Wait("Type jlee to reset, approval to ask for approval, or press Enter to cancel:")
		}
		x.Send(c.typed)
		x.Exit()
		if r.v != c.want || r.err != nil {
			t.Errorf("%q: %v, %v", c.typed, r.v, r.err)
		}
	}
}
