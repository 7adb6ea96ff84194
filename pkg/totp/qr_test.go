package totp

import (
	"bytes"
	"errors"
	"image/png"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"
)

// scan reads the text of a QR code from a PNG, at the given scale.
func scan(t testing.TB, b Bitmap, scale int) string {
	t.Helper()
	var file bytes.Buffer
	if err := b.PNG(&file, scale); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	if side := (b.Size() + 8) * scale; picture.Bounds().Dx() != side || picture.Bounds().Dy() != side {
		t.Fatalf("picture is %v, want %d pixels on a side", picture.Bounds(), side)
	}
	source, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(source, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE: true,
	})
	if err != nil {
		t.Fatalf("not readable at scale %d: %v", scale, err)
	}
	return result.GetText()
}

func TestQRReadsBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.StringMatching(`[^:\s\pC]{1,24}`)
		uri := URI(name.Draw(r, "issuer"), name.Draw(r, "account"), mustKey(t, rapid.SliceOfN(rapid.Byte(), 10, 64).Draw(r, "key")))
		b, err := QR(uri)
		if err != nil {
			r.Fatal(err)
		}
		if got := scan(t, b, rapid.IntRange(1, 6).Draw(r, "scale")); got != uri {
			r.Fatalf("scanned %q, want %q", got, uri)
		}
	})
}

// A code for an ordinary account fits the smallest terminal: version 5, that
// is 37 modules.
func TestQRSize(t *testing.T) {
	b, err := QR(URI("Logiqc", "jlee", rfcKey(t)))
	if err != nil || b.Size() > 37 {
		t.Errorf("%d modules: %v", b.Size(), err)
	}
	for _, at := range [][2]int{{0, 0}, {b.Size() - 1, 0}, {0, b.Size() - 1}} {
		if !b.Dark(at[0], at[1]) {
			t.Errorf("no finder pattern at %v", at)
		}
	}
	for _, at := range [][2]int{{-1, 0}, {0, -1}, {b.Size(), 0}, {0, b.Size()}} {
		if b.Dark(at[0], at[1]) {
			t.Errorf("dark outside the code, at %v", at)
		}
	}
}

func TestQRRefuses(t *testing.T) {
	for _, uri := range []string{"", strings.Repeat("canary", 1000)} {
		if b, err := QR(uri); err == nil || b.Size() != 0 || strings.Contains(err.Error(), "canary") {
			t.Errorf("QR of %d bytes: %v", len(uri), err)
		}
	}
	b, err := QR("otpauth://totp/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, scale := range []int{-1, 0, 65} {
		if err := b.PNG(&bytes.Buffer{}, scale); err == nil {
			t.Errorf("scale %d was accepted", scale)
		}
	}
	if err := (Bitmap{}).PNG(&bytes.Buffer{}, 4); err == nil || (Bitmap{}).Dark(0, 0) {
		t.Error("the zero Bitmap was drawn")
	}
	if err := b.PNG(fullDisk{}, 4); !errors.Is(err, errFull) {
		t.Errorf("a failed write gives %v", err)
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
