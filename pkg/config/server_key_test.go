package config

import (
	"os"
	"path/filepath"
	"runtime"
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
	if err := f.Save("key"); err != nil {
		t.Fatal(err)
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
	if err := (ServerKeyFile{}).Save("key"); err == nil {
		t.Error("a key is kept nowhere")
	}
}
