package seal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, File)
	if err := WriteFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("second")); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), path) {
		t.Errorf("an existing file: %v", err)
	}
	if data, err := ReadFile(path); err != nil || string(data) != "first" {
		t.Errorf("read %q: %v", data, err)
	}
	onlyFile(t, dir)
	if err := WriteFile(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, File)
	for _, want := range []string{"first", "second"} {
		if err := ReplaceFile(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if data, err := ReadFile(path); err != nil || string(data) != want {
			t.Errorf("read %q: %v", data, err)
		}
	}
	onlyFile(t, dir)
	reader, err := os.Open(path) // whoever reads goes on with what was there
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := ReplaceFile(path, []byte("third")); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(reader); err != nil || string(data) != "second" {
		t.Errorf("a reader of the old file met %q, %v", data, err)
	}
	if err := ReplaceFile(filepath.Join(dir, "none", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	// The name of a folder cannot be taken, and nothing is left behind.
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceFile(filepath.Join(dir, "folder"), nil); err == nil {
		t.Error("a folder was replaced")
	}
	if err := os.Remove(filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, dir)
}

// Where a file system has no hard links, a taken name is still not taken
// again.
func TestPlaceWithoutLinks(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, File)
	noLinks := func(string, string) error { return errors.ErrUnsupported }
	for i, want := range []error{nil, fs.ErrExist} {
		temp, err := writeTemp(path, []byte{byte('1' + i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := place(noLinks, temp, path); !errors.Is(err, want) {
			t.Errorf("placing file %d: %v", i+1, err)
		}
	}
	if data, err := ReadFile(path); err != nil || string(data) != "1" {
		t.Errorf("read %q: %v", data, err)
	}
}

func TestShellQuote(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b-c_1.json": "/a/b-c_1.json", "": "''", "/a b": "'/a b'", "/it's": `'/it'\''s'`, "-rf": "./-rf", "/$(x)": "'/$(x)'",
	} {
		if got := shellQuote(path); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", path, got, want)
		}
	}
}
