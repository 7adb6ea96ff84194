package ui

import "golang.org/x/sys/unix"

// How to get at the modes of a terminal, and what stands there for no key.
const (
	getTermios, setTermios = unix.TCGETS, unix.TCSETS
	noKey                  = 0
)

// flushInput throws away what was typed on the terminal but not yet read.
func flushInput(fd int) { _ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }
