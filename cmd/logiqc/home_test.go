package main

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// home is a store with the people of `newstore` for tests in Go: of prompts on
// a real terminal, and of what scripts cannot tell.
type home struct {
	t   *testing.T
	tpl *template
	dir string
}

// newTemplate makes a store to be copied.
func newTemplate(t *testing.T) *template {
	t.Helper()
	tpl := copyTemplate(t)
	h := &home{t: t, tpl: tpl}
	h.exec(tpl.file(), dated,
		created.UnixMilli(), created.AddDate(1, 10, 0).UnixMilli(), created.AddDate(1, 11, 7).UnixMilli())
	return tpl
}

// dated gives accounts and enrolments dates that do not change from one run of
// the tests to the next, and ten recovery codes each.
const dated = `
	UPDATE account SET created_at = ?1;
	UPDATE enrolment SET enrolled_at = ?2, last_used_at = ?3;
	INSERT INTO recovery_code (enrolment_id, hash)
		WITH RECURSIVE code (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM code WHERE n < 10)
		SELECT enrolment.id, randomblob(32) FROM enrolment, code;`

var created = time.Date(2024, time.March, 12, 9, 30, 0, 0, time.UTC)

// exec changes a store behind the program's back.
func (h *home) exec(path, statements string, args ...any) {
	h.t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := db.ExecContext(h.t.Context(), statements, args...); err != nil {
		h.t.Fatalf("%s: %v", statements, err)
	}
	if err := db.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// home copies the template to a home of its own, where helen is signed in.
func (tpl *template) home(t *testing.T) *home {
	t.Helper()
	h := &home{t: t, tpl: tpl, dir: t.TempDir()}
	h.copy(tpl.file(), h.db())
	h.copyKeys()
	h.write(filepath.Join(h.dir, "config", "logiqc", "config.yaml"),
		"profile: stmary\nprofiles:\n  stmary:\n    store: "+h.db()+"\n")
	h.as("helen")
	return h
}

// copyKeys gives the home the template's keys.
func (h *home) copyKeys() {
	h.t.Helper()
	keys, err := os.ReadDir(filepath.Join(h.tpl.dir, h.tpl.id))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range keys {
		h.copy(filepath.Join(h.tpl.dir, h.tpl.id, f.Name()), filepath.Join(h.dir, "config", "logiqc", "keys", h.tpl.id, f.Name()))
	}
}

func (h *home) db() string { return filepath.Join(h.dir, "data", "logiqc", "logiqc.db") }

func (h *home) copy(from, to string) {
	h.t.Helper()
	h.write(to, string(h.read(from)))
}

func (h *home) write(path, text string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// as signs somebody in.
func (h *home) as(username string) {
	h.t.Helper()
	h.asAt(username, h.db())
}

// asAt signs somebody in to the store of that address.
func (h *home) asAt(username, where string) {
	h.t.Helper()
	address, err := config.ParseStore(where)
	if err != nil {
		h.t.Fatal(err)
	}
	file := config.Session(config.Paths{State: filepath.Join(h.dir, "state", "logiqc")}, address)
	if err := file.Save(config.Secret(h.tpl.sessions[username].Reveal())); err != nil {
		h.t.Fatal(err)
	}
}

// command is the real program in this home; see [plain].
func (h *home) command(args ...string) *exec.Cmd {
	return h.commandOf(filepath.Join(plain, "logiqc"), args...)
}

// watched is command under the race detector, where the tests are.
func (h *home) watched(args ...string) *exec.Cmd { return h.commandOf("logiqc", args...) }

func (h *home) commandOf(program string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = h.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "XDG_CONFIG_HOME=" + filepath.Join(h.dir, "config"),
		"XDG_DATA_HOME=" + filepath.Join(h.dir, "data"), "XDG_STATE_HOME=" + filepath.Join(h.dir, "state"),
		"TZ=UTC", "LANG=C.UTF-8", "GORACE=" + quickExit}
	return c
}

// terminal starts the program on a terminal.
func (h *home) terminal(cols, rows int, args ...string) *uitest.Terminal {
	h.t.Helper()
	return uitest.Start(h.t, cols, rows, h.command(args...))
}

// unfolded is what the program has written to a terminal, without the breaks that
// fit it to the window.
func unfolded(x *uitest.Terminal) string { return strings.Join(strings.Fields(x.Output()), " ") }

// run runs the program without a terminal, for at most five seconds.
func (h *home) run(args ...string) (stdout, stderr string, status int) {
	h.t.Helper()
	return h.finish(h.command(args...))
}

func (h *home) finish(c *exec.Cmd) (stdout, stderr string, status int) {
	h.t.Helper()
	return h.finishWithin(c, 30*time.Second, func() {})
}

// finishWithin runs the command for at most limit; started is called once it
// runs.
func (h *home) finishWithin(c *exec.Cmd, limit time.Duration, started func()) (stdout, stderr string, status int) {
	h.t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	started()
	stuck := time.AfterFunc(limit, func() { _ = c.Process.Kill() })
	err := c.Wait()
	if !stuck.Stop() {
		h.t.Fatalf("%v hangs:\n%s%s", c.Args, &out, &errs)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// service opens the store beside the program, as somebody. It is closed with
// the test.
func (h *home) service(username string) logiqc.Service {
	h.t.Helper()
	s, err := store.OpenSQLite(h.db(), store.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = s.Close() })
	desk := service.New(s, func(id string) (service.Keys, error) { return service.KeysIn(filepath.Join(h.tpl.dir, id)), nil })
	actor, err := desk.Authenticate(h.t.Context(), h.tpl.sessions[username], source)
	if err != nil {
		h.t.Fatal(err)
	}
	return desk.As(actor)
}

// events counts the events of an action, or all of them for "".
func (h *home) events(action logiqc.Action) int {
	h.t.Helper()
	q := logiqc.EventQuery{}
	if action != "" {
		q.Actions = []logiqc.Action{action}
	}
	svc, n := h.service("tom"), 0
	for {
		page, err := svc.Events(h.t.Context(), q)
		if err != nil {
			h.t.Fatal(err)
		}
		n += len(page.Events)
		if q.Cursor = page.Next; q.Cursor == "" {
			return n
		}
	}
}

// account is an account as tom sees it.
func (h *home) account(username string) logiqc.Account {
	h.t.Helper()
	a, err := h.service("tom").GetUser(h.t.Context(), username)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *home) read(path string) []byte {
	h.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	return data
}
