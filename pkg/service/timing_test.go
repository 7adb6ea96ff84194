package service_test

import (
	"crypto/rand"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/servicetest"
)

var timings = flag.Int("timings", 0, "how often TestDeniedTakesTheSameTime tries each sign-in; 0 leaves it out")

// timingTries is how often a busy machine may spoil the measurement.
const timingTries = 3

// Until the password is right, how long the answer takes tells nobody more than
// its words do (S-11; CVE-2023-3462, CVE-2020-35177, CVE-2026-23511,
// CVE-2026-23849): the medians of every kind of failure lie close together. Only a
// quiet machine can tell, which has them within 2 %:
//
//	go test ./pkg/service -run TestDenied -v -timings 250
func TestDeniedTakesTheSameTime(t *testing.T) {
	if *timings == 0 {
		t.Skip("SKIPPED, it needs a quiet machine, and .ci/run has it alone: -timings 60")
	}
	d := openDesk(t)
	d.strangers(t, timingTries**timings)
	for range 6 {
		d.denied(t, "throttled", "wrong")
	}
	for try := range timingTries {
		medians := map[string]time.Duration{}
		took := map[string][]time.Duration{}
		for i := range *timings { // in turn, so that a busy machine is busy for all
			for kind, c := range map[string]struct {
				user     string
				password logiqc.Secret
			}{
				"wrong password": {fmt.Sprintf("user%d", try**timings+i), "wrong"}, "unknown user": {fmt.Sprintf("nobody%d", i), "wrong"},
				"inactive": {"inactive", servicetest.Password}, "SSO": {"sso", servicetest.Password}, "throttled": {"throttled", servicetest.Password},
			} {
				took[kind] = append(took[kind], d.denied(t, c.user, c.password))
			}
		}
		for kind, all := range took {
			slices.Sort(all)
			medians[kind] = all[len(all)/2]
		}
		values := slices.Sorted(maps.Values(medians))
		low, high := values[0], values[len(values)-1]
		differ := 100 * float64(high-low) / float64(low)
		t.Logf("medians differ by %.1f %%: %v", differ, medians)
		if differ < 15 {
			return
		}
	}
	t.Error("who looks at the clock learns why a sign-in was denied")
}

// strangers imports n accounts with a password, and one each that is throttled
// soon, inactive, or signs in by SSO.
func (d *desk) strangers(t *testing.T, n int) {
	t.Helper()
	hash, err := password.Hash(rand.Reader, servicetest.Password.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	helen, err := d.As(t.Context(), d.init)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"throttled", "inactive", "sso"}
	for i := range n {
		names = append(names, fmt.Sprintf("user%d", i))
	}
	_, err = helen.ImportUsers(t.Context(), logiqc.Import{OnExisting: logiqc.ExistingFail, Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for i, name := range names {
			r := logiqc.ImportRow{Row: i + 2, Username: name, Email: name + "@example.org", Role: logiqc.RoleUser, Auth: logiqc.ByPassword,
				Status: logiqc.Active, PasswordHash: logiqc.Secret(hash), Fields: []string{"username", "email", "auth", "status", "password_hash"}}
			switch name {
			case "inactive":
				r.Status = logiqc.Inactive
			case "sso":
				r.Auth, r.PasswordHash = logiqc.BySSO, ""
			}
			if !yield(r, nil) {
				return
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// denied is how long a sign-in takes that is denied.
func (d *desk) denied(t *testing.T, user string, p logiqc.Secret) time.Duration {
	t.Helper()
	began := time.Now()
	_, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: user, Password: p, Source: logiqc.Source{Host: "desk-3"}})
	took := time.Since(began)
	if err == nil || logiqc.AsError(err).Code != logiqc.SigninDenied {
		t.Fatalf("%s: %v", user, err)
	}
	return took
}
