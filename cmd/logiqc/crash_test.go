//go:build linux

package main

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
)

var (
	crashes   = flag.Int("crashes", usualCrashes(), "how often TestCrashes ends the program at a system call of its choice")
	crashSeed = flag.Uint64("crash-seed", rand.Uint64(), "what TestCrashes chooses by")
)

// usualCrashes is fewer where CI has the race detector, which sees nothing of the
// plain program that is ended here.
func usualCrashes() int {
	if underRaceDetector {
		return 60
	}
	return 200
}

// A crash ends the program, or fails its writing, at a system call: strace counts
// them. Whatever was going on, the file is sound, the log is whole and says what
// the store holds; what was acknowledged is there; what failed is not; and the
// same request, made again, does what is left to do and nothing twice.
// (S-21, S-91; more of it: -crashes 1000)
func TestCrashes(t *testing.T) {
	t.Parallel()
	strace := needProgram(t, "strace", "what a crash leaves")
	c := &crash{home: honest(t, newTemplate(t)), strace: strace, Rand: rand.New(rand.NewPCG(*crashSeed, 0))}
	t.Logf("-crash-seed %d", *crashSeed)
	c.sound("before")
	for i := range *crashes {
		c.once(i)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d crashes: %d commands were killed, %d of them too late; %d failed and said so, %d succeeded",
		*crashes, c.killed, c.late, c.failed, c.done)
}

// crash is one store that lives through all the crashes of a test.
type crash struct {
	*home
	*rand.Rand
	strace               string
	users                int // of the imports so far
	killed, failed, done int
	late                 int // of the killed, when the change was there already
}

// command line number i: something that changes the store.
func (c *crash) line(i int) []string {
	user := "jlee"
	if c.users > 0 {
		user = fmt.Sprintf("p%04d", c.IntN(c.users))
	}
	some := strconv.Itoa(c.IntN(1000))
	lines := [][]string{
		{"mfa", "reset", user, "--yes"}, {"mfa", "reset", user, "--yes"},
		{"users", "edit", user, "--phone", some}, {"users", "edit", user, "--protected=" + strconv.FormatBool(c.IntN(2) == 0)},
		{"users", "add", fmt.Sprintf("new%d", i), "--email", fmt.Sprintf("new%d@stmary.example", i)},
		{"users", "deactivate", user, "--yes"}, {"users", "activate", user, "--yes"},
		{"mfa", "enforce", "off", "--yes"}, {"mfa", "enforce", "on", "--yes"},
		{"policy", "set", "reset.bulk_max=" + strconv.Itoa(100+c.IntN(100))},
		{"tokens", "create", some, "--role", "auditor"}, {"mfa", "enrolment-code", user}, {"keys", "rotate", "log"},
		{"mfa", "reset", "--from", c.list(), "--yes"},
	}
	if i%5 == 0 {
		return []string{"users", "import", c.staff()}
	}
	return lines[c.IntN(len(lines))]
}

// atOnce is how many accounts an import adds.
const atOnce = 20

// staff is a file of new accounts with an app each, to be reset later.
func (c *crash) staff() string {
	var b strings.Builder
	for i := range atOnce {
		fmt.Fprintf(&b, `{"username":"p%04d","email":"p%04[1]d@stmary.example","totp":"otpauth://totp/X:x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}`+"\n", c.users+i)
	}
	path := filepath.Join(c.dir, "staff.jsonl")
	c.write(path, b.String())
	return path
}

// list is a file of some accounts, not all of which exist.
func (c *crash) list() string {
	var b strings.Builder
	for range 10 {
		fmt.Fprintf(&b, "p%04d\n", c.IntN(c.users+3))
	}
	path := filepath.Join(c.dir, "list.txt")
	c.write(path, b.String())
	return path
}

