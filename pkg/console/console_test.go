package console

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// people is a service that knows some people, and calls slow before it answers.
type people struct {
	logiqc.Service
	names []string
	slow  func(ctx context.Context, text string)
}

func (p people) Actor() logiqc.Actor {
	return logiqc.Actor{Username: "helen", Role: logiqc.RoleAuditor}
}

func (p people) FindUsers(ctx context.Context, q logiqc.UserQuery) (page logiqc.UserPage, err error) {
	if p.slow != nil {
		p.slow(ctx, q.Text)
	}
	for _, n := range p.names {
		if strings.Contains(n, q.Text) {
			page.Accounts = append(page.Accounts, logiqc.Account{ID: n, Username: n})
		}
	}
	return page, ctx.Err()
}

func (p people) GetUser(_ context.Context, ref string) (logiqc.Account, error) {
	return logiqc.Account{ID: ref, Username: ref}, nil
}

// start runs Admin mode over a service on a terminal; ended gets its error.
func start(t *testing.T, ctx context.Context, svc logiqc.Service, idle time.Duration, act func(context.Context, *ui.IO) error) (*uitest.Terminal, *error) {
	t.Helper()
	x := uitest.New(t, 80, 24)
	io := ui.New(ui.Options{Stdin: x.TTY(), Stdout: x.TTY(), Stderr: x.TTY(), Getenv: func(k string) string {
		if k == "TERM" {
			return "xterm-256color"
		}
		return ""
	}})
	ended := new(error)
	d := Desk{Service: svc, IO: io, Store: "here", Idle: idle,
		Accounts: Table[logiqc.Account]{Columns: []ui.Column{{Name: "Username"}},
			Cells: func(a logiqc.Account) []any { return []any{a.Username} }, ID: func(a logiqc.Account) string { return a.ID }},
		Account: func(a logiqc.Account) ui.Card { return ui.Card{Title: "Account of " + a.Username} },
		Actions: func(logiqc.Account) []Action {
			return []Action{{Key: "r", Word: "reset", Start: func() func(context.Context, *ui.IO) error { return act }}}
		},
		Told: logiqc.AsError,
	}
	x.Go(func() { _, *ended = Run(ctx, d, "") })
	x.Wait("Letters of a name")
	return x, ended
}

func ask(ctx context.Context, io *ui.IO) error {
	io.Notef("a secret of the caller")
	_, err := io.Choose(ctx, ui.Dialog{Title: "Really?"})
	return err
}

// Nobody types: the account is closed, the text of the search is gone, and a
// question was left.
func TestUnattended(t *testing.T) {
	type step struct{ key, shows string }
	open := []step{{"leeann", "> leeann"}, {uitest.Enter, "Account of leeann"}}
	for name, steps := range map[string][]step{
		"search": open[:1], "account": open, "question": append(open, step{"r", "[ Cancel ]"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := make(chan error, 1)
			x, ended := start(t, t.Context(), people{names: []string{"leeann", "jlee"}}, 3*time.Second, func(ctx context.Context, io *ui.IO) error {
				err := ask(ctx, io)
				left <- err
				return err
			})
			for _, s := range steps {
				x.Send(s.key)
				x.Wait(s.shows)
			}
			s := x.Wait("Nobody typed for a while, so what was open has been closed.")
			if strings.Contains(s, "lee") || strings.Contains(s, "secret") {
				t.Errorf("it shows still:\n%s", s)
			}
			if name == "question" {
				if err := <-left; !errors.Is(err, ui.ErrCancelled) {
					t.Errorf("the question answered %v", err)
				}
			}
			x.Send(uitest.CtrlC)
			if x.Exit(); *ended != nil || !x.Restored() {
				t.Errorf("ended with %v", *ended)
			}
		})
	}
}

