package ui

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// printChild prints everything that asks nothing.
func printChild(u *IO) int {
	table := u.Table(Column{Name: "Username"}, Column{Name: "MFA"})
	_ = table.Row("jlee", Green("enrolled"))
	_ = table.Close()
	_ = u.Card(Card{Title: "Jordan Lee (jlee)", Status: "active", Sections: []Section{{Rows: []CardRow{{Label: "MFA", Value: "on"}}}}})
	u.Answerf("answer %s", Bold("bold"))
	u.Notef("note")
	u.Warnf("warning")
	p := u.Progress(10, "accounts")
	for range 10 {
		p.Add(1)
		time.Sleep(80 * time.Millisecond)
	}
	p.Done()
	u.Error("usage", "message", "hint")
	_ = u.JSON(map[string]string{"a": "b"})
	return 0
}

// query matches what terminals are asked: device attributes, cursor position,
// modes, colours and keyboard flags.
var query = regexp.MustCompile("\x1b\\[[?>=]?[0-9;]*(c|n|\\$p|u)|\x1b\\][0-9;]*\\?|\x1bP")

// TestMuteTerminal: printing asks the terminal nothing and waits for nothing,
// and even a dialog asks nothing.
func TestMuteTerminal(t *testing.T) {
	began := time.Now()
	x := uitest.Start(t, 80, 24, child(t, "print"))
	if got := x.Exit(); got != 0 {
		t.Errorf("exit %d", got)
	}
	if d := time.Since(began); d > 4*time.Second {
		t.Errorf("took %v", d)
	}
	for _, want := range []string{"jlee", "bold", "note", "logiqc: warning: warning", "logiqc: error: message"} {
		if !strings.Contains(x.Screen(), want) {
			t.Errorf("%q is missing:\n%s", want, x.Screen())
		}
	}
	if q := query.FindAllString(x.Output(), -1); q != nil {
		t.Errorf("printing asked %q", q)
	}
	x = uitest.Start(t, 80, 24, child(t, "confirm", "TERM=xterm-kitty"))
	x.Wait("[ Cancel ]")
	x.Send(uitest.Enter)
	x.Exit()
	for _, q := range query.FindAllString(x.Output(), -1) {
		if !strings.HasPrefix(q, "\x1b[>") && !strings.HasPrefix(q, "\x1b[=") && !strings.HasPrefix(q, "\x1b[<") {
			t.Errorf("a dialog asked %q", q)
		}
	}
}

