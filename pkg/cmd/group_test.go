package cmd

import (
	"testing"

	"github.com/logiqc/logiqc/pkg/config"
)

// A server's transactions share commits, other commands' do not: the option was
// lost once when two changes met, and nothing but the clock noticed.
func TestOnlyServersShareCommits(t *testing.T) {
	for _, serves := range []bool{false, true} {
		a := NewApp()
		a.group = serves
		a.settings = &config.Settings{Store: config.Store{Kind: config.SQLite, Path: "/nowhere/logiqc.db"}}
		if _, o, err := a.place(a.settings); err != nil || o.Group != serves {
			t.Errorf("serving %t: %+v, %v", serves, o, err)
		}
	}
}
