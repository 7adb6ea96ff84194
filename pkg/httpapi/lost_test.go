package httpapi_test

import (
	"bufio"
	"bytes"
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

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// lossy serves a desk over a line that loses answers: what was asked for is
// done, and then the connection is cut.
type lossy struct {
	*desk
	lose atomic.Int32      // how many answers are lost yet
	seen atomic.Int32      // how many requests came
	gone func(*lossy) bool // nobody listens to this request, or nil
}

func newLossy(t *testing.T) *lossy {
	t.Helper()
	l := &lossy{desk: openDesk(t)}
	handler := httpapi.Handler(l.behind, httpapi.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.seen.Add(1)
		switch {
		case l.gone != nil && l.gone(l):
			w.WriteHeader(http.StatusServiceUnavailable) // as a proxy says it
			return
		case l.lose.Load() == 0:
			handler.ServeHTTP(w, r)
			return
		}
		l.lose.Add(-1)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}))
	t.Cleanup(server.Close)
	c, base, err := httpapi.Target{URL: server.URL, Timeout: 5 * time.Second}.Client()
	if err != nil {
		t.Fatal(err)
	}
	l.client = httpapi.NewClient(c, base)
	return l
}

// An answer that was lost is an outcome that nobody knows, and the request id
// finds it out; with a request id of one's own the retry is made by itself and
// finds what was done (S-27, S-74).
func TestAnswerIsLost(t *testing.T) {
	l := newLossy(t)
	s := l.helen(t)
	add := func(name, id string, remember bool) (logiqc.Changed, error) {
		return s.AddUser(t.Context(), logiqc.NewUser{Username: name, Email: name + "@x",
			Request: logiqc.Request{RequestID: id, Remember: remember, Consent: logiqc.Consent{Given: true}}})
	}
	l.lose.Store(1)
	l.seen.Store(0)
	_, err := add("ann", "made-up-1", false)
	e := logiqc.AsError(err)
	if !errors.Is(err, logiqc.UnknownOutcome) || !strings.Contains(e.Hint, "audit list --request made-up-1") || l.seen.Load() != 1 {
		t.Errorf("%d requests: %v, hint %q", l.seen.Load(), err, e.Hint)
	}
	page, err := s.Events(t.Context(), logiqc.EventQuery{RequestID: "made-up-1"})
	if err != nil || len(page.Events) != 1 {
		t.Errorf("the way to find out: %+v, %v", page, err)
	}

	l.lose.Store(2)
	out, err := add("bob", "mine-1", true)
	if err != nil || !out.Replayed.Replayed || out.Account.Username != "bob" || l.lose.Load() != 0 {
		t.Errorf("made again: %+v, %v", out, err)
	}
	if page, err = s.Events(t.Context(), logiqc.EventQuery{RequestID: "mine-1"}); err != nil || len(page.Events) != 1 {
		t.Errorf("once: %+v, %v", page, err)
	}
	l.lose.Store(3)
	if _, err = add("cob", "mine-2", true); !errors.Is(err, logiqc.UnknownOutcome) {
		t.Errorf("lost three times: %v", err)
	}

	l.lose.Store(2)
	if _, err := s.GetUser(t.Context(), "bob"); err != nil {
		t.Errorf("a read is made again: %v", err)
	}
	l.lose.Store(100) // net/http makes reads again by itself, too
	if _, err := s.GetUser(t.Context(), "bob"); !errors.Is(err, logiqc.Unavailable) {
		t.Errorf("a read that finds nobody: %v", err)
	}
	l.lose.Store(1)
	l.seen.Store(0)
	_, err = l.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "ann", Password: "x", Purpose: logiqc.SigninPurpose})
	if !errors.Is(err, logiqc.UnknownOutcome) || l.seen.Load() != 1 {
		t.Errorf("a sign-in is never made twice: %d, %v", l.seen.Load(), err)
	}
}

