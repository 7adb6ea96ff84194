package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// everyCommand calls do with each command of the tree but help topics.
func everyCommand(c *cobra.Command, do func(c *cobra.Command)) {
	if !c.IsAdditionalHelpTopicCommand() {
		do(c)
	}
	for _, sub := range c.Commands() {
		everyCommand(sub, do)
	}
}

// words is a command line without the program's name.
func words(c *cobra.Command) []string { return strings.Fields(c.CommandPath())[1:] }

// nowhere makes a home in which nothing is and nothing may be made.
func nowhere(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"} {
		t.Setenv(name, filepath.Join(home, "no"))
	}
	return home
}

// run runs a command line and returns what it wrote and its exit status.
func run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	open := func(name string) *os.File {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	a := NewApp()
	defer a.Close()
	a.Stdin, a.Stdout, a.Stderr = open("in"), open("out"), open("err")
	status = a.Run(t.Context(), args)
	read := func(f *os.File) string {
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return read(a.Stdout), read(a.Stderr), status
}

// Every group answers an unknown sub-command with exit 2, every command an
// unknown flag, and neither opens anything.
func TestUnknownIsUsage(t *testing.T) {
	home := nowhere(t)
	everyCommand(newRoot(NewApp()), func(c *cobra.Command) {
		lines := [][]string{append(words(c), "--no-such-flag")}
		if c.HasSubCommands() {
			lines = append(lines, append(words(c), "no-such-command"), append(words(c), "no-such-command", "-o", "json"))
		}
		for _, line := range lines {
			stdout, stderr, status := run(t, line...)
			if status != 2 || stdout != "" || stderr == "" {
				t.Errorf("%v: status %d, stdout %q, stderr %q", line, status, stdout, stderr)
			}
		}
	})
	if made, _ := os.ReadDir(home); len(made) > 0 {
		t.Errorf("made %v", made)
	}
}

// Every command says what it is for; those that do something show how.
func TestEveryCommandIsExplained(t *testing.T) {
	everyCommand(newRoot(NewApp()), func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: Short is %q", c.CommandPath(), c.Short)
		}
		if !c.HasSubCommands() && !strings.Contains(c.Example, "logiqc ") {
			t.Errorf("%s has no example", c.CommandPath())
		}
	})
}

// Help fits into a window, breaks no flag in two, says how exit statuses are
// told, and names what a flag takes by more than its Go type.
func TestHelpIsReadable(t *testing.T) {
	nowhere(t)
	root := newRoot(NewApp())
	everyCommand(root, func(c *cobra.Command) {
		var out bytes.Buffer
		root := newRoot(NewApp())
		root.SetOut(&out)
		root.SetArgs(append(words(c), "--help"))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if n := ansi.StringWidth(line); n > 80 && !strings.HasPrefix(line, "  logiqc ") || strings.HasSuffix(line, "--") {
				t.Errorf("%s: %d cells: %s", c.CommandPath(), n, line)
			}
			if regexp.MustCompile(`^ +(-., )?--[a-z-]+ (string|int|strings|duration)\b`).MatchString(line) {
				t.Errorf("%s: %s", c.CommandPath(), line)
			}
		}
		if !strings.Contains(out.String(), "Exit status: ") {
			t.Errorf("%s does not tell its exit statuses", c.CommandPath())
		}
	})
}

// A mistake is told in the words of the command line, and the nearest command
// is offered at every level.
func TestMistakes(t *testing.T) {
	nowhere(t)
	for line, want := range map[string]string{
		"usrs": "did you mean logiqc users?", "users fnid": "did you mean logiqc users find?", "mfa rest": "did you mean logiqc mfa reset?",
		"users edit jlee --protected=maybe": `--protected takes true or false, not "maybe"`,
		"users find --limit many":           `--limit takes a whole number, not "many"`,
	} {
		if _, stderr, status := run(t, strings.Fields(line)...); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d %s", line, status, stderr)
		}
	}
	// Where there is no store, the way on is to make one, not to sign in.
	for _, line := range []string{"users find", "whoami", "mfa reset jlee --yes"} {
		if _, stderr, status := run(t, strings.Fields(line)...); status != 11 || !strings.Contains(stderr, "logiqc init") {
			t.Errorf("%s without a store: exit %d %s", line, status, stderr)
		}
	}
	command, _, _ := run(t, "version", "-o", "json")
	if flag, _, status := run(t, "--version", "-o", "json"); status != 0 || flag != command {
		t.Errorf("--version: exit %d %s", status, flag)
	}
}

