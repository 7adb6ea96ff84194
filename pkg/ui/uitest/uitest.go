// Package uitest is a terminal for tests: a pseudo-terminal with a screen behind
// it, on which a program or a function runs and whose keys the test presses.
package uitest

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/term"
)

// Patience is how long Wait and Exit wait before they fail the test.
const Patience = 10 * time.Second

// Keys as terminals send them.
const (
	Enter, Esc, CtrlC, CtrlD  = "\r", "\x1b", "\x03", "\x04"
	Left, Right, Up, Down     = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
	Tab, ShiftTab, PgUp, PgDn = "\t", "\x1b[Z", "\x1b[5~", "\x1b[6~"
	CtrlP                     = "\x10"
)

// Terminal is one pseudo-terminal. It answers no query, like many real ones,
// so whatever waits for an answer is noticed.
type Terminal struct {
	t        testing.TB
	pty, tty *os.File
	cmd      *exec.Cmd
	before   *term.State
	ended    chan struct{}
	status   int

	mu  sync.Mutex
	vt  *vt.Emulator
	raw bytes.Buffer
}

// New opens a terminal of the given size. Tests that run a function use
// [Terminal.TTY] as its standard streams and [Terminal.Go] to run it.
func New(t testing.TB, cols, rows int) *Terminal {
	t.Helper()
	p, tty, err := pty.Open()
	if err != nil {
		t.Fatalf("open a pty: %v", err)
	}
	if p, err = pollable(p); err != nil {
		t.Fatalf("open a pty: %v", err)
	}
	x := &Terminal{t: t, pty: p, tty: tty, vt: vt.NewEmulator(cols, rows), ended: make(chan struct{})}
	if x.before, err = term.GetState(int(tty.Fd())); err != nil {
		t.Fatalf("state of the pty: %v", err)
	}
	x.Resize(cols, rows)
	go x.draw()
	// The emulator blocks until its answers are read; they are dropped.
	go func() {
		b := make([]byte, 1024)
		for {
			if _, err := x.vt.Read(b); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		if x.cmd != nil && x.cmd.Process != nil {
			_ = x.cmd.Process.Kill()
		}
		_ = tty.Close()
		_ = p.Close()
	})
	return x
}

// Start runs cmd on a new terminal that is its controlling one. TERM is
// xterm-256color unless cmd.Env has one.
func Start(t testing.TB, cols, rows int, cmd *exec.Cmd) *Terminal {
	t.Helper()
	x := New(t, cols, rows)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append([]string{"TERM=xterm-256color"}, withoutTerm(cmd.Env)...)
	if cmd.Stdin == nil {
		cmd.Stdin = x.tty
	}
	if cmd.Stdout == nil {
		cmd.Stdout = x.tty
	}
	if cmd.Stderr == nil {
		cmd.Stderr = x.tty
	}
	control(cmd, x.tty)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
	x.cmd = cmd
	go func() {
		_ = cmd.Wait()
		x.status = cmd.ProcessState.ExitCode()
		close(x.ended)
	}()
	return x
}

// draw feeds the screen with what is written to the terminal.
func (x *Terminal) draw() {
	b := make([]byte, 32<<10)
	for {
		n, err := x.pty.Read(b)
		x.mu.Lock()
		x.raw.Write(b[:n])
		_, _ = x.vt.Write(b[:n])
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// TTY is the terminal as a program sees it.
func (x *Terminal) TTY() *os.File { return x.tty }

// Go runs f; [Terminal.Exit] waits for it. Another may be run after that.
func (x *Terminal) Go(f func()) {
	ended := make(chan struct{})
	x.ended = ended
	go func() {
		defer close(ended)
		f()
	}()
}

// Exit waits for the program or function to end and returns the program's exit
// status, 0 for a function.
func (x *Terminal) Exit() int {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(Patience):
		x.t.Fatalf("still running; screen:\n%s", x.Screen())
	}
	x.settle()
	return x.status
}

// settle waits until nothing has been written for a moment: what a program
// wrote last is still on its way when it has ended.
func (x *Terminal) settle() {
	for n, same := -1, 0; same < 5; time.Sleep(10 * time.Millisecond) {
		if now := len(x.Output()); now == n {
			same++
		} else {
			n, same = now, 0
		}
	}
}

// Hangup closes the terminal, as a lost connection does.
func (x *Terminal) Hangup() { _ = x.pty.Close() }

// Signal sends a signal to the program.
func (x *Terminal) Signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatalf("signal: %v", err)
	}
}

