//go:build unix

package uitest_test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// TestProgram drives a shell, which is a program with prompts that everybody
// has.
func TestProgram(t *testing.T) {
	x := uitest.Start(t, 50, 5, exec.Command("/bin/sh", "-c",
		`stty size; printf 'name? '; read n; stty -echo; echo "hello $n" >/dev/tty; read n; exit 3`))
	x.Wait("5 50", "name?")
	x.Send("helen", uitest.Enter)
	x.Wait("hello helen")
	if x.Restored() {
		t.Error("echo is off and nobody noticed")
	}
	x.Send("secret", uitest.Enter)
	if got := x.Exit(); got != 3 {
		t.Errorf("exit %d", got)
	}
	if strings.Contains(x.Output(), "secret") {
		t.Errorf("output %q", x.Output())
	}
}

func TestScreenAndHistory(t *testing.T) {
	x := uitest.Start(t, 20, 3, exec.Command("/bin/sh", "-c",
		`printf 'one\ntwo\nthree\nfour\n\033[?1049hhidden'; read n; printf '\033[?1049l\033[31mred\033[0m'; read n`))
	x.Wait("hidden")
	if !x.AltScreen() {
		t.Error("the alternate screen went unnoticed")
	}
	x.Send(uitest.Enter)
	x.Wait("red")
	if h := x.History(); !strings.HasPrefix(h, "one\ntwo\n") || strings.Contains(h, "hidden") {
		t.Errorf("history:\n%s", h)
	}
	if c := x.Cell(0, 2); c.Text != "r" || c.Fg[0] == 0 || c.Fg[1] != 0 {
		t.Errorf("cell %+v", c)
	}
	x.Signal(syscall.SIGKILL)
	if got := x.Exit(); got != -1 {
		t.Errorf("exit %d", got)
	}
}
