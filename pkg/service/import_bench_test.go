package service_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

var importUsers = flag.Int("import.users", 20_000, "how many accounts BenchmarkImportAgainstShell imports, and BenchmarkVerify verifies")

// BenchmarkImportAgainstShell imports accounts, an event of the log for each and
// the search index included, and sets it against what the sqlite3 shell takes to
// bring the same rows in: .import into a table with unique indexes and an FTS5
// index of trigrams.
//
//	go test ./pkg/service -run '^$' -bench ImportAgainst -benchtime 3x -import.users 1000000
func BenchmarkImportAgainstShell(b *testing.B) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		b.Skip("there is no sqlite3 here")
	}
	file := filepath.Join(b.TempDir(), "people.csv")
	writePeople(b, file, *importUsers)
	var ratios []float64
	for b.Loop() {
		ours := importGrown(b, openImport(b), *importUsers)
		ratios = append(ratios, ours.Seconds()/importByShell(b, file).Seconds())
		b.ReportMetric(float64(*importUsers)/ours.Seconds(), "accounts/s")
	}
	b.ReportMetric(median(ratios), "times-slower-than-sqlite3")
}

func writePeople(b *testing.B, file string, n int) {
	b.Helper()
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	for i := range n {
		r := grown(i)
		// The id is what makes the row as long as an account's.
		if err := w.Write([]string{fmt.Sprintf("01932a7c-0000-7000-8000-%012x", i), r.Username, r.Email, r.Name}); err != nil {
			b.Fatal(err)
		}
	}
	w.Flush()
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
}

// importGrown times the import of the accounts of BenchmarkGrowth, without apps.
func importGrown(b *testing.B, d importDesk, n int) time.Duration {
	b.Helper()
	start := time.Now()
	_, err := d.helen.ImportUsers(b.Context(), logiqc.Import{Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for i := range n {
			row := grown(i)
			row.Row, row.TOTP = i+2, ""
			if !yield(row, nil) {
				return
			}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// importByShell imports a file into a new database, as durably as ours.
func importByShell(b *testing.B, file string) time.Duration {
	b.Helper()
	script := `PRAGMA journal_mode = wal; PRAGMA synchronous = FULL;
CREATE TABLE person (id TEXT NOT NULL UNIQUE, username TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE VIRTUAL TABLE text USING fts5 (username, email, name, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1');
.import --csv '` + file + `' person
INSERT INTO text (rowid, username, email, name) SELECT rowid, username, email, lower(name) FROM person;
`
	dir := b.TempDir()
	defer func() { _ = os.RemoveAll(dir) }()
	c := exec.CommandContext(b.Context(), "sqlite3", "-bail", filepath.Join(dir, "people.db"))
	var told bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(script), io.Discard, &told
	start := time.Now()
	if err := c.Run(); err != nil || told.Len() > 0 {
		b.Fatalf("sqlite3: %v %s", err, told.String())
	}
	return time.Since(start)
}

// BenchmarkVerifyAgainstHashing verifies a whole log and sets it against hashing
// the same leaves, and the nodes above them, in memory on one core.
//
//	go test ./pkg/service -run '^$' -bench VerifyAgainst -benchtime 5x -import.users 1000000
func BenchmarkVerifyAgainstHashing(b *testing.B) {
	d := openImport(b)
	importGrown(b, d, *importUsers)
	leaves := leavesOf(b, d.Audit(d.helen.Actor()))
	var ratios []float64
	for b.Loop() {
		start := time.Now()
		report, err := d.Verify(b.Context(), nil)
		if err != nil || !report.OK {
			b.Fatalf("%+v, %v", report, err)
		}
		ours := time.Since(start)
		start = time.Now()
		if root := rootOf(leaves); root != tlog.Hash(report.Root) {
			b.Fatalf("the root is %v, and was verified as %v", root, report.Root)
		}
		ratios = append(ratios, ours.Seconds()/time.Since(start).Seconds())
		b.ReportMetric(float64(report.Size)/ours.Seconds(), "events/s")
	}
	b.ReportMetric(median(ratios), "times-slower-than-hashing")
}

func leavesOf(b *testing.B, a logiqc.Audit) (leaves [][]byte) {
	b.Helper()
	head, err := a.LogHead(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for r := (logiqc.LogRange{To: head.Size}); r.From < r.To; {
		page, err := a.LogLeaves(b.Context(), r)
		if err != nil {
			b.Fatal(err)
		}
		for _, leaf := range page.Leaves {
			leaves = append(leaves, leaf.Bytes)
		}
		r.From = page.Next
	}
	return leaves
}

// rootOf hashes a tree of leaves as RFC 6962 says, level by level.
func rootOf(leaves [][]byte) tlog.Hash {
	level := make([]tlog.Hash, len(leaves))
	for i, leaf := range leaves {
		level[i] = tlog.RecordHash(leaf)
	}
	for len(level) > 1 {
		half := level[:0]
		for i := 0; i+1 < len(level); i += 2 {
			half = append(half, tlog.NodeHash(level[i], level[i+1]))
		}
		if len(level)%2 == 1 {
			half = append(half, level[len(level)-1])
		}
		level = half
	}
	return level[0]
}
