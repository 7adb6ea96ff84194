package totp

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/boombuler/barcode/qr"
)

const (
	quietZone   = 4 // modules of white around the code (ISO/IEC 18004)
	maxPNGScale = 64
)

// Bitmap is a QR code as a square of dark and light modules, without the
// quiet zone. Since it is the secret in another script, it prints as
// "[redacted]". The zero Bitmap is empty.
type Bitmap struct {
	redacted
	size int
	dark func(x, y int) bool // within size
}

// QR encodes uri at error correction level L: screens do not get dirty, and
// the code stays as small as it can be. It fails when uri is empty or too
// long for a QR code; the error does not repeat it.
func QR(uri string) (Bitmap, error) {
	if uri == "" {
		return Bitmap{}, errors.New("QR code: nothing to encode")
	}
	code, err := qr.Encode(uri, qr.L, qr.Auto)
	if err != nil {
		return Bitmap{}, fmt.Errorf("QR code: %d bytes cannot be encoded", len(uri))
	}
	size := code.Bounds().Dx()
	return Bitmap{size: size, dark: func(x, y int) bool {
		return color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y < 128
	}}, nil
}

// Size returns the number of modules on a side: 21, 25, … 177; 0 for the
// zero Bitmap.
func (b Bitmap) Size() int { return b.size }

// Dark reports whether the module in column x and row y, counted from 0 at
// the top left, is dark. Outside the code it is light, as the quiet zone is.
func (b Bitmap) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < b.size && y < b.size && b.dark(x, y)
}

// PNG writes the code as a black and white picture with scale pixels, 1 to
// 64, to the module and a quiet zone of four modules. It fails for another
// scale, for the zero Bitmap, and when w does.
func (b Bitmap) PNG(w io.Writer, scale int) error {
	if b.Size() == 0 {
		return errors.New("QR code: nothing to draw")
	}
	if scale < 1 || scale > maxPNGScale {
		return fmt.Errorf("QR code: scale must be 1 to %d", maxPNGScale)
	}
	side := (b.Size() + 2*quietZone) * scale
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if b.Dark(x/scale-quietZone, y/scale-quietZone) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	if err := png.Encode(w, picture); err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	return nil
}
