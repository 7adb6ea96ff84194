package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Dir is a C2SP tlog-tiles directory read as a [Source]: what [Export] or any
// other log of that format wrote. Its head is that of its checkpoint; files
// beyond it are not looked at, as the format allows.
type Dir struct {
	path       string
	checkpoint string
	head       Head
}

// OpenDir opens an exported directory, its checkpoint checked as by
// [OpenCheckpoint] with the same origin, verifiers and errors; [ErrMissing]
// when there is no checkpoint. Tiles and entries are for [Verify] to check.
func OpenDir(path, origin string, verifiers ...note.Verifier) (*Dir, error) {
	msg, err := readFile(path, checkpointFile)
	if err != nil {
		return nil, err
	}
	head, err := OpenCheckpoint(msg, origin, verifiers...)
	if err != nil {
		return nil, err
	}
	return &Dir{path, string(msg), head}, nil
}

// Path gives the directory as it was opened.
func (d *Dir) Path() string { return d.path }

// Checkpoint gives the signed checkpoint of the directory.
func (d *Dir) Checkpoint() string { return d.checkpoint }

// Head gives the head of the directory's checkpoint.
func (d *Dir) Head(context.Context) (Head, error) { return d.head, nil }

// Leaves implements [Source] from the entry bundles.
func (d *Dir) Leaves(ctx context.Context, from, to int64, fn func(seq int64, leaf []byte) error) error {
	to = min(to, d.head.Size)
	for n := from / tileWidth; n*tileWidth < to; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		width := min(tileWidth, d.head.Size-n*tileWidth)
		name := tilePath(tlog.Tile{H: tileHeight, L: -1, N: n, W: int(width)})
		bundle, err := readFile(d.path, name)
		if err != nil {
			return err
		}
		for seq := n * tileWidth; seq < n*tileWidth+width; seq++ {
			var leaf []byte
			if leaf, bundle, err = nextEntry(bundle); err != nil {
				return fmt.Errorf("%s breaks off in entry %d: %w", name, seq, err)
			}
			if from <= seq && seq < to {
				if err := fn(seq, leaf); err != nil {
					return err
				}
			}
		}
		if len(bundle) > 0 {
			return fmt.Errorf("%s has more than %d entries: %w", name, width, ErrAltered)
		}
	}
	return nil
}

// nextEntry takes one entry, a 16-bit length and its bytes, off a bundle.
func nextEntry(bundle []byte) (leaf, rest []byte, err error) {
	if len(bundle) < 2 {
		return nil, nil, ErrAltered
	}
	n := int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < 2+n {
		return nil, nil, ErrAltered
	}
	return bundle[2 : 2+n], bundle[2+n:], nil
}

// StoredHashes implements [Source] from the tiles; the hashes between two
// rows of tiles are computed from the lower one.
func (d *Dir) StoredHashes(ctx context.Context, from, to int64, fn func(index int64, h Hash) error) error {
	to = min(to, tlog.StoredHashCount(d.head.Size))
	var open [8]openTile
	for index := from; index < to; index++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		level, n := tlog.SplitStoredHashIndex(index)
		row, above := level/tileHeight, level%tileHeight
		if err := d.open(&open[row], row, n<<above/tileWidth); err != nil {
			return err
		}
		if err := fn(index, open[row].levels[above][n%(tileWidth>>above)]); err != nil {
			return err
		}
	}
	return nil
}

// openTile is a tile and the complete subtrees over its hashes.
type openTile struct {
	n      int64
	levels [][]Hash // [0] as in the file; [i+1] pairs those of [i]
}

// open makes t the n-th tile of a row, unless it is that already.
func (d *Dir) open(t *openTile, row int, n int64) error {
	if t.levels != nil && t.n == n {
		return nil
	}
	width := min(tileWidth, d.head.Size>>(tileHeight*row)-n*tileWidth)
	data, err := readTile(d.path, tlog.Tile{H: tileHeight, L: row, N: n, W: int(width)})
	if err != nil {
		return err
	}
	hashes := make([]Hash, width)
	for i := range hashes {
		hashes[i] = Hash(data[i*tlog.HashSize:])
	}
	t.n, t.levels = n, [][]Hash{hashes}
	for len(t.levels) < tileHeight {
		above := make([]Hash, len(hashes)/2)
		for i := range above {
			above[i] = tlog.NodeHash(hashes[2*i], hashes[2*i+1])
		}
		t.levels = append(t.levels, above)
		hashes = above
	}
	return nil
}

// readTile reads a tile of hashes, of exactly its width.
func readTile(dir string, t tlog.Tile) ([]byte, error) {
	name := tilePath(t)
	data, err := readFile(dir, name)
	if err == nil && len(data) != t.W*tlog.HashSize {
		return nil, fmt.Errorf("%s has %d bytes instead of %d: %w", name, len(data), t.W*tlog.HashSize, ErrAltered)
	}
	return data, err
}

// readFile reads a file of an exported directory; one that is not there is [ErrMissing].
func readFile(dir, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not in %s: %w", name, dir, ErrMissing)
	}
	return data, err
}
