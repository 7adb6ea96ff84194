package cmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
)

// demoAnswer is what the demo leaves behind.
type demoAnswer struct {
	Store    string `json:"store"`
	Keys     string `json:"keys"`
	State    string `json:"state"` // where the session of User is saved
	User     string `json:"user"`  // who is signed in
	Accounts int    `json:"accounts"`
	*demoServed
}

func newDemo(a *App) *cobra.Command {
	var dir string
	var serve bool
	c := &cobra.Command{
		Use: "demo", Short: "Try it all on a throwaway store of 1,000 made-up people",
		Annotations: oneAnswer,
		Long: "Make a throwaway store with 1,000 made-up people and do the main job on it: find a\n" +
			"user, open the account, reset the MFA, see the user enrol again, read it all in the\n" +
			"audit log. On a terminal you press the buttons; without one it runs to the end by\n" +
			"itself. It leaves the store to play with and says how to point your shell at it.\n\n" +
			"Your own store, settings and session are not touched. With -o json it only makes the\n" +
			"store.\n\n" +
			"With --serve there is no tour: it serves the store on loopback, as logiqc serve does,\n" +
			"and prints calls that an application makes.",
		Example: "  logiqc demo\n  logiqc demo --dir ~/logiqc-demo\n  logiqc demo --serve",
		RunE: func(c *cobra.Command, _ []string) error {
			place, err := demoPlace(dir)
			if err != nil {
				return err
			}
			d, err := makeDemo(c.Context(), place, a, serve)
			if err != nil {
				return err
			}
			defer func() { _ = d.desk.Close() }()
			if serve {
				return a.demoServe(c.Context(), d)
			}
			return a.answer(d.demoAnswer, func(io *ui.IO) error {
				err := a.demoTour(c.Context(), d)
				d.leave(io)
				return err
			})
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "make the store in this new or empty `DIR`, not in a temporary one")
	c.Flags().BoolVar(&serve, "serve", false, "serve it over HTTP on this machine, for applications to try")
	return c
}

// demoPlace is an empty folder for the demo, as a whole path.
func demoPlace(dir string) (string, error) {
	if dir == "" {
		dir, err := os.MkdirTemp("", "logiqc-demo-")
		if err != nil {
			return "", logiqc.Errorf(logiqc.Unavailable, "no temporary folder can be made: %w", err)
		}
		return dir, nil
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return "", logiqc.Errorf(logiqc.Unavailable, "the folder for the demo cannot be made: %w", err)
	}
	if inside, err := os.ReadDir(dir); err != nil || len(inside) > 0 {
		return "", logiqc.Errorf(logiqc.Exists, "%s is not an empty folder; it was left alone", dir).
			WithHint("give another --dir, or none")
	}
	return dir, nil
}

// leave says how to go on playing.
func (d *demo) leave(io *ui.IO) {
	io.Answerf("\nThe store is yours to play with. This points your shell at it, signed in as %s:\n", d.User)
	for _, v := range [][2]string{{"LOGIQC_STORE", strings.TrimPrefix(d.Store, "sqlite:")}, {"LOGIQC_KEYS", d.Keys}, {"XDG_STATE_HOME", d.State}} {
		io.Answerf("  %s", ui.Typed("export "+v[0]+"="+shellWord(v[1])))
	}
	io.Answerf("\nEverybody's password is %q. Then try:", demoPassword)
	io.Answerf("  logiqc users show rpatel         why can he not sign in?")
	io.Answerf("  logiqc mfa reset mchen           a protected account")
	io.Answerf("  logiqc users find --awaiting-enrolment")
	io.Answerf("  logiqc admin                     all of it on one screen")
	d.leaveNothing(io)
}

// leaveNothing says how to be rid of the store.
func (d *demo) leaveNothing(io *ui.IO) {
	io.Answerf("To be rid of it: %s", ui.Typed("rm -r "+shellWord(d.dir)))
}

// shellWord writes a word so that a POSIX shell reads it as one.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:,@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// pointAt makes the rest of this process use the demo's store, whatever the
// environment and the config file say; how to talk stays as it was asked for.
func (d *demo) pointAt(flags config.Flags) error {
	var all error
	for _, k := range config.Keys() {
		value, ok := flags[k.Name]
		switch k.Name {
		case "store":
			value, ok = d.Store, true
		case "keys":
			value, ok = d.Keys, true
		case "profile", "token", "token-file":
			all = errors.Join(all, os.Unsetenv(k.Env()))
			continue
		case "output":
			value, ok = "text", true
		}
		if ok {
			all = errors.Join(all, os.Setenv(k.Env(), value))
		}
	}
	return errors.Join(all, os.Setenv("XDG_STATE_HOME", d.State), os.Setenv("XDG_CONFIG_HOME", filepath.Join(d.dir, "config")))
}

// command runs a command line of this program on the demo's store, as it was
// typed.
func (d *demo) command(ctx context.Context, a *App, args ...string) int {
	line := "logiqc"
	for _, arg := range args {
		line += " " + shellWord(arg)
	}
	a.IO().Answerf("\n$ %s", ui.Cyan(line))
	sub := NewApp()
	defer sub.Close()
	sub.Stdin, sub.Stdout, sub.Stderr, sub.Now = a.Stdin, a.Stdout, a.Stderr, a.Now
	return sub.Run(ctx, args)
}
