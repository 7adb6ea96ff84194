package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/servicetest"
	"github.com/logiqc/logiqc/pkg/store"
)

// appDesk is a store with people who have an app, and the Service of a token
// that may check their codes.
type appDesk struct {
	*desk
	*servicetest.Apps
	by logiqc.Service
}

// openApps makes it, and opens it as a server does, with or without a group.
func openApps(b *testing.B, group bool) *appDesk {
	b.Helper()
	d := openImport(b)
	a := &appDesk{desk: d.desk, Apps: servicetest.NewApps(b, d.helen, d.desk, 3000)}
	_, bearer, err := d.helen.CreateToken(b.Context(), logiqc.NewToken{Name: "shop", Allow: []logiqc.Right{logiqc.SecondFactor}, Lifetime: 24 * 365 * time.Hour})
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

func (a *appDesk) check(b *testing.B, clients, n int) servicetest.Pace {
	b.Helper()
	return servicetest.Together(b, clients, n, func(int) error {
		user, code := a.Next()
		_, err := a.by.SecondFactor(b.Context(), logiqc.FactorCheck{User: user, Code: code})
		return err
	})
}

// BenchmarkSecondFactor checks app codes, each a durable transaction with an
// event of its own, for so many clients at once: with a commit for each, and as
// the group that serve makes of them, in turn; it reports how many times faster
// the group is, and its pace.
func BenchmarkSecondFactor(b *testing.B) {
	for _, clients := range []int{1, 32, 256} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			own, group := openApps(b, false), openApps(b, true)
			var ratios []float64
			var all servicetest.Pace
			for b.Loop() {
				one, many := own.check(b, clients, 500), group.check(b, clients, 2000)
				ratios = append(ratios, many.PerSecond()/one.PerSecond())
				all.Add(many)
			}
			b.ReportMetric(servicetest.Median(ratios), "times-faster")
			all.Report(b)
			for _, a := range []*appDesk{own, group} {
				if report, err := a.Verify(b.Context(), nil); err != nil || !report.OK {
					b.Errorf("the log: %+v, %v", report, err)
				}
			}
		})
	}
}
