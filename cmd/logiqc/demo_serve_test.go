//go:build unix

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The calls that `demo --serve` prints work as they are pasted.
func TestDemoServe(t *testing.T) {
	for _, program := range []string{"curl", "oathtool"} {
		needProgram(t, program, "the calls that demo --serve prints")
	}
	h := &home{t: t, dir: t.TempDir()}
	c, out := h.watched("demo", "--serve", "--dir", filepath.Join(h.dir, "demo")), &output{}
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	t.Cleanup(func() { _ = c.Process.Kill(); <-ended })
	for began := time.Now(); !strings.Contains(out.String(), "To be rid of it"); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("it does not begin:\n%s", out)
		}
	}
	// Everything that is indented, but for the step that wants an attempt.
	var lines []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "  ") && !strings.Contains(line, "ATTEMPT") {
			lines = append(lines, line)
		}
	}
	sh := exec.CommandContext(t.Context(), "sh", "-ec", strings.Join(lines, ""))
	got, err := sh.CombinedOutput()
	for _, want := range []string{`"outcome":"code_required"`, `"outcome":"passed"`} {
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s is not in what is answered (%v):\n%s\nto\n%s", want, err, got, out)
		}
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ended
	if status := c.ProcessState.ExitCode(); status != 0 {
		t.Errorf("it ends with %d:\n%s", status, out)
	}
}
