package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// goldenScreen compares a screen, once it stands still, with the one in
// testdata/golden.
func goldenScreen(t *testing.T, name string, x *uitest.Terminal) {
	t.Helper()
	path := filepath.Join("..", "..", "testdata", "golden", name+".txt")
	want, _ := os.ReadFile(path)
	got, end := "", time.Now().Add(uitest.Patience/2)
	if *update {
		end = time.Now().Add(300 * time.Millisecond)
	}
	for got != string(want) || *update {
		if time.Now().After(end) {
			break
		}
		time.Sleep(10 * time.Millisecond)
		got = x.Screen()
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}
