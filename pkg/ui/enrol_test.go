package ui

import (
	"context"
	"errors"
	"image/color"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// secretURI is as long as the ones made for a short issuer: version 5 at level
// L, 37 modules.
const secretURI = "otpauth://totp/Logiqc:jordan.lee?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Logiqc"

// matrix is a QR code made by a library.
type matrix struct{ barcode.Barcode }

func (m matrix) Size() int          { return m.Bounds().Dx() }
func (m matrix) Dark(x, y int) bool { return m.At(x, y) == color.Black }

// encode returns the QR code of s.
func encode(s string) QRMatrix {
	code, err := qr.Encode(s, qr.L, qr.Auto)
	if err != nil {
		panic(err)
	}
	return matrix{code}
}

// enrolScreen accepts 492039 and calls everything else 4 minutes ahead.
func enrolScreen() EnrolScreen {
	return EnrolScreen{
		Title:   "Set up your authenticator app",
		Notice:  "The help desk reset your MFA on 23 November 2026 at 09:12.",
		Account: "jordan.lee", Issuer: "Logiqc", URI: secretURI,
		Groups: []string{"JBSW", "Y3DP", "EHPK", "3PXP", "JBSW", "Y3DP", "EHPK", "3PXP"},
		QR:     encode(secretURI),
		Tries:  5,
		Submit: func(_ context.Context, code string) (bool, string, error) {
			if strings.ReplaceAll(code, " ", "") == "492039" {
				return true, "", nil
			}
			return false, "That code is 4 minutes ahead. Your device's clock is fast.", nil
		},
	}
}

// openEnrol shows s and waits until its code field is there.
func openEnrol(t *testing.T, cols, rows int, s EnrolScreen, o Options) (*uitest.Terminal, *result[EnrolOutcome]) {
	t.Helper()
	x := uitest.New(t, cols, rows)
	u := onTTY(x, o)
	if _, err := x.TTY().WriteString("$ logiqc enrol\n"); err != nil {
		t.Fatal(err)
	}
	r := start(x, func(ctx context.Context) (EnrolOutcome, error) { return u.Enrol(ctx, s) })
	x.Wait("Enter send", "Code")
	return x, r
}

// nothingLeft fails if anything of the secret can still be read.
func nothingLeft(t *testing.T, x *uitest.Terminal) {
	t.Helper()
	if x.AltScreen() {
		t.Error("still on the alternate screen")
	}
	for _, secret := range []string{"JBSW", "3PXP", "█", "k7f2"} {
		if h := x.History(); strings.Contains(h, secret) {
			t.Errorf("%q is still there:\n%s", secret, h)
		}
	}
}

func TestEnrolScreens(t *testing.T) {
	for _, c := range []struct {
		name       string
		cols, rows int
	}{{"enrol_80x24", 80, 24}, {"enrol_40x12", 40, 12}, {"enrol_60x40", 60, 40}, {"enrol_200x50", 200, 50}} {
		t.Run(c.name, func(t *testing.T) {
			s := enrolScreen()
			s.SavePNG = func(string) error { return nil }
			x, r := openEnrol(t, c.cols, c.rows, s, Options{})
			if !x.AltScreen() {
				t.Error("not on the alternate screen")
			}
			x.Send("111 111", uitest.Enter)
			x.Wait("tries left.")
			goldenScreen(t, c.name, x)
			x.Send("492 039", uitest.Enter)
			x.Exit()
			if want := (EnrolOutcome{Proved: true, WrongCodes: 1}); r.v != want || r.err != nil {
				t.Errorf("got %+v, %v", r.v, r.err)
			}
			nothingLeft(t, x)
			if !strings.Contains(x.Screen(), "$ logiqc enrol") {
				t.Errorf("what was there before is gone:\n%s", x.Screen())
			}
		})
	}
}

// TestEnrolResize: a window made larger shows the QR code without a key.
func TestEnrolResize(t *testing.T) {
	x := uitest.Start(t, 40, 12, child(t, "enrol"))
	if s := x.Wait("Enter send"); !strings.Contains(s, "too small") || strings.Contains(s, "█") {
		t.Errorf("40x12:\n%s", s)
	}
	x.Resize(80, 24)
	if s := x.Wait("█", "Scan the code"); strings.Contains(s, "too small") {
		t.Errorf("80x24:\n%s", s)
	}
	x.Resize(40, 12)
	x.Wait("too small")
	x.Send(uitest.Esc)
	if got := x.Exit(); got != 7 {
		t.Errorf("exit %d", got)
	}
}

func TestEnrolEnds(t *testing.T) {
	broken := errors.New("the store is gone")
	for _, c := range []struct {
		name   string
		keys   []string
		change func(*EnrolScreen)
		want   EnrolOutcome
		err    error
	}{
		{"Esc", []string{uitest.Esc}, nil, EnrolOutcome{}, ErrCancelled},
		{"Ctrl-C", []string{"49", uitest.CtrlC}, nil, EnrolOutcome{}, ErrCancelled},
		{"what can be no code is no try", []string{"1", uitest.Enter, "\x7f", "2", uitest.Enter, "\x7f", "492 039", uitest.Enter},
			func(s *EnrolScreen) {
				s.Tries, s.Check = 1, func(code string) error {
					if len(code) < 6 {
						return errors.New("type the six digits")
					}
					return nil
				}
			}, EnrolOutcome{Proved: true}, nil},
		{"no more tries", []string{"1", uitest.Enter, "2", uitest.Enter},
			func(s *EnrolScreen) { s.Tries = 2 }, EnrolOutcome{WrongCodes: 2}, nil},
		{"an error", []string{"1", uitest.Enter}, func(s *EnrolScreen) {
			s.Submit = func(context.Context, string) (bool, string, error) { return false, "", broken }
		}, EnrolOutcome{}, broken},
		{"left while checking, too late", []string{"1", uitest.Enter, uitest.CtrlC}, func(s *EnrolScreen) {
			s.Submit = func(ctx context.Context, _ string) (bool, string, error) { <-ctx.Done(); return true, "", nil }
		}, EnrolOutcome{Proved: true}, nil},
		{"left while checking", []string{"1", uitest.Enter, uitest.CtrlC}, func(s *EnrolScreen) {
			s.Submit = func(ctx context.Context, _ string) (bool, string, error) { <-ctx.Done(); return false, "", ctx.Err() }
		}, EnrolOutcome{}, context.Canceled},
	} {
		for _, flow := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				s := enrolScreen()
				if c.change != nil {
					c.change(&s)
				}
				x, r := openEnrol(t, 80, 24, s, Options{NoAltScreen: flow})
				if x.AltScreen() == flow {
					t.Error("alternate screen:", x.AltScreen())
				}
				for _, k := range c.keys {
					x.Send(k)
					time.Sleep(30 * time.Millisecond)
				}
				x.Exit()
				if r.v != c.want || !errors.Is(r.err, c.err) {
					t.Errorf("got %+v, %v", r.v, r.err)
				}
				nothingLeft(t, x)
			})
		}
	}
}

