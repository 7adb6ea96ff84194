//go:build unix

package main

import (
	"bytes"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// The application of docs/integrate.md, as it stands there: somebody whose MFA
// was reset is told so, sets up an app by the picture and is signed in; the next
// time the code is enough. The log has the user's address and the application.
func TestIntegrate(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	p := h.portal()
	h.must("mfa", "reset", "jlee", "--yes", "--reason", "new phone")

	first := p.start(t)
	first.answers(t, "Username:", "jlee")
	first.answers(t, "Password:", password)
	first.waitFor(t, "Code:")
	if said := first.out.String(); !regexp.MustCompile(`! Your MFA was reset on \d+ \w+ \d{4} at \d\d:\d\d UTC by helen`).MatchString(said) {
		t.Errorf("the user is not told of the reset:\n%s", said)
	}
	uri := readPNG(t, h.read(filepath.Join(p.dir, "qr.png")))
	if !strings.Contains(first.out.String(), "or open "+uri+"\n") {
		t.Errorf("the picture says %s, and the text %s", uri, first.out)
	}
	parts, err := totp.ParseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	app := phone{parts}
	first.says(t, totp.Code(secretOf("mchen"), totp.Step(time.Now()))) // of another app
	first.waitFor(t, "Code:\n", "Code:\n")
	first.says(t, app.code(0))
	first.finish(t, "Recovery code: ", "Signed in.")

	second := p.start(t)
	second.answers(t, "Username:", "jlee")
	second.answers(t, "Password:", password)
	second.answers(t, "Code:", app.code(totp.Period))
	if second.finish(t, "Signed in."); strings.Contains(second.out.String(), "!") {
		t.Errorf("the user is told again:\n%s", second.out)
	}
	events, err := h.service("tom").Events(t.Context(), logiqc.EventQuery{Target: "jlee", Actions: []logiqc.Action{logiqc.SigninSucceeded}, Limit: 2})
	if err != nil || len(events.Events) != 2 {
		t.Fatalf("%+v, %v", events, err)
	}
	for _, e := range events.Events {
		if e.Source.IP != "203.0.113.9" || e.Source.App != "portal" {
			t.Errorf("event %d came from %+v", e.Seq, e.Source)
		}
	}
	h.secondFactor(p.server)
}

// secondFactor checks a code as the page says, once.
func (h *home) secondFactor(server string) {
	h.t.Helper()
	token := strings.TrimSpace(h.must("tokens", "create", "vpn", "--allow", "second_factor"))
	body := `{"user":"mchen","code":"` + totp.Code(secretOf("mchen"), totp.Step(time.Now())) + `","client":{"ip":"203.0.113.9"}}`
	for _, want := range []string{`"outcome":"passed"`, `"code":"wrong_code"`} {
		r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, server+"/v1/second-factor", strings.NewReader(body))
		if err != nil {
			h.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			h.t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(got), want) {
			h.t.Errorf("%s is not in %s, %v", want, got, err)
		}
	}
}

// portal is the application of the page, built, with its token and a server.
type portal struct {
	dir, program, server, token string
}

func (h *home) portal() portal {
	h.t.Helper()
	p := portal{dir: h.t.TempDir()}
	code := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(h.read(filepath.Join("..", "..", "docs", "integrate.md")))
	if code == nil {
		h.t.Fatal("docs/integrate.md has no application")
	}
	h.write(filepath.Join(p.dir, "portal.go"), string(code[1]))
	p.program = filepath.Join(p.dir, "portal")
	build := exec.CommandContext(h.t.Context(), "go", "build", "-o", p.program, "portal.go")
	build.Dir = p.dir
	if out, err := build.CombinedOutput(); err != nil {
		h.t.Fatalf("the application does not build: %v\n%s", err, out)
	}
	p.token = strings.TrimSpace(h.must("tokens", "create", "portal", "--role", "app"))
	p.server = h.serve("--listen", "127.0.0.1:0").Listening[0]
	return p
}

// talk is the application, talking to a user.
type talk struct {
	c   *exec.Cmd
	in  io.WriteCloser
	out *output
}

func (p portal) start(t *testing.T) *talk {
	t.Helper()
	k := &talk{c: exec.CommandContext(t.Context(), p.program), out: &output{}}
	k.c.Dir = p.dir
	k.c.Env = append(os.Environ(), "LOGIQC_URL="+p.server, "LOGIQC_TOKEN="+p.token)
	k.c.Stdout, k.c.Stderr = k.out, k.out
	var err error
	if k.in, err = k.c.StdinPipe(); err == nil {
		err = k.c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// waitFor waits until the application has said the words, in that order.
func (k *talk) waitFor(t *testing.T, words ...string) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		rest, found := k.out.String(), true
		for _, word := range words {
			_, after, ok := strings.Cut(rest, word)
			rest, found = after, found && ok
		}
		if found {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("it does not say %q:\n%s", words, k.out)
		}
	}
}

func (k *talk) says(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(k.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (k *talk) answers(t *testing.T, question, line string) {
	t.Helper()
	k.waitFor(t, question)
	k.says(t, line)
}

func (k *talk) finish(t *testing.T, words ...string) {
	t.Helper()
	k.waitFor(t, words...)
	if err := k.c.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, k.out)
	}
}

func readPNG(t *testing.T, picture []byte) string {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	read, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return read.GetText()
}
