//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Two laptops work on the store of a server that they know by its pin; what one
// does the other sees, and the pin stays over a restart.
func TestServeLaptops(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	s := h.serve("--listen", "127.0.0.1:0", "--tls-self-signed")
	if !strings.Contains(s.Laptop, "config add st-marys --store "+s.Listening[0]+" --pin "+s.Pin+" --use") {
		t.Errorf("the line for laptops: %s", s.Laptop)
	}
	helen, priya := h.laptop(s, "helen"), h.laptop(s, "priya")
	helen.must("mfa", "reset", "jlee", "--yes", "--reason", "new phone")
	if out := priya.must("users", "show", "jlee", "-o", "json"); !strings.Contains(out, `"state":"none"`) || !strings.Contains(out, `"reset_by":"helen"`) {
		t.Errorf("priya sees %s", out)
	}
	if _, stderr, status := priya.run("tokens", "list"); status != 4 {
		t.Errorf("the help desk lists tokens: %d, %s", status, stderr)
	}
	if out := helen.must("audit", "list", "--action", "mfa.reset", "-o", "json"); !strings.Contains(out, `"ip":"127.0.0.1"`) {
		t.Errorf("the event has no address: %s", out)
	}
	if status, err := s.stop(); status != 0 || err != nil || s.log.String() != "" {
		t.Errorf("the server ended with %d, %v, and said %q", status, err, s.log)
	}
	address := strings.TrimPrefix(s.Listening[0], "https://")
	again := h.serve("--listen", address, "--tls-self-signed")
	if again.Pin != s.Pin {
		t.Errorf("after a restart the pin is %s, it was %s", again.Pin, s.Pin)
	}
	priya.must("whoami")
	if info, err := os.ReadDir(filepath.Join(h.dir, "state", "logiqc")); err != nil {
		t.Error(err)
	} else {
		for _, f := range info {
			if i, err := f.Info(); err != nil || i.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", f.Name(), i.Mode())
			}
		}
	}
}

// A server with another key than the one that was pinned is not talked to, and
// one that is not there is not waited for.
func TestServeUnreachable(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	s := h.serve("--listen", "127.0.0.1:0", "--tls-self-signed")
	other := "sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"wrong pin": {[]string{"--store", s.Listening[0], "--pin", other}, []string{"expected " + other, "saw " + s.Pin, "nothing was changed"}},
		"no pin":    {[]string{"--store", s.Listening[0]}, []string{"not trusted", "--pin", "--ca-file"}},
		"mute":      {[]string{"--store", "http://" + mute(t), "--timeout", "3s"}, []string{"no answer within 3s"}},
		"nobody":    {[]string{"--store", "unix:" + filepath.Join(h.dir, "none")}, []string{"no such file"}},
	} {
		l := &home{t: t, tpl: h.tpl, dir: t.TempDir()}
		l.asAt("helen", c.args[1])
		began := time.Now()
		_, stderr, status := l.run(append([]string{"mfa", "reset", "jlee", "--yes"}, c.args...)...)
		if status != 11 || time.Since(began) > 6*time.Second {
			t.Errorf("%s: exit status %d after %v: %s", name, status, time.Since(began), stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: %q is not in %s", name, want, stderr)
			}
		}
	}
	if n := h.events(logiqc.MFAResetDone); n != 0 {
		t.Errorf("%d resets", n)
	}
}

