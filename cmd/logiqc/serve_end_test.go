//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The service manager is told when the server can be used, and when it ends
// (sd_notify(3)).
func TestServeTellsSystemd(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	hears := func(want string) {
		t.Helper()
		text := make([]byte, 100)
		_ = manager.SetReadDeadline(time.Now().Add(patience))
		if n, err := manager.Read(text); string(text[:n]) != want || err != nil {
			t.Errorf("%q, %v; want %s", text[:n], err, want)
		}
	}
	c := h.command("serve", "-o", "json", "--listen", "127.0.0.1:0")
	c.Env = append(c.Env, "NOTIFY_SOCKET="+path)
	s, err := startServer(c)
	if err != nil {
		t.Fatal(err)
	}
	hears("READY=1")
	if status, err := s.stop(); status != 0 || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	hears("STOPPING=1")
}

// A server that is told to stop waits for who is in, and when it is told again
// cuts them, says so and ends with status 1. Either way it signs what it has
// done: the log is not left without a checkpoint until somebody makes one.
func TestServeToldTwice(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	s := h.serve("--listen", "127.0.0.1:0")
	h.must("users", "edit", "jlee", "--phone", "1")
	halfSent(t, s, h.tpl.sessions["helen"])
	term := func() {
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	term()
	for { // until nobody new is let in
		c, err := net.Dial("tcp", strings.TrimPrefix(s.Listening[0], "http://"))
		if err != nil {
			break
		}
		_ = c.Close()
		time.Sleep(time.Millisecond)
	}
	select {
	case <-s.ended:
		t.Fatalf("it does not wait for who is in: %s", s.log)
	case <-time.After(100 * time.Millisecond):
	}
	term()
	<-s.ended
	if status := s.cmd.ProcessState.ExitCode(); status != 1 || !strings.Contains(s.log.String(), "told twice to stop") {
		t.Errorf("exit status %d, %s", status, s.log)
	}
	h.signed()

	s = h.serve("--listen", "127.0.0.1:0")
	h.must("users", "edit", "jlee", "--phone", "2")
	if status, err := s.stop(); status != 0 || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	h.signed()
}

// halfSent sends a request whose body never arrives.
func halfSent(t *testing.T, s *served, bearer logiqc.Secret) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.Listening[0], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	// The server says 100 when it begins to read the body.
	_, err = io.WriteString(c, "POST /v1/users/edit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+bearer.Reveal()+
		"\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	if err == nil {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, err = c.Read(make([]byte, 100))
	}
	if err == nil {
		_, err = io.WriteString(c, "{")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// signed wants the whole log to be signed.
func (h *home) signed() {
	h.t.Helper()
	state := strings.Split(h.readText(h.keyFile("log.state")), "\n")
	if n := h.events(""); len(state) < 3 || state[1] != strconv.Itoa(n) {
		h.t.Errorf("of %d events there is signed:\n%s", n, strings.Join(state, "\n"))
	}
}

// What a killed server has acknowledged is there when the next one begins.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	h := honest(t, newTemplate(t))
	s := h.serve("--listen", "127.0.0.1:0")
	load := &load{svc: h.tpl.client(t, s)}
	load.run(t.Context(), 8)
	for load.done.Load() < 40 {
		time.Sleep(time.Millisecond)
	}
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	load.wait()
	again := h.tpl.client(t, h.serve("--listen", "127.0.0.1:0"))
	for _, name := range load.acknowledged {
		if _, err := again.GetUser(t.Context(), name); err != nil {
			t.Errorf("%s was acknowledged and is lost: %v", name, err)
		}
	}
	h.must("audit", "verify")
	h.must("audit", "reconcile")
	h.must("store", "check")
}

// When the store is moved away below a server nothing is acknowledged any more,
// the probe says so, and so does the log; a stranger does not learn where it was.
func TestServeStoreMovedAway(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	s := h.serve("--listen", "127.0.0.1:0")
	l := &home{t: t, tpl: h.tpl, dir: t.TempDir()}
	l.asAt("helen", s.Listening[0])
	change := []string{"--store", s.Listening[0], "users", "edit", "jlee", "--phone", "1"}
	l.must(change...)
	if err := os.Rename(h.db(), h.db()+".old"); err != nil {
		t.Fatal(err)
	}
	h.copy(h.db()+".old", h.db())
	if _, stderr, status := l.run(change...); status != 11 {
		t.Errorf("a change: exit status %d, %s", status, stderr)
	}
	resp, err := http.Get(s.Listening[0] + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != 503 {
		t.Errorf("it is ready: %d", resp.StatusCode)
	}
	resp, err = http.Post(s.Listening[0]+"/v1/signin", "", strings.NewReader(`{"user":"jlee","password":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if _ = resp.Body.Close(); resp.StatusCode != 503 || strings.Contains(string(body), "logiqc.db") || !strings.Contains(s.log.String(), "moved away or replaced") {
		t.Errorf("a stranger is told %s, and the log %s", body, s.log)
	}
}

// A certificate that has ended is said to have, on either side; who pins its key
// does not ask.
func TestServeExpiredCertificate(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	text, err := httpapi.SelfSigned([]string{"127.0.0.1"}, time.Now().AddDate(-31, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	pair := filepath.Join(h.dir, "tls.pem")
	h.write(pair, string(text))
	s := h.serve("--listen", "127.0.0.1:0", "--tls-cert", pair, "--tls-key", pair)
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "the certificate ended on ") {
		t.Errorf("the server warns of %q", s.Warnings)
	}
	l := &home{t: t, tpl: h.tpl, dir: t.TempDir()}
	l.asAt("helen", s.Listening[0])
	if _, stderr, status := l.run("whoami", "--store", s.Listening[0], "--ca-file", pair); status != 11 || !strings.Contains(stderr, "renew its certificate") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
	l.must("whoami", "--store", s.Listening[0], "--pin", s.Pin)
}