func TestStreams(t *testing.T) {
	p := inPipe(t, "", Options{})
	p.Answerf("MFA reset for %s. Event %d.", "Jordan\x1b[2J Lee", 1042)
	p.Notef("note %v", errors.New("a\nb"))
	p.Hintf("logiqc mfa reset %s", Cyan("jlee"))
	p.Warnf("look %-6s|", "up")
	p.Error("sso_account", "jlee signs in by SSO\n  below", "ask the SSO team")
	if got, want := p.stdout(), "MFA reset for Jordan\\x1b[2J Lee. Event 1042.\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	want := "note a\\nb\nlogiqc: hint: logiqc mfa reset jlee\nlogiqc: warning: look up    |\n" +
		"logiqc: error: jlee signs in by SSO\n  below\nlogiqc: hint: ask the SSO team\n"
	if got := p.stderr(); got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

// TestJSONKeepsStderr: with a JSON format stderr has the error object only.
func TestJSONKeepsStderr(t *testing.T) {
	for _, f := range []Format{FormatJSON, FormatJSONL} {
		p := inPipe(t, "", Options{Format: f})
		p.Notef("note")
		p.Hintf("hint")
		p.Warnf("careful with %s", Bold("this"))
		if p.stderr() != "" {
			t.Errorf("%s: stderr %q", f, p.stderr())
		}
		p.Error("usage", "no <user> & no \u202etxet\u009b", "")
		want := `{"error":{"code":"usage","message":"no <user> & no \u202etxet\u009b","hint":""}}` + "\n"
		if p.stderr() != want {
			t.Errorf("%s: stderr %q, want %q", f, p.stderr(), want)
		}
		if w := p.Warnings(); len(w) != 1 || w[0] != "careful with this" {
			t.Errorf("warnings %q", w)
		}
		if b, _ := json.Marshal(inPipe(t, "", Options{}).Warnings()); string(b) != "[]" {
			t.Errorf("no warnings are %s", b)
		}
	}
}

func TestColourPolicy(t *testing.T) {
	for _, c := range []struct {
		name  string
		color string
		env   []string
		tty   bool
		want  string // of red, bold or nothing
	}{
		{"terminal", "", nil, true, "red"},
		{"pipe", "", nil, false, ""},
		{"never on a terminal", "never", nil, true, ""},
		{"always in a pipe", "always", nil, false, "red"},
		{"always beats NO_COLOR", "always", []string{"NO_COLOR=1"}, true, "red"},
		{"NO_COLOR keeps bold", "auto", []string{"NO_COLOR=1"}, true, "bold"},
		{"NO_COLOR beats CLICOLOR_FORCE", "", []string{"NO_COLOR=1", "CLICOLOR_FORCE=1"}, false, ""},
		{"empty NO_COLOR is unset", "", []string{"NO_COLOR="}, true, "red"},
		{"CLICOLOR_FORCE in a pipe", "", []string{"CLICOLOR_FORCE=1"}, false, "red"},
		{"CLICOLOR_FORCE=0", "", []string{"CLICOLOR_FORCE=0"}, false, ""},
		{"CLICOLOR_FORCE beats CLICOLOR=0", "", []string{"CLICOLOR_FORCE=1", "CLICOLOR=0"}, true, "red"},
		{"CLICOLOR=0", "", []string{"CLICOLOR=0"}, true, "bold"},
		{"dumb", "", []string{"TERM=dumb"}, true, ""},
	} {
		print := func(u *IO) { u.Answerf("%s%s", Red("r"), Bold("b")) }
		var got string
		if c.tty {
			x := uitest.New(t, 80, 24)
			print(onTTY(x, Options{Color: c.color, Getenv: env(c.env...)}))
			x.Wait("rb")
			got = x.Output()
		} else {
			p := inPipe(t, "", Options{Color: c.color, Getenv: env(c.env...)})
			print(p.IO)
			got = p.stdout()
		}
		red, bold := strings.Contains(got, "\x1b[31m"), strings.Contains(got, "\x1b[1m")
		if red != (c.want == "red") || bold != (c.want != "") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestCanPromptAndAccessible(t *testing.T) {
	x := uitest.New(t, 80, 24)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	tty := x.TTY()
	for _, c := range []struct {
		in, out, err *os.File
		noInput      bool
		want         bool
	}{
		{tty, tty, tty, false, true}, {tty, null, tty, false, true}, {null, tty, tty, false, false},
		{tty, tty, null, false, false}, {tty, tty, tty, true, false},
	} {
		u := New(Options{Stdin: c.in, Stdout: c.out, Stderr: c.err, NoInput: c.noInput, Getenv: env()})
		if u.CanPrompt() != c.want {
			t.Errorf("%+v: %v", c, u.CanPrompt())
		}
	}
	for v, want := range map[string]bool{"": false, "0": false, "false": false, "1": true, "yes": true} {
		if got := New(Options{Getenv: env("ACCESSIBLE=" + v)}).Accessible(); got != want {
			t.Errorf("ACCESSIBLE=%s: %v", v, got)
		}
	}
	if !New(Options{Getenv: env("TERM=dumb")}).Accessible() {
		t.Error("a dumb terminal gets redrawn prompts")
	}
	u := onTTY(x, Options{})
	if w, h := u.Size(); w != 80 || h != 24 || !u.InTerminal() || !u.OutTerminal() || !u.ErrTerminal() {
		t.Errorf("size %dx%d", w, h)
	}
	p := inPipe(t, "", Options{})
	if w, h := p.Size(); w != 80 || h != 24 || p.InTerminal() || p.OutTerminal() || p.ErrTerminal() {
		t.Errorf("in a pipe: size %dx%d", w, h)
	}
	for f, want := range map[Format]bool{"": false, FormatText: false, FormatJSON: true, FormatJSONL: true, FormatCSV: true} {
		if u := New(Options{Format: f, Getenv: env()}); u.Machine() != want || (f != "" && u.Format() != f) {
			t.Errorf("format %q: machine %v, format %q", f, u.Machine(), u.Format())
		}
	}
}
