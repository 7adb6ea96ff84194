package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// lineTTY is an IO in accessible mode on a terminal of its own.
func lineTTY(t *testing.T, vars ...string) (*uitest.Terminal, *IO) {
	t.Helper()
	x := uitest.New(t, 80, 60)
	return x, onTTY(x, Options{Accessible: true, Getenv: env(vars...)})
}

// answer waits for each text and types the keys after it.
func answerAll(x *uitest.Terminal, steps ...[2]string) {
	for _, s := range steps {
		x.Wait(s[0])
		time.Sleep(30 * time.Millisecond)
		x.Send(s[1])
	}
}

func TestConfirmInLines(t *testing.T) {
	for _, c := range []struct {
		name   string
		typed  string
		keys   string
		want   bool
		err    error
		answer string
	}{
		{"the word", "", "confirm\r", true, nil, ""},
		{"Enter alone", "", "\r", false, nil, ""},
		{"another word, then the word", "", "yes\rCONFIRM\r", true, nil, `That was not "confirm".`},
		{"another word, then Enter", "", "y\r\r", false, nil, `That was not "confirm".`},
		{"end of input", "", uitest.CtrlD, false, ErrCancelled, ""},
		{"half a word, then end of input", "", "conf" + uitest.CtrlD + uitest.CtrlD + "\r", false, nil, ""},
		{"a count", "281", "281\r", true, nil, ""},
		{"confirm instead of the count", "281", "confirm\r\r", false, nil, `That was not "281".`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, u := lineTTY(t)
			d := resetDialog()
			d.TypeToConfirm = c.typed
			d.Warnings = []string{"The phone number was changed 2 hours ago by tom."}
			r := start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, d) })
			x.Wait("to reset, or press Enter to cancel:")
			time.Sleep(30 * time.Millisecond)
			x.Send(c.keys)
			x.Exit()
			if r.v != c.want || !errors.Is(r.err, c.err) {
				t.Errorf("got %v, %v", r.v, r.err)
			}
			if !strings.Contains(x.Screen(), c.answer) || strings.Contains(x.Output(), "\x1b") {
				t.Errorf("output %q", x.Output())
			}
		})
	}
}

func TestLineScreens(t *testing.T) {
	x, u := lineTTY(t)
	r := start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, resetDialog()) })
	answerAll(x, [2]string{"press Enter to cancel:", "confirm\r"})
	x.Exit()
	if !r.v || r.err != nil {
		t.Error(r.v, r.err)
	}
	goldenScreen(t, "line_confirm", x)

	x, u = lineTTY(t)
	n := start(x, func(ctx context.Context) (int, error) { return u.Select(ctx, "Which one?", options(5)) })
	answerAll(x, [2]string{"from 1 to 5", "6\r"}, [2]string{"not one of the numbers", "4\r"})
	x.Exit()
	if n.v != 3 || n.err != nil {
		t.Error(n.v, n.err)
	}
	goldenScreen(t, "line_select", x)
	if strings.Contains(x.Output(), "\x1b") {
		t.Errorf("an escape sequence: %q", x.Output())
	}
}

// TestQuestionWithJSON: a question is asked in full although stderr is kept for
// one error object otherwise.
func TestQuestionWithJSON(t *testing.T) {
	for _, accessible := range []bool{true, false} {
		x := uitest.New(t, 80, 24)
		u := onTTY(x, Options{Accessible: accessible, Format: FormatJSON})
		start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, resetDialog()) })
		x.Wait("Reset MFA for Jordan Lee?", "jlee@stmary.example", "10 recovery codes", "ancel")
		x.Send(uitest.Enter)
		x.Exit()
	}
}

// TestEnrolInLines is the enrolment of a person with a screen reader.
func TestEnrolInLines(t *testing.T) {
	x, u := lineTTY(t)
	s := enrolScreen()
	s.SavePNG = func(string) error { return os.ErrPermission }
	seen := ""
	submit := s.Submit
	s.Submit = func(ctx context.Context, code string) (bool, string, error) {
		for end := time.Now().Add(uitest.Patience); !strings.Contains(seen, code) && time.Now().Before(end); {
			seen = x.Screen()
		}
		return submit(ctx, code)
	}
	r := start(x, func(ctx context.Context) (EnrolOutcome, error) { return u.Enrol(ctx, s) })
	answerAll(x, [2]string{"press Enter to go on.", "s\r"}, [2]string{"Juliett, Bravo, Sierra, Whiskey", "p\r"},
		[2]string{"Save picture as [enrol.png]:", "\r"}, [2]string{"Not saved: permission denied", "x\r"},
		[2]string{`"x" is not one of these.`, "\r"}, [2]string{"Code:", "111 111\r"},
		[2]string{"4 tries left.", "492 039\r"}, [2]string{"were cleared", ""})
	x.Exit()
	if want := (EnrolOutcome{Proved: true, WrongCodes: 1}); r.v != want || r.err != nil {
		t.Errorf("got %+v, %v", r.v, r.err)
	}
	golden(t, "line_enrol", seen)
	nothingLeft(t, x)
	if x.AltScreen() {
		t.Error("an alternate screen in accessible mode")
	}
}

func TestEnrolInLinesEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		vars  []string
		steps [][2]string
		want  EnrolOutcome
		err   error
	}{
		{"c", nil, [][2]string{{"to go on.", "c\r"}}, EnrolOutcome{}, ErrCancelled},
		{"c for a code", nil, [][2]string{{"to go on.", "\r"}, {"Code:", "c\r"}}, EnrolOutcome{}, ErrCancelled},
		{"end of input", nil, [][2]string{{"to go on.", uitest.CtrlD}}, EnrolOutcome{}, ErrCancelled},
		{"no more tries", nil, [][2]string{{"to go on.", "\r"}, {"Code:", "1\r"}, {"1 try left", "2\r"}}, EnrolOutcome{WrongCodes: 2}, nil},
		{"no picture", nil, [][2]string{{"to go on.", "p\r"}, {"no picture to save", "c\r"}}, EnrolOutcome{}, ErrCancelled},
		{"a QR code", nil, [][2]string{{"to go on.", "q\r"}, {"secret=JBSW", "c\r"}}, EnrolOutcome{}, ErrCancelled},
		{"a dumb terminal", []string{"TERM=dumb"}, [][2]string{{"to go on.", "q\r"}, {"cannot show", "c\r"}}, EnrolOutcome{}, ErrCancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, u := lineTTY(t, c.vars...)
			s := enrolScreen()
			s.Tries = 2
			r := start(x, func(ctx context.Context) (EnrolOutcome, error) { return u.Enrol(ctx, s) })
			answerAll(x, c.steps...)
			x.Exit()
			if r.v != c.want || !errors.Is(r.err, c.err) {
				t.Errorf("got %+v, %v", r.v, r.err)
			}
			if c.vars == nil {
				nothingLeft(t, x)
			} else if strings.Contains(x.Output(), "\x1b") || !strings.Contains(x.Screen(), "Close its window") {
				t.Errorf("a dumb terminal got %q", x.Output())
			}
		})
	}
}

func TestReadSecretLine(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for _, c := range []struct {
		in   string
		want []string
		err  error
	}{
		{"one\r\ntwo\nthree", []string{"one", "two", "three"}, io.ErrUnexpectedEOF},
		{"", nil, io.ErrUnexpectedEOF},
		{"\n\nx\n", []string{"", "", "x"}, io.ErrUnexpectedEOF},
		{long + "\n", []string{long}, io.ErrUnexpectedEOF},
		{long + "xx\n", nil, errLongLine},
	} {
		p := inPipe(t, c.in, Options{})
		for _, want := range c.want {
			if got, err := p.ReadSecretLine(t.Context()); got != want || err != nil {
				t.Errorf("got %.20q, %v; want %.20q", got, err, want)
			}
		}
		if got, err := p.ReadSecretLine(t.Context()); got != "" || !errors.Is(err, c.err) {
			t.Errorf("at the end: %.20q, %v", got, err)
		}
	}
	p := inPipe(t, "secret\nrest 1\nrest 2\n", Options{})
	_, _ = p.ReadSecretLine(t.Context())
	if rest, err := io.ReadAll(p.Stdin(t.Context())); string(rest) != "rest 1\nrest 2\n" || err != nil {
		t.Errorf("left for others: %q, %v", rest, err)
	}
}

// What waits for standard input is left when the context ends, and an end of input
// on a terminal is one for good.
func TestStdinEnds(t *testing.T) {
	x, u := lineTTY(t)
	ctx, cancel := context.WithCancel(t.Context())
	in := u.Stdin(ctx)
	r := start(x, func(context.Context) (string, error) { b, err := io.ReadAll(in); return string(b), err })
	x.Send("jlee\r")
	x.Wait("jlee")
	cancel()
	if x.Exit(); r.v != "jlee\n" || !errors.Is(r.err, ErrCancelled) {
		t.Errorf("a list: %q, %v", r.v, r.err)
	}
	x, u = lineTTY(t)
	ctx, cancel = context.WithCancel(t.Context())
	r = start(x, func(context.Context) (string, error) { return u.ReadSecretLine(ctx) })
	cancel()
	if x.Exit(); !errors.Is(r.err, ErrCancelled) {
		t.Errorf("a secret: %v", r.err)
	}
	x, u = lineTTY(t)
	in = u.Stdin(t.Context())
	r = start(x, func(context.Context) (string, error) {
		first, err := io.ReadAll(in)
		second, err2 := io.ReadAll(in)
		return string(first) + "|" + string(second), errors.Join(err, err2)
	})
	x.Send("jlee\r")
	x.Wait("jlee")
	x.Send(uitest.CtrlD)
	if x.Exit(); r.v != "jlee\n|" || r.err != nil {
		t.Errorf("the end: %q, %v", r.v, r.err)
	}
}
