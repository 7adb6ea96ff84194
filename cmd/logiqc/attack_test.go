//go:build unix

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/logiqc/logiqc/pkg/config"
	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
)

// attack is something that somebody with the files does, and what an auditor
// who trusts nobody runs then: the command, its exit status, and what it says.
type attack struct {
	name   string
	do     func(t *testing.T, e *evidence)
	args   []string
	status int
	says   []string // on stdout or stderr
}

const insertAccount = `INSERT INTO account SELECT n + 1000, 'intruder', 'intruder', 'intruder', 'i@x', 'i@x', 'I', '', 'admin', 'active', auth,
	protected, toggle, contact_changed_at, contact_changed_by, password_hash, 0, 0, 0, 0, 0, 0, 0, '', 0, 0, 0, 0, 0, 0, '', '', 1, created_at, updated_at
	FROM account WHERE username = 'helen'`

// What an auditor runs.
var (
	reconcileJSON = []string{"audit", "reconcile", "-o", "json"}
	verifyJSON    = []string{"audit", "verify", "-o", "json"}
	checkJSON     = []string{"store", "check", "-o", "json"}
)

// bySQL changes the store without the program.
func bySQL(statements ...string) func(*testing.T, *evidence) {
	return func(_ *testing.T, e *evidence) { e.tamper(statements...) }
}

var attacks = []attack{
	{"a role is given by SQL", bySQL(`UPDATE account SET role = 'admin' WHERE username = 'jlee'`), reconcileJSON, 9,
		[]string{`"user":"jlee","field":"role","log":"user","store":"admin"`}},
	{"a password is exchanged", bySQL(`UPDATE account SET password_hash = (SELECT password_hash FROM account WHERE username = 'helen') WHERE username = 'jlee'`),
		reconcileJSON, 9, []string{`"user":"jlee","field":"password"`}},
	{"an account is put in", bySQL(insertAccount), reconcileJSON, 9, []string{`"user":"intruder","field":"account"`}},
	{"a spent code is made good again", bySQL(`UPDATE enrolment SET last_step = last_step - 1 WHERE user_id = (SELECT id FROM account WHERE username = 'priya')`),
		reconcileJSON, 9, []string{`"user":"priya","field":"step"`}},
	{"the policy is changed", bySQL(`INSERT INTO policy (key, value) VALUES ('reset.bulk_max', '9999')
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`), reconcileJSON, 9, []string{`"field":"reset.bulk_max"`}},
	{"a column, and not the bytes", bySQL(`UPDATE event SET actor_username = 'tom' WHERE seq = 5`), verifyJSON, 9,
		[]string{`"problem":"altered","seq":5`, "what is shown of entry 5 is not what it says"}},
	{"the triggers are gone, and nothing else", bySQL(), checkJSON, 9, []string{`"check":"schema"`, "event_no_update"}},
	{"an event and all hashes anew", func(_ *testing.T, e *evidence) { e.rebuild(e.changed()) }, verifyJSON, 9,
		[]string{`"problem":"forked"`, "does not begin with the"}},
	{"the tail gone, and no key to sign with", func(_ *testing.T, e *evidence) { e.rebuild(e.leaves[:e.before-1]) }, verifyJSON, 9,
		[]string{`"problem":"truncated"`, "is known to have had"}},
	{"the tail gone, signed by another key", func(t *testing.T, e *evidence) {
		e.rebuild(e.leaves[:e.before-1])
		signer, _ := otherKey(t, e.origin())
		note, err := ledger.SignCheckpoint(forge(t, e.leaves[:e.before-1]).head, signer)
		if err != nil {
			t.Fatal(err)
		}
		e.tamper2(`UPDATE checkpoint SET note = '` + string(note) + `'`)
	}, verifyJSON, 9, []string{`"problem":"bad_signature"`}},
	{"log.state is edited", func(_ *testing.T, e *evidence) {
		e.write(e.keyFile("log.state"), strings.Replace(e.readText(e.keyFile("log.state")), "\n"+strconv.Itoa(len(e.leaves)), "\n1", 1))
	}, verifyJSON, 9, []string{`"problem":"bad_signature"`}},
	{"log.state is edited, and somebody resets", func(_ *testing.T, e *evidence) {
		e.write(e.keyFile("log.state"), "nothing\n")
	}, []string{"mfa", "reset", "mchen", "--yes"}, 9, []string{"this is not the log that checkpoints were signed of"}},
	{"another line in log.vkey", func(t *testing.T, e *evidence) {
		_, stranger := otherKey(t, e.origin())
		e.write(e.keyFile("log.vkey"), stranger+"\n")
	}, verifyJSON, 9, []string{`"problem":"bad_signature"`, `"key_source":"pinned"`}},
	{"the store of somebody else in its place", func(t *testing.T, e *evidence) {
		other := &template{dir: t.TempDir(), sessions: map[string]logiqc.Secret{}}
		if err := other.make(t.Context(), filepath.Join(other.dir, "logiqc.db")); err != nil {
			t.Fatal(err)
		}
		e.copy(other.file(), e.db())
		for _, f := range []string{"-wal", "-shm"} {
			_ = os.Remove(e.db() + f)
		}
	}, []string{"audit", "verify", "-o", "json", "--key", "KEY"}, 9, []string{`"problem":"wrong_origin"`, "this is not the log that the key is for"}},
}

