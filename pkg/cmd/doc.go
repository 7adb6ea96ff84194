// Package cmd is the command line: one file for each command, and the wiring
// that opens a store for it.
//
// A command is a constructor that takes the [App] and returns a cobra command:
// its flags, then one RunE that reads from top to bottom. It gets functions
// that open things, so that help, completion and usage errors open nothing.
// What it does is done by a [logiqc.Service]; what it says passes through
// package ui.
package cmd
