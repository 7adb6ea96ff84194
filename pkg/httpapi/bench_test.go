package httpapi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
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
			own, group := openShop(b, clients, false), openShop(b, clients, true)
			none := group.to(b, clients, noDatabase{})
			var faster, share []float64
			var all servicetest.Pace
			for b.Loop() {
				one, many, most := own.check(b, clients, 500), group.check(b, clients, 4000), none.check(b, clients, 4000)
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

// shop is an application that checks the codes of many people, on as many
// connections as it has clients.
type shop struct {
	*servicetest.Apps
	token logiqc.Secret
	addr  string
	conns []*talk
}

// talk is a connection on which one request follows the other: little more than
// what goes over it, as the server shares the processor with its clients.
type talk struct {
	*tls.Conn
	in *bufio.Reader
}

func openShop(b *testing.B, clients int, group bool) *shop {
	b.Helper()
	d := openDeskWith(b, group)
	actor, err := d.behind.Authenticate(b.Context(), d.init, logiqc.Source{Host: "desk-3"})
	if err != nil {
		b.Fatal(err)
	}
	s := &shop{Apps: servicetest.NewApps(b, d.behind.As(actor), d, 3000)}
	s.token = d.token(b, logiqc.NewToken{Name: "shop", Allow: []logiqc.Right{logiqc.SecondFactor}, Lifetime: 24 * 365 * time.Hour})
	return s.to(b, clients, d.behind)
}

// to is the same application on another server.
func (s *shop) to(b *testing.B, clients int, backend httpapi.Backend) *shop {
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
	return &shop{Apps: s.Apps, token: s.token, addr: l.Addr().String(), conns: make([]*talk, clients)}
}

// connect opens the connections: not before they are used, as a server does not
// wait for long.
func (s *shop) connect(b *testing.B) {
	b.Helper()
	for i := range s.conns {
		if s.conns[i] != nil {
			return
		}
		conn, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		s.conns[i] = &talk{conn, bufio.NewReader(conn)}
	}
}

func (s *shop) check(b *testing.B, clients, n int) servicetest.Pace {
	b.Helper()
	s.connect(b)
	return servicetest.Together(b, clients, n, func(client int) error {
		user, code := s.Next()
		body := fmt.Sprintf(`{"user":%q,"code":%q}`, user, code)
		return s.conns[client].ask("POST /v1/second-factor HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + s.token.Reveal() +
			fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n", len(body)) + body)
	})
}

// ask fails unless the answer is 200.
func (t *talk) ask(request string) error {
	if _, err := io.WriteString(t, request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(t.in, nil)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d: %s", resp.StatusCode, answer)
	}
	return err
}
