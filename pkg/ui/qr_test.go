package ui

import (
	"image"
	"image/color"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// photograph draws part of the screen as pixels, four by four to half a cell,
// from row top on: modules columns and as many half rows.
func photograph(x *uitest.Terminal, top, modules int) image.Image {
	img := image.NewGray(image.Rect(0, 0, 4*modules, 4*modules))
	for half := range modules {
		for col := range modules {
			c := x.Cell(col, top+half/2)
			light := c.Bg
			if c.Text == "█" || (c.Text == "▀" && half%2 == 0) || (c.Text == "▄" && half%2 == 1) {
				light = c.Fg
			}
			for p := range 16 {
				img.SetGray(4*col+p%4, 4*half+p/4, color.Gray{Y: light[0]})
			}
		}
	}
	return img
}

// photographBlocks draws a screen of blank cells, two to a module.
func photographBlocks(x *uitest.Terminal, modules int) image.Image {
	img := image.NewGray(image.Rect(0, 0, 4*modules, 4*modules))
	for row := range modules {
		for col := range modules {
			for p := range 16 {
				img.SetGray(4*col+p%4, 4*row+p/4, color.Gray{Y: x.Cell(2*col+p%4/2, row).Bg[0]})
			}
		}
	}
	return img
}

// scan reads the QR code of a picture.
func scan(t *testing.T, img image.Image) string {
	t.Helper()
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	// PURE_BARCODE: the general detector misses some perfect codes.
	r, err := qrcode.NewQRCodeReader().Decode(bmp, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	return r.GetText()
}

// TestQROnScreen reads the code back from the cells of the enrolment screen,
// with and without colours.
func TestQROnScreen(t *testing.T) {
	for _, o := range []Options{{}, {Getenv: env("NO_COLOR=1")}, {Color: "never"}, {NoAltScreen: true}} {
		x, _ := openEnrol(t, 80, 24, enrolScreen(), o)
		x.Wait("▀▀▀▀▀▀▀▀\nEnter send")
		above, _, _ := strings.Cut(x.Screen(), "█")
		if got := scan(t, photograph(x, strings.Count(above, "\n"), 41)); got != secretURI {
			t.Errorf("scanned %q", got)
		}
		x.Send(uitest.Esc)
		x.Exit()
	}
}

var modes = regexp.MustCompile(`\x1b\[([0-9;]*)([mXKJ])`)

// GNU screen clears to its own background, whatever colour is set; then whole runs
// of the code were missing in a big window. Nothing of it is drawn by clearing.
func TestQRIsNotCleared(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 60}} {
		x, _ := openEnrol(t, size[0], size[1], enrolScreen(), Options{})
		x.Wait("Enter send")
		drawn, coloured := "", false
		_, drawn, _ = strings.Cut(x.Output(), "\x1b[?1049h")
		for _, m := range modes.FindAllStringSubmatch(drawn, -1) {
			switch {
			case m[2] != "m":
				if coloured {
					t.Errorf("%v: %q clears in a colour", size, m[0])
				}
			case strings.Contains(m[1], "48;5") || strings.Contains(m[1], "38;5"):
				coloured = true
			case m[1] == "" || m[1] == "0":
				coloured = false
			}
		}
		x.Send(uitest.Esc)
		x.Exit()
	}
}

func TestRenderQR(t *testing.T) {
	m := encode(secretURI)
	if m.Size() != 37 {
		t.Fatalf("size %d; the screen is laid out for 37", m.Size())
	}
	for _, c := range []struct {
		name          string
		drawing       string
		width, height int
	}{
		{"half blocks, quiet zone 2", RenderQR(m, 2), 41, 21},
		{"half blocks, quiet zone 4", RenderQR(m, 4), 45, 23},
		{"blocks", RenderQRBlocks(m, 2), 82, 41},
	} {
		lines := strings.Split(c.drawing, "\n")
		if len(lines) != c.height || ansi.StringWidth(lines[0]) != c.width {
			t.Errorf("%s: %dx%d", c.name, ansi.StringWidth(lines[0]), len(lines))
		}
		x := uitest.New(t, c.width+1, c.height+1)
		if _, err := x.TTY().WriteString(c.drawing + "\nend"); err != nil {
			t.Fatal(err)
		}
		x.Wait("end")
		shot := photograph(x, 0, c.width)
		if c.width == 2*c.height {
			shot = photographBlocks(x, c.height)
		}
		if got := scan(t, shot); got != secretURI {
			t.Errorf("%s: scanned %q", c.name, got)
		}
	}
}

func TestFitQR(t *testing.T) {
	m := encode(secretURI)
	for _, c := range []struct{ width, height, want int }{
		{41, 21, 41}, {45, 23, 45}, {39, 20, 39}, {38, 40, 0}, {80, 19, 0}, {82, 41, 82}, {81, 41, 45}, {90, 45, 90}, {90, 44, 82},
	} {
		if _, w := fitQR(m, c.width, c.height); w != c.want {
			t.Errorf("%dx%d: %d columns, want %d", c.width, c.height, w, c.want)
		}
	}
	if s, w := fitQR(nil, 100, 100); s != "" || w != 0 {
		t.Error("drew a code that is not there")
	}
}