// --help of every command answers on standard output and opens nothing, not
// even bad settings.
func TestHelpOpensNothing(t *testing.T) {
	home := nowhere(t)
	t.Setenv("LOGIQC_STORE", "mailto:nobody")
	t.Setenv("LOGIQC_TOKEN", "nonsense")
	root := newRoot(NewApp())
	everyCommand(root, func(c *cobra.Command) {
		var out bytes.Buffer
		root := newRoot(NewApp())
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(append(words(c), "--help"))
		if err := root.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), "Usage:") {
			t.Errorf("%s --help: %v\n%s", c.CommandPath(), err, &out)
		}
	})
	if made, _ := os.ReadDir(home); len(made) > 0 {
		t.Errorf("made %v", made)
	}
}

// secretFlag matches names of flags whose value would be a secret. What such a
// flag names has to be a file, or "-" for standard input, or a switch.
var secretFlag = regexp.MustCompile(`password|secret|token|recovery|enrolment-code|passphrase`)

// No flag takes a secret in argv, where every process can read it.
func TestNoFlagTakesASecret(t *testing.T) {
	everyCommand(newRoot(NewApp()), func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			fromElsewhere := f.Value.Type() == "bool" || strings.HasSuffix(f.Name, "-file") || strings.Contains(f.Usage, "standard input")
			if secretFlag.MatchString(f.Name) && !fromElsewhere {
				t.Errorf("%s --%s takes a secret: %s", c.CommandPath(), f.Name, f.Usage)
			}
		})
	})
}

// A recovery code that is typed as a flag's value is refused, and not repeated.
func TestRecoveryCodeIsNotTyped(t *testing.T) {
	nowhere(t)
	const code = "k7f2-dm9q-x4tt-8wnc"
	for _, line := range [][]string{
		{"signin", "--user", "jlee", "--password-stdin", "--recovery-code", code},
		{"enrol", "jlee", "--replace", "--password-stdin", "--recovery-code", code},
	} {
		stdout, stderr, status := run(t, line...)
		if status != 2 || strings.Contains(stdout+stderr, code) {
			t.Errorf("%v: status %d, %s%s", line, status, stdout, stderr)
		}
	}
}

