//go:build !windows

package ui

import "os"

// enableANSI does nothing where terminals understand escape sequences.
func enableANSI(*os.File) {}
