//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// What cannot be recorded does not happen (S-42): an event that the store does
// not take undoes the change it is of, a refusal is not answered as if it had
// been recorded, and nobody signs in.
func TestUnrecordedDoesNotHappen(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	before, keys := h.account("jlee"), h.must("keys", "list")
	h.tamper2(`CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no room'); END`)
	for _, args := range [][]string{
		{"mfa", "reset", "jlee", "--yes"},
		{"users", "edit", "jlee", "--name", "X"},
		{"users", "deactivate", "jlee", "--yes"},
		{"mfa", "enforce", "off", "--yes"},
		{"mfa", "reset", "helen", "--yes"},                                           // refused, and that is an event too
		{"users", "add", "jlee", "--email", "other@stmary.example", "--auth", "sso"}, // taken: likewise
		{"tokens", "create", "t", "--role", "auditor"},
		{"policy", "set", "session.ttl=1h"},
		{"audit", "export", filepath.Join(h.dir, "out")},
		{"store", "freeze", "--reason", "x"},
		{"keys", "rotate", "log"},
		{"keys", "rotate", "seal"},
		{"signin", "--user", "jlee", "--password-stdin", "--no-save"},
	} {
		c := h.command(append(args, "-o", "json")...)
		c.Stdin = strings.NewReader("correct horse battery\n")
		stdout, stderr, status := h.finish(c)
		if status != 11 || stdout != "" || !strings.Contains(stderr, "the audit log cannot be written, so nothing was changed") {
			t.Errorf("%v: status %d\n%s%s", args, status, stdout, stderr)
		}
	}
	h.tamper2(`DROP TRIGGER full`)
	if after := h.account("jlee"); after != before {
		t.Errorf("jlee is\n%+v, and was\n%+v", after, before)
	}
	if now := h.must("keys", "list"); now != keys {
		t.Errorf("a key without an event:\n%s\nbefore:\n%s", now, keys)
	}
	h.must("store", "check")
	if _, err := os.Stat(filepath.Join(h.dir, "out")); err == nil {
		t.Error("an export without an event")
	}
}

// asMallory is an environment that says that mallory acts.
var asMallory = []string{"USER=mallory", "LOGNAME=mallory", "USERNAME=mallory", "SUDO_USER=mallory", "SUDO_UID=0", "LOGIQC_ACTOR=mallory"}

// Who acted is what the session or the kernel says, whatever the environment
// does, and no flag says otherwise (S-44).
func TestActorIsNotForged(t *testing.T) {
	t.Parallel()
	h := newTemplate(t).home(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"mfa", "reset", "jlee", "--yes", "-o", "json"}, {"store", "freeze", "--reason", "x"}} {
		c := h.command(args...)
		c.Env = append(c.Env, asMallory...)
		if _, stderr, status := h.finish(c); status != 0 {
			t.Fatalf("%v: %d, %s", args, status, stderr)
		}
	}
	if _, _, status := h.run("mfa", "reset", "mchen", "--yes", "--actor", "mallory"); status != 2 {
		t.Errorf("--actor: status %d", status)
	}
	h.must("store", "thaw")
	var events []logiqc.Event
	if err := json.Unmarshal([]byte(h.must("audit", "list", "--limit", "3", "-o", "json")), &events); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if leaf, _ := e.Leaf(); e.Actor.OSUser != me.Username || bytes.Contains(leaf, []byte("mallory")) {
			t.Errorf("%s is by %+v", e.Action, e.Actor)
		}
	}
}

// Nor does the environment name a user whom the operating system has no name for
// (S-44): a program without cgo, as it is released, looked there.
func TestNamelessIsNotForged(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root runs a program as a user without a name")
	}
	h := newTemplate(t).home(t)
	const nameless = 64999
	c := h.command("mfa", "reset", "jlee", "--yes")
	c.Env = append(c.Env, asMallory...)
	h.give(c, nameless)
	if _, stderr, status := h.finish(c); status != 0 {
		t.Fatalf("%d, %s", status, stderr)
	}
	var events []logiqc.Event
	if err := json.Unmarshal([]byte(h.must("audit", "list", "--limit", "1", "-o", "json")), &events); err != nil {
		t.Fatal(err)
	}
	if e := events[0]; e.Actor.OSUser != "uid 64999" {
		t.Errorf("%s is by %+v", e.Action, e.Actor)
	}
}

// typing runs the program with somebody's lines on standard input; it must
// succeed.
func (h *home) typing(stdin string, args ...string) string {
	h.t.Helper()
	c := h.command(args...)
	c.Stdin = strings.NewReader(stdin)
	stdout, stderr, status := h.finish(c)
	if status != 0 {
		h.t.Fatalf("%v: %d\n%s", args, status, stderr)
	}
	return stdout
}

