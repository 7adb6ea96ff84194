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
func demoOn(t *testing.T, cols int, dir string, args ...string) *uitest.Terminal {
	c := exec.Command("logiqc", append([]string{"demo", "--dir", dir}, args...)...)
	c.Env = demoEnv(t)
	return uitest.Start(t, cols, 40, c)
}

func demoEnv(t *testing.T) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TZ=UTC", "LANG=C.UTF-8", "GORACE=" + quickExit}
}

// indented are the lines that a demo means to be pasted, as a terminal gives them
// to who marks them: it joins what only it has broken.
func indented(output string) string {
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(output, "\r\n", "\n")) {
		if strings.HasPrefix(line, "  ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// On a terminal the visitor goes on by Enter and presses Confirm in the real
// dialog.
func TestDemoOnTerminal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	x := demoOn(t, 100, dir)
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
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	x := demoOn(t, 100, dir)
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

// In a narrow window what the demo leaves is pasted as in a wide one: broken in
// two, the line that points a shell at the store would leave half of it out.
func TestDemoPasted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a demo")
	x := demoOn(t, 40, dir)
	x.Wait("Press Enter to go on, Ctrl-C to leave")
	x.Send(uitest.CtrlC)
	if status := x.Exit(); status != 0 {
		t.Fatalf("status %d:\n%s", status, x.Screen())
	}
	var lines string
	for line := range strings.Lines(indented(x.Output())) {
		if strings.HasPrefix(line, "  export ") {
			lines += line
		}
	}
	_, rm, _ := strings.Cut(x.Output(), "To be rid of it: ")
	rm, _, _ = strings.Cut(strings.TrimPrefix(rm, "\r\n"), "\r\n")
	c := exec.Command("sh", "-ec", lines+"logiqc whoami\nlogiqc users find --awaiting-enrolment\n"+rm)
	c.Env = demoEnv(t)
	out, err := c.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "sam") || !strings.Contains(string(out), "rgold") {
		t.Errorf("%v: %s\nto\n%s%s", err, out, lines, rm)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("it is there still: %v", err)
	}
}
