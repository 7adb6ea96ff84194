package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Shutdown answers every request that has begun.
func TestShutdownLosesNothing(t *testing.T) {
	begun, goOn := make(chan struct{}, 20), make(chan struct{})
	s := start(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-goOn
		hello(w, r)
	}))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := fetch(t, Target{URL: s.url}, "POST", "/", "x"); got != "hello" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	for range 20 {
		<-begun
	}
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	for {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			break // nobody new is let in
		}
		_ = c.Close() // one that says nothing is waited for, too
		time.Sleep(time.Millisecond)
	}
	close(goOn)
	wg.Wait()
	<-stopped
}

// A client that is slow to say what it wants, and one that says too much, are
// shown the door.
func TestSlowAndBigClients(t *testing.T) {
	s := startWith(t, nil, http.HandlerFunc(hello), func(s *Server) {
		for what, made := range map[string]time.Duration{"a header": s.http.ReadHeaderTimeout, "a body": s.http.ReadTimeout,
			"an answer": s.http.WriteTimeout, "a silence": s.http.IdleTimeout} {
			if made <= 0 || made > 2*time.Minute {
				t.Errorf("%s may take %v", what, made)
			}
		}
		s.http.ReadHeaderTimeout = 100 * time.Millisecond
	})
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the slow client is still there: %v", err)
	}
	if _, err := fetch(t, Target{URL: s.url}, "GET", "/?"+strings.Repeat("x", 2*maxHeader), ""); err == nil {
		t.Error("a long header is taken")
	}
}

// Beyond the limit connections wait until others are closed.
func TestConnectionLimit(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := newConnections(2, 2)
	door := limitConnections(l, n)
	in := make(chan net.Conn)
	go func() {
		for {
			c, err := door.Accept()
			if err != nil {
				close(in)
				return
			}
			in <- c
		}
	}()
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	first := <-in
	<-in
	select {
	case <-in:
		t.Fatal("a third is let in")
	case <-time.After(50 * time.Millisecond):
	}
	_ = first.Close()
	_ = first.Close() // as net/http may
	<-in
	if len(n.slots) != 2 || n.open.Load() != 2 || n.of["127.0.0.1"] != 2 {
		t.Errorf("%d slots are taken by %d connections: %v", len(n.slots), n.open.Load(), n.of)
	}
	_ = door.Close()
	if _, open := <-in; open {
		t.Error("it goes on after Close")
	}
}

// One source cannot take all the connections of a server.
func TestConnectionsOfOneSource(t *testing.T) {
	s := startWith(t, nil, http.HandlerFunc(hello), func(s *Server) {
		s.conns, s.http.ReadHeaderTimeout = newConnections(8, 2), time.Minute // so that silence is not why
	})
	for i := range 3 {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_ = c.SetReadDeadline(time.Now().Add(map[bool]time.Duration{true: 5 * time.Second, false: 20 * time.Millisecond}[i == 2]))
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) == (i == 2) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}