// once crashes one command and looks at what it left.
func (c *crash) once(i int) {
	c.t.Helper()
	request := "crash-" + strconv.Itoa(i)
	line := append(c.line(i), "--request-id", request, "-o", "json")
	fault := []string{"signal=KILL", "signal=KILL", "error=ENOSPC", "error=EIO"}[c.IntN(4)]
	where := fmt.Sprintf("inject=pwrite64,fdatasync,ftruncate:%s:when=%d", fault, 1+c.IntN(80))
	if strings.HasPrefix(fault, "error") {
		where += "+"
	}
	x := c.command(line...)
	x.Args = append([]string{"strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=pwrite64,fdatasync,ftruncate", "-e", where, x.Path}, x.Args[1:]...)
	x.Path = c.strace
	stdout, stderr, status := c.finish(x)
	what := fmt.Sprintf("%s, %s: exit %d %s", strings.Join(line, " "), where, status, stderr)
	events := c.made(request)
	switch status {
	case -1, 137:
		c.killed++
		if events > 0 {
			c.late++
		}
		if changed(stdout) && events == 0 {
			c.t.Errorf("acknowledged and not there: %s%s", what, stdout)
		}
	case 0, 8:
		c.done++
		if changed(stdout) != (events > 0) {
			c.t.Errorf("%d events, and told otherwise: %s%s", events, what, stdout)
		}
	default:
		c.failed++
		if events > 0 && status != logiqc.UnknownOutcome.ExitStatus() {
			c.t.Errorf("%d events of what failed: %s%s", events, what, stdout)
		}
	}
	c.sound(what)
	if i%3 == 0 {
		c.again(what, line, request)
	}
	if line[1] == "import" && c.made(request) > 0 {
		c.users += atOnce
	}
}

// again makes the request twice more: it is carried out if it was not, once.
func (c *crash) again(what string, line []string, request string) {
	c.t.Helper()
	events := 0
	for try := range 2 {
		stdout, stderr, status := c.run(line...)
		refused := status == 5 && c.made(request) == 0 // by a rule, such as of protected accounts
		if status != 0 && status != 8 && !refused {
			c.t.Errorf("again after %s: exit %d %s%s", what, status, stdout, stderr)
		}
		if n := c.made(request); try == 1 && n != events {
			c.t.Errorf("after %s: the retry made %d events of %d", what, n, events)
		} else {
			events = n
		}
	}
	c.sound("again after " + what)
}

// changed reports whether an answer says that something was changed.
func changed(stdout string) bool {
	var a struct {
		Changed bool
		Token   string
		Added   int
		Summary struct{ Reset int }
	}
	return json.Unmarshal([]byte(stdout), &a) == nil && (a.Changed || a.Token != "" || a.Added > 0 || a.Summary.Reset > 0)
}

// open looks at the store with a program that was not there before.
func (c *crash) open(look func(desk *service.Desk, tom logiqc.Service)) {
	c.t.Helper()
	s, err := store.OpenSQLite(c.db(), store.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	desk := service.New(s, func(id string) (service.Keys, error) { return service.KeysIn(filepath.Join(c.tpl.dir, id)), nil })
	tom, err := desk.Authenticate(c.t.Context(), c.tpl.sessions["tom"], source)
	if err != nil {
		c.t.Fatal(err)
	}
	look(desk, desk.As(tom))
}

// made counts the events of a request but those of refusals.
func (c *crash) made(request string) (n int) {
	c.t.Helper()
	c.open(func(_ *service.Desk, tom logiqc.Service) {
		page, err := tom.Events(c.t.Context(), logiqc.EventQuery{RequestID: request})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, e := range page.Events {
			if e.Outcome == logiqc.Success {
				n++
			}
		}
	})
	return n
}

// sound checks the file, the log, and the store against the log.
func (c *crash) sound(what string) {
	c.t.Helper()
	c.open(func(desk *service.Desk, _ logiqc.Service) {
		if r, err := desk.Verify(c.t.Context(), nil); err != nil || !r.OK {
			c.t.Errorf("the log after %s: %+v, %v", what, r, err)
		}
		if r, err := desk.Reconcile(c.t.Context()); err != nil || len(r.Differences) > 0 {
			c.t.Errorf("the store after %s: %+v, %v", what, r, err)
		}
	})
	db, err := sql.Open("sqlite", c.db())
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var said string
	if err := db.QueryRowContext(c.t.Context(), "PRAGMA integrity_check").Scan(&said); err != nil || said != "ok" {
		c.t.Errorf("the file after %s: %s %v", what, said, err)
	}
}
