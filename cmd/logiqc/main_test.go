package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/logiqc/logiqc/pkg/store/pgtest"
)

// quickExit keeps a program built with the race detector from sleeping for a
// second at its end, of which a run of the stories has thousands.
const quickExit = "atexit_sleep_ms=0"

// setting is where the scripts run: the same stories on every kind of store.
type setting struct {
	name string // of the subtest that holds its scripts, and of their condition
	// prepare makes whatever all scripts share; it returns what each is given at
	// its beginning, if that is anything, and `newstore`.
	prepare func(t *testing.T) (begin func(env *testscript.Env), newStore func(ts *testscript.TestScript))
	// remote says that a server is between the program and the store. Only
	// scripts with a `newstore` run there: the others have nothing to talk to.
	remote bool
}

// settings lists them. Scripts of the first have no level of their own, so that
// `go test ./cmd/logiqc -run TestScripts/users_` finds them.
var settings = []setting{
	{sqlite, sqliteStores, false},
	{"postgres", postgresStores, false},
	{"https", httpsStores, true},
	{"https_postgres", httpsPostgresStores, true},
}

const sqlite = "sqlite"

// TestScripts runs the stories in testdata/script against the real program.
// testdata/script/README.md says what they can use.
func TestScripts(t *testing.T) {
	t.Parallel()
	for _, s := range settings {
		if s.name == sqlite {
			s.run(t)
			continue
		}
		t.Run(s.name, s.run)
	}
}

func (s setting) run(t *testing.T) {
	begin, newStore := s.prepare(t)
	testscript.Run(t, testscript.Params{
		Files: s.stories(t),
		Setup: func(env *testscript.Env) error {
			err := setup(env)
			env.Setenv("PATH", plain+string(os.PathListSeparator)+env.Getenv("PATH"))
			begin(env)
			return err
		},
		Condition: func(condition string) (bool, error) {
			if slices.ContainsFunc(settings, func(s setting) bool { return s.name == condition }) {
				return s.name == condition, nil
			}
			if condition == "remote" {
				return s.remote, nil
			}
			if condition == "waits" { // the server, for a standby, where it is asked to
				return strings.HasSuffix(s.name, "postgres") && pgtest.Value(t, pgtest.Server(t), `SHOW synchronous_standby_names`) != "", nil
			}
			return false, fmt.Errorf("there is no condition %q", condition)
		},
		RequireUniqueNames: true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"newstore": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, "newstore", !neg && len(args) == 0)
				newStore(ts)
			},
			"place": func(ts *testscript.TestScript, neg bool, args []string) {
				usage(ts, "place", !neg && len(args) == 1)
				to := "sqlite:" + filepath.Join(ts.Getenv("WORK"), args[0]+".db")
				if strings.HasSuffix(s.name, "postgres") {
					to = pgtest.Database(t)
				}
				ts.Setenv(args[0], to)
			},
			"serve":    cmdServe,
			"as":       cmdAs,
			"appcode":  cmdAppCode,
			"status":   cmdStatus,
			"getjson":  cmdGetJSON,
			"json":     cmdJSON,
			"jsonkeys": cmdJSONKeys,
		},
	})
}

// everyStory is for the race detector's run, in which each story runs on a file and
// in one of the other settings, in turn.
var everyStory = flag.Bool("stories.all", !underRaceDetector, "run every story in every setting")

// stories are the files of the scripts.
func (s setting) stories(t *testing.T) (files []string) {
	all, err := filepath.Glob(filepath.Join("..", "..", "testdata", "script", "*.txtar"))
	if err != nil || len(all) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	others := len(settings) - 1
	place := slices.IndexFunc(settings, func(o setting) bool { return o.name == s.name }) - 1 // -1 is the file's
	for i, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !*everyStory && place >= 0 && i%others != place && !s.meant(string(text)) {
			continue
		}
		if !s.remote || slices.Contains(strings.Split(string(text), "\n"), "newstore") {
			files = append(files, file)
		}
	}
	return files
}

// meant tells whether a story is about this setting, or about what is done where
// the store is.
func (s setting) meant(story string) bool {
	return strings.Contains(story, s.name+"]") || !s.remote && strings.Contains(story, "[remote] skip")
}

// setup gives a script a home of its own. Nothing of the environment of the
// tests reaches it but PATH.
func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	env.Setenv("HOME", home)
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	env.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	env.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	env.Setenv("TZ", "UTC")
	env.Setenv("LANG", "C.UTF-8")
	env.Setenv("GORACE", quickExit)
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "password"), []byte(password+"\n"), 0o600)
}
