package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPins(t *testing.T) {
	paths := Paths{State: filepath.Join(t.TempDir(), "logiqc")}
	f := Pin(paths, "store-1")
	if keys, err := f.Load(); keys != nil || err != nil {
		t.Errorf("before the first: %v, %v", keys, err)
	}
	for _, want := range [][]string{{"a+1+x"}, {"b+2+y", "a+1+x"}} {
		if err := f.Save(want); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Load(); !slices.Equal(got, want) || err != nil {
			t.Errorf("kept %v, %v; want %v", got, err, want)
		}
	}
	if keys, err := Pin(paths, "store-2").Load(); keys != nil || err != nil {
		t.Errorf("another store: %v, %v", keys, err)
	}
	if info, err := os.Stat(f.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := (PinFile{Path: f.Path, Log: "store-2"}).Save([]string{"c"}); err != nil {
		t.Fatal(err)
	}
	if keys, err := f.Load(); err == nil {
		t.Errorf("the keys of another log: %v", keys)
	}
	if err := os.Chmod(f.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(); err == nil {
		t.Error("a file that others can change was read")
	}
	if err := Pin(Paths{}, "store-1").Save([]string{"a"}); err != nil {
		t.Errorf("no state folder: %v", err)
	}
}
