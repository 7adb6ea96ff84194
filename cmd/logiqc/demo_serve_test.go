//go:build unix

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The calls that `demo --serve` prints work as they are pasted, out of a narrow
// window too.
func TestDemoServe(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"curl", "oathtool"} {
		needProgram(t, program, "the calls that demo --serve prints")
	}
	for _, cols := range []int{80, 40} {
		x := demoOn(t, cols, filepath.Join(t.TempDir(), "demo"), "--serve")
		x.Wait("To be rid of it")
		parts := strings.Split(indented(x.Output()), "  curl ")
		if len(parts) != 4 { // the variables, then the calls, of which one wants an attempt
			t.Fatalf("%d columns:\n%s", cols, x.Output())
		}
		for want, call := range map[string]string{`"outcome":"code_required"`: parts[1], `"outcome":"passed"`: parts[3]} {
			got, err := exec.CommandContext(t.Context(), "sh", "-ec", parts[0]+"curl "+call).CombinedOutput()
			if err != nil || !strings.Contains(string(got), want) {
				t.Errorf("%d columns: %s is not in what is answered (%v):\n%s\nto\n%s", cols, want, err, got, parts[0]+call)
			}
		}
		x.Signal(syscall.SIGTERM)
		if status := x.Exit(); status != 0 {
			t.Errorf("it ends with %d:\n%s", status, x.Output())
		}
	}
}
