//go:build unix && !linux

package pgtest

func clusters() string { return "" }
