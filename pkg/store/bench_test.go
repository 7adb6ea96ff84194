package store

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

var (
	benchUsers    = flag.Int("users", 100_000, "how many accounts the benchmarks have")
	benchPostgres = flag.Bool("postgres", false, "run the benchmarks on PostgreSQL")
)

var (
	syllables = []string{"ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo", "we", "xi", "yo", "za", "be", "cho", "dra", "el", "fin", "gor", "hal", "ing"}
	providers = []string{"example.com", "example.org", "mail.example.net"}
)

// somebody makes a plausible account, the same one for the same i.
func somebody(i int) *logiqc.User {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	word := func(n int) (w string) {
		for range n {
			w += syllables[r.IntN(len(syllables))]
		}
		return w
	}
	given, family := word(2), word(3)
	u := &logiqc.User{Role: logiqc.RoleUser, Status: logiqc.Active, Auth: logiqc.ByPassword, Phone: "+44 1", CreatedAt: 17, UpdatedAt: 18}
	u.ID = fmt.Sprintf("01932a7c-%04x-7000-8000-%012x", i>>16, i)
	u.Username = fmt.Sprintf("%c%s%d", given[0], family, i)
	u.Email = fmt.Sprintf("%s.%s%d@%s", given, family, i, providers[i%3])
	u.Name = string(given[0]-32) + given[1:] + " " + string(family[0]-32) + family[1:]
	return u
}

// benchStore makes a store with many accounts.
func benchStore(b *testing.B) *Store {
	b.Helper()
	s, _ := newTestStore(b)
	insertBulk(b, s, *benchUsers)
	return s
}

func insertBulk(b testing.TB, s *Store, n int) {
	update(b, s, func(tx *Tx) error {
		if err := tx.BeginBulk(); err != nil {
			return err
		}
		for at := 0; at < n; at += 10_000 {
			batch := make([]*logiqc.User, min(10_000, n-at))
			for i := range batch {
				batch[i] = somebody(at + i)
			}
			if err := tx.InsertUsers(batch); err != nil {
				return err
			}
		}
		return tx.EndBulk()
	})
}

func BenchmarkInsertUsers(b *testing.B) {
	for b.Loop() {
		s, _ := newTestStore(b)
		start := time.Now()
		insertBulk(b, s, *benchUsers)
		b.ReportMetric(float64(*benchUsers)/time.Since(start).Seconds(), "accounts/s")
	}
}

// BenchmarkFind reports the spread of the first page of a mix of searches.
func BenchmarkFind(b *testing.B) {
	s := benchStore(b)
	r := rand.New(rand.NewPCG(1, 2))
	kinds := map[string]func(u *logiqc.User) string{
		"exact":     func(u *logiqc.User) string { return u.Username },
		"email":     func(u *logiqc.User) string { return u.Email },
		"prefix":    func(u *logiqc.User) string { return u.Username[:4] },
		"name":      func(u *logiqc.User) string { return u.Name },
		"turned":    func(u *logiqc.User) string { return u.Name[len(u.Name)-5:] + " " + u.Name[:3] },
		"substring": func(u *logiqc.User) string { return u.Username[2:7] },
		"one":       func(u *logiqc.User) string { return u.Name[:1] },
		"two":       func(u *logiqc.User) string { return u.Name[:2] },
		"nobody":    func(u *logiqc.User) string { return u.Username[:3] + "qqq" },
	}
	for kind, text := range kinds {
		b.Run(kind, func(b *testing.B) {
			var all []time.Duration
			view(b, s, func(tx *Tx) error {
				for b.Loop() {
					q := logiqc.UserQuery{Text: text(somebody(r.IntN(*benchUsers))), Limit: 20}
					start := time.Now()
					if _, _, err := tx.Find(q, logiqc.DefaultPolicy()); err != nil {
						return err
					}
					all = append(all, time.Since(start))
				}
				return nil
			})
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func BenchmarkUserByRef(b *testing.B) {
	s := benchStore(b)
	b.Run("hit", func(b *testing.B) {
		for b.Loop() {
			view(b, s, func(tx *Tx) error { _, err := tx.UserByRef(somebody(4711).Username); return err })
		}
	})
	b.Run("miss", func(b *testing.B) {
		for b.Loop() {
			view(b, s, func(tx *Tx) error { _, err := tx.UserByRef("x" + somebody(4711).Username[1:]); _ = err; return nil })
		}
	})
}

// BenchmarkReset is the writing part of one reset: a durable transaction that
// loads an account, clears it and appends an event.
func BenchmarkReset(b *testing.B) {
	s := benchStore(b)
	for _, per := range []int{1, 500} {
		b.Run(fmt.Sprintf("%d at once", per), func(b *testing.B) {
			i := 0
			for b.Loop() {
				update(b, s, func(tx *Tx) error {
					refs := make([]string, per)
					for j := range refs {
						refs[j] = somebody(i % *benchUsers).Username
						i++
					}
					named, err := tx.UsersExact(refs)
					if err != nil {
						return err
					}
					us := slices.Collect(maps.Values(named))
					for _, u := range us {
						u.Reset("helen", tx.Now(), false)
					}
					if err := tx.ResetUsers(us, false, false); err != nil {
						return err
					}
					return appendEvents(b, tx, per, nil)
				})
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "resets/s")
		})
	}
}

func BenchmarkAppendLog(b *testing.B) {
	s, _ := newTestStore(b)
	for b.Loop() {
		update(b, s, func(tx *Tx) error { return appendEvents(b, tx, 10_000, nil) })
	}
	b.ReportMetric(float64(10_000*b.N)/b.Elapsed().Seconds(), "events/s")
}
