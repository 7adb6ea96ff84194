package service_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

// appDesk is a store with people who have an app, and the Service of a token
// that may check their codes.
type appDesk struct {
	*desk
	names  []string
	keys   []totp.Key
	start  time.Time
	by     logiqc.Service
	checks atomic.Int64
}

// openApps makes it, and opens it as a server does, with or without a group.
func openApps(b *testing.B, people int, group bool) *appDesk {
	b.Helper()
	d := openImport(b)
	a := &appDesk{desk: d.desk, start: d.Now().Add(time.Minute)}
	all := make([]logiqc.ImportRow, people)
	for i := range all {
		var raw [20]byte
		copy(raw[:], fmt.Sprintf("%020d", i))
		key, err := totp.KeyFromBytes(raw[:])
		if err != nil {
			b.Fatal(err)
		}
		name := fmt.Sprintf("user%d", i)
		a.names, a.keys = append(a.names, name), append(a.keys, key)
		all[i] = named(name)
		all[i].TOTP = logiqc.Secret(totp.URI("Example", name, key))
	}
	if _, err := d.helen.ImportUsers(b.Context(), logiqc.Import{Rows: rows(all...)}); err != nil {
		b.Fatal(err)
	}
	_, bearer, err := d.helen.CreateToken(b.Context(), logiqc.NewToken{Name: "shop", Allow: []logiqc.Right{logiqc.MFAVerify}, Lifetime: 24 * 365 * time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(d.path, store.Options{Now: d.Now, Group: group})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	a.Desk = service.New(s, func(string) (service.Keys, error) { return d.ring, nil })
	actor, err := a.Authenticate(b.Context(), bearer, logiqc.Source{Host: "shop-1", IP: "127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	a.by = a.Desk.As(actor)
	return a
}

// check takes the next code that nobody has used yet.
func (a *appDesk) check(b *testing.B) error {
	n := int(a.checks.Add(1) - 1)
	who, at := n%len(a.names), a.start.Add(time.Duration(n/len(a.names))*totp.Period)
	if who == 0 {
		a.Advance(at.Sub(a.Now()))
	}
	_, err := a.by.VerifyCode(b.Context(), logiqc.CodeCheck{User: a.names[who], Code: totp.Code(a.keys[who], totp.Step(at))})
	return err
}

// BenchmarkSecondFactor checks app codes, each a durable transaction with an
// event of its own, for so many clients at once: "own" with a commit for each,
// "group" as serve does. "pairs" runs both in turn and reports how many times
// faster the group is.
func BenchmarkSecondFactor(b *testing.B) {
	for _, clients := range []int{1, 32, 256} {
		for name, group := range map[string]bool{"own": false, "group": true} {
			b.Run(fmt.Sprintf("%d/%s", clients, name), func(b *testing.B) {
				a := openApps(b, 3000, group)
				b.ResetTimer()
				took := a.checkMany(b, clients, b.N)
				b.StopTimer()
				took.report(b, "")
				a.wantWhole(b)
			})
		}
		b.Run(fmt.Sprintf("%d/pairs", clients), func(b *testing.B) {
			own, group := openApps(b, 3000, false), openApps(b, 3000, true)
			var ratios []float64
			var grouped pace
			for b.Loop() {
				one, many := own.checkMany(b, clients, 500), group.checkMany(b, clients, 2000)
				ratios = append(ratios, many.perSecond()/one.perSecond())
				grouped.add(many)
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "times-faster")
			grouped.report(b, "group-")
			own.wantWhole(b)
			group.wantWhole(b)
		})
	}
}

// pace is how long calls took, and all of them together.
type pace struct {
	each []time.Duration
	all  time.Duration
}

func (p *pace) add(q pace) { p.each, p.all = append(p.each, q.each...), p.all+q.all }

func (p pace) perSecond() float64 { return float64(len(p.each)) / p.all.Seconds() }

func (p pace) report(b *testing.B, prefix string) {
	slices.Sort(p.each)
	at := func(percent int) float64 { return float64(p.each[len(p.each)*percent/100].Microseconds()) / 1000 }
	b.ReportMetric(p.perSecond(), prefix+"checks/s")
	b.ReportMetric(at(50), prefix+"p50-ms")
	b.ReportMetric(at(99), prefix+"p99-ms")
}

// checkMany has clients check n codes.
func (a *appDesk) checkMany(b *testing.B, clients, n int) (p pace) {
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
				errs[c] = a.check(b)
				took[c] = append(took[c], time.Since(start))
			}
		})
	}
	done.Wait()
	p.all = time.Since(start)
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	p.each = slices.Concat(took...)
	return p
}

func (a *appDesk) wantWhole(b *testing.B) {
	b.Helper()
	report, err := a.Verify(b.Context(), nil)
	if err != nil || !report.OK {
		b.Errorf("the log: %+v, %v", report, err)
	}
}
