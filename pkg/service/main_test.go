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
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		_ = flag.Set("rapid.checks", "25")
	}
	os.Exit(m.Run())
}
