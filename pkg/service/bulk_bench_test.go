package service_test

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

var (
	bulkUsers = flag.Int("bulk.users", 20_000, "how many accounts BenchmarkBulkReset resets")
	bulkBatch = flag.Int("bulk.batch", 10_000, "how many of them in a transaction")
)

// BenchmarkBulkReset resets many accounts, each an event of its own, and sets it
// against two things on the same store in the same run: resets with a commit
// each, and the sqlite3 shell that brings about the same rows by the same
// statements, an account at a time in one transaction, without checking a rule.
//
//	go test ./pkg/service -run '^$' -bench BulkReset -benchtime 3x -bulk.users 100000
func BenchmarkBulkReset(b *testing.B) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		b.Skip("there is no sqlite3 here")
	}
	d, names := openBulk(b, *bulkUsers)
	script := ""
	var shell, single []float64
	for b.Loop() {
		bulk := d.copied(b, func(helen logiqc.Service, path string) { resetMany(b, helen, names, *bulkBatch) }, func(path string) {
			if script == "" {
				script = resetScript(b, path)
			}
		})
		few := names[:min(len(names), 1000)]
		each := d.copied(b, func(helen logiqc.Service, _ string) { resetMany(b, helen, few, 1) }, nil)
		theirs := d.copied(b, func(_ logiqc.Service, path string) { runShell(b, path, script) }, nil)
		shell = append(shell, theirs.Seconds()/bulk.Seconds())
		single = append(single, each.Seconds()/float64(len(few))/(bulk.Seconds()/float64(len(names))))
		b.ReportMetric(float64(len(names))/bulk.Seconds(), "resets/s")
	}
	b.ReportMetric(median(shell), "times-faster-than-sqlite3")
	b.ReportMetric(median(single), "times-faster-than-one-each")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// bulkDesk is a store in a file that is copied, to be changed.
type bulkDesk struct{ importDesk }

