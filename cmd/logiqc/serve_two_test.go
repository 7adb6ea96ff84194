//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
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
	dsn := pgtest.Database(t)
	tpl := &template{dir: t.TempDir(), sessions: sessions{}}
	if err := tpl.make(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	// Two machines: each has a home, with a copy of the keys.
	first, second := tpl.machine(t, dsn), tpl.machine(t, dsn)
	doomed, survivor := first.serve("--listen", "127.0.0.1:0"), second.serve("--listen", "127.0.0.1:0")
	// Half of the clients begin at each.
	work := &failover{servers: []logiqc.Service{tpl.client(t, doomed), tpl.client(t, survivor)}}
	ctx, done := context.WithCancel(t.Context())
	defer done()
	for lane := range 6 {
		work.wg.Go(func() { work.lane(ctx, lane) })
	}
	work.until(t, 30)
	if err := doomed.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-doomed.ended
	work.until(t, work.made.Load()+60)
	done()
	work.wg.Wait()
	if work.moved.Load() == 0 {
		t.Error("no client had to go to the other server")
	}
	t.Logf("%d made, %d calls went to the other server, %d answered as replayed", work.made.Load(), work.moved.Load(), work.replayed.Load())
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

// failover adds accounts through several servers. A lane goes to the next one
// when its own does not answer, with the same request.
type failover struct {
	servers               []logiqc.Service
	wg                    sync.WaitGroup
	made, moved, replayed atomic.Int64
	mu                    sync.Mutex // guards names and wrong
	names                 []string   // those acknowledged
	wrong                 []error
}

func (f *failover) lane(ctx context.Context, lane int) {
	at := lane
	for i := 0; ctx.Err() == nil; i++ {
		name := fmt.Sprintf("new-%d-%d", lane, i)
		r := logiqc.NewUser{Username: name, Email: name + "@stmary.example",
			Request: logiqc.Request{RequestID: "add-" + name, Remember: true}}
		for {
			// What has begun is brought to its end: nobody is left in doubt.
			out, err := f.servers[at%len(f.servers)].AddUser(context.WithoutCancel(ctx), r)
			if err == nil {
				f.acknowledge(name, out.Replayed.Replayed)
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

// check finds every account that was acknowledged, and one event of each.
func (f *failover) check(t *testing.T, svc logiqc.Service) {
	t.Helper()
	for _, err := range f.wrong {
		t.Error(err)
	}
	times := map[string]int{}
	q := logiqc.EventQuery{Actions: []logiqc.Action{logiqc.UserCreated}}
	for {
		page, err := svc.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			times[e.RequestID]++
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for _, name := range f.names {
		if n := times["add-"+name]; n != 1 {
			t.Errorf("%s was acknowledged and made %d times", name, n)
		}
		if _, err := svc.GetUser(t.Context(), name); err != nil {
			t.Errorf("%s was acknowledged and is lost: %v", name, err)
		}
	}
}
