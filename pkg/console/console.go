// Package console is Admin mode: one screen to find an account, open it, and do
// what a help desk does with it. It decides nothing: what may be done is the
// service's to say, and what is asked and told are the words of the commands.
package console

import (
	"cmp"
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// Desk is what Admin mode works with: a service, and how the commands show
// things and do things.
type Desk struct {
	Service logiqc.Service
	IO      *ui.IO
	Store   string // as people know it
	// Idle is how long nobody may type before everything personal is taken from
	// the screen.
	Idle time.Duration

	Accounts  Table[logiqc.Account]
	Events    Table[logiqc.Event]
	Approvals Table[logiqc.Approval]
	Account   func(logiqc.Account) ui.Card
	Event     func(logiqc.Event) ui.Card
	Approval  func(logiqc.Approval) ui.Card

	// Actions are what the actor may do with an account; one without Start is to
	// see its events. Decide is how to decide about a request, nil for whoever may
	// not.
	Actions func(logiqc.Account) []Action
	Decide  func(logiqc.Approval) *Action
	// Told makes of any failure one with its code, sentence and next step.
	Told func(error) *logiqc.Error
}

// Table is how a kind of thing is listed; ID tells one from another.
type Table[T any] struct {
	Columns []ui.Column
	Cells   func(T) []any
	ID      func(T) string
}

// Action is something that a key does; one without a Word is not in the line of
// keys.
type Action struct {
	Key, Word string
	// Start begins it. What it returns talks on io; it is called again to try
	// again, and then knows what was answered.
	Start func() func(ctx context.Context, io *ui.IO) error
}

// How often the screen looks for news, and how long it waits for the next letter
// before it searches.
const (
	refresh  = 5 * time.Second
	debounce = 80 * time.Millisecond
)

// console is the program's model: what is open, the search at the bottom.
type console struct {
	desk          Desk
	ctx           context.Context // of every call
	width, height int
	search        search
	open          []screen
	op            *operation // what is being done now, or nil
	kept          kept
	waiting       int // requests for approval
	help          bool
	typed         time.Time // when somebody last did
	closed        bool      // the screen was cleared meanwhile
	leaving       bool
	ended         bool  // from outside
	err           error // that ends it
}

// screen is something that is open.
type screen interface {
	// lines draws it.
	lines(c *console, width, height int) []string
	// keys names its keys, the more needful first.
	keys(c *console) []string
	// press acts on a key that is not everybody's.
	press(c *console, k tea.KeyPressMsg) tea.Cmd
	// refresh looks for news; nil where there is none to look for.
	refresh(c *console) tea.Cmd
}

// Run shows Admin mode until somebody leaves it. It begins with the account with
// the id open, or with the search for "". When the session ends, or is too old for
// something, it returns Unauthenticated or CodeRequired, and the id of the account
// that is open.
func Run(ctx context.Context, d Desk, open string) (string, error) {
	// A call is broken off by [ui.Leave], which comes when ctx ends, not under it.
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	w, h := d.IO.Size()
	c := &console{desk: d, ctx: calls, width: w, height: h, search: newSearch(), typed: time.Now()}
	if open != "" {
		acct, err := d.Service.GetUser(ctx, open)
		if err != nil {
			return open, err
		}
		c.open = []screen{&account{acct: acct}}
	}
	err := d.IO.FullScreen(ctx, c)
	if c.op != nil { // it was ended under it: what is said must be what happened
		c.err = cmp.Or(c.op.finish(d), c.err)
	}
	switch outside := errors.Is(err, ui.ErrCancelled); {
	case err != nil && !outside:
		return "", err
	case c.err != nil:
		return c.about(), c.err
	case c.ended, outside:
		return "", logiqc.Errorf(logiqc.Cancelled, "Admin mode was ended from outside")
	}
	return "", nil
}

// about is the id of the account that is open, or "".
func (c *console) about() string {
	for _, s := range c.open {
		if a, ok := s.(*account); ok {
			return a.acct.ID
		}
	}
	return ""
}

// later is what follows a call, done where the model may be changed.
type later func() tea.Cmd

// call makes a call of the service beside the screen and goes on with then.
func call[T any](ctx context.Context, c *console, do func(context.Context) (T, error), then func(T, error) tea.Cmd) tea.Cmd {
	return func() tea.Msg {
		v, err := do(ctx)
		return later(func() tea.Cmd {
			if errors.Is(err, logiqc.Unauthenticated) {
				c.err = err
				return c.leave()
			}
			return then(v, err)
		})
	}
}

// after does something when a time is over.
func after(d time.Duration, do later) tea.Cmd {
	return tea.Tick(d, func(time.Time) tea.Msg { return do })
}

// Init implements [tea.Model].
func (c *console) Init() tea.Cmd {
	return tea.Batch(c.search.field.Focus(), c.countApprovals(), after(refresh, c.tick), after(c.desk.Idle, c.unattended))
}

// Update implements [tea.Model].
func (c *console) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case later:
		return c, msg()
	case tea.WindowSizeMsg:
		c.width, c.height = msg.Width, msg.Height
		if c.op != nil {
			return c, c.op.resize(c)
		}
		return c, nil
	case ui.Leave:
		c.ended = true
		return c, c.leave()
	case tea.KeyPressMsg:
		c.typed, c.closed = time.Now(), false
		return c, c.press(msg)
	}
	switch {
	case c.op != nil:
		return c, c.op.update(msg)
	case len(c.open) == 0:
		return c, c.search.edit(c, msg)
	}
	return c, nil
}