// A slow search stands in nobody's way: letters appear, the search before is
// given up, and Enter opens what was typed, not what is still shown.
func TestSearchIsNotWaitedFor(t *testing.T) {
	given := make(chan string, 8)
	svc := people{names: []string{"leeann", "jlee", "tom"}, slow: func(ctx context.Context, text string) {
		if text == "jl" {
			<-ctx.Done()
			given <- text
		}
	}}
	x, _ := start(t, t.Context(), svc, time.Hour, ask)
	x.Send("le")
	x.Wait("> leeann")
	x.Send("e", uitest.Esc)
	x.Send("jl")
	x.Wait("Find  jl")
	time.Sleep(2 * debounce)
	x.Send("e")
	if text := <-given; text != "jl" {
		t.Errorf("%q was given up", text)
	}
	x.Wait("> jlee")
	x.Send(uitest.Esc, "lee")
	x.Wait("> leeann", "  jlee")
	x.Send(uitest.Esc, "tom", uitest.Enter)
	x.Wait("Account of tom")
	x.Send(uitest.Esc)
	x.Wait("Find  tom")
	x.Send("lee", uitest.Enter) // the text was marked: it is replaced; two match, so that Enter would be a guess
	x.Wait("2 accounts", "> leeann")
	time.Sleep(2 * debounce)
	if s := x.Screen(); strings.Contains(s, "Account of") {
		t.Errorf("it guessed:\n%s", s)
	}
	x.Send(uitest.CtrlC)
	x.Exit()
}

// Whatever happens while something is being done, the terminal is put back, and
// what was done is said.
func TestEndedUnderAnAction(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(context.Context, *ui.IO) error
		end  func(x *uitest.Terminal, cancel func())
		says string
		err  string
	}{
		"panic": {act: func(context.Context, *ui.IO) error { panic("at work") }, err: "panic"},
		"done": {act: func(ctx context.Context, io *ui.IO) error {
			<-ctx.Done()
			io.Answerf("It was done all the same.")
			return nil
		}, end: func(_ *uitest.Terminal, cancel func()) { cancel() }, says: "It was done all the same.", err: "from outside"},
		"failed": {act: func(ctx context.Context, _ *ui.IO) error {
			<-ctx.Done()
			return logiqc.Errorf(logiqc.UnknownOutcome, "who knows")
		}, end: func(_ *uitest.Terminal, cancel func()) { cancel() }, err: "who knows"},
		"asked": {act: ask, end: func(x *uitest.Terminal, cancel func()) {
			x.Wait("[ Cancel ]")
			cancel()
		}, err: "from outside"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			x, ended := start(t, ctx, people{names: []string{"tom"}}, time.Hour, c.act)
			x.Send("tom", uitest.Enter)
			x.Wait("Account of tom")
			x.Send("r")
			if c.end != nil {
				time.Sleep(100 * time.Millisecond)
				c.end(x, cancel)
			}
			x.Exit()
			if !x.Restored() || x.AltScreen() || *ended == nil || !strings.Contains((*ended).Error(), c.err) {
				t.Errorf("restored %t, alternate screen %t, ended with %v", x.Restored(), x.AltScreen(), *ended)
			}
			if s := x.Screen(); !strings.Contains(s, c.says) || strings.Contains(s, "tom") || strings.Contains(s, "secret") {
				t.Errorf("it leaves:\n%s", s)
			}
		})
	}
}

// A lost terminal ends it even if no signal says so.
func TestTerminalGone(t *testing.T) {
	x, ended := start(t, t.Context(), people{}, time.Hour, ask)
	x.Hangup()
	x.Exit()
	if *ended == nil {
		t.Error("it ended as if somebody had quit")
	}
}

// The line of keys holds what fits and always the way out.
func TestFitting(t *testing.T) {
	keys := []string{"r reset", "u unlock", "? help", "Esc back"}
	for width, want := range map[int]string{80: "r reset · u unlock · ? help · Esc back", 30: "r reset · u unlock · Esc back", 10: "Esc back", 5: "Esc …"} {
		if got := fitting(keys, width); got != want {
			t.Errorf("%d: %q", width, got)
		}
	}
}

// Of lines that do not fit, the last page is full, and says where it is.
func TestCut(t *testing.T) {
	lines := []string{"a", "b", "c", "d", "e"}
	for from, want := range map[int]string{0: "a b -- 1-2 of 5 lines, ↑↓ for more --", 9: "d e -- 4-5 of 5 lines, ↑↓ for more --"} {
		if got := strings.Join(cut(lines, from, 3), " "); got != want {
			t.Errorf("%d: %s", from, got)
		}
	}
	if got := cut(lines, 3, 5); len(got) != 5 {
		t.Errorf("cut %q", got)
	}
}
