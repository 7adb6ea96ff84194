package ledger

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Source hands over the bytes of a log; none of them is believed. Methods may
// be called from several goroutines at once, and the log may grow meanwhile.
//
// Leaves and StoredHashes call fn for what there is in [from, to), in
// ascending order, and pass over what there is not; to may lie beyond the end.
// The leaf is fn's only until fn returns. An error of fn ends the reading and
// is returned (as [errors.Is] sees it). A Source that keeps the log in parts
// returns [ErrMissing] for a part that is not there and [ErrAltered] for one
// that cannot be read as what it must be; any other error says that reading failed.
type Source interface {
	// Head gives the size and root the log claims to have now.
	Head(ctx context.Context) (Head, error)
	// Leaves hands over leaves by number, from 0.
	Leaves(ctx context.Context, from, to int64, fn func(seq int64, leaf []byte) error) error
	// StoredHashes hands over hashes of the tree by their index, see [StoredHash].
	StoredHashes(ctx context.Context, from, to int64, fn func(index int64, h Hash) error) error
}

// HashesAt is what a [Source] may do beside: read single stored hashes, in the
// order asked for, all at once. One that is not there is [ErrMissing].
type HashesAt interface {
	HashesAt(ctx context.Context, indexes []int64) ([]Hash, error)
}

// Misindexed is the error of a [Source] that shows something else of an entry
// than the entry itself says: to whoever reads the log that is an altered one.
func Misindexed(seq int64) error {
	return fmt.Errorf("what is shown of entry %d is not what it says: %w", seq, ErrAltered)
}

// errStop ends a reading that has seen enough.
var errStop = errors.New("seen enough")

// NewHashReader reads single stored hashes of src, as [Append], [CheckGrowth]
// and [Prove] need them. A hash that is not there is [ErrMissing].
func NewHashReader(ctx context.Context, src Source) HashReader {
	if at, ok := src.(HashesAt); ok {
		return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) { return at.HashesAt(ctx, indexes) })
	}
	return sourceReader{ctx, src}
}

type sourceReader struct {
	ctx context.Context
	src Source
}

// ReadHashes asks for each hash by itself: what is wanted lies O(log n) apart.
func (r sourceReader) ReadHashes(indexes []int64) ([]Hash, error) {
	hashes := make([]Hash, len(indexes))
	for i, index := range indexes {
		found := false
		err := r.src.StoredHashes(r.ctx, index, index+1, func(at int64, h Hash) error {
			hashes[i], found = h, at == index
			return nil
		})
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fmt.Errorf("stored hash %d: %w", index, ErrMissing)
		}
	}
	return hashes, nil
}

// firstLeaf gives the number of the first leaf in [from, to), or -1.
func firstLeaf(ctx context.Context, src Source, from, to int64) (int64, error) {
	first := int64(-1)
	err := src.Leaves(ctx, from, to, func(seq int64, _ []byte) error {
		first = seq
		return errStop
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return first, err
}

// firstHash gives the index of the first stored hash in [from, to), or -1.
func firstHash(ctx context.Context, src Source, from, to int64) (int64, error) {
	first := int64(-1)
	err := src.StoredHashes(ctx, from, to, func(index int64, _ Hash) error {
		first = index
		return errStop
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return first, err
}