// Whoever holds the file, or the keys' folder, changes something; each is found
// by the command that is for it, in words that say what it is.
func TestAttacks(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			e := newEvidence(t, tpl)
			e.t = t
			a.do(t, e)
			args := slices.Clone(a.args)
			if at := slices.Index(args, "KEY"); at >= 0 {
				args[at] = e.key
			}
			stdout, stderr, status := e.run(args...)
			for _, want := range a.says {
				if status != a.status || !strings.Contains(stdout+stderr, want) {
					t.Errorf("%v: status %d, want %d and %q\n%s%s", args, status, a.status, want, stdout, stderr)
				}
			}
		})
	}
}

// putBack puts the store's file back as it was before something was done.
func (e *evidence) putBack(do func()) {
	e.t.Helper()
	backup := e.read(e.db())
	do()
	e.write(e.db()+".old", string(backup))
	if err := os.Rename(e.db()+".old", e.db()); err != nil {
		e.t.Fatal(err)
	}
	for _, f := range []string{"-wal", "-shm"} {
		_ = os.Remove(e.db() + f)
	}
}

// Over HTTPS, from a laptop: the server hands over what somebody made of the
// store, or lies itself. What it says of the log is computed on the laptop.
func TestAttacksThroughServer(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	s := e.serve("--listen", "127.0.0.1:0", "--tls-self-signed")
	laptop := e.laptop(s, "ines")
	if out := laptop.must("audit", "verify", "-o", "json"); !strings.Contains(out, `"key_source":"first_use"`) {
		t.Fatalf("the honest log: %s", out)
	}
	want := func(problem string, args ...string) {
		t.Helper()
		stdout, stderr, status := laptop.run(append([]string{"audit", "verify", "-o", "json"}, args...)...)
		if status != 9 || !strings.Contains(stdout, `"problem":"`+problem+`"`) {
			t.Errorf("verify %v: status %d, want %s\n%s%s", args, status, problem, stdout, stderr)
		}
	}

	// An older copy of the file is put in the place of the one that is served.
	laptopAdmin := e.laptop(s, "helen")
	e.putBack(func() {
		laptopAdmin.must("users", "edit", "rgold", "--name", "Ruth")
		laptopAdmin.must("audit", "checkpoint")
	})
	if status, err := s.stop(); status != 0 && status != 9 && status != 11 || err != nil {
		t.Errorf("the server ended with %d, %v", status, err)
	}
	address := strings.TrimPrefix(s.Listening[0], "https://")
	e.serve("--listen", address, "--tls-self-signed")
	want("truncated")
	if _, stderr, status := laptopAdmin.run("mfa", "reset", "jlee", "--yes"); status != 9 || !strings.Contains(stderr, "was an older copy of the store put back?") {
		t.Errorf("a reset on an old copy: %d, %s", status, stderr)
	}

	// The log is rewritten and signed again by whoever has the key: the checkpoint
	// that the auditor kept shows it, and nothing else could.
	e.rebuild(e.changed())
	e.signAgain()
	laptop.must("audit", "verify")
	want("forked", "--since", e.kept)

	// The same by somebody with a key of their own.
	signer, stranger := otherKey(t, e.origin())
	note, err := ledger.SignCheckpoint(forge(t, e.changed()).head, signer)
	if err != nil {
		t.Fatal(err)
	}
	e.tamper2(`UPDATE checkpoint SET note = '` + string(note) + `'`)
	e.write(e.keyFile("log.state"), string(note))
	e.write(e.keyFile("log.vkey"), stranger+"\n")
	want("bad_signature")
	if _, stderr, _ := laptop.run("audit", "verify"); !strings.Contains(stderr, "the key that was kept here is not the one of this log") {
		t.Errorf("what to do: %s", stderr)
	}
}

