package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// demoOn starts the demo on a terminal, in a home where nothing is.
func demoOn(t *testing.T, dir string, args ...string) *uitest.Terminal {
	c := exec.Command("logiqc", append([]string{"demo", "--dir", dir}, args...)...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TZ=UTC", "LANG=C.UTF-8", "GORACE=" + quickExit}
	return uitest.Start(t, 100, 40, c)
}

// On a terminal the visitor goes on by Enter and presses Confirm in the real
// dialog.
func TestDemoOnTerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	x := demoOn(t, dir)
	for _, part := range []string{"users find lee", "users show jlee"} {
		x.Wait("logiqc "+part, "Press Enter to go on, Ctrl-C to leave\n")
		x.Send(uitest.Enter)
	}
	x.Wait("Reset MFA for Jordan Lee?", "[ Cancel ]")
	x.Send(uitest.Left, uitest.Enter)
	x.Wait("MFA reset for Jordan Lee (jlee).", "Press Enter to go on, Ctrl-C to leave\n")
	x.Send(uitest.Enter)
	x.Wait("10 recovery codes", "Press Enter to go on, Ctrl-C to leave\n")
	x.Send(uitest.Enter)
	x.Wait("logiqc audit list --user jlee --since 1h", "Press Enter to go on, Ctrl-C to leave\n")
	x.Send(uitest.Enter)
	screen := x.Wait("The log is whole", "export LOGIQC_STORE=")
	if status := x.Exit(); status != 0 || strings.Contains(screen, "error") {
		t.Errorf("status %d\n%s", status, screen)
	}
}

// Enter alone does not reset; leaving half way keeps the store.
func TestDemoLeftHalfWay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	x := demoOn(t, dir)
	for _, part := range []string{"users find lee", "users show jlee"} {
		x.Wait("logiqc "+part, "Press Enter to go on, Ctrl-C to leave\n")
		x.Send(uitest.Enter)
	}
	x.Wait("Reset MFA for Jordan Lee?", "[ Cancel ]")
	x.Send(uitest.Enter)
	x.Wait("You did not confirm, so nothing was changed.", "--yes", "Press Enter to go on, Ctrl-C to leave\n")
	x.Send(uitest.CtrlC)
	x.Wait("export LOGIQC_STORE=" + dir)
	if status := x.Exit(); status != 0 {
		t.Errorf("status %d", status)
	}
}
