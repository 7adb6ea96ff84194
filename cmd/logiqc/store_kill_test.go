//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// How often the tests of this file kill a program; more when somebody has time:
// go test ./cmd/logiqc -run 'Killed|CrashLoop' -kills 200
var kills = flag.Int("kills", 2, "how often a copy, a restore, a backup and a random command are killed each")

// staffed is a home with a store of a hundred accounts and more that is what its log
// says, and a token that may do anything.
func staffed(t *testing.T) *home {
	t.Helper()
	tpl := copyTemplate(t)
	h := tpl.home(t)
	var staff strings.Builder
	staff.WriteString("username,email,name\n")
	for i := range 150 {
		fmt.Fprintf(&staff, "p%03d,p%03d@stmary.example,Person Number%d\n", i, i, i)
	}
	h.write(filepath.Join(h.dir, "staff.csv"), staff.String())
	h.must("users", "import", "staff.csv")
	token := h.must("tokens", "create", "loop", "--role", "admin", "-o", "json")
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(token), &answer); err != nil {
		t.Fatal(err)
	}
	h.write(filepath.Join(h.dir, "token"), answer.Token)
	return h
}

// killed starts a command and kills it after a random part of a time, unless it
// is quicker; it returns what it said by then and its exit status, -1 for one
// that was killed.
func (h *home) killed(within time.Duration, args ...string) (stdout string, status int) {
	h.t.Helper()
	c := h.command(args...)
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	kill := time.AfterFunc(time.Duration(rand.Float64()*float64(within)), func() { _ = c.Process.Kill() })
	defer kill.Stop()
	_ = c.Wait()
	return out.String(), c.ProcessState.ExitCode()
}

// takes runs a change on a store, by the token, and returns its exit status.
func (h *home) takes(where, name string) int {
	_, _, status := h.run("--store", where, "--token-file", "token", "users", "edit", "jlee", "--name", name)
	return status
}

// whole wants a store that is sound and what its log says.
func (h *home) whole(where string) {
	h.t.Helper()
	h.must("--store", where, "store", "check")
	h.must("--store", where, "audit", "reconcile")
}

// A move that is killed at any moment leaves at most one store that takes
// changes: the old one with nothing in the new place, or the new one, whole; or
// none yet. The same command then finishes it, or a thaw gives it up.
func TestCopyKilled(t *testing.T) {
	t.Parallel()
	h := staffed(t)
	for name, place := range map[string]func(i int) string{
		"file":     func(i int) string { return "sqlite:" + filepath.Join(h.dir, fmt.Sprintf("new%d.db", i)) },
		"postgres": func(int) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			source := func(i int) string {
				path := filepath.Join(h.dir, fmt.Sprintf("%s%d.db", name, i))
				h.must("store", "backup", path)
				return path
			}
			from, to := source(-1), place(-1)
			start := time.Now()
			h.must("--store", from, "store", "copy", "--to", to)
			within := time.Since(start) * 11 / 10
			var tally [4]int
			for i := range *kills {
				from, to = source(i), place(i)
				h.killed(within, "--store", from, "store", "copy", "--to", to)
				here, there := h.takes(from, "Here"), h.takes(to, "There")
				switch {
				case here == 0 && there == 11: // nothing has happened
					tally[0]++
				case here == 5 && there == 0:
					tally[1]++
				case here == 5 && there == 11 && i%2 == 0: // neither, yet
					tally[2]++
					h.must("--store", from, "store", "thaw")
					if here, there = h.takes(from, "Here"), h.takes(to, "There"); here != 0 || there != 11 {
						t.Fatalf("given up, the old store answers a change with %d, the new one with %d", here, there)
					}
				case here == 5 && there == 11:
					tally[3]++
				default:
					t.Fatalf("the old store answers a change with %d, the new one with %d", here, there)
				}
				h.whole(from)
				h.must("--store", from, "store", "copy", "--to", to)
				if here, there = h.takes(from, "Here"), h.takes(to, "There"); here != 5 || there != 0 {
					t.Fatalf("in the end the old store answers a change with %d, the new one with %d", here, there)
				}
				h.whole(to)
			}
			t.Logf("killed %d times within %v: %d before anything was done, %d when it was done, %d given up, %d finished after",
				*kills, within, tally[0], tally[1], tally[2], tally[3])
		})
	}
}