// lie changes an answer of a server.
type lie func(answer map[string]any)

// liar is a proxy that lies for some paths.
func liar(t *testing.T, to string, lies map[string]lie) string {
	t.Helper()
	return proxy(t, to, func(r *http.Response) error {
		lie, ok := lies[r.Request.URL.Path]
		if !ok || r.StatusCode != http.StatusOK {
			return nil
		}
		var answer map[string]any
		d := json.NewDecoder(r.Body)
		d.UseNumber()
		if err := d.Decode(&answer); err != nil {
			return err
		}
		lie(answer)
		text, err := json.Marshal(answer)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		r.Header.Set("Content-Length", strconv.Itoa(len(text)))
		return err
	})
}

// number is a whole number in an answer.
func number(answer any, key string) int64 {
	n, _ := answer.(map[string]any)[key].(json.Number).Int64()
	return n
}

// The answers that are lied in.
const (
	headPath     = "/v1/audit/head"
	leavesPath   = "/v1/audit/leaves"
	hashesPath   = "/v1/audit/hashes"
	evidencePath = "/v1/audit/evidence"
)

// claims is the lie that a log is another.
func claims(h ledger.Head) lie {
	return func(a map[string]any) { a["size"], a["root"] = h.Size, h.Root.String() }
}

// signsNothing is the lie that there is no checkpoint.
func signsNothing(a map[string]any) { a["last"].(map[string]any)["note"], a["state"] = "", "" }

// tellsAnother is the lie that an event had another outcome.
func tellsAnother(a map[string]any) {
	page := a["leaves"].([]any)
	if len(page) < 5 {
		return
	}
	l := page[4].(map[string]any)
	raw, _ := base64.StdEncoding.DecodeString(l["bytes"].(string))
	l["bytes"] = base64.StdEncoding.EncodeToString(bytes.Replace(raw, []byte("success"), []byte("denied"), 1))
}

// tellsLess are the lies of who hides the end of a log, and agrees with itself.
func tellsLess(shorter ledger.Head) map[string]lie {
	return map[string]lie{headPath: claims(shorter), leavesPath: func(a map[string]any) {
		a["leaves"] = slices.DeleteFunc(a["leaves"].([]any), func(l any) bool { return number(l, "seq") >= shorter.Size })
	}, hashesPath: func(a map[string]any) {
		a["runs"] = slices.DeleteFunc(a["runs"].([]any), func(r any) bool {
			run := r.(map[string]any)
			raw, _ := base64.StdEncoding.DecodeString(run["hashes"].(string))
			left := max(0, tlog.StoredHashCount(shorter.Size)-number(run, "first")) * tlog.HashSize
			run["hashes"] = base64.StdEncoding.EncodeToString(raw[:min(left, int64(len(raw)))])
			return left == 0
		})
	}}
}

