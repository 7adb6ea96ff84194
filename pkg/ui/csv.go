package ui

import (
	"encoding/csv"
	"strings"
)

// CSV starts a comma-separated answer (RFC 4180 quoting, lines end in LF) with
// a header, which is written with the first row or at Close.
func (u *IO) CSV(header []string) *CSV {
	c := &CSV{u: u}
	c.w = csv.NewWriter(&c.buf)
	c.err = c.w.Write(header)
	return c
}

// CSV writes the rows of one answer. Close must be called.
type CSV struct {
	u   *IO
	w   *csv.Writer
	buf strings.Builder
	err error
}

// Row writes a row, its cells guarded by [CSVCell]. On a terminal the cells
// are also cleaned; in a pipe they are as they came.
func (c *CSV) Row(cells ...string) error {
	guarded := make([]string, len(cells))
	for i, s := range cells {
		if c.u.outTTY {
			s = Clean(s)
		}
		guarded[i] = CSVCell(s)
	}
	if c.err == nil {
		c.err = c.w.Write(guarded)
	}
	return c.flush()
}

// Close writes what is left and returns the first error.
func (c *CSV) Close() error { return c.flush() }

// flush passes on what the encoder has made.
func (c *CSV) flush() error {
	c.w.Flush()
	if c.err == nil {
		c.err = c.w.Error()
	}
	if c.err == nil && c.buf.Len() > 0 {
		c.err = c.u.write(c.u.opt.Stdout, c.buf.String())
	}
	c.buf.Reset()
	return c.err
}

// CSVCell returns s with one ' before it if a spreadsheet could take it for a
// formula: it starts with = + - @ TAB or CR, or with any number of ' before one
// of these. [CSVValue] is its inverse. See OWASP, CSV Injection.
func CSVCell(s string) string {
	if formula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// CSVValue takes the ' off again that [CSVCell] put before s.
func CSVValue(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && formula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return s
}

// formula reports whether s starts like one.
func formula(s string) bool { return s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) }
