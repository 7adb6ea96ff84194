//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package ui

import "golang.org/x/sys/unix"

// How to get at the modes of a terminal, and what stands there for no key.
const (
	getTermios, setTermios = unix.TIOCGETA, unix.TIOCSETA
	noKey                  = 0xff
)

// flushInput throws away what was typed on the terminal but not yet read.
func flushInput(fd int) { _ = unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, unix.TCIFLUSH) }
