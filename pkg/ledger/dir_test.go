package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestDirVerifies(t *testing.T) {
	sizes := edgeSizes
	if !testing.Short() {
		sizes = append(sizes, 65536, 65537+300)
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := newMemLog(t, n)
			dir, verifier := exported(t, m)
			src, err := OpenDir(dir, testOrigin, verifier)
			if err != nil {
				t.Fatal(err)
			}
			wantOK(t, mustVerify(t, src, VerifyOptions{}), m.head, n)
			half := Head{n / 2, newOracle(t, n/2).root(t, n/2)}
			wantOK(t, mustVerify(t, src, VerifyOptions{Since: &half, Known: []Head{half}}), m.head, n-n/2)
		})
	}
}

// TestDirIgnoresWhatIsBeyondItsCheckpoint: an export that broke off leaves
// files the checkpoint does not speak of yet.
func TestDirIgnoresWhatIsBeyondItsCheckpoint(t *testing.T) {
	m := newMemLog(t, 300)
	dir, verifier := exported(t, m)
	checkpoint, err := os.ReadFile(filepath.Join(dir, checkpointFile))
	if err != nil {
		t.Fatal(err)
	}
	longer := m.clone()
	longer.grow(t, 300)
	signer, _ := testKey(t, 7, testOrigin)
	mustExport(t, dir, longer, signer, verifier)
	if err := os.WriteFile(filepath.Join(dir, checkpointFile), checkpoint, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := OpenDir(dir, testOrigin, verifier)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, mustVerify(t, src, VerifyOptions{}), m.head, 300)
	wantProblem(t, mustVerify(t, src, VerifyOptions{Since: &longer.head}), Truncated, 300) // a stale checkpoint
}

// rewrite gives a damage: the file called name as fn changes it.
func rewrite(name string, fn func(data []byte) []byte) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, fn(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// remove gives a damage: the file called name is gone.
func remove(name string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func flipAt(at int) func([]byte) []byte {
	return func(data []byte) []byte { data[at] ^= 1; return data }
}

// TestDirMutations damages an exported folder in the ways of security.md §4.
func TestDirMutations(t *testing.T) {
	const size = 600
	entryLen := 2 + len(sampleLeaf(512)) // of every entry in the last bundle
	tests := []struct {
		name    string
		damage  func(t *testing.T, dir string)
		problem Problem
		seq     int64
	}{
		{"one byte of an entry", rewrite("tile/entries/002.p/88", flipAt(5*entryLen+9)), Altered, 517},
		{"length of an entry", rewrite("tile/entries/002.p/88", flipAt(5*entryLen+1)), Altered, 517},
		{"two entries swapped", rewrite("tile/entries/002.p/88", func(data []byte) []byte {
			first, second := string(data[:entryLen]), string(data[entryLen:2*entryLen])
			return append([]byte(second+first), data[2*entryLen:]...)
		}), Altered, 512},
		{"last entry dropped", rewrite("tile/entries/002.p/88", func(data []byte) []byte { return data[:len(data)-entryLen] }), Altered, 599},
		{"middle entry dropped", rewrite("tile/entries/002.p/88", func(data []byte) []byte {
			return append(data[:3*entryLen], data[4*entryLen:]...)
		}), Altered, 515},
		{"entry appended", rewrite("tile/entries/002.p/88", func(data []byte) []byte { return append(data, 0, 1, 'x') }), Altered, 600},
		{"hash of an entry", rewrite("tile/0/000", flipAt(32*7)), Altered, 7},
		{"hash of a tile", rewrite("tile/1/000.p/2", flipAt(32)), Altered, -1},
		{"tile cut", rewrite("tile/0/001", func(data []byte) []byte { return data[:8191] }), Altered, -1},
		{"missing tile", remove("tile/0/001"), Missing, -1},
		{"missing upper tile", remove("tile/1/000.p/2"), Missing, -1},
		{"missing bundle", remove("tile/entries/001"), Missing, 256},
	}
	honest := newMemLog(t, size)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, verifier := exported(t, honest)
			tt.damage(t, dir)
			src, err := OpenDir(dir, testOrigin, verifier)
			if err != nil {
				t.Fatal(err)
			}
			wantProblem(t, mustVerify(t, src, VerifyOptions{}), tt.problem, tt.seq)
		})
	}
}

// TestDirRewritten: a folder made anew by whoever holds the key is found only
// with an old head.
func TestDirRewritten(t *testing.T) {
	honest := newMemLog(t, 300)
	rewritten := honest.clone()
	rewritten.leaves[10].leaf[0] ^= 1
	rewritten = rewritten.rebuild(t)
	dir, verifier := exported(t, rewritten)
	src, err := OpenDir(dir, testOrigin, verifier)
	if err != nil {
		t.Fatal(err)
	}
	wantOK(t, mustVerify(t, src, VerifyOptions{}), rewritten.head, 300)
	wantProblem(t, mustVerify(t, src, VerifyOptions{Since: &honest.head}), Forked, -1)
	old := Head{100, newOracle(t, 100).root(t, 100)}
	wantProblem(t, mustVerify(t, src, VerifyOptions{Known: []Head{old}}), Forked, -1)
}

func TestOpenDirRefuses(t *testing.T) {
	dir, verifier := exported(t, newMemLog(t, 3))
	_, other := testKey(t, 8, testOrigin)
	_, elsewhere := testKey(t, 7, "logiqc/other/00000000")
	if _, err := OpenDir(dir, testOrigin, other); !errors.Is(err, ErrBadSignature) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := OpenDir(dir, "logiqc/other/00000000", elsewhere); !errors.Is(err, ErrWrongOrigin) {
		t.Errorf("as another log: %v", err)
	}
	if _, err := OpenDir(t.TempDir(), testOrigin, verifier); !errors.Is(err, ErrMissing) {
		t.Errorf("an empty folder: %v", err)
	}
	flip(t, filepath.Join(dir, checkpointFile))
	if _, err := OpenDir(dir, testOrigin, verifier); !errors.Is(err, ErrBadSignature) {
		t.Errorf("with a damaged checkpoint: %v", err)
	}
}
