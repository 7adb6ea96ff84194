package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// exported writes m to a new directory under key 7 and gives it.
func exported(t testing.TB, m *memLog) (dir string, verifier note.Verifier) {
	t.Helper()
	signer, verifier := testKey(t, 7, testOrigin)
	dir = t.TempDir()
	mustExport(t, dir, m, signer, verifier)
	return dir, verifier
}

func mustExport(t testing.TB, dir string, m *memLog, signer note.Signer, verifier note.Verifier) int64 {
	t.Helper()
	added, err := Export(t.Context(), dir, m, sign(t, m.head, signer), testOrigin, verifier)
	if err != nil {
		t.Fatalf("Export of %d leaves: %v", m.head.Size, err)
	}
	return added
}

// files lists a directory's files by slash path, in order, with their bytes.
func files(t testing.TB, dir string) (names []string, data map[string]string) {
	t.Helper()
	data = map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		bytes, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		names = append(names, filepath.ToSlash(name))
		data[filepath.ToSlash(name)] = string(bytes)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names, data
}

// TestExportFiles: names, widths and contents follow C2SP tlog-tiles.
func TestExportFiles(t *testing.T) {
	tests := []struct {
		size int64
		want string
	}{
		{0, "checkpoint"},
		{1, "checkpoint tile/0/000.p/1 tile/entries/000.p/1"},
		{2, "checkpoint tile/0/000.p/2 tile/entries/000.p/2"},
		{255, "checkpoint tile/0/000.p/255 tile/entries/000.p/255"},
		{256, "checkpoint tile/0/000 tile/1/000.p/1 tile/entries/000"},
		{257, "checkpoint tile/0/000 tile/0/001.p/1 tile/1/000.p/1 tile/entries/000 tile/entries/001.p/1"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.size), func(t *testing.T) {
			dir, _ := exported(t, newMemLog(t, tt.size))
			names, data := files(t, dir)
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("files = %s\nwant    %s", got, tt.want)
			}
			checkTiles(t, tt.size, data)
		})
	}
	t.Run("65536", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the largest size takes a while")
		}
		dir, _ := exported(t, newMemLog(t, 65536))
		names, data := files(t, dir)
		if len(names) != 1+2*256+1+1 || data["tile/2/000.p/1"] == "" {
			t.Errorf("%d files, and tile/2/000.p/1 of %d bytes", len(names), len(data["tile/2/000.p/1"]))
		}
		checkTiles(t, 65536, data)
	})
}

// checkTiles compares every tile of a log of n sample leaves with what
// package tlog makes of it, and the entry bundles with their definition.
func checkTiles(t *testing.T, n int64, data map[string]string) {
	t.Helper()
	want := newOracle(t, n)
	for _, tile := range tlog.NewTiles(tileHeight, 0, n) {
		bytes, err := tlog.ReadTileData(tile, want)
		if err != nil {
			t.Fatal(err)
		}
		if name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1); data[name] != string(bytes) {
			t.Errorf("%s has %d bytes that differ from the oracle's %d", name, len(data[name]), len(bytes))
		}
		if tile.L == 0 {
			var bundle strings.Builder
			for i := tile.N * 256; i < tile.N*256+int64(tile.W); i++ {
				leaf := sampleLeaf(i)
				bundle.WriteString(string([]byte{byte(len(leaf) >> 8), byte(len(leaf))}) + string(leaf))
			}
			if name := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1); data[name] != bundle.String() {
				t.Errorf("%s differs", name)
			}
		}
	}
}

func TestExportPathsOfLongLogs(t *testing.T) {
	for want, tile := range map[string]tlog.Tile{
		"tile/4/x001/x234/067":      {H: 8, L: 4, N: 1234067, W: 256},
		"tile/entries/x001/000.p/9": {H: 8, L: -1, N: 1000, W: 9},
		"tile/entries/999":          {H: 8, L: -1, N: 999, W: 256},
	} {
		if got := tilePath(tile); got != want {
			t.Errorf("path = %s, want %s", got, want)
		}
	}
}