// canaries brings secrets of all kinds into the store, and a password typed as a
// name, and returns them.
func (h *home) canaries() []string {
	h.t.Helper()
	const secret, typed = "canary horse battery", "canary-typed-as-a-name"
	parse := func(text string, into any) {
		h.t.Helper()
		if err := json.Unmarshal([]byte(text), into); err != nil {
			h.t.Fatalf("%v: %s", err, text)
		}
	}
	var started struct{ Secret, URI string }
	var proved struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	var token struct{ Token string }
	var code struct {
		EnrolmentCode struct{ Code string } `json:"enrolment_code"`
	}
	h.typing(secret+"\n", "users", "add", "anew", "--email", "anew@stmary.example", "--password-stdin")
	parse(h.typing(secret+"\n", "enrol", "anew", "--password-stdin", "-o", "json"), &started)
	parts, err := totp.ParseURI(started.URI)
	if err != nil {
		h.t.Fatal(err)
	}
	app := phone{parts}.code(0)
	parse(h.typing(secret+"\n", "enrol", "anew", "--password-stdin", "--code", app, "-o", "json"), &proved)
	parse(h.must("tokens", "create", "t", "--role", "auditor", "-o", "json"), &token)
	parse(h.must("mfa", "enrolment-code", "rgold", "-o", "json"), &code)
	for name, password := range map[string]string{typed: secret, "anew": typed} {
		c := h.command("signin", "--user", name, "--password-stdin", "--no-save")
		c.Stdin = strings.NewReader(password + "\n")
		if _, _, status := h.finish(c); status != 4 {
			h.t.Errorf("%s signs in: %d", name, status)
		}
	}
	desk := code.EnrolmentCode.Code
	all := append([]string{secret, typed, started.Secret, started.URI, token.Token, desk, strings.ReplaceAll(desk, " ", ""), `"` + app + `"`}, proved.RecoveryCodes...)
	for _, c := range all {
		if len(c) < 8 {
			h.t.Fatalf("no canary: %q of %q", c, all)
		}
	}
	return all
}

// Secrets are in no event, list, export, report or backup, whichever way they
// came in (S-46): a password, a setup key, recovery codes, an enrolment code, a
// token, and a password typed as a name.
func TestCanariesAreNowhere(t *testing.T) {
	t.Parallel()
	h := honest(t, newTemplate(t))
	canaries := h.canaries()
	out := filepath.Join(h.dir, "out")
	h.must("store", "backup", filepath.Join(h.dir, "backup.db"))
	h.must("audit", "report", "--dir", out)
	h.write(filepath.Join(out, "list.json"), h.must("audit", "list", "-o", "json")+h.must("audit", "list", "-o", "csv")+h.must("users", "find", "-o", "json"))
	h.copy(filepath.Join(h.dir, "backup.db"), filepath.Join(out, "backup.db"))
	h.copy(h.db(), filepath.Join(out, "store.db"))
	looked := 0
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		looked++
		text := h.read(path)
		for _, c := range canaries {
			if bytes.Contains(text, []byte(c)) {
				t.Errorf("%q is in %s", c, path)
			}
		}
		return nil
	})
	if err != nil || looked < 7 {
		t.Errorf("%d files, %v", looked, err)
	}
}

var spicyTool = sync.OnceValues(func() (string, error) { return buildTool("filippo.io/torchwood/cmd/spicy@v0.9.0") })

// A receipt proves its reset to a program that nobody here wrote (S-57), and a
// forged event to none.
func TestReceiptByAnotherProgram(t *testing.T) {
	t.Parallel()
	tool := needTool(t, spicyTool, "what another program says of a receipt")
	h := newTemplate(t).home(t)
	key := strings.TrimSpace(h.must("audit", "key"))
	receipt := filepath.Join(h.dir, "receipt")
	h.must("mfa", "reset", "jlee", "--yes", "--receipt", receipt)
	p, err := ledger.VerifyProof(h.read(receipt), nil, verifierOf(t, key).Name(), verifierOf(t, key))
	if err != nil {
		t.Fatal(err)
	}
	event := filepath.Join(h.dir, "event")
	_, rest, _ := strings.Cut(h.readText(receipt), "\nindex ") // it knows neither the first line nor the extra one
	h.write(event+".spicy", "index "+rest)
	for text, ok := range map[string]bool{string(p.Leaf): true, strings.Replace(string(p.Leaf), "jlee", "mchen", 1): false} {
		h.write(event, text)
		if said, err := exec.Command(tool, "-verify", key, event).CombinedOutput(); (err == nil) != ok {
			t.Errorf("of an event that is true: %v, it says %v\n%s", ok, err, said)
		}
	}
}