// contract lists, for each command of cli.md that exists, its own flags.
var contract = map[string]string{
	"init":           "admin email name issuer password-stdin enforce-mfa",
	"demo":           "dir serve",
	"serve":          "listen tls-cert tls-key tls-self-signed unix",
	"signin":         "user password-stdin code recovery-code enrolment-code no-save",
	"signout":        "",
	"whoami":         "",
	"users find":     "status auth role mfa required protected awaiting-enrolment older-than limit cursor",
	"admin":          "",
	"users show":     "",
	"users add":      "email name phone role auth mfa protected password-stdin dry-run request-id",
	"users edit":     "email name phone role protected dry-run request-id",
	"users activate": "from yes reason dry-run request-id", "users deactivate": "from yes reason dry-run request-id",
	"users unlock": "from yes reason dry-run request-id",
	"users passwd": "password-stdin",
	"users import": "format on-existing dry-run",
	"mfa status":   "run",
	"mfa reset": "from plan yes reason ticket verified-by keep-sessions hold enrolment-code code-ttl if-enrolled-at ignore max receipt " +
		"dry-run request-id",
	"mfa request": "from plan yes reason ticket verified-by keep-sessions hold enrolment-code code-ttl if-enrolled-at ignore max receipt " +
		"dry-run request-id wait",
	"mfa approvals show": "follow", "mfa approve": "yes dry-run request-id", "mfa reject": "yes dry-run request-id",
	"mfa verify":         "code request-id",
	"mfa enrolment-code": "reason ticket verified-by code-ttl dry-run request-id",
	"mfa enable":         "yes dry-run request-id",
	"mfa disable":        "yes dry-run request-id",
	"mfa enforce":        "yes dry-run request-id",
	"enrol":              "replace new-code password-stdin code enrolment-code recovery-code qr png",
	"recovery-codes":     "password-stdin code",
	"recover":            "reason dry-run request-id",
	"tokens create":      "role allow expires request-id",
	"tokens list":        "",
	"tokens revoke":      "all yes request-id",
	"sessions list":      "",
	"sessions revoke":    "user all yes request-id",
	"policy show":        "", "policy set": "dry-run request-id",
	"audit list":   "user target actor action outcome since until request limit cursor follow",
	"audit show":   "",
	"audit verify": "key since dir proof witness",
	"audit key":    "", "audit checkpoint": "", "audit prove": "", "audit export": "", "audit reconcile": "",
	"audit report": "since until checkpoint key dir",
	"audit push":   "to exec", "audit witness add": "key dry-run request-id", "audit witness list": "",
	"audit witness remove": "reason dry-run request-id", "doctor": "",
	"keys list": "", "keys rotate": "dry-run request-id", "keys retire": "dry-run request-id",
	"store backup": "", "store restore": "new-origin reason", "store check": "", "store upgrade": "",
	"store copy": "to", "store freeze": "reason", "store thaw": "",
	"config view": "", "config add": "use", "config use": "",
	"completion": "", "version": "",
}

// globalFlags are those that every command takes.
var globalFlags = strings.Fields("store profile output token-file keys color no-input accessible no-alt-screen ca-file pin timeout")

// The tree is the contract's: every command and flag of it, and no others.
func TestContract(t *testing.T) {
	root := newRoot(NewApp())
	seen := map[string]bool{}
	everyCommand(root, func(c *cobra.Command) {
		if c.HasSubCommands() || c.Hidden {
			return
		}
		name := strings.Join(words(c), " ")
		flags, ok := contract[name]
		if !ok {
			t.Errorf("%q is no command of the contract", name)
			return
		}
		seen[name] = true
		for _, flag := range append(strings.Fields(flags), globalFlags...) {
			if c.Flag(flag) == nil {
				t.Errorf("%s has no --%s", name, flag)
			}
		}
		for _, global := range []string{"yes", "token", "password"} {
			if root.PersistentFlags().Lookup(global) != nil {
				t.Errorf("--%s is global", global)
			}
		}
	})
	for name := range contract {
		if !seen[name] {
			t.Errorf("there is no %q", name)
		}
	}
}

// Each error code has the exit status of the contract.
func TestExitStatuses(t *testing.T) {
	statuses := map[int]string{
		1: "internal", 2: "usage invalid", 3: "not_found", 4: "unauthenticated forbidden signin_denied",
		5: "sso_account self_reset enforced privileged duplicate already_enrolled last_admin exists policy approval_required " +
			"rejected expired wrong_code throttled code_required enrolment_required enrolment_code_required held moved frozen",
		6: "ambiguous", 7: "cancelled confirmation_required", 8: "partial", 9: "integrity", 10: "conflict", 11: "unavailable",
		12: "unknown_outcome",
	}
	n := 0
	for status, codes := range statuses {
		for _, code := range strings.Fields(codes) {
			n++
			if !slices.Contains(logiqc.Codes(), logiqc.Code(code)) || logiqc.Code(code).ExitStatus() != status {
				t.Errorf("%s exits %d, want %d", code, logiqc.Code(code).ExitStatus(), status)
			}
			if !strings.Contains(exitStatusTopic(), " "+code) {
				t.Errorf("help exit-status does not name %s", code)
			}
		}
	}
	if n != len(logiqc.Codes()) || len(exitMeanings) != 13 {
		t.Errorf("the contract has %d codes, the program %d; %d statuses are explained", n, len(logiqc.Codes()), len(exitMeanings))
	}
}