// A server that answers for the log as it likes cannot make it verify.
func TestLyingServer(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	s := e.serve("--listen", "127.0.0.1:0")
	shorter, another := forge(t, e.leaves[:e.before-1]).head, forge(t, e.changed()).head
	hidden := tellsLess(shorter)
	hidden[evidencePath] = signsNothing
	for name, c := range map[string]struct {
		lies    map[string]lie
		problem ledger.Problem
	}{
		"tells another event": {map[string]lie{leavesPath: tellsAnother}, ledger.Altered},
		"leaves one out": {map[string]lie{leavesPath: func(a map[string]any) {
			a["leaves"] = slices.Delete(a["leaves"].([]any), 3, 4)
		}}, ledger.Missing},
		"turns two round": {map[string]lie{leavesPath: func(a map[string]any) {
			l := a["leaves"].([]any)
			l[3], l[4] = l[4], l[3]
		}}, ledger.Missing},
		"claims less":                {tellsLess(shorter), ledger.Truncated},
		"claims less than it has":    {map[string]lie{headPath: claims(shorter)}, ledger.Altered},
		"claims another root":        {map[string]lie{headPath: claims(another)}, ledger.Altered},
		"has no checkpoint any more": {map[string]lie{evidencePath: signsNothing}, ledger.Missing},
		"claims less, and has none":  {hidden, ledger.Missing},
		"has another name": {map[string]lie{evidencePath: func(a map[string]any) {
			a["origin"] = "logiqc/other/00000000"
		}}, ledger.WrongOrigin},
		"has another key": {map[string]lie{evidencePath: func(a map[string]any) {
			signer, vkey := otherKey(t, e.origin())
			note, _ := ledger.SignCheckpoint(another, signer)
			a["keys"], a["state"], a["last"].(map[string]any)["note"] = []string{vkey}, "", string(note)
		}}, ledger.BadSignature},
	} {
		t.Run(name, func(t *testing.T) { e.believesNot(t, s.Listening[0], c.lies, c.problem) })
	}
}

// believesNot has an auditor verify the log through a server that lies, once with
// the key typed and once with the one kept from better days.
func (e *evidence) believesNot(t *testing.T, server string, lies map[string]lie, problem ledger.Problem) {
	t.Helper()
	address := liar(t, server, lies)
	for source, args := range map[string][]string{"typed": {"--key", e.key}, "kept": nil} {
		l := &home{t: t, tpl: e.tpl, dir: t.TempDir()}
		l.asAt("ines", address)
		if source == "kept" {
			honest := liar(t, server, nil)
			l.asAt("ines", honest)
			l.must("--store", honest, "audit", "verify")
			l.movePin(honest, address)
		}
		stdout, stderr, status := l.run(append([]string{"--store", address, "audit", "verify", "-o", "json"}, args...)...)
		if status != 9 || !strings.Contains(stdout, `"problem":"`+string(problem)+`"`) {
			t.Errorf("with a key that is %s: status %d, want %s\n%s%s", source, status, problem, stdout, stderr)
		}
	}
}

// movePin gives one address the key that was kept for another.
func (h *home) movePin(from, to string) {
	h.t.Helper()
	paths := config.Paths{State: filepath.Join(h.dir, "state", "logiqc")}
	var pins [2]config.PinFile
	for i, where := range []string{from, to} {
		address, err := config.ParseStore(where)
		if err != nil {
			h.t.Fatal(err)
		}
		pins[i] = config.Pin(paths, address.Canonical())
	}
	keys, err := pins[0].Load()
	if err == nil {
		err = pins[1].Save(keys)
	}
	if err != nil || len(keys) == 0 {
		h.t.Fatal(keys, err)
	}
}
