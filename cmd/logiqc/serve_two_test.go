//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// Two servers work on one database. One of them is killed under load: its
// clients go on through the other, and every change that was asked for is made,
// once.
func TestServeTwoOnPostgres(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	tpl := &template{dir: t.TempDir(), sessions: sessions{}}
	if err := tpl.make(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	// Two machines: each has a home, with a copy of the keys.
	first, second := tpl.machine(t, dsn), tpl.machine(t, dsn)
	doomed, survivor := first.serve("--listen", "127.0.0.1:0"), second.serve("--listen", "127.0.0.1:0")
	// Half of the clients begin at each.
	work := &failover{servers: []logiqc.Service{tpl.client(t, doomed), tpl.client(t, survivor)}, action: logiqc.UserCreated, change: addNew}
	stop := work.begin(t)
	work.until(t, 30)
	doomed.kill(t)
	work.until(t, work.made.Load()+60)
	stop()
	work.check(t, tpl.client(t, survivor))
	if status, err := survivor.stop(); status != 0 || err != nil || survivor.log.String() != "" {
		t.Errorf("the other server ended with %d, %v, and said %q", status, err, survivor.log)
	}
	second.must("audit", "verify")
	second.must("audit", "reconcile")
}

// machine is a home on another machine whose store is the database.
func (tpl *template) machine(t *testing.T, dsn string) *home {
	t.Helper()
	h := &home{t: t, tpl: tpl, dir: t.TempDir()}
	h.copyKeys()
	h.write(filepath.Join(h.dir, "config", "logiqc", "config.yaml"), "store: "+dsn+"\n")
	h.asAt("helen", dsn)
	return h
}

// client is helen at a server.
func (tpl *template) client(t *testing.T, s *served) logiqc.Service {
	t.Helper()
	client, base, err := httpapi.Target{URL: s.Listening[0], Pin: s.Pin, Timeout: patience}.Client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	svc, err := httpapi.NewClient(client, base).Service(t.Context(), tpl.sessions["helen"], source)
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// kill ends the server as a crash does.
func (s *served) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.ended
}

// failover changes accounts through several servers. A lane goes to the next one
// when its own does not answer, with the same request.
type failover struct {
	servers               []logiqc.Service
	action                logiqc.Action // that each change is an event of
	change                func(ctx context.Context, svc logiqc.Service, name string, r logiqc.Request) (replayed bool, err error)
	wg                    sync.WaitGroup
	made, moved, replayed atomic.Int64
	mu                    sync.Mutex // guards names and wrong
	names                 []string   // those acknowledged
	wrong                 []error
}

// lanes is how many clients a failover has.
const lanes = 6

// begin lets the lanes run until stop, which waits for what has begun.
func (f *failover) begin(t *testing.T) (stop func()) {
	ctx, done := context.WithCancel(t.Context())
	for lane := range lanes {
		f.wg.Go(func() { f.lane(ctx, lane) })
	}
	return func() {
		done()
		f.wg.Wait()
	}
}

// newcomer is the i-th account of a lane.
func newcomer(lane, i int) string { return fmt.Sprintf("new-%d-%d", lane, i) }

// addNew adds an account.
func addNew(ctx context.Context, svc logiqc.Service, name string, r logiqc.Request) (bool, error) {
	out, err := svc.AddUser(ctx, logiqc.NewUser{Username: name, Email: name + "@stmary.example", Request: r})
	return out.Replayed.Replayed, err
}

func (f *failover) lane(ctx context.Context, lane int) {
	at := lane
	for i := 0; ctx.Err() == nil; i++ {
		name := newcomer(lane, i)
		r := logiqc.Request{RequestID: "once-" + name, Remember: true}
		for {
			// What has begun is brought to its end: nobody is left in doubt.
			replayed, err := f.change(context.WithoutCancel(ctx), f.servers[at%len(f.servers)], name, r)
			if err == nil {
				f.acknowledge(name, replayed)
				break
			}
			if !errors.Is(err, logiqc.Unavailable) && !errors.Is(err, logiqc.UnknownOutcome) {
				f.mu.Lock()
				f.wrong = append(f.wrong, fmt.Errorf("%s: %w", name, err))
				f.mu.Unlock()
				return
			}
			f.moved.Add(1)
			at++
		}
	}
}

func (f *failover) acknowledge(name string, replayed bool) {
	f.mu.Lock()
	f.names = append(f.names, name)
	f.mu.Unlock()
	f.made.Add(1)
	if replayed {
		f.replayed.Add(1)
	}
}

// until waits until so many are made.
func (f *failover) until(t *testing.T, n int64) {
	t.Helper()
	for began := time.Now(); f.made.Load() < n; time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("only %d are made; %v", f.made.Load(), f.wrong)
		}
	}
}

// check finds one event for each change that was acknowledged, and no other.
func (f *failover) check(t *testing.T, svc logiqc.Service) {
	t.Helper()
	t.Logf("%d made, %d calls went to the other server, %d answered as replayed", f.made.Load(), f.moved.Load(), f.replayed.Load())
	if f.moved.Load() == 0 {
		t.Error("no client had to go to the other server")
	}
	for _, err := range f.wrong {
		t.Error(err)
	}
	times := map[string]int{}
	q := logiqc.EventQuery{Actions: []logiqc.Action{f.action}}
	for {
		page, err := svc.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			if name, ok := strings.CutPrefix(e.RequestID, "once-"); ok {
				times[name]++
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if len(times) != len(f.names) {
		t.Errorf("%d were acknowledged, %d are in the log", len(f.names), len(times))
	}
	for _, name := range f.names {
		if n := times[name]; n != 1 {
			t.Errorf("%s was acknowledged and is %d times in the log", name, n)
		}
		if _, err := svc.GetUser(t.Context(), name); err != nil {
			t.Errorf("%s was acknowledged and is lost: %v", name, err)
		}
	}
}
