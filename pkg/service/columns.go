package service

import (
	"bytes"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// columnsIn reads from a leaf what the columns beside it must say, several
// times as fast as decoding all of it: verifying a long log is mostly this. It
// takes leaves as [logiqc.Body.Leaf] writes them, without escapes in what the
// columns hold; ok is false for any other, which says nothing against it.
func columnsIn(leaf []byte) (c store.EventColumns, ok bool) {
	s := leafScan{rest: leaf, ok: true}
	c.ID = s.text(`{"v":1,"id":`)
	at := s.text(`,"time":`)
	c.Action = logiqc.Action(s.text(`,"action":`))
	c.Outcome = logiqc.Outcome(s.text(`,"outcome":`))
	c.ActorKind = logiqc.ActorKind(s.text(`,"actor":{"kind":`))
	c.ActorID = s.text(`,"id":`)
	c.ActorUsername = logiqc.Key(s.text(`,"username":`))
	c.ActorName = logiqc.Key(s.optional(`,"name":`))
	c.ActorFor = logiqc.Key(s.optional(`,"for":`))
	s.skip(`,"os_user":`, `},"source":{"host":`, `,"ip":`, `,"app":`)
	c.TargetID = s.text(`},"target":{"id":`)
	c.TargetUsername = logiqc.Key(s.text(`,"username":`))
	s.skip(`},"reason":`, `,"ticket":`, `,"verified_by":`)
	c.Code = logiqc.Code(s.text(`,"code":`))
	s.object(`,"details":`)
	c.RequestID = s.text(`,"request_id":`)
	if !s.ok || string(s.rest) != "}" {
		return c, false
	}
	return c, c.Time.UnmarshalJSON([]byte(`"`+at+`"`)) == nil
}

// leafScan reads a leaf from its beginning; ok turns false for good at the
// first thing that is not as expected.
type leafScan struct {
	rest []byte
	ok   bool
}

// after takes what must come next.
func (s *leafScan) after(key string) {
	if s.ok = s.ok && bytes.HasPrefix(s.rest, []byte(key)); s.ok {
		s.rest = s.rest[len(key):]
	}
}

// text takes a key and its string, which must be without escapes.
func (s *leafScan) text(key string) string {
	s.after(key)
	raw := s.quoted()
	if s.ok = s.ok && bytes.IndexByte(raw, '\\') < 0; !s.ok {
		return ""
	}
	return string(raw)
}

// optional is text for a key that may be left out.
func (s *leafScan) optional(key string) string {
	if !s.ok || !bytes.HasPrefix(s.rest, []byte(key)) {
		return ""
	}
	return s.text(key)
}

// skip takes keys and their strings, whatever is in them.
func (s *leafScan) skip(keys ...string) {
	for _, key := range keys {
		s.after(key)
		s.quoted()
	}
}

// quoted takes a string and returns what is between its quotes.
func (s *leafScan) quoted() []byte {
	if s.ok = s.ok && len(s.rest) > 0 && s.rest[0] == '"'; !s.ok {
		return nil
	}
	for i := 1; i < len(s.rest); i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '"':
			raw := s.rest[1:i]
			s.rest = s.rest[i+1:]
			return raw
		}
	}
	s.ok = false
	return nil
}

// object takes a key and its object, whatever is in it.
func (s *leafScan) object(key string) {
	s.after(key)
	for depth := 0; s.ok && len(s.rest) > 0; {
		switch s.rest[0] {
		case '"':
			s.quoted()
			continue
		case '{':
			depth++
		case '}':
			depth--
		}
		s.rest = s.rest[1:]
		if depth == 0 {
			return
		}
	}
	s.ok = false
}
