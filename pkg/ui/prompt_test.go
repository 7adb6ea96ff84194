package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// options are n people to pick from.
func options(n int) []Option {
	names := []string{"Jordan Lee", "Leeann Cho", "Matt Leeson", "Lee \x1b[31mRed", "李雷"}
	var out []Option
	for i := range n {
		out = append(out, Option{Label: fmt.Sprintf("user%02d", i), Detail: names[i%len(names)]})
	}
	return out
}

func TestSelect(t *testing.T) {
	for _, c := range []struct {
		name       string
		cols, rows int
		n          int
		keys       []string
		want       int
		err        error
	}{
		{"the first", 80, 24, 3, []string{uitest.Enter}, 0, nil},
		{"the third", 80, 24, 3, []string{uitest.Down, uitest.Down, uitest.Enter}, 2, nil},
		{"slash does not filter a short list", 80, 24, 3, []string{"/", uitest.Down, uitest.Enter}, 1, nil},
		{"typing narrows a long list", 80, 24, 30, []string{"r17", uitest.Enter}, 17, nil},
		{"by detail, in a small window", 40, 12, 30, []string{"matt", uitest.Down, uitest.Enter}, 7, nil},
		{"nothing matches", 80, 24, 30, []string{"zzz", uitest.Enter, uitest.Esc}, 0, ErrCancelled},
		{"Esc", 80, 24, 3, []string{uitest.Esc}, 0, ErrCancelled},
		{"Ctrl-C", 80, 24, 30, []string{"r1", uitest.CtrlC}, 0, ErrCancelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := uitest.New(t, c.cols, c.rows)
			u := onTTY(x, Options{})
			r := start(x, func(ctx context.Context) (int, error) { return u.Select(ctx, "Which one?", options(c.n)) })
			x.Wait("Which one?", "> user00", "user02")
			for _, k := range c.keys {
				x.Send(k)
				time.Sleep(20 * time.Millisecond)
			}
			x.Exit()
			if r.v != c.want || !errors.Is(r.err, c.err) {
				t.Errorf("got %d, %v", r.v, r.err)
			}
		})
	}
}

func TestSelectScreens(t *testing.T) {
	for _, c := range []struct {
		name       string
		cols, rows int
		n          int
	}{{"select_80x24", 80, 24, 3}, {"select_40x12", 40, 12, 30}} {
		x := uitest.New(t, c.cols, c.rows)
		u := onTTY(x, Options{})
		start(x, func(ctx context.Context) (int, error) { return u.Select(ctx, "Which one?", options(c.n)) })
		x.Wait("> user00", "user02")
		x.Send(uitest.Down)
		x.Wait("> user01")
		goldenScreen(t, c.name, x)
		x.Send(uitest.Esc)
		x.Exit()
	}
}

// even accepts answers of even length.
func even(s string) error {
	if len(s)%2 != 0 {
		return errors.New("an even number of letters, please")
	}
	return nil
}

func TestInput(t *testing.T) {
	spec := InputSpec{Title: "Issuer", Description: "Name users see.", Default: "Logiqc", Validate: even}
	for _, c := range []struct {
		keys []string
		want string
		err  error
	}{
		{[]string{"ab", uitest.Enter}, "ab", nil},
		{[]string{uitest.Enter}, "Logiqc", nil},
		{[]string{"abc", uitest.Enter, "d", uitest.Enter}, "abcd", nil},
		{[]string{"St Mary's, 雪!!", uitest.Enter}, "St Mary's, 雪!!", nil},
		{[]string{"ab", uitest.Esc}, "", ErrCancelled},
		{[]string{"ab", uitest.CtrlC}, "", ErrCancelled},
		{[]string{uitest.CtrlD}, "", ErrCancelled},
	} {
		for _, accessible := range []bool{false, true} {
			if accessible && (c.err != nil || len(c.keys) > 3) {
				continue
			}
			x := uitest.New(t, 80, 24)
			u := onTTY(x, Options{Accessible: accessible})
			r := start(x, func(ctx context.Context) (string, error) { return u.Input(ctx, spec) })
			x.Wait("Issuer [Logiqc]", "Name users see.")
			time.Sleep(50 * time.Millisecond)
			x.Send(c.keys...)
			x.Exit()
			if r.v != c.want || !errors.Is(r.err, c.err) {
				t.Errorf("%q accessible %v: got %q, %v", c.keys, accessible, r.v, r.err)
			}
		}
	}
}

func TestPassword(t *testing.T) {
	for _, accessible := range []bool{false, true} {
		x := uitest.New(t, 80, 24)
		u := onTTY(x, Options{Accessible: accessible})
		r := start(x, func(ctx context.Context) (string, error) { return u.Password(ctx, "Password", true) })
		for _, s := range []struct{ wait, keys string }{
			{"Password", "hunter2"}, {"again", "hunter3"}, {"not the same", "hunter2"}, {"again", "hunter2"},
		} {
			x.Wait(s.wait)
			time.Sleep(100 * time.Millisecond)
			x.Send(s.keys, uitest.Enter)
			time.Sleep(100 * time.Millisecond)
		}
		x.Exit()
		if r.v != "hunter2" || r.err != nil {
			t.Errorf("accessible %v: got %q, %v", accessible, r.v, r.err)
		}
		if strings.Contains(x.Output(), "hunter") || strings.Contains(x.Output(), "*") {
			t.Errorf("the password was echoed: %q", x.Output())
		}
	}
}

// TestNoPrompt: without a terminal nothing is asked and nothing waits.
func TestNoPrompt(t *testing.T) {
	ctx := context.Background()
	p := inPipe(t, "yes\nyes\n", Options{})
	_, e1 := p.Confirm(ctx, resetDialog())
	_, e2 := p.Select(ctx, "x", options(2))
	_, e3 := p.Input(ctx, InputSpec{Title: "x"})
	_, e4 := p.Password(ctx, "x", false)
	_, e5 := p.Enrol(ctx, enrolScreen())
	e6 := p.ShowSecrets(ctx, SecretScreen{})
	for i, err := range []error{e1, e2, e3, e4, e5, e6} {
		if !errors.Is(err, ErrNoPrompt) {
			t.Errorf("question %d: %v", i, err)
		}
	}
	if p.stdout()+p.stderr() != "" {
		t.Errorf("printed %q", p.stdout()+p.stderr())
	}
}

// TestContextEndsQuestion: a question does not outlive its context.
func TestContextEndsQuestion(t *testing.T) {
	for _, accessible := range []bool{false, true} {
		x := uitest.New(t, 80, 24)
		u := onTTY(x, Options{Accessible: accessible})
		ctx, cancel := context.WithCancel(context.Background())
		r := start(x, func(context.Context) (bool, error) { return u.Confirm(ctx, resetDialog()) })
		x.Wait("ancel")
		cancel()
		x.Exit()
		if r.v || !errors.Is(r.err, ErrCancelled) {
			t.Errorf("accessible %v: %v, %v", accessible, r.v, r.err)
		}
		if !x.Restored() {
			t.Errorf("accessible %v: the terminal is not as it was", accessible)
		}
		// A read left behind serves the next question.
		r = start(x, func(ctx context.Context) (bool, error) { return u.Confirm(ctx, resetDialog()) })
		time.Sleep(200 * time.Millisecond)
		if accessible {
			x.Send("confirm", uitest.Enter)
		} else {
			x.Send(uitest.Left, uitest.Enter)
		}
		x.Exit()
		if !r.v || r.err != nil {
			t.Errorf("accessible %v, next question: %v, %v", accessible, r.v, r.err)
		}
	}
}
