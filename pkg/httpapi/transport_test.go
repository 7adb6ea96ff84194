package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// running is a server on loopback for a test.
type running struct {
	*Server
	url  string
	cert *Certificate
	log  *strings.Builder // read it after [running.stop]
	stop func()
}

// start serves a handler with a certificate, or plainly with none.
func start(t *testing.T, cert *Certificate, h http.Handler) *running {
	t.Helper()
	return startWith(t, cert, h, func(*Server) {})
}

// startWith is start with a server that set has changed before it serves.
func startWith(t *testing.T, cert *Certificate, h http.Handler, set func(*Server)) *running {
	t.Helper()
	l, err := Listen(t.Context(), "127.0.0.1:0", cert)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{cert: cert, log: &strings.Builder{}}
	r.Server = NewServer(h, NewMetrics("test"), slog.New(slog.NewTextHandler(r.log, nil)))
	set(r.Server)
	scheme := "http"
	if cert != nil {
		scheme = "https"
	}
	r.url = scheme + "://" + l.Addr().String()
	r.serve(t, l)
	return r
}

func (r *running) serve(t *testing.T, l net.Listener) {
	done := make(chan error, 1)
	go func() { done <- r.Serve(l) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := errors.Join(r.Shutdown(ctx), <-done); err != nil {
			t.Errorf("the server did not stop: %v", err)
		}
	}
	t.Cleanup(func() { r.stop() })
}

func selfSigned(t *testing.T, hosts ...string) (*Certificate, []byte) {
	t.Helper()
	text, err := SelfSigned(hosts, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := CertificatePEM(text)
	if err != nil {
		t.Fatal(err)
	}
	return c, text
}

// files writes the certificate and its key as two files.
func files(t *testing.T, text []byte) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		name := filepath.Join(dir, map[string]string{"CERTIFICATE": "cert.pem", "PRIVATE KEY": "key.pem"}[block.Type])
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "hello")
}

// fetch asks the target for a path and returns the body.
func fetch(t *testing.T, to Target, method, path, body string) (string, error) {
	t.Helper()
	client, base, err := to.Client()
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, got)
	}
	return string(got), err
}

