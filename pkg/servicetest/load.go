package servicetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// Apps are people with authenticator apps, for benchmarks: whose codes are
// given one after the other, each once.
type Apps struct {
	names []string
	keys  []totp.Key
	start time.Time
	clock Clock
	next  atomic.Int64
}

// Clock is the clock of a store.
type Clock interface {
	Now() time.Time
	Advance(d time.Duration)
}

// NewApps imports so many people with apps.
func NewApps(b *testing.B, by logiqc.Service, clock Clock, people int) *Apps {
	b.Helper()
	a := &Apps{start: clock.Now(), clock: clock}
	rows := func(yield func(logiqc.ImportRow, error) bool) {
		for i := range people {
			key, err := totp.KeyFromBytes(fmt.Appendf(nil, "%020d", i))
			name := fmt.Sprintf("user%d", i)
			a.names, a.keys = append(a.names, name), append(a.keys, key)
			r := logiqc.ImportRow{Row: i + 2, Fields: []string{"username", "email"}, Username: name, Email: name + "@example.org",
				TOTP: logiqc.Secret(totp.URI("Example", name, key))}
			if !yield(r, err) {
				return
			}
		}
	}
	if _, err := by.ImportUsers(b.Context(), logiqc.Import{Rows: rows}); err != nil {
		b.Fatal(err)
	}
	return a
}

// Next gives the next code that nobody has used yet, and whose it is; the clock
// moves on when everybody has had their turn.
func (a *Apps) Next() (user, code string) {
	n := int(a.next.Add(1) - 1)
	who, at := n%len(a.names), a.start.Add(time.Duration(n/len(a.names))*totp.Period)
	if who == 0 {
		a.clock.Advance(at.Sub(a.clock.Now()))
	}
	return a.names[who], totp.Code(a.keys[who], totp.Step(at))
}

// Pace is how long calls took, and all of them together.
type Pace struct {
	Each []time.Duration
	All  time.Duration
}

// Together has clients make n calls in all, each one after the other.
func Together(b *testing.B, clients, n int, call func(client int) error) (p Pace) {
	b.Helper()
	took := make([][]time.Duration, clients)
	errs := make([]error, clients)
	var left atomic.Int64
	left.Store(int64(n))
	start := time.Now()
	var done sync.WaitGroup
	for c := range clients {
		done.Go(func() {
			for left.Add(-1) >= 0 && errs[c] == nil {
				start := time.Now()
				errs[c] = call(c)
				took[c] = append(took[c], time.Since(start))
			}
		})
	}
	done.Wait()
	p.All = time.Since(start)
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	p.Each = slices.Concat(took...)
	return p
}

// Add takes in another pace.
func (p *Pace) Add(q Pace) { p.Each, p.All = append(p.Each, q.Each...), p.All+q.All }

// PerSecond is how many calls were made in a second.
func (p *Pace) PerSecond() float64 { return float64(len(p.Each)) / p.All.Seconds() }

// Report reports the pace of checks.
func (p *Pace) Report(b *testing.B) {
	slices.Sort(p.Each)
	at := func(percent int) float64 { return float64(p.Each[len(p.Each)*percent/100].Microseconds()) / 1000 }
	b.ReportMetric(p.PerSecond(), "checks/s")
	b.ReportMetric(at(50), "p50-ms")
	b.ReportMetric(at(99), "p99-ms")
}

// Median is the one in the middle.
func Median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
