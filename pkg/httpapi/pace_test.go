package httpapi_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// guard puts the server with its limits before the desk.
func (d *desk) guard(t *testing.T) {
	t.Helper()
	l, err := httpapi.Listen(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := httpapi.NewServer(httpapi.Handler(d.behind, httpapi.Options{}), httpapi.NewMetrics("test"), slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-ended); err != nil {
			t.Error(err)
		}
	})
	d.server.URL = "http://" + l.Addr().String()
}

// One visitor of a portal, or one who makes tokens up, uses up what is theirs and
// keeps nobody else out; and who looks after the server sees that it is well.
func TestPaceOfApplications(t *testing.T) {
	d := openDesk(t)
	app := d.token(t, logiqc.NewToken{Name: "portal", Role: logiqc.RoleApp})
	d.guard(t)
	// Each is let through to be refused at once, before any work.
	from := func(ip string) exchanged {
		return d.exchange(t, app, "POST", "/v1/signin", fmt.Sprintf(`{"user":"x","password":"x","purpose":"none","client":{"ip":%q}}`, ip))
	}
	flood := func(what string, ask func() exchanged, through int) {
		t.Helper()
		for i := range 400 {
			e := ask()
			if e.status == through {
				continue
			}
			if e.status != 429 || i < 200 || answerCode(e) != "throttled" || e.header.Get("Retry-After") == "" {
				t.Errorf("%s, number %d: %d %s", what, i, e.status, e.body)
			}
			return
		}
		t.Errorf("%s is never refused", what)
	}
	flood("one visitor", func() exchanged { return from("203.0.113.9") }, 400)
	if e := from("203.0.113.10"); e.status != 400 {
		t.Errorf("another visitor: %d %s", e.status, e.body)
	}
	if e := d.exchange(t, app, "POST", "/v1/signin/x/code", `{"code":"1"}`); e.status != 401 {
		t.Errorf("a step of a sign-in that has begun: %d %s", e.status, e.body)
	}
	flood("a token that is made up", func() exchanged { return d.exchange(t, "lqc_x", "POST", "/v1/signin", `{}`) }, 401)
	if e := d.exchange(t, "", "POST", "/v1/signin", `{}`); e.status != 429 {
		t.Errorf("the same without one: %d", e.status)
	}
	if e := d.exchange(t, "", "GET", "/healthz", ""); e.status != 200 {
		t.Errorf("health: %d", e.status)
	}
}

// A client that leaves before its body is whole is no failure of the server's.
func TestBodyCutOff(t *testing.T) {
	d := openDesk(t)
	for head, want := range map[string]string{
		"Content-Length: 100\r\n\r\n{":                                 "usage",
		"Transfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n":                "usage",
		"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}":                   "usage",
		"Content-Length: 26\r\n\r\n{\"user\":\"x\",\"password\":\"\"}": "cancelled or signin_denied", // whole, but nobody waits
	} {
		c, err := net.Dial("tcp", d.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "POST /v1/signin HTTP/1.1\r\nHost: x\r\n"+head)
		_ = c.(*net.TCPConn).CloseWrite()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		_ = c.Close()
		if e := (exchanged{resp.StatusCode, resp.Header, body}); e.status >= 500 || !strings.Contains(want, answerCode(e)) {
			t.Errorf("%q: %d %s", head, e.status, body)
		}
	}
}
