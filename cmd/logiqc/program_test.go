package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/logiqc/logiqc/pkg/cmd"
)

// scratch is a folder of this run of the tests, for what they share.
var scratch string

// plain is the folder of a logiqc built without the race detector, which makes
// a command take three times as long. Where the tests themselves have none, it
// is the one that they are.
//
// The detector watches where much goes on at a time: every server, and commands that
// follow or run for long. What is typed is the plain program; on a terminal the tests
// of pkg/ui and pkg/console have the detector inside.
var plain string

func TestMain(m *testing.M) {
	testscript.Main(run{m}, map[string]func(){"logiqc": func() { os.Exit(cmd.Main()) }})
}

// run is all tests, with what they share around them.
type run struct{ m *testing.M }

func (r run) Run() int {
	var err error
	if scratch, err = os.MkdirTemp("", "logiqc-test-"); err == nil {
		plain, err = plainProgram()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := r.m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return status
}

func plainProgram() (dir string, err error) {
	if !underRaceDetector {
		ours, err := exec.LookPath("logiqc")
		return filepath.Dir(ours), err
	}
	build := exec.Command("go", "build", "-o", scratch, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return scratch, nil
}

// needProgram skips a test where a program that it calls is missing, and says
// so; where programs are required (LOGIQC_TEST_TOOLS=require) the test fails.
func needProgram(t *testing.T, name, why string) (path string) {
	t.Helper()
	return needTool(t, func() (string, error) { return exec.LookPath(name) }, why)
}

// needTool is needProgram for one that is not simply looked for.
func needTool(t *testing.T, tool func() (string, error), why string) (path string) {
	t.Helper()
	path, err := tool()
	if err != nil {
		if os.Getenv("LOGIQC_TEST_TOOLS") == "require" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED, %s: %v", why, err)
	}
	return path
}
