//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package ui

import "errors"

// silence is left to [term.ReadPassword] here.
func silence(int) (func(), error) { return nil, errors.ErrUnsupported }
