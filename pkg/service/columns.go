package service

import (
	"bytes"
	"strconv"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// fits reports whether the columns of an event, as [store.Tx.IndexedLeaves]
// reads them, say what its bytes say. If not, what the log says is not what is
// shown of it: to whoever reads it, that is an altered event.
func fits(index []byte, seq int64, leaf []byte) bool {
	if fitsAsWritten(index, leaf) {
		return true
	}
	e, err := logiqc.ParseLeaf(seq, leaf)
	if err != nil {
		return false
	}
	cols := store.ColumnsOf(e)
	return bytes.Equal(index, cols.AppendIndex(nil))
}

// fitsAsWritten is fits many times as fast: verifying a long log is partly this.
// It takes leaves as [logiqc.Body.Leaf] writes them, where the text of a column
// stands as it is; false says nothing against any other.
func fitsAsWritten(index, leaf []byte) bool {
	if bytes.IndexByte(index, '"') >= 0 || bytes.IndexByte(index, '\\') >= 0 {
		return false
	}
	s := leafScan{leaf: leaf, index: index, ok: true}
	s.text(`{"v":1,"id":`)
	s.time(`,"time":`)
	s.text(`,"action":`)
	s.text(`,"outcome":`)
	s.text(`,"actor":{"kind":`)
	s.text(`,"id":`)
	s.name(`,"username":`)
	s.optional(`,"name":`)
	s.optional(`,"for":`)
	s.skip(`,"os_user":`, `},"source":{"host":`, `,"ip":`, `,"app":`)
	s.text(`},"target":{"id":`)
	s.name(`,"username":`)
	s.skip(`},"reason":`, `,"ticket":`, `,"verified_by":`)
	s.text(`,"code":`)
	s.object(`,"details":`)
	s.text(`,"request_id":`)
	s.after(`}`)
	return s.ok && len(s.leaf) == 0 && len(s.index) == 0
}

// leafScan reads a leaf, and the columns beside it, from their beginnings; ok
// turns false for good at the first thing that is not as expected.
type leafScan struct {
	leaf, index []byte
	ok          bool
}

// after takes what must come next in the leaf.
func (s *leafScan) after(next string) {
	if s.ok = s.ok && len(s.leaf) >= len(next) && string(s.leaf[:len(next)]) == next; s.ok {
		s.leaf = s.leaf[len(next):]
	}
}

// column takes the next column.
func (s *leafScan) column() []byte {
	column, rest, found := bytes.Cut(s.index, []byte{store.IndexMark})
	s.index, s.ok = rest, s.ok && found
	return column
}

// text takes a key, and its string that must be a column.
func (s *leafScan) text(key string) {
	column := s.column()
	s.after(key)
	s.after(`"`)
	if s.ok = s.ok && bytes.HasPrefix(s.leaf, column); s.ok {
		s.leaf = s.leaf[len(column):]
	}
	s.after(`"`)
}

// name is text for what the column has as [logiqc.Key] writes it.
func (s *leafScan) name(key string) {
	s.after(key)
	raw := s.quoted()
	s.ok = s.ok && bytes.IndexByte(raw, '\\') < 0 && logiqc.Key(string(raw)) == string(s.column())
}

// optional is name for a key that is left out where the column is empty.
func (s *leafScan) optional(key string) {
	if len(s.index) > 0 && s.index[0] == store.IndexMark {
		s.index = s.index[1:]
		return
	}
	s.name(key)
}

// time takes a key and its time.
func (s *leafScan) time(key string) {
	s.after(key)
	var t time.Time
	raw := s.quoted()
	s.ok = s.ok && t.UnmarshalText(raw) == nil && string(s.column()) == strconv.FormatInt(int64(logiqc.At(t)), 10)
}

// skip takes keys and their strings, whatever is in them.
func (s *leafScan) skip(keys ...string) {
	for _, key := range keys {
		s.after(key)
		s.quoted()
	}
}

// quoted takes a string and returns what is between its quotes.
func (s *leafScan) quoted() (raw []byte) {
	n := 0
	if s.ok {
		n = lenQuoted(s.leaf)
	}
	if s.ok = n > 0; s.ok {
		raw, s.leaf = s.leaf[1:n-1], s.leaf[n:]
	}
	return raw
}

// lenQuoted is how long the string at the beginning of b is, with its quotes; 0
// when there is none.
func lenQuoted(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return 0
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// object takes a key and its object, whatever is in it.
func (s *leafScan) object(key string) {
	s.after(key)
	depth := 0
	for i := 0; s.ok && i < len(s.leaf); i++ {
		switch s.leaf[i] {
		case '"':
			n := lenQuoted(s.leaf[i:])
			s.ok = n > 0
			i += n - 1
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			s.leaf = s.leaf[i+1:]
			return
		}
	}
	s.ok = false
}