// The right pin is trust enough, whatever name the certificate is for; a wrong
// one says what was expected and seen; without one a self-signed certificate
// is not believed.
func TestPin(t *testing.T) {
	cert, text := selfSigned(t, "mfa1.example")
	s := start(t, cert, http.HandlerFunc(hello))
	if got, err := fetch(t, Target{URL: s.url, Pin: cert.Pin()}, "GET", "/", ""); got != "hello" || err != nil {
		t.Errorf("with the pin: %q, %v", got, err)
	}
	other, _ := selfSigned(t, "127.0.0.1")
	_, err := fetch(t, Target{URL: s.url, Pin: other.Pin()}, "GET", "/", "")
	if e := logiqc.AsError(err); e.Code != logiqc.Unavailable || !strings.Contains(e.Message, "expected "+other.Pin()+", saw "+cert.Pin()) || e.Hint == "" {
		t.Errorf("with another pin: %+v", e)
	}
	_, err = fetch(t, Target{URL: s.url}, "POST", "/", "x")
	if e := logiqc.AsError(err); e.Code != logiqc.Unavailable || !strings.Contains(e.Hint, "--pin") {
		t.Errorf("without a pin: %+v", e)
	}
	if _, err := fetch(t, Target{URL: s.url, Pin: cert.Pin()[:20]}, "GET", "/", ""); !errors.Is(err, logiqc.Usage) {
		t.Errorf("with a part of the pin: %v", err)
	}
	seen, err := x509.ParseCertificate(cert.current.Load().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, resumed := range []bool{false, true} {
		if err := checkPin(other.Pin())(tls.ConnectionState{DidResume: resumed, PeerCertificates: []*x509.Certificate{seen}}); err == nil {
			t.Errorf("another pin is taken where the connection is resumed: %t", resumed)
		}
	}
	authority, _ := files(t, text)
	if _, err := fetch(t, Target{URL: s.url, CAFile: authority, Pin: cert.Pin()}, "GET", "/", ""); !errors.Is(err, logiqc.Unavailable) {
		t.Errorf("with an authority the name counts, and the pin is not enough: %v", err)
	}
}

func TestCAFile(t *testing.T) {
	cert, text := selfSigned(t, "127.0.0.1")
	authority, _ := files(t, text)
	s := start(t, cert, http.HandlerFunc(hello))
	if got, err := fetch(t, Target{URL: s.url, CAFile: authority}, "GET", "/", ""); got != "hello" || err != nil {
		t.Errorf("with its authority: %q, %v", got, err)
	}
	c, err := Target{CAFile: authority}.trust()
	only := x509.NewCertPool()
	if err != nil || !only.AppendCertsFromPEM(text) || !c.RootCAs.Equal(only) {
		t.Errorf("beside its authority others are believed: %v", err)
	}
	other, _ := selfSigned(t, "127.0.0.1")
	_, err = fetch(t, Target{URL: s.url, CAFile: authority, Pin: other.Pin()}, "GET", "/", "")
	if !errors.Is(err, logiqc.Unavailable) || !strings.Contains(err.Error(), "expected "+other.Pin()) {
		t.Errorf("the right authority and a wrong pin: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, "missing.pem"} {
		if _, err := fetch(t, Target{URL: s.url, CAFile: file}, "GET", "/", ""); !errors.Is(err, logiqc.Usage) {
			t.Errorf("authorities in %s: %v", file, err)
		}
	}
}

// A server takes a renewed certificate while it serves; one that does not fit
// its key is refused and the old one stays.
func TestReload(t *testing.T) {
	_, first := selfSigned(t, "127.0.0.1")
	certFile, keyFile := files(t, first)
	cert, err := CertificateFiles(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, cert, http.HandlerFunc(hello))
	old := cert.Pin()
	_, second := selfSigned(t, "127.0.0.1")
	newCert, newKey := files(t, second)
	replace(t, newCert, certFile)
	if err := cert.Reload(); !errors.Is(err, logiqc.Usage) {
		t.Errorf("a certificate with the key of another: %v", err)
	}
	if _, err := fetch(t, Target{URL: s.url, Pin: old}, "GET", "/", ""); err != nil {
		t.Errorf("the old one does not stay: %v", err)
	}
	replace(t, newKey, keyFile)
	if err := cert.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t, Target{URL: s.url, Pin: old}, "GET", "/", ""); !errors.Is(err, logiqc.Unavailable) {
		t.Errorf("the old one is still shown: %v", err)
	}
	if _, err := fetch(t, Target{URL: s.url, Pin: cert.Pin()}, "GET", "/", ""); err != nil {
		t.Errorf("the new one is not shown: %v", err)
	}
	if err := os.Chmod(keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := cert.Reload(); !errors.Is(err, logiqc.Usage) || logiqc.AsError(err).Hint == "" {
		t.Errorf("a key that everybody can read: %v", err)
	}
}

func replace(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// Plain HTTP is for this machine only, by name or number, and old versions of
// TLS are spoken with nobody.
func TestListen(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0"} {
		_, err := Listen(t.Context(), addr, nil)
		if e := logiqc.AsError(err); err == nil || e.Code != logiqc.Usage || !strings.Contains(e.Hint, "--tls-self-signed") {
			t.Errorf("plain on %s: %v", addr, err)
		}
	}
	l, err := Listen(t.Context(), "localhost:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if _, err := Listen(t.Context(), l.Addr().String(), nil); !errors.Is(err, logiqc.Unavailable) {
		t.Errorf("an address in use: %v", err)
	}
	if _, err := Listen(t.Context(), "8443", nil); !errors.Is(err, logiqc.Usage) {
		t.Errorf("no address: %v", err)
	}
	cert, _ := selfSigned(t, "127.0.0.1")
	s := start(t, cert, http.HandlerFunc(hello))
	c, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if err == nil {
		_ = c.Close()
		t.Error("TLS 1.1 is spoken")
	}
	old := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} // #nosec G402 -- what the client has to refuse
	old.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	old.StartTLS()
	defer old.Close()
	if _, err := fetch(t, Target{URL: old.URL, Pin: PinOf(old.Certificate())}, "GET", "/", ""); !errors.Is(err, logiqc.Unavailable) {
		t.Errorf("TLS 1.1 is spoken with an old server: %v", err)
	}
}

// Whoever cannot be reached is Unavailable within the timeout, also one that
// takes the connection and says nothing.
func TestUnreachable(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mute.Close() }()
	for name, to := range map[string]Target{
		"nobody there":         {URL: "http://" + gone.Addr().String()},
		"no TLS answer":        {URL: "https://" + mute.Addr().String()},
		"no HTTP answer":       {URL: "http://" + mute.Addr().String()},
		"an unknown name":      {URL: "https://logiqc.invalid:8443"},
		"no socket":            {Socket: filepath.Join(t.TempDir(), "none")},
		"TLS where plain HTTP": {URL: strings.Replace(start(t, nil, http.HandlerFunc(hello)).url, "http:", "https:", 1)},
	} {
		to.Timeout = 300 * time.Millisecond
		began := time.Now()
		_, err := fetch(t, to, "GET", "/", "")
		if e := logiqc.AsError(err); e.Code != logiqc.Unavailable || !strings.Contains(e.Message, "nothing was changed") {
			t.Errorf("%s: %+v", name, e)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// A connection that is cut after a request to change something was sent leaves
// its outcome unknown; a question has none.
func TestCutAfterSending(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"no answer begun": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"silence": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // until then the server does not see that the client has left
			<-r.Context().Done()
		},
	} {
		to := Target{URL: start(t, nil, h).url, Timeout: 300 * time.Millisecond}
		if _, err := fetch(t, to, "POST", "/", "change"); !errors.Is(err, logiqc.UnknownOutcome) {
			t.Errorf("%s, to a change: %v", name, err)
		}
		if _, err := fetch(t, to, "GET", "/", ""); !errors.Is(err, logiqc.Unavailable) {
			t.Errorf("%s, to a question: %v", name, err)
		}
	}
}

// The timeout counts from the last sign of life: a long answer that keeps
// coming is not cut.
func TestTimeoutIsForSilence(t *testing.T) {
	s := start(t, nil, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 8 {
			_, _ = io.WriteString(w, "tick")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(60 * time.Millisecond)
		}
	}))
	if got, err := fetch(t, Target{URL: s.url, Timeout: 300 * time.Millisecond}, "GET", "/", ""); len(got) != 32 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// Whoever asked may stop before anything was sent.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client, base, err := Target{URL: "http://127.0.0.1:9"}.Client()
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, "POST", base, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	var e *logiqc.Error
	if _, err := client.Do(r); !errors.Is(err, context.Canceled) || errors.As(err, &e) { //nolint:bodyclose // there is none
		t.Errorf("%v", err)
	}
}

// A redirect is not followed: the token would go elsewhere.
func TestNoRedirect(t *testing.T) {
	var elsewhere atomic.Int32
	other := start(t, nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	s := start(t, nil, http.RedirectHandler(other.url, http.StatusTemporaryRedirect))
	if _, err := fetch(t, Target{URL: s.url}, "GET", "/", ""); err == nil || elsewhere.Load() != 0 {
		t.Errorf("followed: %v, %d", err, elsewhere.Load())
	}
}
