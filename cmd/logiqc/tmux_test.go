package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// tmux is a terminal that is not ours, and that keeps what is cleared.
type tmux struct {
	t      *testing.T
	socket string
	env    []string
}

// tmux starts the program in one, with a shell around it that stays.
func (h *home) tmux(cols, rows string, args ...string) *tmux {
	h.t.Helper()
	needProgram(h.t, "tmux", "what a terminal keeps")
	x := &tmux{h.t, filepath.Join(h.dir, "tmux"), h.command().Env}
	x.do("-f", os.DevNull, "new-session", "-d", "-x", cols, "-y", rows, "logiqc "+strings.Join(args, " ")+"; echo exit $?; exec cat")
	h.t.Cleanup(func() { x.do("kill-server") })
	return x
}

func (x *tmux) do(args ...string) string {
	x.t.Helper()
	c := exec.Command("tmux", append([]string{"-S", x.socket}, args...)...)
	c.Env = x.env
	out, err := c.CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %s: %v\n%s", args, err, out)
	}
	return string(out)
}

// wait waits until the screen, with what one can scroll back to, has the text.
func (x *tmux) wait(text string) string {
	x.t.Helper()
	for end := time.Now().Add(uitest.Patience); ; time.Sleep(20 * time.Millisecond) {
		s := x.do("capture-pane", "-p", "-S", "-")
		if strings.Contains(s, text) {
			return s
		}
		if time.Now().After(end) {
			x.t.Fatalf("the terminal does not show %q:\n%s", text, s)
		}
	}
}

// A dialog that fills the window leaves nothing behind once it is answered, not in
// the scrollback either; and it stands whole after the window has grown.
func TestDialogLeavesNothing(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, grows := range []bool{false, true} {
		x := tpl.home(t).tmux("40", "12", "mfa", "reset", "jlee")
		x.wait("lines, up/down for more")
		if grows {
			x.do("resize-window", "-x", "80", "-y", "24")
			if s := x.wait("let whoever has the password enrol at the next sign-in"); strings.Count(s, "Cancel") != 1 {
				t.Errorf("the window has grown:\n%s", s)
			}
		}
		x.do("send-keys", "Enter")
		if s := x.wait("exit 7"); strings.Contains(s, "Jordan") || strings.Contains(s, "[") {
			t.Errorf("grown %t: it leaves something behind:\n%s", grows, s)
		}
	}
}
