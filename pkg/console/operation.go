package console

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// run is an action under way; calling it again tries again.
type run func(ctx context.Context, io *ui.IO) error

// kept is an action that failed for want of the store, to be tried again with
// what was answered.
type kept struct {
	key, about string
	run        run
}

// operation is an action under way on a pane, and then what it said.
type operation struct {
	key, about string // the action, and the id of what it is about
	run        run
	pane       *ui.Pane
	asked      *ui.Asked // the question that is shown, or nil
	ctx        context.Context
	cancel     context.CancelFunc
	ended      chan struct{} // closed when it has; then err may be read
	err        error
	from       int
}

// errPanic is how an action ends that panicked: it ends Admin mode too.
var errPanic = errors.New("panic")

// begin starts an action, or again the one that was kept.
func (c *console) begin(action Action, about string) tea.Cmd {
	op := &operation{key: action.Key, about: about, ended: make(chan struct{})}
	if op.run = c.kept.run; op.run == nil || c.kept.key != op.key || c.kept.about != about {
		op.run = action.Start()
	}
	c.kept = kept{}
	op.pane = ui.NewPane(c.room())
	op.ctx, op.cancel = context.WithCancel(c.ctx)
	c.op = op
	work := func() tea.Msg {
		defer close(op.ended)
		defer func() {
			if p := recover(); p != nil { // the terminal is given back before it is told
				op.err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
			}
		}()
		op.err = op.run(op.ctx, c.desk.IO.In(op.pane))
		return nil
	}
	return tea.Batch(work, op.listen(c))
}

// listen waits for what the operation says or asks, or for its end.
func (op *operation) listen(c *console) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-op.pane.News:
			return later(func() tea.Cmd { return tea.Batch(op.heard(c), op.listen(c)) })
		case <-op.ended:
			return later(func() tea.Cmd { return op.over(c) })
		}
	}
}

// heard shows the question that is open now.
func (op *operation) heard(c *console) tea.Cmd {
	q := op.pane.Asked()
	if q == nil || q == op.asked {
		return nil
	}
	op.asked = q
	if op.ctx.Err() != nil { // it was broken off just before
		return op.update(ui.Leave{})
	}
	return tea.Batch(q.Init(), op.resize(c))
}

// resize fits the pane and the question to the window.
func (op *operation) resize(c *console) tea.Cmd {
	w, h := c.room()
	op.pane.Resize(w, h)
	return op.update(tea.WindowSizeMsg{Width: w, Height: h})
}

// update passes a message to the question, if there is one.
func (op *operation) update(msg tea.Msg) tea.Cmd {
	if op.asked == nil {
		return nil
	}
	cmd := op.asked.Update(msg)
	if op.asked.Ended() {
		op.asked = nil
	}
	return cmd
}

// over goes back to what the operation was about, or stays for what it said.
func (op *operation) over(c *console) tea.Cmd {
	op.cancel()
	if c.op != op {
		return nil
	}
	switch {
	case c.leaving:
		return tea.Quit
	case errors.Is(op.err, errPanic):
		c.err = op.err
		return tea.Quit
	case errors.Is(op.err, logiqc.Unauthenticated), errors.Is(op.err, logiqc.CodeRequired):
		c.err = op.err
		return c.leave()
	}
	if len(op.pane.Lines(true)) > 0 {
		return nil
	}
	c.op = nil
	cancelled := errors.Is(op.err, ui.ErrCancelled) || errors.Is(op.err, context.Canceled)
	if op.err != nil && !cancelled && passing(c.desk.Told(op.err)) {
		c.kept = kept{op.key, op.about, op.run}
	}
	switch s := c.top().(type) {
	case *account:
		if s.from = 0; cancelled {
			s.note = "Cancelled; nothing was changed."
		} else {
			s.err = op.err
		}
	case *approvals:
		if !cancelled {
			s.err = op.err
			return nil
		}
	}
	return c.top().refresh(c)
}

// running reports whether it has not ended yet.
func (op *operation) running() bool {
	select {
	case <-op.ended:
		return false
	default:
		return true
	}
}

// stop leaves the question, or breaks off what is being done.
func (op *operation) stop() {
	op.cancel()
	op.update(ui.Leave{})
}

// press acts on a key: it is the question's, if there is one.
func (op *operation) press(c *console, k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	switch {
	case op.asked != nil:
		return op.update(k)
	case op.running():
		if key == "esc" || key == "ctrl+c" {
			op.stop()
		}
		return nil
	}
	w, h := c.room()
	if from, ok := scrolled(op.from, key, h); ok {
		op.from = max(min(from, len(op.said(c, w))-h+1), 0)
		return nil
	}
	switch key {
	case "ctrl+c", "q":
		return c.leave()
	case "/":
		c.op = nil
		return c.anew()
	case "esc", "enter", "backspace":
		c.op = nil
		return c.top().refresh(c)
	}
	return nil
}

// keys names the keys.
func (op *operation) keys() []string {
	switch {
	case op.asked != nil:
		return []string{"Enter answer", "Esc cancel"}
	case op.running():
		return []string{"Esc leave it"}
	}
	return []string{"/ next caller", "Enter back"}
}

// said is what is to be read of it when it has ended.
func (op *operation) said(c *console, w int) []string {
	return append(op.pane.Lines(true), c.alert(op.err, w)...)
}

// lines draws what was said and what is asked, the question whole.
func (op *operation) lines(c *console, w, h int) []string {
	if !op.running() {
		return cut(op.said(c, w), op.from, h)
	}
	said := op.pane.Lines(false)
	if op.asked == nil {
		return said[max(len(said)-h, 0):]
	}
	question := op.asked.Lines()
	said = said[max(len(said)-max(h-len(question)-1, 0), 0):]
	for len(said) > 0 && strings.HasPrefix(said[0], " ") { // the rest of something cut in two
		said = said[1:]
	}
	if len(said) == 0 {
		return question
	}
	return append(append(said, ""), question...)
}

// finish waits for an operation under way when the program has ended, and tells
// on the terminal what became of it.
func (op *operation) finish(d Desk) error {
	op.cancel()
	op.pane.Close()
	<-op.ended
	op.pane.Repeat(d.IO)
	if errors.Is(op.err, ui.ErrCancelled) || errors.Is(op.err, context.Canceled) {
		return nil
	}
	return op.err
}