// Whatever comes of a retry, a change that may have been made is not told to have
// been refused, nor that nothing was changed: the server may be gone by then, and
// the change may have ended the session that it was made with. A dry run changes
// nothing, lost or not.
func TestLostAndThenGone(t *testing.T) {
	l := newLossy(t)
	s := l.helen(t)
	given := logiqc.Consent{Given: true}
	l.gone = func(l *lossy) bool { return l.seen.Load() > 1 }
	l.lose.Store(1)
	l.seen.Store(0)
	_, err := s.AddUser(t.Context(), logiqc.NewUser{Username: "ann", Email: "ann@x", Request: logiqc.Request{RequestID: "r-1", Remember: true, Consent: given}})
	if e := logiqc.AsError(err); e == nil || e.Code != logiqc.UnknownOutcome || !strings.Contains(e.Hint, "--request r-1") || l.seen.Load() != 3 {
		t.Errorf("and then gone, after %d requests: %v", l.seen.Load(), err)
	}
	l.gone = nil
	l.lose.Store(3)
	_, err = s.AddUser(t.Context(), logiqc.NewUser{Username: "bob", Email: "bob@x", Request: logiqc.Request{Consent: logiqc.Consent{DryRun: true}}})
	if e := logiqc.AsError(err); e == nil || e.Code != logiqc.Unavailable || !strings.Contains(e.Message, "nothing was changed") {
		t.Errorf("a dry run: %v", err)
	}
	l.lose.Store(1)
	_, err = s.RevokeSessions(t.Context(), logiqc.Revocation{All: true, Request: logiqc.Request{RequestID: "r-2", Remember: true, Consent: given}})
	if e := logiqc.AsError(err); e == nil || e.Code != logiqc.UnknownOutcome || !strings.Contains(e.Hint, "--request r-2") {
		t.Errorf("one's own session among them: %v", err)
	}
}

// A server that is not there, and one that is no server of ours.
func TestNoServer(t *testing.T) {
	d := openDesk(t)
	s := d.helen(t)
	d.server.Close()
	for what, err := range map[string]error{
		"a read":  func() error { _, err := s.GetUser(t.Context(), "helen"); return err }(),
		"a write": func() error { _, err := s.EditUser(t.Context(), logiqc.UserEdit{User: "helen"}); return err }(),
	} {
		if code := logiqc.AsError(err).Code; code != logiqc.Unavailable && (what == "a read" || code != logiqc.UnknownOutcome) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for status, want := range map[int]struct{ read, write logiqc.Code }{
		503: {logiqc.Unavailable, logiqc.Unavailable}, 502: {logiqc.Unavailable, logiqc.UnknownOutcome},
		504: {logiqc.Unavailable, logiqc.UnknownOutcome}, 500: {logiqc.Unavailable, logiqc.UnknownOutcome},
		200: {logiqc.Unavailable, logiqc.UnknownOutcome}, 301: {logiqc.Unavailable, logiqc.Unavailable}, 404: {logiqc.Unavailable, logiqc.Unavailable},
	} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>It works!</html>")
		}))
		client := httpapi.NewClient(other.Client(), other.URL)
		_, err := client.Service(t.Context(), "x", logiqc.Source{})
		if code := logiqc.AsError(err).Code; code != want.read {
			t.Errorf("%d to a read: %v", status, err)
		}
		_, err = client.SignIn().Start(t.Context(), logiqc.SigninRequest{Purpose: logiqc.SigninPurpose})
		if code := logiqc.AsError(err).Code; code != want.write {
			t.Errorf("%d to a write: %v", status, err)
		}
		other.Close()
	}
}

