package ui

import "strings"

// QRMatrix is a QR code's modules without a quiet zone: Size modules square,
// x to the right and y down from 0.
type QRMatrix interface {
	Size() int
	Dark(x, y int) bool
}

// qrColours draws light modules as glyphs on black. Both colours are of the
// fixed part of the 256-colour palette: default colours do not scan on light
// backgrounds. They are content, so NO_COLOR does not remove them.
const qrColours, qrReset = "\x1b[38;5;231;48;5;16m", "\x1b[0m"

// halfBlocks are the glyphs for upper and lower module: light is drawn. The blank
// is one that the drawing library does not take for one: it clears runs of blanks,
// and terminals without "bce" (GNU screen) clear to their own background.
var halfBlocks = map[[2]bool]string{
	{false, false}: "█", {false, true}: "▀", {true, false}: "▄", {true, true}: "\u00a0",
}

// RenderQR draws m in half blocks with a quiet zone of quiet modules: Size +
// 2·quiet columns and half as many lines (rounded up), each with its own
// colours and ending in a reset, joined by newlines.
func RenderQR(m QRMatrix, quiet int) string {
	side := m.Size() + 2*quiet
	lines := make([]string, 0, (side+1)/2)
	for y := 0; y < side; y += 2 {
		var b strings.Builder
		b.WriteString(qrColours)
		for x := range side {
			// Below the last line of an odd side there is nothing to light.
			b.WriteString(halfBlocks[[2]bool{dark(m, x-quiet, y-quiet), y+1 >= side || dark(m, x-quiet, y+1-quiet)}])
		}
		lines = append(lines, b.String()+qrReset)
	}
	return strings.Join(lines, "\n")
}

// RenderQRBlocks draws m as [RenderQR] does, with two blanks per module: 2·(Size +
// 2·quiet) columns and half as many lines. It scans even where the font has no half
// blocks. The colours are reversed, since such blanks are not cleared either.
func RenderQRBlocks(m QRMatrix, quiet int) string {
	side := m.Size() + 2*quiet
	lines := make([]string, side)
	for y := range side {
		var b strings.Builder
		was := -1
		for x := range side {
			if d := dark(m, x-quiet, y-quiet); was < 0 || d != (was == 1) {
				was = map[bool]int{false: 0, true: 1}[d]
				b.WriteString([]string{"\x1b[7;38;5;231m", "\x1b[7;38;5;16m"}[was])
			}
			b.WriteString("  ")
		}
		lines[y] = b.String() + qrReset
	}
	return strings.Join(lines, "\n")
}

// dark reports whether a module is dark; the quiet zone is light.
func dark(m QRMatrix, x, y int) bool {
	return x >= 0 && y >= 0 && x < m.Size() && y < m.Size() && m.Dark(x, y)
}

// fitQR returns the best drawing of m for a room of the given size and its
// width in cells, or "" when none fits: blocks for a big window, then half
// blocks, with the widest quiet zone of 4 (ISO/IEC 18004), 2 or 1 modules.
func fitQR(m QRMatrix, width, height int) (string, int) {
	if m == nil {
		return "", 0
	}
	for _, quiet := range []int{4, 2} {
		if side := m.Size() + 2*quiet; 2*side <= width && side <= height {
			return RenderQRBlocks(m, quiet), 2 * side
		}
	}
	for _, quiet := range []int{4, 2, 1} {
		if side := m.Size() + 2*quiet; side <= width && (side+1)/2 <= height {
			return RenderQR(m, quiet), side
		}
	}
	return "", 0
}
