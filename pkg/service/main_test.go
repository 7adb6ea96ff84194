package service_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs the model for a while only, where nobody asked for more: each
// of its checks signs in many times, and a password is slow on purpose.
func TestMain(m *testing.M) {
	flag.Parse()
	modelChecks("25")
	os.Exit(m.Run())
}

// modelChecks is how often the model runs from now on, if nobody asked for
// anything else.
func modelChecks(n string) {
	checks, asked := flag.Lookup("rapid.checks"), false
	flag.Visit(func(f *flag.Flag) { asked = asked || f == checks })
	if !asked {
		_ = checks.Value.Set(n) // unlike flag.Set, not as if it were asked for
	}
}