// What is left of a body that was refused is not taken for the next request of
// the connection.
func TestRestOfABodyIsNoRequest(t *testing.T) {
	d := openDesk(t)
	conn, err := net.Dial("tcp", d.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	hidden := "\r\n\r\nGET /v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + d.init.Reveal() + "\r\n\r\n"
	body := strings.Repeat("x", 2<<20) + hidden
	go func() {
		_, _ = fmt.Fprintf(conn, "POST /v1/users/add HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
			d.init.Reveal(), len(body), body)
	}()
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 413 {
		t.Fatalf("%v, %v", resp, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if second, err := http.ReadResponse(in, nil); err == nil {
		t.Errorf("a second answer: %s", second.Status)
		second.Body.Close()
	}
}

// An import whose file cannot be read on, or that is given up, imports nothing
// and says why.
func TestImportBreaksOff(t *testing.T) {
	d := openDesk(t)
	s := d.helen(t)
	broken := errors.New("the disk is gone")
	rows := func(yield func(logiqc.ImportRow, error) bool) {
		for i := range 3000 {
			name := fmt.Sprintf("u%d", i)
			if !yield(logiqc.ImportRow{Row: i + 2, Fields: []string{"username", "email"}, Username: name, Email: name + "@x"}, nil) {
				return
			}
		}
		yield(logiqc.ImportRow{}, broken)
	}
	if _, err := s.ImportUsers(t.Context(), logiqc.Import{Rows: rows}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	wrong := func(yield func(logiqc.ImportRow, error) bool) {
		for i := range 100_000 { // much more than is read once that is clear
			if !yield(logiqc.ImportRow{Row: i + 2}, logiqc.Errorf(logiqc.Invalid, "it is wrong")) {
				return
			}
		}
	}
	_, err := s.ImportUsers(t.Context(), logiqc.Import{Rows: wrong})
	if !errors.Is(err, logiqc.Invalid) || !strings.Contains(err.Error(), "row 2: it is wrong") || !strings.Contains(err.Error(), "perhaps more") {
		t.Errorf("%v", err)
	}
	var told int64
	good := func(yield func(logiqc.ImportRow, error) bool) {
		rows(func(r logiqc.ImportRow, err error) bool { return err != nil || yield(r, nil) })
	}
	out, err := s.ImportUsers(t.Context(), logiqc.Import{Rows: good, Progress: func(n int64) { told = n }})
	if err != nil || out.Added != 3000 || told != 3000 {
		t.Errorf("%+v after %d, %v", out, told, err)
	}
}

// A server that takes longer than a client waits gives signs of life.
func TestPatience(t *testing.T) {
	d := openDesk(t)
	c, base, err := httpapi.Target{URL: d.server.URL, Timeout: 1500 * time.Millisecond}.Client()
	if err != nil {
		t.Fatal(err)
	}
	s, err := httpapi.NewClient(c, base).Service(t.Context(), d.init, logiqc.Source{})
	if err != nil {
		t.Fatal(err)
	}
	slow := func(yield func(logiqc.ImportRow, error) bool) {
		if yield(logiqc.ImportRow{Row: 2, Fields: []string{"username", "email"}, Username: "ann", Email: "ann@x"}, nil) {
			time.Sleep(2500 * time.Millisecond)
		}
	}
	if out, err := s.ImportUsers(t.Context(), logiqc.Import{Rows: slow}); err != nil || out.Added != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// A server that cannot use its store says in its log which route failed, even
// where it was still to be found out who asks; the path, which may hold a secret,
// it does not say.
func TestFailureNamesItsRoute(t *testing.T) {
	where := filepath.Join(t.TempDir(), "logiqc.db")
	d := openDeskAt(t, where, false)
	var log bytes.Buffer
	h := httpapi.Handler(d.behind, httpapi.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := os.Rename(where, where+".away"); err != nil {
		t.Fatal(err)
	}
	for path, route := range map[string]string{"/v1/users/show?user=jlee": "/v1/users/show", "/v1/nothing/jlee": "none"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer "+d.init.Reveal())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(log.String(), "route="+route+" ") || strings.Contains(log.String(), "jlee") {
			t.Errorf("%s: %d, %s", path, w.Code, log.String())
		}
		log.Reset()
	}
}
