//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package ui

// flushInput does nothing where there is no terminal queue to throw away.
func flushInput(int) {}