func TestEnrolPicture(t *testing.T) {
	s := enrolScreen()
	var paths []string
	s.SavePNG = func(p string) error {
		paths = append(paths, p)
		if p == "enrol.png" {
			return os.ErrExist
		}
		return nil
	}
	x, r := openEnrol(t, 80, 24, s, Options{})
	x.Send(uitest.CtrlP)
	x.Wait("Save picture as")
	x.Send(uitest.Enter)
	x.Wait("Not saved: file already exists")
	x.Send(uitest.CtrlP)
	x.Wait("Save picture as")
	x.Send("2", uitest.Enter)
	x.Wait("Saved as enrol.png2.")
	x.Send("492039", uitest.Enter)
	x.Exit()
	if r.err != nil || r.v.PNG != "enrol.png2" || !r.v.Proved || len(paths) != 2 {
		t.Errorf("got %+v, %v, %q", r.v, r.err, paths)
	}
}

// enrolChild shows the enrolment screen in a process.
func enrolChild(u *IO) int {
	_, err := u.Enrol(context.Background(), enrolScreen())
	if errors.Is(err, ErrCancelled) {
		return 7
	}
	return 1
}

// panicChild breaks while the enrolment screen is drawn.
func panicChild(u *IO) int {
	s := enrolScreen()
	s.QR = brokenMatrix{}
	if _, err := u.Enrol(context.Background(), s); err != nil && !errors.Is(err, ErrCancelled) {
		return 1
	}
	return 0
}

// brokenMatrix panics when it is drawn.
type brokenMatrix struct{}

func (brokenMatrix) Size() int          { return 21 }
func (brokenMatrix) Dark(_, _ int) bool { panic("broken matrix") }

// TestSecretGoneOnSignal: S-71 for everything that ends a process from outside.
func TestSecretGoneOnSignal(t *testing.T) {
	for _, flow := range []string{"", "1"} {
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
			x := uitest.Start(t, 80, 24, child(t, "enrol", "UI_TEST_FLOW="+flow))
			x.Wait("JBSW Y3DP", "Enter send")
			x.Signal(s)
			if got := x.Exit(); got != 7 {
				t.Errorf("%v: exit %d", s, got)
			}
			nothingLeft(t, x)
			if !x.Restored() {
				t.Errorf("%v: the terminal is still raw", s)
			}
		}
	}
}

// TestSecretGoneOnPanic: a bug while drawing is an error with the terminal put
// back.
func TestSecretGoneOnPanic(t *testing.T) {
	x := uitest.Start(t, 80, 24, child(t, "panic"))
	if got := x.Exit(); got != 1 {
		t.Errorf("exit %d:\n%s", got, x.Screen())
	}
	nothingLeft(t, x)
	if !x.Restored() {
		t.Error("the terminal is still raw")
	}
}