// What needs no token is limited for each source; the rest is not.
func TestPace(t *testing.T) {
	s := newSources()
	now := time.Now()
	for i := range signinBurst {
		if !s.allow("a", now) {
			t.Fatalf("refused after %d", i)
		}
	}
	if s.allow("a", now) || !s.allow("b", now) {
		t.Error("the limit is not for each source")
	}
	if now = now.Add(time.Second); !s.allow("a", now) {
		t.Error("a second later it still refuses")
	}
	for i := range 2 * maxSources {
		s.allow(fmt.Sprint(i), now)
	}
	if len(s.known) > maxSources || s.order.Len() != len(s.known) {
		t.Errorf("%d sources are remembered", len(s.known))
	}
	for addr, want := range map[string]string{
		"203.0.113.9:5": "203.0.113.9", "[2001:db8:1:2:3:4:5:6]:5": "2001:db8:1:2::/64", "[::ffff:203.0.113.9]:5": "203.0.113.9", "@": "",
	} {
		if got := paceOf(addr); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
}

func TestPacedPaths(t *testing.T) {
	s := start(t, nil, http.HandlerFunc(hello))
	asked := 0
	ask := func(path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		asked++
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", asked)) // whatever that says
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode == 429 && (!strings.Contains(string(body), `"code":"throttled"`) || resp.Header.Get("Retry-After") == "") {
			t.Errorf("%s %v", body, resp.Header)
		}
		return resp.StatusCode
	}
	refused := 0
	for range signinBurst + 50 {
		if ask("/v1/signin/lqs_secret/code") == 429 {
			refused++
		}
	}
	if refused == 0 || ask("/v1/users") != 200 {
		t.Errorf("%d refused", refused)
	}
}

// The log and the metrics tell routes, never paths: those of sign-ins hold a
// secret.
func TestObserved(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/signin/{attempt}", hello)
	s := start(t, nil, mux)
	if _, err := fetch(t, Target{URL: s.url}, "GET", "/v1/signin/lqs_secret", ""); err != nil {
		t.Error(err)
	}
	if _, err := fetch(t, Target{URL: s.url}, "GET", "/lqs_secret", ""); err == nil {
		t.Error("there is a page for it")
	}
	metrics, err := fetch(t, Target{URL: s.url}, "GET", "/metrics", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`logiqc_http_requests_total{method="GET",route="/v1/signin/{attempt}",status="200"} 1`,
		`logiqc_http_requests_total{method="GET",route="none",status="404"} 1`,
		`logiqc_connections`, `logiqc_build_info{version="test"} 1`, `go_goroutines`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	s.stop()
	log := s.log.String()
	if !strings.Contains(log, "route=/v1/signin/{attempt} status=200") || strings.Contains(log+metrics, "secret") {
		t.Errorf("the log:\n%s", log)
	}
}

// The metrics are for this machine and for whoever may; a page in somebody's
// browser can do nothing.
func TestStrangers(t *testing.T) {
	s := NewServer(http.HandlerFunc(hello), NewMetrics("test"), slog.New(slog.DiscardHandler))
	ask := func(r *http.Request) int {
		out := &looked{header: http.Header{}}
		s.http.Handler.ServeHTTP(out, r)
		return out.status
	}
	request := func(method, path, from string) *http.Request {
		r, err := http.NewRequestWithContext(context.Background(), method, path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = from
		return r
	}
	if got := ask(request("GET", "/metrics", "203.0.113.9:1")); got != 401 {
		t.Errorf("metrics for a stranger: %d", got)
	}
	if got := ask(request("GET", "/metrics", "[::1]:1")); got != 200 {
		t.Errorf("metrics for this machine: %d", got)
	}
	for name, value := range map[string]string{"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "Via": "1.1 proxy"} {
		passed := request("GET", "/metrics", "127.0.0.1:1")
		passed.Header.Set(name, value)
		if got := ask(passed); got != 401 {
			t.Errorf("metrics for who comes through a proxy on this machine that says %s: %d", name, got)
		}
	}
	s.MayScrape = func(*http.Request) error { return nil }
	if got := ask(request("GET", "/metrics", "203.0.113.9:1")); got != 200 {
		t.Errorf("metrics for who may: %d", got)
	}
	evil := request("POST", "http://127.0.0.1:8080/v1/signin", "127.0.0.1:1")
	evil.Header.Set("Origin", "https://evil.example")
	out := &looked{header: http.Header{}}
	s.http.Handler.ServeHTTP(out, evil)
	if out.status != 403 || out.header.Get("Content-Type") != problemType {
		t.Errorf("a form on another site: %d %v", out.status, out.header)
	}
}

// looked is a response that is looked at.
type looked struct {
	header http.Header
	status int
}

func (a *looked) Header() http.Header { return a.header }
func (a *looked) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}
func (a *looked) Write(p []byte) (int, error) {
	a.WriteHeader(200)
	return len(p), nil
}

// Both versions of the protocol are spoken over TLS.
func TestProtocols(t *testing.T) {
	cert, _ := selfSigned(t, "127.0.0.1")
	s := start(t, cert, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	if got, err := fetch(t, Target{URL: s.url, Pin: cert.Pin()}, "GET", "/", ""); got != "HTTP/2.0" || err != nil {
		t.Errorf("our client speaks %s, %v", got, err)
	}
	to := Target{URL: s.url, Pin: cert.Pin()}
	client, base, err := to.Client()
	if err != nil {
		t.Fatal(err)
	}
	transport := client.Transport.(*carrier).next.(*http.Transport)
	transport.ForceAttemptHTTP2 = false
	transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
	resp, err := client.Get(base)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "HTTP/1.1" || !errors.Is(err, io.EOF) {
		t.Errorf("another client: %q, %v", line, err)
	}
	if _, err := fetch(t, Target{URL: s.url, Pin: cert.Pin()}, "POST", "/nowhere", ""); errors.Is(err, logiqc.UnknownOutcome) {
		t.Error(err)
	}
}
