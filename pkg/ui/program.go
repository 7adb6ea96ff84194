package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// hangups are the signals that end a question as a cancellation, so that the
// terminal is put back before the program goes.
var hangups = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// discardInput throws away everything typed so far: nobody may have agreed to a
// question they had not seen.
func (u *IO) discardInput() {
	flushInput(int(u.opt.Stdin.Fd()))
	_, _ = u.in.Discard(u.in.Buffered())
}

// Leave tells a model that a signal came or the context ended. Models treat it
// as Esc, so that even then the last thing drawn is nothing.
type Leave struct{}

// ending is a model that tells when it has come to its end.
type ending interface {
	tea.Model
	over() bool
}

// FullScreen runs a program that has the terminal for itself; [ErrNoPrompt]
// where there is none, or for somebody who reads in lines. What is typed and
// drawn goes as for a question; m is told by [Leave] to end.
func (u *IO) FullScreen(ctx context.Context, m tea.Model) error {
	if !u.CanPrompt() || u.accessible || u.opt.NoAltScreen {
		return ErrNoPrompt
	}
	return u.drive(ctx, m, u.err.Profile)
}

// patience is how long a model may take to leave before it is killed.
const patience = 2 * time.Second

// watch is how often to look whether the terminal is there still.
const watch = 2 * time.Second

// gone waits for the end of ctx, or of the terminal: who is not told of that by a
// signal (because SIGHUP is ignored) reads nothing more, for ever.
func (u *IO) gone(ctx context.Context, ended <-chan struct{}) (gone bool) {
	tick := time.NewTicker(watch)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return false
		case <-ctx.Done():
			return true
		case <-tick.C:
			if !term.IsTerminal(int(u.opt.Stderr.Fd())) {
				return true
			}
		}
	}
}

// run drives m on the terminal until it quits. The terminal is restored
// however that comes about. A panic of m is an error, and so is a terminal that
// cannot be read ([ErrCancelled]).
func (u *IO) run(ctx context.Context, m ending, colours colorprofile.Profile) error {
	if u.pane != nil {
		u.pane.ask(u, m)
		return nil
	}
	return u.drive(ctx, m, colours)
}

// drive is run on the terminal itself.
func (u *IO) drive(ctx context.Context, m tea.Model, colours colorprofile.Profile) error {
	ctx, stop := signal.NotifyContext(ctx, hangups...)
	defer stop()
	if ctx.Err() != nil {
		return ErrCancelled
	}
	u.discardInput()
	p := tea.NewProgram(m,
		tea.WithoutSignalHandler(),
		tea.WithInput(u.opt.Stdin), tea.WithOutput(quietFile{u.opt.Stderr}),
		tea.WithColorProfile(colours),
		tea.WithEnvironment([]string{"TERM=" + u.opt.Getenv("TERM")}),
	)
	ended := make(chan struct{})
	var watching sync.WaitGroup
	defer watching.Wait() // the terminal is the caller's from then on
	defer close(ended)
	watching.Go(func() {
		if !u.gone(ctx, ended) {
			return
		}
		p.Send(Leave{})
		select {
		case <-ended:
		case <-time.After(patience):
			p.Kill()
		}
	})
	switch _, err := p.Run(); {
	case err == nil:
		return nil
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("draw the screen: %w", err)
	}
	return ErrCancelled
}

// quietFile is a terminal that is written to and never asked anything. The
// answer to a query would reach the shell when the program has gone, and some
// terminals never answer.
type quietFile struct{ *os.File }

// queries are what the drawing library would ask.
var queries = [][]byte{
	[]byte(ansi.RequestModeSynchronizedOutput),
	[]byte(ansi.RequestModeUnicodeCore),
	[]byte(ansi.RequestKittyKeyboard),
}

// wipe is how the drawing library takes away what it drew: up to its first line,
// and all of the screen from there on.
var wipe = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\x1b\[(\d+)A\x1b\[J`) })

// byLines wipes line by line, and all only from the last one on. Terminals keep a copy in the scrollback of what is
// cleared by clearing all of the screen, and that is what it is when a question
// has filled it.
func byLines(w []byte) []byte {
	n, err := strconv.Atoi(string(wipe().FindSubmatch(w)[1]))
	if err != nil {
		return w
	}
	up := ansi.CursorUp(n)
	return []byte(up + strings.Repeat(ansi.EraseEntireLine+ansi.CursorDown(1), n) + ansi.EraseScreenBelow + up)
}

// Write implements [io.Writer]; queries count as written.
func (f quietFile) Write(p []byte) (int, error) {
	out := p
	for _, q := range queries {
		out = bytes.ReplaceAll(out, q, nil)
	}
	if bytes.Contains(out, []byte("A"+ansi.EraseScreenBelow)) {
		out = wipe().ReplaceAllFunc(out, byLines)
	}
	if _, err := f.File.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
