package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/servicetest"
)

var servePeople = flag.Int("serve.people", 50_000, "how many people with apps BenchmarkServe has in its store")

// BenchmarkServe has the program itself serve a store, and an application check
// its people's codes with it, for so many clients at once; it reports the pace
// and the server's resident memory ("idle-MB" before the first request).
//
//	go test ./cmd/logiqc -run '^$' -bench Serve -benchtime 1x
func BenchmarkServe(b *testing.B) {
	m := newShopMachine(b)
	apps := servicetest.NewApps(b, m.service(b, m.token("boss", "--role", "admin")), wallClock{}, *servePeople)
	token := m.token("shop", "--allow", "second_factor")
	for _, clients := range []int{1, 32, 256} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			m.restart(b)
			idle := m.resident(b)
			shop := &servicetest.Shop{Apps: apps, Token: token, Addr: strings.TrimPrefix(m.served.Listening[0], "https://")}
			var all servicetest.Pace
			for b.Loop() {
				all.Add(shop.Check(b, clients, min(500*clients, 15_000)))
			}
			all.Report(b)
			b.ReportMetric(idle, "idle-MB")
			b.ReportMetric(m.resident(b), "busy-MB")
		})
	}
}

// wallClock is the clock on the wall, which nobody sets.
type wallClock struct{}

func (wallClock) Now() time.Time          { return time.Now() }
func (wallClock) Advance(d time.Duration) { time.Sleep(d) }

// shopMachine is a machine with a store and its server.
type shopMachine struct {
	b      *testing.B
	dir    string
	served *served
}

func newShopMachine(b *testing.B) *shopMachine {
	b.Helper()
	m := &shopMachine{b: b, dir: b.TempDir()}
	initial := m.command("init", "--admin", "helen", "--email", "helen@stmary.example", "--password-stdin", "-o", "json")
	initial.Stdin = strings.NewReader(password + "\n")
	m.answer(initial, &struct{}{})
	m.restart(b)
	return m
}

func (m *shopMachine) command(args ...string) *exec.Cmd {
	c := exec.Command("logiqc", args...)
	c.Env = append(os.Environ(), "HOME="+m.dir, "XDG_CONFIG_HOME="+filepath.Join(m.dir, "config"),
		"XDG_DATA_HOME="+filepath.Join(m.dir, "data"), "XDG_STATE_HOME="+filepath.Join(m.dir, "state"))
	return c
}

// answer runs a command that succeeds with an answer in JSON.
func (m *shopMachine) answer(c *exec.Cmd, into any) {
	m.b.Helper()
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		m.b.Fatalf("%v: %v", c.Args, err)
	}
}

func (m *shopMachine) token(name string, rights ...string) logiqc.Secret {
	m.b.Helper()
	var made struct{ Token string }
	m.answer(m.command(append([]string{"tokens", "create", name, "-o", "json"}, rights...)...), &made)
	return logiqc.Secret(made.Token)
}

// restart starts the server, anew if there is one.
func (m *shopMachine) restart(b *testing.B) {
	b.Helper()
	if m.served != nil {
		if status, err := m.served.stop(); status != 0 || err != nil {
			b.Fatalf("the server ended with %d, %v: %s", status, err, m.served.log)
		}
	}
	var err error
	if m.served, err = startServer(m.command("serve", "--listen", "127.0.0.1:0", "--tls-self-signed", "-o", "json")); err != nil {
		b.Fatal(err)
	}
	s := m.served
	m.b.Cleanup(func() { _, _ = s.stop() })
}

// service is whose token it is, at the server.
func (m *shopMachine) service(b *testing.B, token logiqc.Secret) logiqc.Service {
	b.Helper()
	client, base, err := httpapi.Target{URL: m.served.Listening[0], Pin: m.served.Pin, Timeout: time.Minute}.Client()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.CloseIdleConnections)
	svc, err := httpapi.NewClient(client, base).Service(b.Context(), token, source)
	if err != nil {
		b.Fatal(err)
	}
	return svc
}

// resident is the server's resident memory in megabytes, where /proc tells it.
func (m *shopMachine) resident(b *testing.B) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", m.served.cmd.Process.Pid))
	if err != nil {
		b.Log(err)
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kB float64
		if n, _ := fmt.Sscanf(lines.Text(), "VmRSS: %f kB", &kB); n == 1 {
			return kB / 1000
		}
	}
	b.Fatal("there is no VmRSS in /proc")
	return 0
}
