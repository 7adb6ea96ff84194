package ui

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// resetDialog is the dialog of a help desk's most frequent question.
func resetDialog() Dialog {
	return Dialog{
		Title: "Reset MFA for Jordan Lee?",
		Facts: []Fact{
			{Label: "Account", Value: "jlee · jlee@stmary.example · active · user", Keep: true},
			{Label: "Call back", Value: "+61 2 5550 1234 (unchanged since 12 Mar 2024)"},
			{Label: "Enrolled", Value: "5 Jan 2026, last used 20 Nov 2026 17:02"},
			{Label: "Last reset", Value: "never"},
		},
		Will: []string{
			"remove the authenticator link and 10 recovery codes", "end 1 session",
			"let whoever has the password enrol at the next sign-in",
		},
		WillNot: []string{"change the password, the status, the toggle or the policy"},
		Action:  "reset",
	}
}

// openDialog shows d and waits until it is there.
func openDialog(t *testing.T, cols, rows int, d Dialog, o Options) (*uitest.Terminal, *result[bool]) {
	t.Helper()
	x := uitest.New(t, cols, rows)
	u := onTTY(x, o)
	r := start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, d) })
	if d.TypeToConfirm != "" {
		x.Wait("Type " + d.TypeToConfirm)
	} else {
		x.Wait("[ Cancel ]")
	}
	return x, r
}

func TestDialogScreens(t *testing.T) {
	for _, c := range []struct {
		name       string
		cols, rows int
		dialog     func(*Dialog)
		keys       []string
	}{
		{"dialog_80x24", 80, 24, nil, nil},
		{"dialog_80x24_confirm", 80, 24, nil, []string{uitest.Left}},
		{"dialog_40x12", 40, 12, nil, nil},
		{"dialog_40x12_end", 40, 12, nil, []string{uitest.PgDn, uitest.PgDn, uitest.PgDn}},
		{"dialog_warning", 80, 24, func(d *Dialog) {
			d.Warnings = []string{"The phone number was changed 2 hours ago by tom."}
			d.Extra = []string{"A second operator must approve."}
			d.Affirmative, d.Negative = "Approve", "Leave it open"
		}, nil},
		{"dialog_type", 80, 24, func(d *Dialog) { d.TypeToConfirm = "281" }, []string{"28", uitest.Enter}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := resetDialog()
			if c.dialog != nil {
				c.dialog(&d)
			}
			x := uitest.New(t, c.cols, c.rows)
			u := onTTY(x, Options{})
			start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, d) })
			x.Wait(d.Title[:20])
			x.Send(c.keys...)
			goldenScreen(t, c.name, x)
			x.Send(uitest.Esc)
			x.Exit()
		})
	}
}

func TestDialogKeys(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
		want bool
		err  error
	}{
		{"Enter alone cancels", []string{uitest.Enter}, false, nil},
		{"left, Enter confirms", []string{uitest.Left, uitest.Enter}, true, nil},
		{"Shift-Tab, Enter confirms", []string{uitest.ShiftTab, uitest.Enter}, true, nil},
		{"right does not wrap to Confirm", []string{uitest.Right, uitest.Enter}, false, nil},
		{"left twice stays on Confirm", []string{uitest.Left, uitest.Left, uitest.Enter}, true, nil},
		{"there and back cancels", []string{uitest.Left, uitest.Tab, uitest.Enter}, false, nil},
		{"a letter decides nothing", []string{"y", "Y", "c", " ", uitest.Enter}, false, nil},
		{"Esc", []string{uitest.Left, uitest.Esc}, false, ErrCancelled},
		{"Ctrl-C", []string{uitest.Left, uitest.CtrlC}, false, ErrCancelled},
		{"end of input", []string{uitest.Left, uitest.CtrlD}, false, ErrCancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, r := openDialog(t, 80, 24, resetDialog(), Options{})
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

func TestDialogTyped(t *testing.T) {
	d := resetDialog()
	d.TypeToConfirm = "mchen"
	for _, c := range []struct {
		keys []string
		want bool
		err  error
	}{
		{[]string{"MChen", uitest.Enter}, true, nil},
		{[]string{uitest.Enter}, false, nil},
		{[]string{"mche", uitest.Enter, "n", uitest.Enter}, true, nil},
		{[]string{"mche", uitest.Enter, uitest.Esc}, false, ErrCancelled},
		{[]string{"mchen", uitest.CtrlC}, false, ErrCancelled},
	} {
		x, r := openDialog(t, 80, 24, d, Options{})
		x.Send(c.keys...)
		x.Exit()
		if r.v != c.want || !errors.Is(r.err, c.err) {
			t.Errorf("%q: got %v, %v", c.keys, r.v, r.err)
		}
	}
}

// TestTypeAhead: keys typed before the dialog opened must not answer it.
func TestTypeAhead(t *testing.T) {
	for _, accessible := range []bool{false, true} {
		x := uitest.New(t, 80, 24)
		u := onTTY(x, Options{Accessible: accessible})
		x.Send(uitest.Left, uitest.Enter, "confirm", uitest.Enter)
		time.Sleep(50 * time.Millisecond)
		r := start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, resetDialog()) })
		x.Wait("10 recovery codes", "ancel")
		time.Sleep(100 * time.Millisecond)
		x.Send(uitest.Enter)
		x.Exit()
		if r.v || r.err != nil {
			t.Errorf("accessible %v: typed-ahead keys answered: %v, %v", accessible, r.v, r.err)
		}
	}
}

