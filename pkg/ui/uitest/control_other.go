//go:build !unix

package uitest

import (
	"os"
	"os/exec"
)

// control does nothing where there are no controlling terminals.
func control(*exec.Cmd, *os.File) {}

// pollable returns f as it is.
func pollable(f *os.File) (*os.File, error) { return f, nil }
