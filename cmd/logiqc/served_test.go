package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// served is a running `logiqc serve`, and what it said when it began.
type served struct {
	cmd       *exec.Cmd
	Listening []string
	Pin       string
	Laptop    string
	Warnings  []string
	log       *output
	ended     chan struct{} // closed when it has
}

// output is what a program has written so far.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// patience is how long a server may take to begin or to end.
const patience = 30 * time.Second

// startServer runs a command line of a server that answers in JSON, and waits
// until it has said where it listens.
func startServer(c *exec.Cmd) (*served, error) {
	s := &served{cmd: c, log: &output{}, ended: make(chan struct{})}
	stdout, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.Stderr = s.log
	if err := c.Start(); err != nil {
		return nil, err
	}
	stuck := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	stuck.Stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdout)
		_ = c.Wait()
		close(s.ended)
	}()
	if err == nil {
		err = json.Unmarshal(line, s)
	}
	if err != nil {
		<-s.ended
		return nil, fmt.Errorf("%v: %w: %s%s", c.Args, err, line, s.log)
	}
	return s, nil
}

// stop asks the server to end and returns its exit status.
func (s *served) stop() (int, error) {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-s.ended
		return 0, fmt.Errorf("%v does not end:\n%s", s.cmd.Args, s.log)
	}
}

// httpsStores is the setting of a server with a pinned key in front of a file.
func httpsStores(t *testing.T) (begin func(env *testscript.Env), newStore func(ts *testscript.TestScript)) {
	tpl := copyTemplate(t)
	return tpl.behindServer(func(ts *testscript.TestScript, dir string) string {
		own := filepath.Join(dir, "logiqc.db")
		copyFile(ts, tpl.file(), own)
		return own
	})
}

// httpsPostgresStores is the setting of a server with a pinned key in front of a
// PostgreSQL database.
func httpsPostgresStores(t *testing.T) (begin func(env *testscript.Env), newStore func(ts *testscript.TestScript)) {
	from := pgtest.Database(t)
	tpl := &template{dir: t.TempDir(), sessions: sessions{}}
	if err := tpl.make(t.Context(), from); err != nil {
		t.Fatalf("make a store for the scripts: %v", err)
	}
	return tpl.behindServer(func(*testscript.TestScript, string) string { return pgtest.Copy(t, from) })
}

// behindServer makes `newstore` start a server of its own for each script, on a
// copy of the template; the program knows its address and the pin.
func (tpl *template) behindServer(place func(ts *testscript.TestScript, dir string) string) (func(env *testscript.Env), func(ts *testscript.TestScript)) {
	begin := func(env *testscript.Env) { env.Setenv("STORE", "https://there.is.none") }
	return begin, func(ts *testscript.TestScript) {
		dir, err := os.MkdirTemp(ts.Getenv("WORK"), "server-") // a script may have several
		ts.Check(err)
		tpl.copyKeys(ts, filepath.Join(dir, "keys", tpl.id))
		c := exec.Command("logiqc", "serve", "--listen", "127.0.0.1:0", "--tls-self-signed", "-o", "json")
		c.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + dir, "XDG_STATE_HOME=" + filepath.Join(dir, "state"), "TZ=UTC",
			"GORACE=" + quickExit, "LOGIQC_STORE=" + place(ts, dir), "LOGIQC_KEYS=" + filepath.Join(dir, "keys")}
		s, err := startServer(c)
		ts.Check(err)
		ts.Defer(func() {
			status, err := s.stop()
			if log := s.log.String(); err != nil || status != 0 || log != "" {
				ts.Logf("the server ended with %d, %v:\n%s", status, err, log)
			}
		})
		ts.Setenv("LOGIQC_STORE", s.Listening[0])
		ts.Setenv("STORE", s.Listening[0])
		ts.Setenv("LOGIQC_PIN", s.Pin)
		tpl.saveSessions(ts)
	}
}

// cmdServe starts a server on the script's store, which ends with the script.
// SERVER is its address, PIN its pin and LAPTOP the command line for laptops.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, "serve", !neg)
	c := exec.Command("logiqc", append([]string{"serve", "-o", "json"}, args...)...)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TZ", "GORACE", "LOGIQC_STORE"} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name))
	}
	s, err := startServer(c)
	ts.Check(err)
	ts.Defer(func() {
		if status, err := s.stop(); err != nil || status != 0 {
			ts.Logf("the server ended with %d, %v:\n%s", status, err, s.log)
		}
	})
	ts.Setenv("SERVER", s.Listening[0])
	ts.Setenv("PIN", s.Pin)
	ts.Setenv("LAPTOP", s.Laptop)
}

// serve starts a server on the home's store, which ends with the test.
func (h *home) serve(args ...string) *served {
	h.t.Helper()
	s, err := startServer(h.watched(append([]string{"serve", "-o", "json"}, args...)...))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _, _ = s.stop() })
	return s
}

// laptop is another machine's home, with the line that the server printed typed
// in, and with somebody signed in.
func (h *home) laptop(s *served, username string) *home {
	h.t.Helper()
	l := &home{t: h.t, tpl: h.tpl, dir: h.t.TempDir()}
	line := strings.Fields(s.Laptop)
	if len(line) == 0 || line[0] != "logiqc" {
		h.t.Fatalf("the server prints no line for laptops but %q", s.Laptop)
	}
	l.must(line[1:]...)
	l.asAt(username, s.Listening[0])
	return l
}