// A backup or a restore, with a newer log or without, that is killed leaves
// nothing at its place, or all of it; and the next one succeeds.
func TestBackupAndRestoreKilled(t *testing.T) {
	t.Parallel()
	h := staffed(t)
	h.must("store", "backup", "good.db")
	start := time.Now()
	h.must("--store", "again.db", "store", "restore", "good.db")
	within, done := time.Since(start)*11/10, [3]int{}
	h.must("--token-file", "token", "users", "deactivate", "p001", "p002", "p003", "--yes")
	h.must("--token-file", "token", "users", "edit", "jlee", "--name", "After the backup")
	for i := range *kills {
		file, place := filepath.Join(h.dir, fmt.Sprintf("b%d.db", i)), filepath.Join(h.dir, fmt.Sprintf("r%d.db", i))
		h.killed(within/2, "store", "backup", file)
		if _, err := os.Lstat(file); err == nil {
			done[0]++
			h.whole(file)
		} else {
			h.must("store", "backup", file)
		}
		h.killed(within, "--store", place, "store", "restore", file)
		if _, err := os.Lstat(place); err == nil {
			done[1]++
		} else {
			h.must("--store", place, "store", "restore", file)
		}
		h.whole(place)
		carried := filepath.Join(h.dir, fmt.Sprintf("c%d.db", i))
		h.must("audit", "export", "log")
		h.killed(within, "--store", carried, "store", "restore", "good.db", "--log", "log")
		if _, err := os.Lstat(carried); err == nil {
			done[2]++
		} else {
			h.must("--store", carried, "store", "restore", "good.db", "--log", "log")
		}
		h.whole(carried)
		if left, _ := filepath.Glob(filepath.Join(h.dir, "*.new*")); len(left) > 0 {
			t.Fatalf("left behind: %v", left)
		}
	}
	h.whole(h.db())
	t.Logf("of %d kills %d were after the backup was done, %d after the restore was, %d after that with the log was", *kills, done[0], done[1], done[2])
}

// Random commands are killed at random moments. Each time the store is sound
// and what its log says, and whatever was acknowledged is in the log (S-91).
func TestCrashLoop(t *testing.T) {
	t.Parallel()
	h := staffed(t)
	h.write(filepath.Join(h.dir, "few.csv"), "username,email\nn1,n1@stmary.example\n")
	commands := [][]string{
		{"mfa", "reset", "jlee", "mleeson", "p001", "--hold", "--yes"},
		{"mfa", "enrolment-code", "rgold"},
		{"users", "edit", "jlee", "--phone", "+61 #"},
		{"users", "add", "u#", "--email", "u#@stmary.example"},
		{"users", "deactivate", "p002", "p003", "p004", "--yes"},
		{"users", "activate", "p002", "p003", "p004", "--yes"},
		{"users", "unlock", "jlee", "--yes"},
		{"tokens", "create", "t#", "--role", "auditor"},
		{"policy", "set", "session.ttl=#h"},
		{"mfa", "enforce", "off", "--yes"},
		{"mfa", "enforce", "on", "--yes"},
		{"sessions", "revoke", "--user", "ines", "--yes"},
		{"audit", "checkpoint"},
		{"keys", "rotate"},
		{"store", "freeze", "--reason", "#"},
		{"store", "thaw"},
		{"store", "backup", "backup#.db"},
		{"users", "import", "few.csv", "--on-existing", "update"},
	}
	var acknowledged []string
	var survived int
	for i := range *kills {
		args := make([]string, 0, 10)
		for _, a := range commands[rand.IntN(len(commands))] {
			args = append(args, strings.ReplaceAll(a, "#", fmt.Sprint(i+1)))
		}
		id := fmt.Sprintf("crash-%d", i)
		request := []string{"--token-file", "token", "-o", "json"}
		if args[0] != "audit" && args[1] != "backup" && args[1] != "import" {
			request = append(request, "--request-id", id)
		}
		stdout, status := h.killed(60*time.Millisecond, append(args, request...)...)
		if status == 0 {
			survived++
		}
		h.whole(h.db())
		said := strings.Contains(stdout, `"changed":true`) || strings.Contains(stdout, `"token":"lqc_`)
		if said && strings.HasSuffix(stdout, "}\n") && len(request) > 4 {
			acknowledged = append(acknowledged, id)
		}
		for _, id := range acknowledged {
			if len(h.logOf(id)) == 0 {
				t.Fatalf("after %v was killed, %s is not in the log any more", args, id)
			}
		}
	}
	t.Logf("of %d commands %d ended before they were killed; %d changes were acknowledged", *kills, survived, len(acknowledged))
}

// logOf are the events of a request.
func (h *home) logOf(request string) []logiqc.Event {
	h.t.Helper()
	var events []logiqc.Event
	out := h.must("--token-file", "token", "audit", "list", "--request", request, "-o", "json")
	if err := json.Unmarshal([]byte(out), &events); err != nil {
		h.t.Fatal(err)
	}
	return events
}