// press acts on a key.
func (c *console) press(k tea.KeyPressMsg) tea.Cmd {
	key := k.String()
	switch {
	case c.op != nil:
		return c.op.press(c, k)
	case c.help:
		c.help = false
		return nil
	case key == "ctrl+c":
		return c.leave()
	case key == "?":
		c.help = true
		return nil
	case len(c.open) == 0:
		return c.search.press(c, k)
	}
	switch key { // of every screen above the search
	case "q":
		return c.leave()
	case "esc":
		return c.back()
	case "/":
		return c.anew()
	case "a", "tab":
		if _, there := c.top().(*approvals); there {
			return nil
		}
		return c.openApprovals()
	}
	return c.top().press(c, k)
}

// top is what is in front.
func (c *console) top() screen {
	if len(c.open) == 0 {
		return &c.search
	}
	return c.open[len(c.open)-1]
}

// push opens a screen and fills it.
func (c *console) push(s screen) tea.Cmd {
	c.open = append(c.open, s)
	return s.refresh(c)
}

// back closes what is in front.
func (c *console) back() tea.Cmd {
	c.open = c.open[:len(c.open)-1]
	c.search.whole = len(c.open) == 0
	return c.top().refresh(c)
}

// anew closes everything, for the next caller.
func (c *console) anew() tea.Cmd {
	c.open, c.kept, c.help = nil, kept{}, false
	c.search.clear()
	return nil
}

// leave ends the program, after what is being done: its outcome is told.
func (c *console) leave() tea.Cmd {
	c.leaving = true
	if c.op != nil && c.op.running() {
		c.op.stop()
		return nil
	}
	c.op = nil
	return tea.Quit
}

// tick looks for news, for ever, as long as somebody is there.
func (c *console) tick() tea.Cmd {
	next := after(refresh, c.tick)
	if c.closed || c.op != nil {
		return next
	}
	return tea.Batch(c.top().refresh(c), c.countApprovals(), next)
}

// unattended takes what is personal from the screen when nobody has typed for
// long. A question is left as by Esc.
func (c *console) unattended() tea.Cmd {
	if left := c.desk.Idle - time.Since(c.typed); left > 0 {
		return after(left, c.unattended)
	}
	next := after(c.desk.Idle, c.unattended)
	if c.op != nil && c.op.running() {
		c.op.stop()
		return after(time.Second, c.unattended)
	}
	c.op, c.closed = nil, true
	return tea.Batch(c.anew(), next)
}

// may reports whether there are approvals to see.
func (c *console) may() bool { return c.desk.Service.Actor().May(logiqc.MFAReset) }

// countApprovals keeps the number in the line of keys true.
func (c *console) countApprovals() tea.Cmd {
	if !c.may() {
		return nil
	}
	return call(c.ctx, c, c.openRequests, func(open []logiqc.Approval, err error) tea.Cmd {
		if err == nil {
			c.waiting = len(open)
		}
		return nil
	})
}

func (c *console) openRequests(ctx context.Context) ([]logiqc.Approval, error) {
	return c.desk.Service.Approvals(ctx, logiqc.ApprovalQuery{})
}