// TestExportInAnySteps: continuing an export gives the files that exporting
// at once gives, beside the partial ones of earlier states.
func TestExportInAnySteps(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		m := newMemLog(t, 0)
		for _, n := range rapid.SliceOfN(rapid.Int64Range(0, 400), 1, 4).Draw(rt, "steps") {
			m.grow(t, n)
			if added := mustExport(t, dir, m, signer, verifier); added != n {
				rt.Errorf("added = %d, want %d", added, n)
			}
		}
		whole, _ := exported(t, m)
		names, want := files(t, whole)
		_, got := files(t, dir)
		for _, name := range names {
			if got[name] != want[name] {
				rt.Errorf("%s differs", name)
			}
		}
	})
}

// TestExportReadsOnlyWhatIsNew: a source without the older leaves suffices.
func TestExportReadsOnlyWhatIsNew(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	m := newMemLog(t, 700)
	dir := t.TempDir()
	mustExport(t, dir, m, signer, verifier)
	m.grow(t, 100)
	c := m.clone()
	c.leaves = c.leaves[512:] // the bundle begun is read again from its start
	if added := mustExport(t, dir, c, signer, verifier); added != 100 {
		t.Errorf("added = %d, want 100", added)
	}
}

func TestExportModes(t *testing.T) {
	dir, _ := exported(t, newMemLog(t, 3))
	for name, want := range map[string]fs.FileMode{"checkpoint": 0o600, "tile/entries/000.p/3": 0o600, "tile/entries": 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

// TestExportRefuses: each refusal leaves the older export as it was.
func TestExportRefuses(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	stranger, _ := testKey(t, 8, testOrigin)
	elsewhere, _ := testKey(t, 7, "logiqc/other/00000000")
	older := newMemLog(t, 300)
	longer := older.clone()
	longer.grow(t, 300)
	edit := func(fn func(m *memLog)) *memLog {
		m := longer.clone()
		fn(m)
		return m
	}
	forked := edit(func(m *memLog) { m.leaves[7].leaf[0] ^= 1 }).rebuild(t)
	long := edit(func(m *memLog) { m.leaves[400].leaf = make([]byte, MaxLeaf+1) })
	tests := []struct {
		name   string
		src    *memLog
		signer note.Signer
		spoil  string // a file of the older export to damage first
		want   error
	}{
		{"unknown key", longer, stranger, "", ErrBadSignature},
		{"other log", longer, elsewhere, "", ErrWrongOrigin},
		{"shorter log", newMemLog(t, 200), signer, "", ErrTruncated},
		{"rewritten log", forked, signer, "", ErrForked},
		{"new leaf altered", edit(func(m *memLog) { m.leaves[590].leaf[0] ^= 1 }), signer, "", ErrAltered},
		{"leaf of the bundle begun altered", edit(func(m *memLog) { m.leaves[260].leaf[0] ^= 1 }), signer, "", ErrAltered},
		{"leaf gone", edit(func(m *memLog) { m.leaves = slices.Delete(m.leaves, 400, 401) }), signer, "", ErrMissing},
		{"last leaf gone", edit(func(m *memLog) { m.leaves = m.leaves[:599] }), signer, "", ErrMissing},
		{"leaf too long", long, signer, "", ErrLeafTooLong},
		{"older checkpoint damaged", longer, signer, "checkpoint", ErrBadSignature},
		{"older tile damaged", longer, signer, "tile/0/001.p/44", ErrAltered},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			mustExport(t, dir, older, signer, verifier)
			if tt.spoil != "" {
				flip(t, filepath.Join(dir, tt.spoil))
			}
			_, before := files(t, dir)
			_, err := Export(t.Context(), dir, tt.src, sign(t, tt.src.head, tt.signer), testOrigin, verifier)
			if !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
			_, after := files(t, dir)
			for name, data := range before {
				if after[name] != data {
					t.Errorf("%s changed", name)
				}
			}
		})
	}
}

func TestExportCancelled(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	m := newMemLog(t, 300)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := Export(ctx, dir, m, sign(t, m.head, signer), testOrigin, verifier); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "checkpoint")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a checkpoint was written: %v", err)
	}
}

// flip changes one bit in the middle of a file.
func flip(t testing.TB, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
