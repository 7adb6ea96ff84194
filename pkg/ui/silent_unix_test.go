//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package ui

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// A password in lines is left by the keys that leave any question, and the
// terminal shows again what is typed.
func TestPasswordInLinesLeft(t *testing.T) {
	for name, keys := range map[string]string{"Ctrl-D": uitest.CtrlD, "Esc and Enter": uitest.Esc + "\r"} {
		x, u := lineTTY(t)
		r := start(x, func(ctx context.Context) (string, error) { return u.Password(ctx, "Password", false) })
		x.Wait("Password (typing is not shown):")
		silent(t, x)
		x.Send(keys)
		if x.Exit(); !errors.Is(r.err, ErrCancelled) || !x.Restored() {
			t.Errorf("%s: %q, %v, restored %t", name, r.v, r.err, x.Restored())
		}
	}
}

// A shell gives a stopped program a terminal that shows what is typed when it goes
// on. The password was then there to be read.
func TestPasswordAfterStop(t *testing.T) {
	x, u := lineTTY(t)
	r := start(x, func(ctx context.Context) (string, error) { return u.Password(ctx, "Password", false) })
	x.Wait("Password (typing is not shown):")
	m := silent(t, x)
	x.Send("\x1a\x1c") // Ctrl-Z and Ctrl-\ do nothing, or this test ends here
	m.Lflag |= unix.ECHO
	if err := unix.IoctlSetTermios(int(x.TTY().Fd()), setTermios, m); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	silent(t, x)
	x.Send("\x15hunter3\b2\r")
	if x.Exit(); r.v != "hunter2" || r.err != nil || strings.Contains(x.Output(), "hunter") || !x.Restored() {
		t.Errorf("%q, %v, restored %t: %q", r.v, r.err, x.Restored(), x.Output())
	}
}

// silent waits until the terminal shows nothing of what is typed, and returns its
// modes.
func silent(t *testing.T, x *uitest.Terminal) *unix.Termios {
	t.Helper()
	for end := time.Now().Add(uitest.Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		m, err := unix.IoctlGetTermios(int(x.TTY().Fd()), getTermios)
		if err != nil {
			t.Fatal(err)
		}
		if m.Lflag&unix.ECHO == 0 {
			return m
		}
	}
	t.Fatal("the terminal shows what is typed")
	return nil
}
