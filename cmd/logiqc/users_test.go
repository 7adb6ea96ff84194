package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui/uitest"
)

// The list and the card on a terminal of the two sizes that count. A card
// leaves a line for the prompt that follows, so what matters is at its end too.
func TestUsersScreens(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, c := range []struct {
		name       string
		cols, rows int
		as         string
		args       []string
	}{
		{"users_find_80x24", 80, 24, "priya", []string{"find", "lee"}},
		{"users_find_40x12", 40, 12, "priya", []string{"find", "lee"}},
		{"users_show_80x24", 80, 24, "helen", []string{"show", "mleeson"}},
		{"users_show_40x12", 40, 12, "priya", []string{"show", "mleeson"}},
		{"users_show_accessible_80x24", 80, 24, "ines", []string{"show", "ssmith", "--accessible"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := tpl.home(t)
			h.as(c.as)
			x := h.terminal(c.cols, c.rows, append([]string{"users"}, c.args...)...)
			if status := x.Exit(); status != 0 {
				t.Errorf("exit %d", status)
			}
			goldenScreen(t, c.name, x)
		})
	}
}

// The card of somebody who has signed in, whose times are those of this run.
func TestUsersCard(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	h.as("priya")
	x := h.terminal(80, 24, "users", "show", "jlee")
	if x.Exit() != 0 {
		t.Error("exit is not 0")
	}
	card := regexp.MustCompile(`(?m)^Jordan Lee \(jlee\) +active · user$
  Email         jlee@stmary.example
  Phone         \+61 2 5550 1234   unchanged since \d+ \w+ \d{4}
  Last sign-in  \d+ \w+ \d{4} \d\d:\d\d
Authentication
  Method        password
  MFA           on, locked by the organisation
  Enrolment     enrolled \d+ \w+ \d{4}, (not used since|last used .*)
  Recovery      \d+ codes left
  Last reset    never
  Can sign in\?  Yes, with a code\.
You can
  Reset MFA     logiqc mfa reset jlee
  See its log   logiqc audit list --user jlee$`)
	if got := x.Screen(); !card.MatchString(got) {
		t.Errorf("the card is\n%s", got)
	}
}

// many adds n people named u00, u01, …
func many(h *home, n int) {
	h.t.Helper()
	var list strings.Builder
	list.WriteString("username,email\n")
	for i := range n {
		fmt.Fprintf(&list, "u%02d,u%02d@stmary.example\n", i, i)
	}
	h.write(filepath.Join(h.dir, "list.csv"), list.String())
	if _, errs, status := h.run("users", "import", filepath.Join(h.dir, "list.csv")); status != 0 {
		h.t.Fatalf("exit %d: %s", status, errs)
	}
}

// A list for people is cut at twenty and says how to go on; to a pipe it is
// whole.
func TestUsersFindIsCutForPeople(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	many(h, 30)
	x := h.terminal(100, 40, "users", "find", "u")
	if x.Exit() != 0 {
		t.Error("not found")
	}
	screen := x.Wait("u19@", "logiqc: hint: more: --cursor ")
	if strings.Contains(screen, "u20@") {
		t.Errorf("not cut at twenty:\n%s", screen)
	}
	x = h.terminal(100, 40, "users", "find", "jordn")
	if x.Exit() != 0 {
		t.Error("nothing found is a failure")
	}
	x.Wait("No account matches.", "logiqc: hint: fewer letters find 1 account: logiqc users find jord")
	if out, _, _ := h.run("users", "find", "u"); strings.Count(out, "\n") < 30 {
		t.Errorf("a pipe got %d lines", strings.Count(out, "\n"))
	}
	_, errs, _ := h.run("users", "find", "--limit", "7")
	cursor := regexp.MustCompile(`--cursor (\S+)`).FindStringSubmatch(errs)
	if cursor == nil {
		t.Fatalf("no cursor in %q", errs)
	}
	first, _, _ := h.run("users", "find", "--limit", "7")
	rest, _, _ := h.run("users", "find", "--cursor", cursor[1])
	if whole, _, _ := h.run("users", "find"); first+rest != whole {
		t.Errorf("the parts are not the whole:\n%s---\n%s", first+rest, whole)
	}
}

// On a terminal a name that is not exact opens a picker, and none asks for
// letters first.
func TestUsersPicker(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	t.Run("part of a name", func(t *testing.T) {
		h := tpl.home(t)
		x := h.terminal(80, 24, "users", "show", "lee")
		x.Wait("Which one do you mean?", "jlee", "Jordan Lee · jlee@stmary.example", "mleeson")
		x.Send(uitest.Down, uitest.Enter)
		x.Wait("Matt Leeson (mleeson)", "Can sign in?")
		if x.Exit() != 0 || !x.Restored() {
			t.Error("exit or terminal not in order")
		}
	})
	t.Run("nobody named", func(t *testing.T) {
		h := tpl.home(t)
		x := h.terminal(80, 24, "users", "show")
		x.Wait("Which user")
		x.Send("zzzz", uitest.Enter)
		x.Wait("No account matches", "Which user")
		x.Send("ruth", uitest.Enter)
		x.Wait("rgold")
		x.Send(uitest.Enter)
		x.Wait("Ruth Gold (rgold)")
		if x.Exit() != 0 {
			t.Error("exit is not 0")
		}
	})
	t.Run("more than fifty", func(t *testing.T) {
		h := tpl.home(t)
		many(h, 60)
		x := h.terminal(80, 24, "users", "show", "u")
		x.Wait("The first 50 that match “u”")
		x.Send(strings.Repeat(uitest.Down, 50), uitest.Enter)
		x.Wait("Which user")
		x.Send("u59", uitest.Enter)
		x.Wait("Can sign in?")
		if x.Exit() != 0 || !strings.Contains(x.Screen(), "u59@stmary.example") {
			t.Errorf("not in order:\n%s", x.Screen())
		}
	})
	t.Run("left", func(t *testing.T) {
		h := tpl.home(t)
		before := h.events("")
		x := h.terminal(40, 12, "users", "deactivate", "lee")
		x.Wait("jlee", "mleeson")
		x.Send(uitest.Esc)
		if status := x.Exit(); status != 7 || h.events("") != before {
			t.Errorf("exit %d", status)
		}
	})
	t.Run("nothing near", func(t *testing.T) {
		x := tpl.home(t).terminal(80, 24, "users", "show", "qqqqqqqqqq")
		if status := x.Exit(); status != 3 {
			t.Errorf("exit %d", status)
		}
		x.Wait("there is no account")
	})
}

