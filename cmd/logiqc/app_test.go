package main

import (
	"errors"
	"image"
	"image/color"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/logiqc/logiqc/pkg/totp"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// phone is somebody's authenticator app, which learned the setup key from what
// the terminal showed.
type phone struct{ totp.URIParts }

// scan points the phone at the terminal, as long as it takes to read the QR
// code there: the screen may be half drawn at the first look.
func scan(t *testing.T, x *uitest.Terminal) phone {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		text, err := readQR(x)
		if err == nil {
			parts, err := totp.ParseURI(text)
			if err != nil {
				t.Fatal(err)
			}
			return phone{parts}
		}
		if time.Now().After(end) {
			t.Fatalf("scan: %v\n%s", err, x.Screen())
		}
	}
}

// readQR reads the QR code from the cells of the screen, half a cell to a
// module.
func readQR(x *uitest.Terminal) (string, error) {
	lines := strings.Split(x.Screen(), "\n")
	top := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "██████") })
	if top < 0 {
		return "", errors.New("no QR code on the screen")
	}
	side := len([]rune(lines[top])) - len([]rune(strings.TrimLeft(lines[top], "█")))
	img := image.NewGray(image.Rect(0, 0, 4*side, 4*side))
	for half := range side {
		for col := range side {
			c := x.Cell(col, top+half/2)
			shade := c.Bg
			if c.Text == "█" || c.Text == "▀" && half%2 == 0 || c.Text == "▄" && half%2 == 1 {
				shade = c.Fg
			}
			for p := range 16 {
				img.SetGray(4*col+p%4, 4*half+p/4, color.Gray{Y: shade[0]})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", err
	}
	// PURE_BARCODE: the general detector misses some perfect codes.
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		return "", err
	}
	return read.GetText(), nil
}

// keyRows are the rows of a setup key on a screen.
var keyRows = regexp.MustCompile(`\b([A-Z2-7]{4} ){1,3}[A-Z2-7]{4}\b`)

// typeIn gives the phone the setup key by hand.
func typeIn(t *testing.T, x *uitest.Terminal) phone {
	t.Helper()
	key, err := totp.ParseKey(strings.Join(keyRows.FindAllString(x.Screen(), -1), ""))
	if err != nil {
		t.Fatalf("%v:\n%s", err, x.Screen())
	}
	return phone{totp.URIParts{Key: key}}
}

// code is what the phone shows, its clock being off by that much.
func (p phone) code(off time.Duration) string {
	return totp.Code(p.Key, totp.Step(time.Now().Add(off)))
}

// recoveryCode is what a recovery code looks like.
var recoveryCode = regexp.MustCompile(`\b([0-9a-z]{4}-){3}[0-9a-z]{4}\b`)

// keepRecoveryCodes takes down the ten codes of the screen and leaves it.
func keepRecoveryCodes(t *testing.T, x *uitest.Terminal, user string) []string {
	t.Helper()
	x.Wait("Recovery codes of "+user, "Press Enter when you have kept them.")
	codes := recoveryCode.FindAllString(x.Screen(), -1)
	if len(codes) != 10 || !x.AltScreen() {
		t.Fatalf("%d recovery codes, alternate screen %t:\n%s", len(codes), x.AltScreen(), x.Screen())
	}
	x.Send(uitest.Enter)
	return codes
}

// reply answers a question once it is asked.
func reply(x *uitest.Terminal, question, answer string) {
	x.Wait(question)
	x.Send(answer + uitest.Enter)
}

// leavesNothing wants a terminal as it was, with none of the secrets on it or
// above it.
func leavesNothing(t *testing.T, x *uitest.Terminal, p phone, codes []string) {
	t.Helper()
	if !x.Restored() || x.AltScreen() {
		t.Error("the terminal is not as it was")
	}
	history := x.History()
	for _, secret := range append(append(codes, p.Key.Groups()...), p.Key.Base32(), "otpauth", "██", password) {
		if strings.Contains(history, secret) {
			t.Errorf("%q is left on the terminal:\n%s", secret, history)
		}
	}
}
