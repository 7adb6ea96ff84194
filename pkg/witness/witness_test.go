package witness

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// cosigner signs as a witness does. That a witness which nobody here wrote does
// it so is tested with the whole program.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PrivateKey
	line string
}

func newCosigner(t testing.TB, name string) *cosigner {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keyed := append([]byte{algorithm}, public...)
	sum := sha256.Sum256(append([]byte(name+"\n"), keyed...))
	c := &cosigner{name: name, hash: binary.BigEndian.Uint32(sum[:]), key: private}
	c.line = fmt.Sprintf("%s+%08x+%s", name, c.hash, base64.StdEncoding.EncodeToString(keyed))
	return c
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Sign(text []byte) ([]byte, error) {
	const at = 1_764_072_000
	return append(binary.BigEndian.AppendUint64(nil, at), ed25519.Sign(c.key, signed(at, text))...), nil
}

func (c *cosigner) verifier(t testing.TB) *Verifier {
	t.Helper()
	v, err := NewVerifier(c.line)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checkpoint is one of size entries, signed by nobody the tests look at.
func checkpoint(size int) string {
	return fmt.Sprintf("logiqc/test/1\n%d\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— logiqc/test/1 AAAAAAAA\n", size)
}

// line is the cosignature that c answers with.
func (c *cosigner) cosign(t testing.TB, text string) string {
	t.Helper()
	body, _, _ := strings.Cut(text, "\n\n")
	msg, err := note.Sign(&note.Note{Text: body + "\n"}, c)
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(string(msg), "\n\n")
	return lines
}

// scripted answers requests in turn and keeps what was asked.
type scripted struct {
	answers []func(w http.ResponseWriter)
	asked   []string
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.asked = append(s.asked, r.Method+" "+r.URL.Path+"\n"+string(body))
	next := s.answers[0]
	s.answers = s.answers[1:]
	next(w)
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

func seen(size string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, size)
	}
}

func says(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { _, _ = io.WriteString(w, text) }
}

func TestCosign(t *testing.T) {
	c, other := newCosigner(t, "w.example/1"), newCosigner(t, "w.example/2")
	good, strange := c.cosign(t, checkpoint(9)), other.cosign(t, checkpoint(9))
	type answers = []func(http.ResponseWriter)
	for name, test := range map[string]struct {
		answers answers
		want    error
		olds    []string
	}{
		"at once":              {answers{says(good)}, nil, []string{"old 4\nproof4"}},
		"among others":         {answers{says(strange + good)}, nil, []string{"old 4\nproof4"}},
		"has seen less":        {answers{seen("2\n"), says(good)}, nil, []string{"old 4\nproof4", "old 2\nproof2"}},
		"has seen nothing":     {answers{seen("0\n"), says(good)}, nil, []string{"old 4\nproof4", "old 0\nproof0"}},
		"has seen all":         {answers{seen("9\n"), says(good)}, nil, []string{"old 4\nproof4", "old 9\nproof9"}},
		"has seen more":        {answers{seen("10\n")}, ErrAhead, nil},
		"same size, no":        {answers{seen("9\n"), seen("9\n")}, ErrInconsistent, nil},
		"unprocessable":        {answers{status(422)}, ErrInconsistent, nil},
		"unknown log":          {answers{status(404)}, ErrUnknownLog, nil},
		"unknown key":          {answers{status(403)}, ErrForbidden, nil},
		"broken":               {answers{status(500)}, ErrAnswer, nil},
		"elsewhere":            {answers{status(302)}, ErrAnswer, nil},
		"signature of another": {answers{says(strange)}, ErrAnswer, nil},
		"of another size":      {answers{says(c.cosign(t, checkpoint(8)))}, ErrAnswer, nil},
		"nothing":              {answers{says("")}, ErrAnswer, nil},
		"no size":              {answers{seen("many\n")}, ErrAnswer, nil},
		"negative size":        {answers{seen("-1\n")}, ErrAnswer, nil},
		"conflict of no kind":  {answers{status(409)}, ErrAnswer, nil},
		"never content":        {answers{seen("1\n"), seen("2\n"), seen("1\n"), seen("2\n")}, ErrAnswer, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{answers: test.answers}
			server := httptest.NewServer(s)
			defer server.Close()
			client := &Client{URL: server.URL + "/here/", Verifier: c.verifier(t), HTTP: server.Client()}
			got, err := client.Cosign(context.Background(), Log{Checkpoint: []byte(checkpoint(9)), Size: 9,
				Prove: func(old int64) ([]tlog.Hash, error) { return []tlog.Hash{{byte(old)}}, nil }}, 4)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err == nil && string(got) != checkpoint(9)+good {
				t.Errorf("cosigned: %q", got)
			}
			for i, old := range test.olds {
				head, proof, _ := strings.Cut(old, "\nproof")
				var n byte
				_, _ = fmt.Sscan(proof, &n)
				want := "POST /here/add-checkpoint\n" + head + "\n" + tlog.Hash{n}.String() + "\n\n" + checkpoint(9)
				if s.asked[i] != want {
					t.Errorf("request %d: %q, want %q", i, s.asked[i], want)
				}
			}
		})
	}
}

