//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
	"github.com/logiqc/logiqc/pkg/totp"
)

var losses = flag.Int("losses", 1, "how many times a pair of database servers and a pair of ours lose one each")

// Two servers work on a pair of PostgreSQL servers. The primary is killed under
// load and the standby promoted, then one of the two servers is killed: clients go
// on through what is left, every reset they were told of is there once, and the log
// is whole.
func TestServeTwoOnPair(t *testing.T) {
	t.Parallel()
	for i := range *losses {
		t.Run(fmt.Sprint(i), loseBoth)
	}
}

// enrolledPerLane is more than a lane resets.
const enrolledPerLane = 250

func loseBoth(t *testing.T) {
	pair := pgtest.NewPair(t)
	tpl := &template{dir: t.TempDir(), sessions: sessions{}}
	if err := tpl.make(t.Context(), pair.DSN); err != nil {
		t.Fatal(err)
	}
	first, second := tpl.machine(t, pair.DSN), tpl.machine(t, pair.DSN)
	doomed, survivor := first.serve("--listen", "127.0.0.1:0"), second.serve("--listen", "127.0.0.1:0")
	work := &failover{servers: []logiqc.Service{tpl.client(t, doomed), tpl.client(t, survivor)}, action: logiqc.MFAResetDone, change: resetOne}
	if _, err := work.servers[0].ImportUsers(t.Context(), logiqc.Import{Rows: newcomers}); err != nil {
		t.Fatal(err)
	}
	stop := work.begin(t)
	work.until(t, 40)

	// The standby stops listening, so that commits wait for it when the primary
	// dies, and nobody can know what became of them.
	resume := pair.Standby.Stop(t, "walreceiver")
	pgtest.Await(t, pair.Primary.DSN, `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND now() - query_start > '300ms'`, "1")
	pair.Primary.Kill(t)
	time.Sleep(500 * time.Millisecond) // until each of its processes has noticed
	told := work.made.Load()
	resume()
	time.Sleep(500 * time.Millisecond) // until it has read what had been sent
	pair.Standby.Promote(t)
	promoted := time.Now()
	work.until(t, told+1)
	t.Logf("the first reset was acknowledged %v after the standby had taken over", time.Since(promoted).Round(time.Millisecond))
	work.until(t, told+60)
	if work.replayed.Load() == 0 {
		t.Error("nobody asked again for what they did not know the outcome of")
	}

	doomed.kill(t)
	work.until(t, work.made.Load()+60)
	stop()
	work.check(t, tpl.client(t, survivor))
	if status, err := survivor.stop(); status != 0 || err != nil {
		t.Errorf("the other server ended with %d, %v, and said %q", status, err, survivor.log)
	}
	second.must("audit", "verify")
	second.must("audit", "reconcile")
	second.must("store", "check")
}

// newcomers are those whom the lanes reset.
func newcomers(yield func(logiqc.ImportRow, error) bool) {
	row := 1
	for lane := range lanes {
		for i := range enrolledPerLane {
			row++
			name := newcomer(lane, i)
			r := logiqc.ImportRow{Row: row, Username: name, Email: name + "@stmary.example", Fields: []string{"username", "email"},
				TOTP: logiqc.Secret(totp.URI("St Mary's", name, secretOf(name)))}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// resetOne resets one user.
func resetOne(ctx context.Context, svc logiqc.Service, name string, r logiqc.Request) (bool, error) {
	r.Consent.Given = true
	out, err := svc.ResetMFA(ctx, logiqc.Reset{Request: r, Users: []logiqc.ResetTarget{{User: name}}})
	switch {
	case err != nil:
		return false, err
	case out[0].Outcome != logiqc.ResetDone:
		return false, errors.Join(fmt.Errorf("the outcome is %s", out[0].Outcome), out[0].Err)
	}
	return out[0].Replayed.Replayed, nil
}