// mute is an address that takes connections and says nothing.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// When the connection is lost after a change was sent, its outcome is unknown:
// exit status 12 and the request id, by which it is found and not done twice.
func TestServeConnectionCut(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	s := h.serve("--listen", "127.0.0.1:0")
	var cutting atomic.Int32
	proxy := cutter(t, s.Listening[0], &cutting)
	l := &home{t: t, tpl: h.tpl, dir: t.TempDir()}
	l.asAt("helen", proxy)
	reset := []string{"--store", proxy, "mfa", "reset", "jlee", "--yes", "--request-id", "call-17", "-o", "json"}
	for _, how := range []int32{cutHalf, cutWhole} { // with an id of one's own the client tries three times
		cutting.Store(how)
		stdout, stderr, status := l.run(reset...)
		if status != 12 || stdout != "" || !strings.Contains(stderr, `"code":"unknown_outcome"`) || !strings.Contains(stderr, "audit list --request call-17") {
			t.Fatalf("cut %d: exit status %d: %s%s", how, status, stdout, stderr)
		}
	}
	cutting.Store(0)
	if out := l.must("--store", proxy, "audit", "list", "--request", "call-17", "-o", "json"); !strings.Contains(out, `"action":"mfa.reset"`) {
		t.Errorf("the log does not tell: %s", out)
	}
	if out := l.must(reset...); !strings.Contains(out, `"replayed":true`) {
		t.Errorf("the retry: %s", out)
	}
	if n := h.events(logiqc.MFAResetDone); n != 1 {
		t.Errorf("%d resets", n)
	}
}

// What a cutter loses of an answer.
const (
	cutHalf  = 1
	cutWhole = 2
)

// cutter is a proxy that, while it is cutting, lets a change through and loses
// the answer.
func cutter(t *testing.T, to string, cutting *atomic.Int32) string {
	t.Helper()
	return proxy(t, to, func(r *http.Response) error {
		how := cutting.Load()
		switch {
		case how == 0 || r.Request.Method != http.MethodPost:
			return nil
		case how == cutHalf:
			r.Body = io.NopCloser(io.LimitReader(r.Body, r.ContentLength/2))
			return nil
		}
		return errors.New("cut")
	})
}

// proxy is a server in front of one, which may change what that answers; where
// change fails, the connection ends without an answer.
func proxy(t *testing.T, to string, change func(*http.Response) error) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(target)
	p.ModifyResponse = change
	p.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

// SIGHUP changes the certificate while the server serves; a pair that does not
// fit is refused, and the old one stays.
func TestServeReload(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	pair := func(name string) (cert, key string) {
		text, err := httpapi.SelfSigned([]string{"127.0.0.1"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		cert, key = filepath.Join(h.dir, name+".pem"), filepath.Join(h.dir, name+".key")
		h.write(cert, string(text))
		h.write(key, string(text))
		return cert, key
	}
	cert, key := pair("tls")
	newCert, newKey := pair("new")
	s := h.serve("--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--access-log", "text")
	l := h.laptop(s, "helen")
	whoami := func(authority string) int {
		_, _, status := l.run("whoami", "--ca-file", authority)
		return status
	}
	old := filepath.Join(h.dir, "old.pem")
	h.copy(cert, old)
	if status := whoami(old); status != 0 {
		t.Fatalf("at first: exit status %d", status)
	}
	h.write(cert, "rubbish")
	s.hangUp(t, "the old one stays in use")
	if status := whoami(old); status != 0 {
		t.Errorf("with a certificate that does not fit: exit status %d", status)
	}
	h.copy(newCert, cert)
	h.copy(newKey, key)
	s.hangUp(t, "was read anew")
	if was, is := whoami(old), whoami(newCert); was != 11 || is != 0 {
		t.Errorf("with the new one: %d for who trusts the old, %d for who trusts the new", was, is)
	}
}

// hangUp sends SIGHUP and waits until the server has said what came of it.
func (s *served) hangUp(t *testing.T, word string) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); !strings.Contains(s.log.String(), word); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("the server does not say %q: %s", word, s.log)
		}
	}
}

