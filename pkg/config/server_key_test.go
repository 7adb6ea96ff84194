package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// A server finds its key again, as long as nobody else could.
func TestServerKey(t *testing.T) {
	paths := Paths{State: filepath.Join(t.TempDir(), "state")}
	f := ServerKey(paths, Store{Kind: SQLite, Path: "/srv/logiqc.db"})
	if other := ServerKey(paths, Store{Kind: SQLite, Path: "/srv/other.db"}); other.Path == f.Path {
		t.Error("two stores share a key")
	}
	if _, ok, err := f.Load(); ok || err != nil {
		t.Errorf("before it is made: %v, %v", ok, err)
	}
	if kept, err := f.Keep("key"); kept.Reveal() != "key" || err != nil {
		t.Fatalf("%q, %v", kept.Reveal(), err)
	}
	if got, ok, err := f.Load(); got.Reveal() != "key" || !ok || err != nil {
		t.Errorf("%q, %v, %v", got.Reveal(), ok, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if info, err := os.Stat(f.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(f.Path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Load(); err == nil {
		t.Error("a key that others can read is used")
	}
	if _, err := (ServerKeyFile{}).Keep("key"); err == nil {
		t.Error("a key is kept nowhere")
	}
}

// Two servers that start for the first time at one moment used to keep a key
// each, and the pin that one had printed was no longer that of the other.
func TestOneServerKey(t *testing.T) {
	for range 20 {
		f := ServerKey(Paths{State: filepath.Join(t.TempDir(), "state")}, Store{Kind: SQLite, Path: "/srv/logiqc.db"})
		kept := make([]string, 8)
		var all sync.WaitGroup
		for i := range kept {
			all.Go(func() {
				key, err := f.Keep(Secret("key " + strconv.Itoa(i)))
				if err != nil {
					t.Error(err)
				}
				kept[i] = key.Reveal()
			})
		}
		all.Wait()
		last, ok, err := f.Load()
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		for i, key := range kept {
			if key != last.Reveal() {
				t.Fatalf("server %d goes by %q; kept is %q", i, key, last.Reveal())
			}
		}
		if left, err := os.ReadDir(filepath.Dir(f.Path)); err != nil || len(left) != 1 {
			t.Fatalf("left behind: %v, %v", left, err)
		}
	}
}