// Send types keys.
func (x *Terminal) Send(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		if _, err := x.pty.WriteString(k); err != nil {
			x.t.Fatalf("type %q: %v", k, err)
		}
		// A lone Esc is told from the start of a sequence by the pause after it.
		if k == Esc {
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// Resize changes the window's size.
func (x *Terminal) Resize(cols, rows int) {
	x.t.Helper()
	x.mu.Lock()
	x.vt.Resize(cols, rows)
	x.mu.Unlock()
	if err := pty.Setsize(x.tty, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		x.t.Fatalf("resize: %v", err)
	}
}

// Screen is the text on the screen, as it looks: without blanks at the ends of
// lines and empty lines at the end, and one blank as another.
func (x *Terminal) Screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	lines := strings.Split(strings.ReplaceAll(x.vt.String(), "\u00a0", " "), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// History is everything a person could scroll back to: the lines above the
// screen and the screen.
func (x *Terminal) History() string {
	x.mu.Lock()
	var b strings.Builder
	for y := range x.vt.ScrollbackLen() {
		for col := range x.vt.Width() {
			if c := x.vt.ScrollbackCellAt(col, y); c != nil {
				b.WriteString(c.Content)
			}
		}
		b.WriteByte('\n')
	}
	x.mu.Unlock()
	return b.String() + x.Screen()
}

// Output is every byte written to the terminal so far.
func (x *Terminal) Output() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.String()
}

// AltScreen reports whether the alternate screen is shown.
func (x *Terminal) AltScreen() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.vt.IsAltScreen()
}

// Restored reports whether the terminal's modes (echo, lines, signals) are what
// they were at first.
func (x *Terminal) Restored() bool {
	now, err := term.GetState(int(x.tty.Fd()))
	return err == nil && reflect.DeepEqual(now, x.before)
}

// Wait waits until the screen contains every one of texts, and returns it.
func (x *Terminal) Wait(texts ...string) string {
	x.t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(5 * time.Millisecond) {
		s, ok := x.Screen(), true
		for _, t := range texts {
			ok = ok && strings.Contains(s, t)
		}
		switch {
		case ok:
			return s
		case time.Now().After(end):
			x.t.Fatalf("the screen does not show %q:\n%s", texts, s)
		}
	}
}

// Cell is one character of the screen and its colours as they look, reversed or
// not; black is also the default.
type Cell struct {
	Text   string
	Fg, Bg [3]uint8
}

// Cell returns the cell at column x and row y.
func (x *Terminal) Cell(col, row int) Cell {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.vt.CellAt(col, row)
	if c == nil {
		return Cell{}
	}
	out := Cell{Text: c.Content}
	for _, side := range []struct {
		rgb *[3]uint8
		c   interface{ RGBA() (r, g, b, a uint32) }
	}{{&out.Fg, c.Style.Fg}, {&out.Bg, c.Style.Bg}} {
		if side.c != nil {
			r, g, b, _ := side.c.RGBA()
			*side.rgb = [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
		}
	}
	if c.Style.Attrs&uv.AttrReverse != 0 {
		out.Fg, out.Bg = out.Bg, out.Fg
	}
	return out
}

// withoutTerm leaves TERM out of env if it is the test's own.
func withoutTerm(env []string) []string {
	var out []string
	for _, e := range env {
		if e != "TERM="+os.Getenv("TERM") {
			out = append(out, e)
		}
	}
	return out
}
