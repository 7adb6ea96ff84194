package service_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
	"github.com/logiqc/logiqc/pkg/totp"
)

var (
	growth         = flag.String("growth", "10000,100000", "how many accounts BenchmarkGrowth measures at, one after the other")
	growthPostgres = flag.Bool("growth.postgres", false, "let BenchmarkGrowth grow a PostgreSQL database")
	growthDir      = flag.String("growth.dir", "", "where BenchmarkGrowth grows its file; a temporary folder by default")
)

// BenchmarkGrowth grows one store, an event for each account with it, and
// measures at each size what people do and what it takes (docs/scale.md):
//
//	go test ./pkg/service -run '^$' -bench Growth -benchtime 1x -growth 10000,100000,1000000
func BenchmarkGrowth(b *testing.B) {
	g := openGrowth(b)
	for _, size := range strings.Split(*growth, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(size, func(b *testing.B) {
			for range b.N {
				g.grow(b, n)
				g.measure(b)
			}
		})
	}
}

// growing is the store that grows.
type growing struct {
	*service.Desk
	helen logiqc.Service
	path  string // of the file, or ""
	dsn   string // of the database, or ""
	n     int
	reset int // of those with an app
}

func openGrowth(b *testing.B) *growing {
	b.Helper()
	dir := *growthDir
	if dir == "" {
		dir = b.TempDir()
	}
	g := &growing{path: filepath.Join(dir, "logiqc.db")}
	where := g.path
	if *growthPostgres {
		g.path, g.dsn = "", pgtest.Database(b)
		where = g.dsn
	}
	made := createDesk(b, where, filepath.Join(b.TempDir(), "store-1"), store.Options{})
	g.Desk = made.Desk
	actor, err := g.Authenticate(context.Background(), made.init, logiqc.Source{Host: "desk-3"})
	if err != nil {
		b.Fatal(err)
	}
	g.helen = g.As(actor)
	return g
}

// grow imports accounts until there are n.
func (g *growing) grow(b *testing.B, n int) {
	b.Helper()
	from, start := g.n, time.Now()
	_, err := g.helen.ImportUsers(context.Background(), logiqc.Import{Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for ; g.n < n; g.n++ {
			r := grown(g.n)
			r.Row = g.n - from + 2
			if !yield(r, nil) {
				return
			}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	if g.n > from {
		b.ReportMetric(float64(g.n-from)/time.Since(start).Seconds(), "imported/s")
	}
}

var syllables = strings.Fields("ka lo mi ne ru sa ti vo we xi yo za be cho dra el fin gor hal ing")

// enrolledEvery is how many accounts there are to one with an app, to be reset.
const enrolledEvery = 40

// grown is the i-th account, the same one each time.
func grown(i int) logiqc.ImportRow {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	word := func(n int) (w string) {
		for range n {
			w += syllables[r.IntN(len(syllables))]
		}
		return w
	}
	given, family := word(2), word(3)
	out := named(fmt.Sprintf("%c%s%d", given[0], family, i))
	out.Email = fmt.Sprintf("%s.%s%d@example.com", given, family, i)
	out.Name = strings.ToUpper(given[:1]) + given[1:] + " " + strings.ToUpper(family[:1]) + family[1:]
	out.Fields = []string{"username", "email", "name"}
	if i%enrolledEvery == 0 {
		key, err := totp.KeyFromBytes(fmt.Appendf(nil, "%020d", i))
		if err != nil {
			panic(err) // twenty bytes are a key
		}
		out.TOTP = logiqc.Secret(totp.URI("Example", out.Username, key))
	}
	return out
}

// measure reports on the store as it is.
func (g *growing) measure(b *testing.B) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	somebody := func() logiqc.ImportRow { return grown(r.IntN(g.n)) }
	texts := []func(u logiqc.ImportRow) string{
		func(u logiqc.ImportRow) string { return u.Username },
		func(u logiqc.ImportRow) string { return u.Username[:4] },
		func(u logiqc.ImportRow) string { return u.Name },
		func(u logiqc.ImportRow) string { return u.Name[len(u.Name)-5:] + " " + u.Name[:3] },
		func(u logiqc.ImportRow) string { return u.Username[2:7] },
		func(u logiqc.ImportRow) string { return u.Name[:1+r.IntN(2)] },
		func(u logiqc.ImportRow) string { return u.Username[:3] + "qqq" },
	}
	i := 0
	timed(b, "find", 700, func() error {
		i++
		_, err := g.helen.FindUsers(b.Context(), logiqc.UserQuery{Text: texts[i%len(texts)](somebody()), Limit: 20})
		return err
	})
	timed(b, "show", 300, func() error { _, err := g.helen.GetUser(b.Context(), somebody().Username); return err })
	timed(b, "reset", 200, func() error {
		t := logiqc.Reset{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}},
			Users: []logiqc.ResetTarget{{User: grown(g.reset * enrolledEvery).Username}}}
		g.reset++
		out, err := g.helen.ResetMFA(b.Context(), t)
		if err == nil && out[0].Outcome != logiqc.ResetDone {
			err = fmt.Errorf("%s: %w", out[0].Outcome, errOf(out[0].Err))
		}
		return err
	})
	start := time.Now()
	report, err := g.Verify(b.Context(), nil)
	if err != nil || !report.OK {
		b.Fatalf("%+v, %v", report, err)
	}
	b.ReportMetric(float64(report.Size)/time.Since(start).Seconds(), "verified/s")
	b.ReportMetric(float64(g.bytes(b))/float64(g.n), "bytes/account")
	b.ReportMetric(0, "ns/op") // says nothing here
}

// timed reports the spread of how long n calls take.
func timed(b *testing.B, what string, n int, fn func() error) {
	b.Helper()
	all := make([]time.Duration, n)
	for i := range all {
		start := time.Now()
		if err := fn(); err != nil {
			b.Fatalf("%s: %v", what, err)
		}
		all[i] = time.Since(start)
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[n/2].Microseconds())/1000, what+"-p50-ms")
	b.ReportMetric(float64(all[n*99/100].Microseconds())/1000, what+"-p99-ms")
}

// bytes is what the store takes on disk.
func (g *growing) bytes(b *testing.B) (n int64) {
	b.Helper()
	if g.dsn != "" {
		n, err := strconv.ParseInt(pgtest.Value(b, g.dsn, `SELECT pg_database_size(current_database())`), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(g.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}
