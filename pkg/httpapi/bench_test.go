package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// BenchmarkSecondFactor has applications check app codes over loopback, each a
// durable transaction with an event of its own: with a commit for each, as the
// group that serve makes of them, and both in turn ("times-faster").
func BenchmarkSecondFactor(b *testing.B) {
	for _, clients := range []int{32, 256} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			own, group := openShop(b, false), openShop(b, true)
			var ratios []float64
			var took []time.Duration
			var all time.Duration
			for b.Loop() {
				each, one := own.checkMany(b, clients, 500)
				alone := float64(len(each)) / one.Seconds()
				each, many := group.checkMany(b, clients, 2000)
				ratios = append(ratios, float64(len(each))/many.Seconds()/alone)
				took, all = append(took, each...), all+many
			}
			slices.Sort(ratios)
			slices.Sort(took)
			b.ReportMetric(ratios[len(ratios)/2], "times-faster")
			b.ReportMetric(float64(len(took))/all.Seconds(), "checks/s")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}

// shop is an application that checks the codes of many people.
type shop struct {
	*desk
	token  logiqc.Secret
	client *http.Client
	names  []string
	keys   []totp.Key
	start  time.Time
	checks atomic.Int64
}

func openShop(b *testing.B, group bool) *shop {
	b.Helper()
	const people = 3000
	d := openDeskWith(b, group)
	s := &shop{desk: d, start: d.Now().Add(time.Minute)}
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	b.Cleanup(s.client.CloseIdleConnections)
	actor, err := d.behind.Authenticate(b.Context(), d.init, logiqc.Source{Host: "desk-3"})
	if err != nil {
		b.Fatal(err)
	}
	_, err = d.behind.As(actor).ImportUsers(b.Context(), logiqc.Import{Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for i := range people {
			key, err := totp.KeyFromBytes(fmt.Appendf(nil, "%020d", i))
			name := fmt.Sprintf("user%d", i)
			s.names, s.keys = append(s.names, name), append(s.keys, key)
			r := logiqc.ImportRow{Row: i + 2, Fields: []string{"username", "email"}, Username: name, Email: name + "@example.org",
				TOTP: logiqc.Secret(totp.URI("Example", name, key))}
			if !yield(r, err) {
				return
			}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	s.token = d.token(b, logiqc.NewToken{Name: "shop", Allow: []logiqc.Right{logiqc.SecondFactor}, Lifetime: 24 * 365 * time.Hour})
	return s
}

// check sends the next code that nobody has used yet.
func (s *shop) check(ctx context.Context) error {
	n := int(s.checks.Add(1) - 1)
	who, at := n%len(s.names), s.start.Add(time.Duration(n/len(s.names))*totp.Period)
	if who == 0 {
		s.Advance(at.Sub(s.Now()))
	}
	body := fmt.Sprintf(`{"user":%q,"code":%q}`, s.names[who], totp.Code(s.keys[who], totp.Step(at)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server.URL+"/v1/second-factor", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.token.Reveal())
	resp, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%d: %s", resp.StatusCode, answer)
	}
	return err
}

func (s *shop) checkMany(b *testing.B, clients, n int) (each []time.Duration, all time.Duration) {
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
				errs[c] = s.check(b.Context())
				took[c] = append(took[c], time.Since(start))
			}
		})
	}
	done.Wait()
	all = time.Since(start)
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	return slices.Concat(took...), all
}
