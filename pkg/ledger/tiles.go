package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// C2SP tlog-tiles: tiles of height 8 hold up to 256 hashes, entry bundles as many entries.
const (
	tileHeight     = 8
	tileWidth      = 1 << tileHeight
	checkpointFile = "checkpoint"
)

// Export writes the log of a signed checkpoint as a C2SP tlog-tiles directory
// and gives the number of leaves added. A directory that holds an older state
// of the same log is continued: the cost grows with what is new. Files are
// written whole or not at all, readable by their owner only, the checkpoint
// last; what a run that broke off left behind is overwritten by the next.
//
// Nothing is exported that the checkpoint does not account for: every leaf is
// hashed on the way and the roots are compared, those of the tiles continued
// as well. Origin and verifiers are those of [OpenCheckpoint] and must cover
// both checkpoints.
//
// Errors: those of [OpenCheckpoint] and, against the state in dir, of
// [CheckGrowth]; [ErrAltered] and [ErrMissing] for src or the older tiles.
// After an error dir still holds the older state.
func Export(ctx context.Context, dir string, src Source, checkpoint []byte, origin string, verifiers ...note.Verifier) (int64, error) {
	head, err := OpenCheckpoint(checkpoint, origin, verifiers...)
	if err != nil {
		return 0, err
	}
	old := Head{0, EmptyRoot()}
	older, err := os.ReadFile(filepath.Join(dir, checkpointFile))
	switch {
	case err == nil:
		if old, err = OpenCheckpoint(older, origin, verifiers...); err != nil {
			return 0, fmt.Errorf("the export in %s: %w", dir, err)
		}
		if err := CheckGrowth(old, head, NewHashReader(ctx, src)); err != nil {
			return 0, fmt.Errorf("continuing the export in %s: %w", dir, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return 0, err
	}
	x := &exporter{dir: dir}
	if err := x.resume(old); err != nil {
		return 0, err
	}
	if err := x.leaves(ctx, src, old.Size, head); err != nil {
		return 0, err
	}
	return head.Size - old.Size, x.write(checkpointFile, checkpoint)
}

// exporter collects hashes and entries until a tile or bundle is full.
type exporter struct {
	dir    string
	tree   Tree
	tiles  [8][]byte // by level: hashes of the tile begun; 8 levels of 8 bits hold any int64
	bundle []byte    // entries of the bundle begun
}

// resume loads the tiles begun at old. Together they hold its right edge, so
// its root proves them.
func (x *exporter) resume(old Head) error {
	for level := len(x.tiles) - 1; level >= 0; level-- {
		count := old.Size >> (tileHeight * level)
		width := int(count % tileWidth)
		if width == 0 {
			continue
		}
		data, err := readTile(x.dir, tlog.Tile{H: tileHeight, L: level, N: count / tileWidth, W: width})
		if err != nil {
			return err
		}
		x.tiles[level] = data
		for ; len(data) > 0; data = data[tlog.HashSize:] {
			x.tree.push(tileHeight*level, Hash(data[:tlog.HashSize]), nil)
		}
	}
	if x.tree.Root() != old.Root {
		return fmt.Errorf("the tiles in %s do not give the root of their checkpoint: %w", x.dir, ErrAltered)
	}
	return nil
}

// leaves writes all tiles and bundles from leaf from on. The bundle begun
// before it is read again from its start.
func (x *exporter) leaves(ctx context.Context, src Source, from int64, head Head) error {
	next := from &^ (tileWidth - 1)
	err := src.Leaves(ctx, next, head.Size, func(seq int64, leaf []byte) error {
		if seq != next {
			return fmt.Errorf("entry %d: %w", next, ErrMissing)
		}
		if len(leaf) > MaxLeaf {
			return fmt.Errorf("entry %d has %d bytes: %w", seq, len(leaf), ErrLeafTooLong)
		}
		h := LeafHash(leaf)
		if at := seq % tileWidth * tlog.HashSize; seq < from && Hash(x.tiles[0][at:at+tlog.HashSize]) != h {
			return fmt.Errorf("entry %d: %w", seq, ErrAltered)
		}
		next++
		if err := x.entry(seq, leaf); err != nil || seq < from {
			return err
		}
		return x.hash(h)
	})
	if err != nil {
		return err
	}
	if next != head.Size {
		return fmt.Errorf("entry %d: %w", next, ErrMissing)
	}
	if x.tree.Root() != head.Root {
		return fmt.Errorf("%d entries do not give the root of the checkpoint: %w", head.Size, ErrAltered)
	}
	return x.partials(head.Size)
}

func (x *exporter) entry(seq int64, leaf []byte) error {
	x.bundle = binary.BigEndian.AppendUint16(x.bundle, uint16(len(leaf)))
	x.bundle = append(x.bundle, leaf...)
	if (seq+1)%tileWidth != 0 {
		return nil
	}
	bundle := x.bundle
	x.bundle = x.bundle[:0]
	return x.write(tilePath(tlog.Tile{H: tileHeight, L: -1, N: seq / tileWidth, W: tileWidth}), bundle)
}

func (x *exporter) hash(h Hash) error {
	for level, made := range x.tree.push(0, h, nil) {
		if level%tileHeight != 0 {
			continue
		}
		row := level / tileHeight
		x.tiles[row] = append(x.tiles[row], made[:]...)
		if len(x.tiles[row]) < tileWidth*tlog.HashSize {
			continue
		}
		tile := tlog.Tile{H: tileHeight, L: row, N: (x.tree.Size()>>level - 1) / tileWidth, W: tileWidth}
		if err := x.write(tilePath(tile), x.tiles[row]); err != nil {
			return err
		}
		x.tiles[row] = x.tiles[row][:0]
	}
	return nil
}

// partials writes the tiles and the bundle that are not full.
func (x *exporter) partials(size int64) error {
	for row, data := range x.tiles {
		if len(data) == 0 {
			continue
		}
		tile := tlog.Tile{H: tileHeight, L: row, N: size >> (tileHeight * row) / tileWidth, W: len(data) / tlog.HashSize}
		if err := x.write(tilePath(tile), data); err != nil {
			return err
		}
	}
	if len(x.bundle) == 0 {
		return nil
	}
	return x.write(tilePath(tlog.Tile{H: tileHeight, L: -1, N: size / tileWidth, W: int(size % tileWidth)}), x.bundle)
}

// write puts a file of the directory in place at once, by renaming.
func (x *exporter) write(name string, data []byte) error {
	path := filepath.Join(x.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// tilePath is tile/L/N[.p/W] of C2SP tlog-tiles: the path of package tlog
// without the height, and "entries" for its "data".
func tilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", t.H))
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return "tile/" + path
}