// What a server has acknowledged when it is told to stop, under load, is there;
// it ends by itself and with status 0, and the log is whole.
func TestServeStopsUnderLoad(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	s := h.serve("--listen", "127.0.0.1:0", "--tls-self-signed")
	client, base, err := httpapi.Target{URL: s.Listening[0], Pin: s.Pin, Timeout: patience}.Client()
	if err != nil {
		t.Fatal(err)
	}
	svc, err := httpapi.NewClient(client, base).Service(t.Context(), h.tpl.sessions["helen"], source)
	if err != nil {
		t.Fatal(err)
	}
	load := &load{svc: svc}
	load.run(t.Context(), 8)
	for i := 0; load.done.Load() < 40; i++ { // a command line beside the server works on the same file
		h.must("users", "edit", "rgold", "--phone", strconv.Itoa(i))
		if a, err := svc.GetUser(t.Context(), "rgold"); err != nil || a.Phone != strconv.Itoa(i) {
			t.Errorf("the server sees %q, %v", a.Phone, err)
		}
	}
	status, err := s.stop()
	if status != 0 || err != nil || s.log.String() != "" {
		t.Errorf("the server ended with %d, %v, and said %q", status, err, s.log)
	}
	load.wait()
	own := h.service("helen")
	for _, name := range load.acknowledged {
		if _, err := own.GetUser(t.Context(), name); err != nil {
			t.Errorf("%s was acknowledged and is lost: %v", name, err)
		}
	}
	h.must("audit", "verify")
}

// load adds accounts, one after the other in each of its lanes, until it is
// refused.
type load struct {
	svc          logiqc.Service
	done         atomic.Int64
	wg           sync.WaitGroup
	mu           sync.Mutex // guards acknowledged
	acknowledged []string
}

func (l *load) run(ctx context.Context, lanes int) {
	for lane := range lanes {
		l.wg.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("new-%d-%d", lane, i)
				_, err := l.svc.AddUser(ctx, logiqc.NewUser{Username: name, Email: name + "@stmary.example"})
				if err != nil {
					return
				}
				l.mu.Lock()
				l.acknowledged = append(l.acknowledged, name)
				l.mu.Unlock()
				l.done.Add(1)
			}
		})
	}
}

func (l *load) wait() { l.wg.Wait() }

// On a Unix socket the log has the user that the kernel names, whatever the
// client says; where the test is run by root, that is another user than the
// server's.
func TestServeUnixSocket(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	socket := filepath.Join(h.dir, "run", "logiqc.sock")
	c := h.watched("serve", "-o", "json", "--unix", socket)
	if os.Getuid() == 0 {
		h.give(c, 65534)
	}
	s, err := startServer(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.stop() })
	if len(s.Listening) != 1 || s.Listening[0] != "unix:"+socket {
		t.Fatalf("it listens on %v", s.Listening)
	}
	client, base, err := httpapi.Target{Socket: socket, Timeout: patience}.Client()
	if err != nil {
		t.Fatal(err)
	}
	liar := logiqc.Source{Host: "desk-3", OSUser: "mallory"}
	svc, err := httpapi.NewClient(client, base).Service(t.Context(), h.tpl.sessions["helen"], liar)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := svc.AddUser(t.Context(), logiqc.NewUser{Username: "new", Email: "new@stmary.example"}); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	page, err := svc.Events(t.Context(), logiqc.EventQuery{Actions: []logiqc.Action{logiqc.UserCreated}, Limit: 1})
	if err != nil || len(page.Events) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	if e := page.Events[0]; e.Actor.OSUser != me.Username || e.Source.IP != "" {
		t.Errorf("recorded as of %q at %q; the kernel says %q", e.Actor.OSUser, e.Source.IP, me.Username)
	}
	if os.Getuid() == 0 {
		other := h.command("whoami", "--store", "unix:"+socket)
		other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
		other.Dir = "/"
		if out, err := other.CombinedOutput(); err == nil {
			t.Errorf("a user who is neither root nor the server's comes through: %s", out)
		}
	}
}

// give lets another user run the command: the home and a copy of the program
// are that user's.
func (h *home) give(c *exec.Cmd, uid uint32) {
	h.t.Helper()
	program := filepath.Join(h.dir, "program")
	data, err := os.ReadFile(c.Path)
	if err == nil {
		err = os.WriteFile(program, data, 0o700)
	}
	if err == nil {
		err = filepath.WalkDir(h.dir, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, int(uid), int(uid)))
		})
	}
	if err == nil { // the folder of the test is the tester's
		err = os.Chmod(filepath.Dir(h.dir), 0o711)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	// The test's own program is told by its name which command it is.
	c.Path, c.Args[0] = program, "logiqc"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
}