// Adding on a terminal asks for what the line does not say; nothing is asked of
// somebody who may not add.
func TestUsersAddAsks(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	h := tpl.home(t)
	x := h.terminal(80, 24, "users", "add")
	x.Wait("Username")
	x.Send("uwe", uitest.Enter)
	x.Wait("Email")
	x.Send("nonsense", uitest.Enter)
	x.Wait("no email")
	x.Send(strings.Repeat("\x7f", 8), "uwe@stmary.example", uitest.Enter)
	x.Wait("Name")
	x.Send("Uwe Beck", uitest.Enter)
	x.Wait("A password for uwe?", "Set one now")
	x.Send(uitest.Enter)
	x.Wait("Password for uwe")
	x.Send("new battery staple", uitest.Enter)
	x.Wait("gain") // typed again
	x.Send("new battery staple", uitest.Enter)
	x.Wait("Uwe Beck (uwe) was added as user.")
	if x.Exit() != 0 || strings.Contains(x.Output(), "battery") {
		t.Error("exit is not 0, or the password was shown")
	}
	if got := h.account("uwe"); got.Email != "uwe@stmary.example" || got.Signin.Next != logiqc.NextEnrol {
		t.Errorf("added %+v", got)
	}

	h.as("priya")
	x = h.terminal(80, 24, "users", "add", "vera")
	if status := x.Exit(); status != 4 || strings.Contains(x.Output(), "Email") {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
}

// One's own password takes the current one; helen sets somebody else's with the
// new one alone.
func TestUsersPasswdAsks(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	h := tpl.home(t)
	h.as("jlee")
	x := h.terminal(80, 24, "users", "passwd")
	x.Wait("Current password")
	x.Send(password, uitest.Enter)
	x.Wait("New password")
	x.Send("new battery staple", uitest.Enter)
	x.Wait("gain")
	x.Send("new battery staple", uitest.Enter)
	x.Wait("The password of Jordan Lee (jlee) was set")
	if x.Exit() != 0 || strings.Contains(x.Output(), "battery") {
		t.Error("exit is not 0, or a password was shown")
	}
	h.as("rgold")
	x = h.terminal(80, 24, "users", "passwd", "mchen")
	if status := x.Exit(); status != 4 || strings.Contains(x.Output(), "assword for") {
		t.Errorf("exit %d:\n%s", status, x.Screen())
	}
	h.as("helen")
	x = h.terminal(80, 24, "users", "passwd", "rgold")
	x.Wait("New password for rgold")
	x.Send(uitest.CtrlC)
	if status := x.Exit(); status != 7 || !x.Restored() {
		t.Errorf("exit %d", status)
	}
}

// One bad row among ten thousand: nothing is imported and the row is named.
func TestUsersImportOfTenThousand(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	before := h.events("")
	var list strings.Builder
	list.WriteString("username,email,name\n")
	for i := 2; i <= 10_001; i++ {
		email := fmt.Sprintf("user%d@stmary.example", i)
		if i == 7_777 {
			email = "nonsense"
		}
		fmt.Fprintf(&list, "user%d,%s,\"User, %d\"\n", i, email, i)
	}
	path := filepath.Join(h.dir, "list.csv")
	h.write(path, list.String())
	out, errs, status := h.finishWithin(h.command("users", "import", path), time.Minute, func() {})
	if status != 2 || out != "" || !strings.Contains(errs, "row 7777: ") || strings.Count(errs, "row ") != 1 {
		t.Errorf("exit %d: %s%s", status, out, errs)
	}
	if found, _, _ := h.run("users", "find", "user5", "-o", "json"); found != "[]\n" || h.events("") != before {
		t.Errorf("something was imported: %s", found)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(list.String(), "nonsense", "ok@stmary.example", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, status := h.finishWithin(h.command("users", "import", path), time.Minute, func() {}); status != 0 || !strings.HasPrefix(out, "10,000 rows: 10,000 new") {
		t.Errorf("exit %d: %s%s", status, out, errs)
	}
	if found, _, _ := h.run("users", "find", "--role", "user", "-o", "jsonl"); strings.Count(found, "\n") < 10_000 {
		t.Errorf("only %d were found", strings.Count(found, "\n"))
	}
}