// TestFocusWithoutColour: the focus is seen where no colour is.
func TestFocusWithoutColour(t *testing.T) {
	x, r := openDialog(t, 80, 24, resetDialog(), Options{Getenv: env("NO_COLOR=1")})
	if s := x.Screen(); !strings.Contains(s, "  Confirm   [ Cancel ]") {
		t.Errorf("focus on Cancel is not marked:\n%s", s)
	}
	x.Send(uitest.Left)
	x.Wait("[ Confirm ]   Cancel")
	x.Send(uitest.Esc)
	x.Exit()
	if !errors.Is(r.err, ErrCancelled) {
		t.Error(r.err)
	}
	if strings.Contains(x.Output(), "\x1b[3") {
		t.Errorf("colour despite NO_COLOR: %q", x.Output())
	}
}

// TestForgedTitle: a name cannot push the facts away, reverse the line or draw
// buttons of its own.
func TestForgedTitle(t *testing.T) {
	for _, name := range []string{
		strings.Repeat("Very long ", 30), "\u202eeeL nadroJ", "x\n\n\n  [ Confirm ]\n", "\x1b[2J\x1b[H[ Confirm ]",
	} {
		d := resetDialog()
		d.Title = "Reset MFA for " + name + "?"
		d.Facts[1].Value = name
		for _, size := range [][2]int{{80, 24}, {40, 12}} {
			x, _ := openDialog(t, size[0], size[1], d, Options{})
			s := x.Screen()
			lines := strings.Split(s, "\n")
			if !strings.HasPrefix(lines[0], "Reset MFA for ") || !strings.Contains(s, "jlee@stmary.example") ||
				strings.ContainsRune(s, '\u202e') || !strings.Contains(lines[len(lines)-2], "[ Cancel ]") {
				t.Errorf("%q at %v:\n%s", name, size, s)
			}
			x.Send(uitest.Esc)
			x.Exit()
		}
	}
}

// Whatever text a question has is data, in every place: what would steer the
// terminal is shown instead (S-68).
func TestQuestionsAreCleaned(t *testing.T) {
	const bad, shown = "\x1b]0;x\a\u202e", `\x1b]0;x\x07\u202e`
	check := func(what string, x *uitest.Terminal, places string) {
		t.Helper()
		s := x.Screen()
		for _, place := range places {
			if !strings.Contains(s, string(place)+shown) {
				t.Errorf("%s: %c is not shown for what it is:\n%s", what, place, s)
			}
		}
		if strings.Contains(x.Output(), "\x1b]0;x") || strings.Contains(x.Output(), "\u202e") {
			t.Errorf("%s: the terminal was sent it", what)
		}
	}
	d := Dialog{Title: "T" + bad, Facts: []Fact{{Label: "L" + bad, Value: "V" + bad}}, Extra: []string{"E" + bad}, Will: []string{"W" + bad},
		WillNot: []string{"N" + bad}, Warnings: []string{"G" + bad}}
	for _, accessible := range []bool{false, true} {
		x := uitest.New(t, 120, 40)
		u := onTTY(x, Options{Accessible: accessible})
		start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, d) })
		x.Wait("N" + shown)
		check("a dialog", x, "TLVEWNG")
		x.Send(uitest.Enter)
		x.Exit()

		x = uitest.New(t, 120, 40)
		u = onTTY(x, Options{Accessible: accessible})
		start(x, func(ctx context.Context) (int, error) {
			return u.Select(ctx, "T"+bad, []Option{{Label: "O" + bad, Detail: "D" + bad}, {Label: "o", Detail: "d"}})
		})
		x.Wait("D" + shown)
		check("a picker", x, "TOD")
		x.Send("1", uitest.Enter)
		x.Exit()

		x = uitest.New(t, 120, 40)
		u = onTTY(x, Options{Accessible: accessible})
		start(x, func(ctx context.Context) (string, error) {
			return u.Input(ctx, InputSpec{Title: "T" + bad, Description: "D" + bad, Default: "F" + bad})
		})
		x.Wait("D" + shown)
		check("a question", x, "TDF")
		x.Send(uitest.Enter)
		x.Exit()
		check("its answer", x, "F")
	}
}

// children are the programs of tests that need a process.
var children = map[string]func(*IO) int{
	"confirm": func(u *IO) int {
		ok, err := u.Confirm(context.Background(), resetDialog())
		switch {
		case errors.Is(err, ErrCancelled):
			return 7
		case err != nil:
			return 1
		case ok:
			return 0
		}
		return 3
	},
	"enrol": enrolChild,
	"panic": panicChild,
	"print": printChild,
}

// TestSignalsRestore: whatever ends the dialog, it is cancelled and the
// terminal is as it was.
func TestSignalsRestore(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		x := uitest.Start(t, 80, 24, child(t, "confirm"))
		x.Wait("[ Cancel ]")
		x.Send(uitest.Left)
		x.Wait("[ Confirm ]")
		x.Signal(s)
		if got := x.Exit(); got != 7 {
			t.Errorf("%v: exit %d", s, got)
		}
		if !x.Restored() || strings.TrimSpace(x.Screen()) != "" {
			t.Errorf("%v: the terminal is not as it was:\n%s", s, x.Screen())
		}
	}
}

// TestHangup: a lost terminal is a cancellation too.
func TestHangup(t *testing.T) {
	x := uitest.Start(t, 80, 24, child(t, "confirm"))
	x.Wait("[ Cancel ]")
	x.Hangup()
	if got := x.Exit(); got != 7 {
		t.Errorf("exit %d", got)
	}
}
