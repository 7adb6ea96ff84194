//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// What an operator meets on a pair of PostgreSQL servers: a reset that no
// standby confirms is not called done; the same request again tells what became
// of it; and after the standby has taken over, all of it is there.
func TestPairOfServers(t *testing.T) {
	t.Parallel()
	pair := pgtest.NewPair(t)
	h := &home{t: t, dir: t.TempDir()}
	c := h.command("init", "--store", pair.DSN, "--admin", "helen", "--email", "helen@stmary.example", "--name", "Helen Marsh", "--password-stdin")
	c.Stdin = strings.NewReader("correct horse battery\n")
	if _, stderr, status := h.finish(c); status != 0 {
		t.Fatalf("init: exit status %d: %s", status, stderr)
	}
	people := filepath.Join(h.dir, "people.csv")
	h.write(people, "username,email,totp\njlee,jlee@stmary.example,otpauth://totp/St%20Mary:jlee?secret=JBSWY3DPEHPK3PXPJBSWY3DP\n")
	h.must("users", "import", people, "--store", pair.DSN)
	reset := []string{"mfa", "reset", "jlee", "--yes", "--request-id", "once", "-o", "json", "--store", pair.DSN}

	resume := pair.Standby.Stop(t, "walreceiver")
	stdout, stderr, status := h.run(append(reset, "--timeout", "1s")...)
	if status != 12 || stdout != "" || !strings.Contains(stderr, string(logiqc.UnknownOutcome)) ||
		!strings.Contains(stderr, "no standby confirmed it") || !strings.Contains(stderr, "audit list --request once") {
		t.Errorf("unconfirmed: exit status %d: %s%s", status, stdout, stderr)
	}
	resume()
	if out := h.must(reset...); !strings.Contains(out, `"replayed":true`) || !strings.Contains(out, `"outcome":"reset"`) {
		t.Errorf("the same again: %s", out)
	}

	pair.Primary.Kill(t)
	if _, stderr, status := h.run("users", "show", "jlee", "--store", pair.DSN, "--timeout", "1s"); status != 11 || !strings.Contains(stderr, "cannot be reached") {
		t.Errorf("before anybody has taken over: exit status %d: %s", status, stderr)
	}
	pair.Standby.Promote(t)
	if out := h.must("audit", "list", "--request", "once", "-o", "json", "--store", pair.DSN); strings.Count(out, `"mfa.reset"`) != 1 {
		t.Errorf("events: %s", out)
	}
	for _, args := range [][]string{{"audit", "verify"}, {"audit", "reconcile"}} {
		h.must(append(args, "--store", pair.DSN)...)
	}
}