func TestVerifierLines(t *testing.T) {
	c := newCosigner(t, "w.example/1")
	v := c.verifier(t)
	if v.Name() != c.name || v.KeyHash() != c.hash {
		t.Errorf("%+v of %s", v, c.line)
	}
	_, logLine, err := note.GenerateKey(rand.Reader, "logiqc/test/1")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"", "+", "a+b+c", logLine, c.line + "A", c.line[1:], strings.Replace(c.line, "w.", "w ", 1),
		strings.ToUpper(c.line), c.line + "\n"} {
		if _, err := NewVerifier(line); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// A cosignature holds for its text and time only.
func TestOpen(t *testing.T) {
	c := newCosigner(t, "w.example/1")
	msg := checkpoint(9) + c.cosign(t, checkpoint(9))
	got, err := Open([]byte(msg), c.verifier(t))
	if err != nil || got.At.Unix() != 1_764_072_000 || !strings.HasPrefix(got.Text, "logiqc/test/1\n9\n") {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Open([]byte(strings.Replace(msg, "\n9\n", "\n8\n", 1)), c.verifier(t)); err == nil {
		t.Error("another text was accepted")
	}
	if _, err := Open([]byte(checkpoint(9)), c.verifier(t)); err == nil {
		t.Error("no cosignature was accepted")
	}
	text := []byte("x\n")
	sig, err := c.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sig {
		bad := append([]byte{}, sig...)
		bad[i] ^= 1
		if c.verifier(t).Verify(text, bad) {
			t.Errorf("byte %d does not matter", i)
		}
	}
	if c.verifier(t).Verify(text, sig[:len(sig)-1]) || c.verifier(t).Verify(text, nil) {
		t.Error("a short signature was accepted")
	}
}

func TestMerge(t *testing.T) {
	a, b := newCosigner(t, "w.example/1"), newCosigner(t, "w.example/2")
	base := checkpoint(9)
	lineA, lineB := a.cosign(t, base), b.cosign(t, base)
	if got := Merge(base, base+lineA, base+lineB, base+lineA, checkpoint(8)+a.cosign(t, checkpoint(8)), ""); got != base+lineA+lineB {
		t.Errorf("%q", got)
	}
	if got := Merge("", base); got != "" {
		t.Errorf("%q", got)
	}
}

func TestCheckURL(t *testing.T) {
	for url, good := range map[string]bool{
		"https://w.example": true, "https://w.example/a/b": true, "http://127.0.0.1:7380": true,
		"": false, "w.example": false, "ftp://w.example": false, "https://": false, "https://u:p@w.example": false,
		"https://w.example/?q": false, "https://w.example/#f": false,
	} {
		if err := CheckURL(url); (err == nil) != good {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	c := newCosigner(f, "w.example/1")
	f.Add(checkpoint(9) + c.cosign(f, checkpoint(9)))
	f.Add("")
	v := c.verifier(f)
	honest := "logiqc/test/1\n9\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
	f.Fuzz(func(t *testing.T, msg string) {
		if got, err := Open([]byte(msg), v); err == nil && got.Text != honest {
			t.Errorf("accepted %q", got.Text)
		}
	})
}
