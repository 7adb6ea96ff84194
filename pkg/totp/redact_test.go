package totp

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// canary is a secret whose every spelling is looked for in what is printed.
var canary = []byte("canary-in-a-coal-pit")

// spellings are the ways the canary could appear: as text, base32, hex in
// both cases, and as the decimal, octal and binary bytes that fmt prints.
func spellings(t *testing.T) []string {
	k := mustKey(t, canary)
	head := canary[:4]
	return []string{
		"canary", "CANARY", k.Base32()[:8], strings.ToLower(k.Base32()[:8]),
		hex.EncodeToString(head), strings.ToUpper(hex.EncodeToString(head)),
		strings.Trim(fmt.Sprintf("%d", head), "[]"), strings.Trim(fmt.Sprintf("%o", head), "[]"),
		strings.Trim(fmt.Sprintf("%b", head), "[]"), strings.Trim(fmt.Sprintf("%#v", head), "[]byte{}"),
		"Y2FuYXJ5", "k7f2", "K7F2", "true true", "true, true", // base64; the recovery code; modules
	}
}

func secrets(t *testing.T) []any {
	k := mustKey(t, canary)
	c, _ := ParseRecoveryCode("k7f2-dm9q-x4tt-8wnc")
	q, err := QR(URI("Logiqc", "jlee", k))
	if err != nil {
		t.Fatal(err)
	}
	type exported struct {
		K Key
		C RecoveryCode
		Q Bitmap
	}
	type hidden struct {
		k  Key
		kp *Key
		c  []RecoveryCode
		m  map[string]Bitmap
		a  any
	}
	return []any{
		k, &k, c, &c, q, &q, []Key{k}, []RecoveryCode{c, c}, map[string]Key{"k": k},
		URIParts{Issuer: "i", Account: "a", Key: k}, exported{k, c, q}, &exported{k, c, q},
		hidden{k, &k, []RecoveryCode{c}, map[string]Bitmap{"q": q}, k}, &hidden{k: k, a: c},
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	words := spellings(t)
	var verbs []string
	for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "# ", "40", ".3"} {
		for verb := 'A'; verb <= 'z'; verb++ {
			verbs = append(verbs, "%"+flags+string(verb))
		}
	}
	for _, v := range secrets(t) {
		for _, verb := range verbs {
			if out := fmt.Sprintf(verb, v); leaks(out, words) {
				t.Errorf("%s of %T prints a secret: %.80s", verb, v, out)
			}
		}
		for _, out := range encodings(t, v) {
			if leaks(out, words) {
				t.Errorf("%T is encoded with a secret: %.80s", v, out)
			}
		}
		if out := panicText(v); leaks(out, words) {
			t.Errorf("a panic with %T prints a secret: %.80s", v, out)
		}
	}
	if !leaks(fmt.Sprintf("%+v", struct{ b []byte }{canary}), words) || !leaks(fmt.Sprintf("%x", canary), words) {
		t.Error("this test does not see a leak")
	}
}

func leaks(out string, words []string) bool {
	for _, word := range words {
		if strings.Contains(out, word) {
			return true
		}
	}
	return false
}

// encodings returns v as JSON, XML, text and structured log lines.
func encodings(t *testing.T, v any) []string {
	var out []string
	if j, err := json.Marshal(v); err == nil {
		out = append(out, string(j))
	}
	if x, err := xml.Marshal(v); err == nil {
		out = append(out, string(x))
	}
	if m, ok := v.(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		if err != nil {
			t.Error(err)
		}
		out = append(out, string(text))
	}
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		slog.New(h).Info("m", "v", v, slog.Group("g", "v", v))
	}
	return append(out, buf.String(), errors.Join(fmt.Errorf("e %v", v)).Error())
}

func panicText(v any) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	panic(v)
}

func TestRedactedText(t *testing.T) {
	for _, v := range secrets(t)[:6] {
		j, err := json.Marshal(v)
		if fmt.Sprint(v) != "[redacted]" || fmt.Sprintf("%#v", v) != "[redacted]" || err != nil || string(j) != `"[redacted]"` {
			t.Errorf("%T prints %v and %s", v, v, j)
		}
		if s, ok := v.(fmt.GoStringer); !ok || s.GoString() != "[redacted]" || v.(fmt.Stringer).String() != "[redacted]" ||
			v.(slog.LogValuer).LogValue().String() != "[redacted]" {
			t.Errorf("%T is not redacted everywhere", v)
		}
	}
}
