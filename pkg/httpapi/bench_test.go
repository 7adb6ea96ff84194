package httpapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/httpapi"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/servicetest"
)

// BenchmarkSecondFactor has applications check app codes over TLS on loopback,
// on a server as serve runs it, each a durable transaction with an event of its
// own: with a commit for each, as the group that serve makes of them, and on the
// same handler with no database behind it, in turn. It reports how many times
// faster the group is than a commit for each ("times-faster"), its share of what
// there is without a database ("of-no-database"), and its pace.
func BenchmarkSecondFactor(b *testing.B) {
	for _, clients := range []int{1, 32, 256} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			own, group := openShop(b, false), openShop(b, true)
			none := &servicetest.Shop{Apps: group.Apps, Token: group.Token, Addr: serveFor(b, noDatabase{})}
			var faster, share []float64
			var all servicetest.Pace
			for b.Loop() {
				one, many, most := own.Check(b, clients, 500), group.Check(b, clients, 4000), none.Check(b, clients, 4000)
				faster = append(faster, many.PerSecond()/one.PerSecond())
				share = append(share, many.PerSecond()/most.PerSecond())
				all.Add(many)
			}
			b.ReportMetric(servicetest.Median(faster), "times-faster")
			b.ReportMetric(servicetest.Median(share), "of-no-database")
			all.Report(b)
		})
	}
}

// noDatabase answers that every code is right.
type noDatabase struct{ httpapi.Backend }

func (noDatabase) Authenticate(_ context.Context, _ logiqc.Secret, src logiqc.Source) (logiqc.Actor, error) {
	return logiqc.Actor{Kind: logiqc.Token, ID: "1", Rights: []logiqc.Right{logiqc.SecondFactor}, Source: src}, nil
}

func (noDatabase) As(logiqc.Actor) logiqc.Service { return everyCode{} }

type everyCode struct{ logiqc.Service }

func (everyCode) SecondFactor(_ context.Context, r logiqc.FactorCheck) (logiqc.FactorChecked, error) {
	return logiqc.FactorChecked{User: r.User, Outcome: logiqc.FactorPassed}, nil
}

// openShop is a shop at a server of its own.
func openShop(b *testing.B, group bool) *servicetest.Shop {
	b.Helper()
	d := openDeskWith(b, group)
	actor, err := d.behind.Authenticate(b.Context(), d.init, logiqc.Source{Host: "desk-3"})
	if err != nil {
		b.Fatal(err)
	}
	return &servicetest.Shop{
		Apps:  servicetest.NewApps(b, d.behind.As(actor), d, 3000),
		Token: d.token(b, logiqc.NewToken{Name: "shop", Allow: []logiqc.Right{logiqc.SecondFactor}, Lifetime: 24 * 365 * time.Hour}),
		Addr:  serveFor(b, d.behind),
	}
}

// serveFor serves as serve does, until the benchmark ends.
func serveFor(b *testing.B, backend httpapi.Backend) (addr string) {
	b.Helper()
	text, err := httpapi.SelfSigned([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	cert, err := httpapi.CertificatePEM(text)
	if err != nil {
		b.Fatal(err)
	}
	l, err := httpapi.Listen(b.Context(), "127.0.0.1:0", cert)
	if err != nil {
		b.Fatal(err)
	}
	server := httpapi.NewServer(httpapi.Handler(backend, httpapi.Options{}), httpapi.NewMetrics("test"), slog.New(slog.DiscardHandler))
	go func() { _ = server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}