// openBulk makes a store with so many people who have an app.
func openBulk(b *testing.B, n int) (bulkDesk, []string) {
	b.Helper()
	d := openImport(b)
	names := make([]string, n)
	_, err := d.helen.ImportUsers(b.Context(), logiqc.Import{Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for i := range n {
			key, err := totp.KeyFromBytes(fmt.Appendf(nil, "%020d", i))
			if err != nil {
				b.Fatal(err)
			}
			row := named(fmt.Sprintf("user%07d", i))
			row.Row, row.TOTP = i+2, logiqc.Secret(totp.URI("Example", row.Username, key))
			row.Fields = []string{"username", "email"}
			names[i] = row.Username
			if !yield(row, nil) {
				return
			}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := d.helen.ChangePolicy(b.Context(), logiqc.PolicyEdit{Settings: []logiqc.Setting{{Key: logiqc.KeyBulkMax, Value: fmt.Sprint(n)}}}); err != nil {
		b.Fatal(err)
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	return bulkDesk{d}, names
}

// copied times fn on a copy of the store, and has a look at the copy afterwards.
func (d bulkDesk) copied(b *testing.B, fn func(helen logiqc.Service, path string), after func(path string)) time.Duration {
	b.Helper()
	path := filepath.Join(b.TempDir(), "logiqc.db")
	from, err := os.Open(d.path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		b.Fatal(err)
	}
	if err := to.Sync(); err != nil {
		b.Fatal(err)
	}
	_ = to.Close()
	defer func() { _ = os.Remove(path) }()
	s, err := store.Open(path, store.Options{Now: d.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	keys := func(string) (service.Keys, error) { return d.ring, nil }
	actor, err := service.New(s, keys).Authenticate(context.Background(), d.init, logiqc.Source{Host: "desk-3", OSUser: "tester"})
	if err != nil {
		b.Fatal(err)
	}
	helen := service.New(s, keys).As(actor)
	start := time.Now()
	fn(helen, path)
	took := time.Since(start)
	if after != nil {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		after(path)
	}
	return took
}

// resetMany is a run of resets, as the command makes it.
func resetMany(b *testing.B, helen logiqc.Service, names []string, batch int) {
	b.Helper()
	r := logiqc.Reset{Request: logiqc.Request{RequestID: "run", Remember: true, Consent: logiqc.Consent{Given: true}}, Total: len(names)}
	for part := range slices.Chunk(names, batch) {
		r.Users = r.Users[:0]
		for _, name := range part {
			r.Users = append(r.Users, logiqc.ResetTarget{User: name})
		}
		results, err := helen.ResetMFA(b.Context(), r)
		if err != nil {
			b.Fatal(err)
		}
		for _, res := range results {
			if res.Outcome != logiqc.ResetDone {
				b.Fatalf("%+v", res)
			}
			if batch > 1 {
				r.Seen = append(r.Seen, res.Account.ID)
			}
		}
		r.Batch++
	}
}

// resetScript is what was done to the store at path, in SQL: the statements that
// one reset is, for each account.
func resetScript(b *testing.B, path string) string {
	b.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var s strings.Builder
	s.WriteString("PRAGMA foreign_keys = 1; PRAGMA secure_delete = 1; PRAGMA recursive_triggers = 1; PRAGMA synchronous = FULL;\nBEGIN IMMEDIATE;\n")
	lines := func(query string) {
		rows, err := db.Query(query)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var line sql.RawBytes
			if err := rows.Scan(&line); err != nil {
				b.Fatal(err)
			}
			s.Write(line)
			s.WriteString("\n")
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
	}
	lines(`SELECT 'SELECT a.id, e.id FROM account a LEFT JOIN enrolment e ON e.user_id = a.id WHERE a.username_key = ' || quote(a.username_key) || ';
DELETE FROM enrolment_code WHERE user_id = ' || quote(a.id) || ';
DELETE FROM enrolment WHERE user_id = ' || quote(a.id) || ';
DELETE FROM session WHERE user_id = ' || quote(a.id) || ';
UPDATE account SET code_misses = 0, code_until = 0, code_told = 0, reset_at = ' || a.reset_at || ', reset_by = ''helen'', reset_seen = 0, window_at = ' ||
	a.window_at || ', updated_at = ' || a.updated_at || ', version = version + 1 WHERE id = ' || quote(a.id) || ' AND version = ' || (a.version - 1) || ';
INSERT INTO event VALUES (' || v.seq || ', ' || quote(v.id) || ', ' || v.at || ', ' || quote(v.action) || ', ' || quote(v.outcome) || ', ' || quote(v.code) || ', ' ||
	quote(v.actor_kind) || ', ' || quote(v.actor_id) || ', ' || quote(v.actor_username) || ', ' || quote(v.actor_name) || ', ' || quote(v.actor_for) || ', ' ||
	quote(v.target_id) || ', ' || quote(v.target_username) || ', ' || quote(v.request_id) || ', ' || quote(v.bytes) || ');'
	FROM event v JOIN account a ON a.id = v.target_id WHERE v.action = 'mfa.reset' ORDER BY v.seq`)
	lines(`SELECT 'INSERT INTO log_hash VALUES (' || idx || ', ' || quote(hash) || ');' FROM log_hash
		WHERE idx >= 2 * (SELECT min(seq) FROM event WHERE action = 'mfa.reset') ORDER BY idx`)
	lines(`SELECT 'UPDATE log_head SET turn = turn + 1, size = ' || size || ', root = ' || quote(root) || ';' FROM log_head`)
	s.WriteString("COMMIT;\n")
	return s.String()
}

func runShell(b *testing.B, path, script string) {
	b.Helper()
	var told bytes.Buffer
	c := exec.CommandContext(b.Context(), "sqlite3", "-bail", path)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(script), io.Discard, &told
	if err := c.Run(); err != nil || told.Len() > 0 {
		b.Fatalf("sqlite3: %v %s", err, told.String())
	}
}
