package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// pictures are how to get the terminal to show each.
var pictures = map[string]func(h *home) *uitest.Terminal{
	"dialog": func(h *home) *uitest.Terminal {
		x := h.terminal(80, 18, "mfa", "reset", "jlee")
		x.Wait("[ Cancel ]")
		return x
	},
	"account": func(h *home) *uitest.Terminal {
		soon := time.Now().Add(4 * time.Minute)
		h.exec(h.db(), `UPDATE account SET password_misses = 7, password_until = ?1, failure_at = ?2, failure_reason = 'wrong_password',
			failure_host = 'ward3-pc2' WHERE username = 'jlee'`, soon.UnixMilli(), soon.Add(-5*time.Minute).UnixMilli())
		h.as("priya")
		x := h.terminal(80, 17, "users", "show", "jlee")
		x.Wait("See its log")
		return x
	},
	"approve": func(h *home) *uitest.Terminal {
		h.contactChanged()
		a := h.ask("priya", "mchen")
		x := h.terminal(80, 23, "mfa", "approve", a.Short)
		x.Wait("[ Leave it open ]")
		return x
	},
	"grounds": func(h *home) *uitest.Terminal {
		h.strict()
		h.as("priya")
		x := h.terminal(80, 11, "mfa", "reset", "jlee", "--enrolment-code")
		x.Wait("> new phone")
		x.Send(uitest.Enter)
		reply(x, "Ticket", "INC104412")
		x.Wait("How was the caller verified?", "callback")
		return x
	},
	"code": func(h *home) *uitest.Terminal {
		h.as("priya")
		x := h.terminal(80, 12, "mfa", "reset", "jlee", "--enrolment-code")
		x.Wait("[ Cancel ]")
		x.Send(uitest.Left, uitest.Enter)
		x.Wait(" once.")
		return x
	},
	"admin": func(h *home) *uitest.Terminal {
		h.exec(h.db(), `UPDATE account SET last_success_at = ?1`, created.AddDate(1, 11, 7).UnixMilli())
		h.as("priya")
		return h.admin(80, 22, "jlee")
	},
	"enrolment": func(h *home) *uitest.Terminal {
		h.nobody()
		x := h.terminal(80, 24, "signin", "--user", "rgold")
		reply(x, "Password", password)
		x.Wait("Issuer", "Esc cancel")
		return x
	},
}

// The pictures of the docs are what a terminal shows of the real program. They
// are drawn anew by
//
//	go test ./cmd/logiqc -run TestPictures -update
//
// and looked at by a person; the golden screens are what tests compare.
func TestPictures(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, draw := range pictures {
		t.Run(name, func(t *testing.T) {
			x := draw(tpl.home(t))
			picture := svg(x)
			if !strings.Contains(picture, "</svg>") || strings.Count(picture, "<text") < 5 {
				t.Fatalf("an empty picture:\n%s", x.Screen())
			}
			x.Send(uitest.Esc, uitest.CtrlC)
			x.Exit()
			if *update {
				path := filepath.Join("..", "..", "docs", "pictures", name+".svg")
				if err := os.WriteFile(path, []byte(picture), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A cell of the picture in pixels, and the frame around it all.
const (
	cellWidth, cellHeight = 9, 18
	frame                 = 12
)

// svg draws the screen: block glyphs as rectangles, so that a QR code scans
// from the picture, and everything else as text.
func svg(x *uitest.Terminal) string {
	lines := strings.Split(x.Screen(), "\n")
	var shapes strings.Builder
	for row, line := range lines {
		col := 0
		for _, r := range line {
			cell := x.Cell(col, row)
			left, top := frame+col*cellWidth, frame+row*cellHeight
			switch half := cellHeight / 2; r {
			case ' ':
			case '█':
				rect(&shapes, left, top, cellHeight, cell.Fg)
			case '▀':
				rect(&shapes, left, top, half, cell.Fg)
			case '▄':
				rect(&shapes, left, top+half, half, cell.Fg)
			default:
				fmt.Fprintf(&shapes, `<text x="%d" y="%d">%s</text>`+"\n", left, top+cellHeight-5, html.EscapeString(string(r)))
			}
			col++
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="monospace" font-size="15" fill="#e6e6e6">
<rect width="100%%" height="100%%" rx="8" fill="#101418"/>
%s</svg>
`, 80*cellWidth+2*frame, len(lines)*cellHeight+2*frame, shapes.String())
}

func rect(b *strings.Builder, x, y, height int, c [3]uint8) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="#%02x%02x%02x" shape-rendering="crispEdges"/>`+"\n",
		x, y, cellWidth, height, c[0], c[1], c[2])
}
