package ui

import (
	"os"

	"charm.land/lipgloss/v2"
	"golang.org/x/sys/windows"
)

// flushInput throws away what was typed on the console but not yet read.
func flushInput(fd int) { _ = windows.FlushConsoleInputBuffer(windows.Handle(fd)) }

// enableANSI lets an old console understand escape sequences.
func enableANSI(f *os.File) { lipgloss.EnableLegacyWindowsANSI(f) }
