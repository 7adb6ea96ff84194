package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/logiqc/logiqc/pkg/ledger"
)

// witnessModule is a witness that nobody here wrote.
const witnessModule = "filippo.io/torchwood/cmd/litewitness@v0.9.0"

var witnessTool = sync.OnceValues(func() (string, error) { return buildTool(witnessModule) })

// liteWitness is a running witness on loopback.
type liteWitness struct {
	url, vkey string
	db        string
}

// newLiteWitness starts one with a new key. It takes the key from an SSH agent
// only, so it gets one.
func newLiteWitness(t *testing.T) *liteWitness {
	t.Helper()
	tool := needTool(t, witnessTool, "what an independent witness says")
	dir, err := os.MkdirTemp("", "w") // a socket's name must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sshKey, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	const name = "witness.example/w1"
	keyed := append([]byte{4}, public...)
	sum := sha256.Sum256(append([]byte(name+"\n"), keyed...))
	w := &liteWitness{
		db:   filepath.Join(dir, "witness.db"),
		vkey: fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(sum[:]), base64.StdEncoding.EncodeToString(keyed)),
	}
	serveAgent(t, filepath.Join(dir, "agent"), private)
	address := freeAddress(t)
	w.url = "http://" + address
	c := exec.Command(tool, "-db", w.db, "-name", name, "-ssh-agent", filepath.Join(dir, "agent"),
		"-key", ssh.FingerprintSHA256(sshKey), "-listen", address)
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get(w.url); err == nil {
			_ = res.Body.Close()
			return w
		}
		if time.Now().After(deadline) {
			_ = c.Process.Kill()
			_ = c.Wait()
			t.Fatalf("the witness does not answer:\n%s", said.String())
		}
	}
}

// serveAgent is an SSH agent with one key.
func serveAgent(t *testing.T, path string, key ed25519.PrivateKey) {
	t.Helper()
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c); _ = c.Close() }()
		}
	}()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// follow makes the witness follow a log, as its operator would.
func (w *liteWitness) follow(t *testing.T, origin, vkey string) {
	t.Helper()
	db, err := sql.Open("sqlite", w.db)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, do := range []struct {
		statement string
		args      []any
	}{
		{`INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)`, []any{origin, ledger.EmptyRoot().String()}},
		{`INSERT INTO key (origin, key) VALUES (?, ?)`, []any{origin, vkey}},
	} {
		if _, err := db.Exec(do.statement, do.args...); err != nil {
			t.Fatalf("%s: %v", do.statement, err)
		}
	}
}

// pushAnswer is what `audit push` says.
type pushAnswer struct {
	Checkpoint string
	Size       int64
	Pushed     []struct {
		To, Kind, Outcome, Code, Message string
		Problem                          ledger.Problem
	}
}

// push runs `audit push` and wants its exit status.
func (h *home) push(t *testing.T, want int, args ...string) (a pushAnswer, stderr string) {
	t.Helper()
	stdout, stderr, status := h.run(append([]string{"audit", "push", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || status != want {
		t.Fatalf("push %v: status %d, want %d; %v\n%s%s", args, status, want, err, stdout, stderr)
	}
	return a, stderr
}

// watched is evidence whose log a witness follows and has cosigned.
func watched(t *testing.T, tpl *template) (*evidence, *liteWitness) {
	t.Helper()
	w := newLiteWitness(t)
	e := newEvidence(t, tpl)
	w.follow(t, e.origin(), e.key)
	e.must("audit", "witness", "add", w.url, "--key", w.vkey)
	if a, _ := e.push(t, 0); a.Pushed[0].Outcome != "cosigned" || !strings.Contains(a.Checkpoint, "\n— witness.example/w1 ") {
		t.Fatalf("push: %+v", a)
	}
	e.must("audit", "export", e.dir)
	dir, err := ledger.OpenDir(e.dir, e.origin(), e.verifier())
	if err != nil {
		t.Fatal(err)
	}
	e.leaves = leavesOf(t, dir)
	e.push(t, 0)
	return e, w
}

// A witness that nobody here wrote cosigns honest growth; what it signed is
// kept, shown, and travels with proofs and kept checkpoints.
func TestWitnessCosignsGrowth(t *testing.T) {
	t.Parallel()
	e, w := watched(t, newTemplate(t))
	first := e.verify(t, "--key", e.key, "--witness", w.vkey)
	if len(first.Cosigned) != 1 || first.Cosigned[0].Size != first.Size || first.Cosigned[0].KeySource != "flag" {
		t.Errorf("after a push: %+v", first)
	}
	if text := e.must("audit", "checkpoint"); !strings.Contains(text, "\n— witness.example/w1 ") {
		t.Errorf("the checkpoint just cosigned is shown without: %s", text)
	}
	proof := filepath.Join(e.dir, "..", "event-3.proof")
	e.write(proof, e.must("audit", "prove", "3"))
	e.must("audit", "verify", "--proof", proof, "--key", e.key, "--witness", w.vkey)
	for range 3 {
		e.must("users", "edit", "rgold", "--phone", fmt.Sprint("+44 1 ", time.Now().UnixNano()))
		e.push(t, 0)
	}
	e.push(t, 0) // nothing new is fine too
	grown := e.verify(t, "--key", e.key)
	if len(grown.Cosigned) != 1 || grown.Size != first.Size+3 || grown.Cosigned[0].Size != grown.Size || grown.Cosigned[0].KeySource != "store" {
		t.Errorf("after growth: %+v", grown)
	}
	e.must("audit", "reconcile")

	// An export is cosigned as it is made, and shows that with nothing but keys.
	var x struct{ Cosigned, Warnings []string }
	if err := json.Unmarshal([]byte(e.must("audit", "export", e.dir, "-o", "json")), &x); err != nil || len(x.Cosigned) != 1 || len(x.Warnings) > 0 {
		t.Errorf("export: %+v, %v", x, err)
	}
	if f := e.verify(t, "--dir", e.dir, "--key", e.key, "--witness", w.vkey); !f.OK || f.Size != grown.Size+1 || f.Cosigned[0].Size != f.Size {
		t.Errorf("the export: %+v", f)
	}

	// The witness remembers although the store forgot what was sent.
	e.tamper2(`UPDATE witness SET at = 0, note = ''`)
	e.must("users", "edit", "rgold", "--phone", "+44 1 2")
	e.push(t, 0)

	// A stranger's key is not the witness's.
	other := newKeyOf(t, "witness.example/w1")
	if f := e.verify(t, "--key", e.key, "--witness", other); f.OK || f.Problem != ledger.BadSignature {
		t.Errorf("another key of the witness: %+v", f)
	}
}

// newKeyOf is the verifier line of a witness that signed nothing.
func newKeyOf(t *testing.T, name string) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keyed := append([]byte{4}, public...)
	sum := sha256.Sum256(append([]byte(name+"\n"), keyed...))
	return fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(sum[:]), base64.StdEncoding.EncodeToString(keyed))
}

// Somebody with the store and its signing key rewrites the log and signs it
// again: nothing here shows that, and the witness does.
func TestWitnessRefusesRewrite(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	for name, c := range map[string]struct {
		leaves  func(e *evidence) [][]byte
		problem ledger.Problem
	}{
		"rewritten and grown": {func(e *evidence) [][]byte { return append(e.changed(), again(e.leaves[2])) }, ledger.Forked},
		"rewritten":           {func(e *evidence) [][]byte { return e.changed() }, ledger.Forked},
		"rolled back":         {func(e *evidence) [][]byte { return e.leaves[:e.before] }, ledger.Truncated},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := watched(t, tpl)
			leaves := c.leaves(e)
			e.insert(leaves)
			e.signAgain()
			a, stderr := e.push(t, 9)
			// An export is written all the same: it is evidence, and not cosigned.
			dir := filepath.Join(t.TempDir(), "log")
			stdout, said, status := e.run("audit", "export", dir, "-o", "json")
			if status != 9 || !strings.Contains(stdout, `"cosigned":[]`) || !strings.Contains(said, `"code":"integrity"`) {
				t.Errorf("export: status %d\n%s%s", status, stdout, said)
			}
			if a.Pushed[0].Outcome != "refused" || a.Pushed[0].Problem != c.problem || !strings.Contains(stderr, `"code":"integrity"`) {
				t.Errorf("%+v\n%s", a, stderr)
			}
			if f := e.verify(t, "--key", e.key); f.OK || f.Problem != c.problem {
				t.Errorf("verify against what the witness signed: %+v", f)
			}
			// Even where that is deleted too, the witness itself has not forgotten.
			e.tamper2(`UPDATE witness SET at = 0, note = ''`)
			if a, _ := e.push(t, 9); a.Pushed[0].Problem != c.problem {
				t.Errorf("%+v", a)
			}
		})
	}
}

// again is a leaf with another id.
func again(leaf []byte) []byte {
	return []byte(strings.Replace(string(leaf), `","time"`, `x","time"`, 1))
}

// insert rebuilds the log and gives rows to leaves beyond the old end.
func (e *evidence) insert(leaves [][]byte) {
	e.t.Helper()
	e.rebuild(leaves)
	for seq := len(e.leaves); seq < len(leaves); seq++ {
		e.tamper2(fmt.Sprintf(`INSERT INTO event SELECT %d, id || 'x', at, action, outcome, code, actor_kind, actor_id, actor_username, actor_name,
			actor_for, target_id, target_username, request_id, CAST(replace(CAST(bytes AS TEXT), '","time"', 'x","time"') AS BLOB)
			FROM event WHERE seq = 2`, seq))
	}
}

// What the protocol says raw: 400 for a log smaller than what the caller claims
// the witness has seen, 409 for a claim that is not so, 403 and 404 for a log
// that it does not follow.
func TestWitnessProtocol(t *testing.T) {
	t.Parallel()
	e, w := watched(t, newTemplate(t))
	checkpoint := func(size int) string {
		c, err := ledger.SignCheckpoint(forge(t, e.leaves[:size]).head, e.signer())
		if err != nil {
			t.Fatal(err)
		}
		return string(c)
	}
	for _, c := range []struct {
		body   string
		status int
	}{
		{fmt.Sprintf("old %d\n\n%s", len(e.leaves), checkpoint(e.before)), http.StatusBadRequest},
		{fmt.Sprintf("old %d\n\n%s", e.before, checkpoint(e.before)), http.StatusConflict},
		{"old 0\n\n" + strings.Replace(checkpoint(e.before), e.origin(), "logiqc/other/00000000", 2), http.StatusNotFound},
	} {
		res, err := http.Post(w.url+"/add-checkpoint", "text/plain", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%q: %s, want %d", c.body, res.Status, c.status)
		}
	}
}

// A witness that does not know the log, or is not there, is told apart from one
// that has seen another log; and one failure of several is no total one.
func TestPushFailures(t *testing.T) {
	t.Parallel()
	w := newLiteWitness(t)
	e := newEvidence(t, newTemplate(t))
	if _, stderr, status := e.run("audit", "push"); status != 2 || !strings.Contains(stderr, "witness add") {
		t.Errorf("nowhere to push: %d %s", status, stderr)
	}
	e.must("audit", "witness", "add", w.url, "--key", w.vkey)
	if a, stderr := e.push(t, 3); a.Pushed[0].Code != "not_found" || !strings.Contains(stderr, "audit key") {
		t.Errorf("unknown log: %+v %s", a, stderr)
	}
	_, strange := otherKey(t, e.origin())
	w.follow(t, e.origin(), strange)
	if a, _ := e.push(t, 4); a.Pushed[0].Code != "forbidden" {
		t.Errorf("unknown key: %+v", a)
	}
	gone := newKeyOf(t, "gone.example/w2")
	e.must("audit", "witness", "add", "http://"+freeAddress(t), "--key", gone)
	e.must("audit", "witness", "remove", "witness.example/w1")
	if a, _ := e.push(t, 11); a.Pushed[0].Code != "unavailable" {
		t.Errorf("nobody there: %+v", a)
	}
	e.push(t, 8, "--to", filepath.Join(e.t.TempDir(), "anchor.ckpt"))
}

// Checkpoints go into files, folders and commands; those that the log does not
// continue stay as they are.
func TestAnchors(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	dir := filepath.Join(t.TempDir(), "anchors")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file, piped := filepath.Join(t.TempDir(), "last.ckpt"), filepath.Join(t.TempDir(), "piped")
	for range 2 {
		a, _ := e.push(t, 0, "--to", dir, "--to", file, "--exec", "cat > "+piped)
		for _, path := range []string{file, piped} {
			if got := e.readText(path); got != a.Checkpoint {
				t.Errorf("%s: %q, want %q", path, got, a.Checkpoint)
			}
		}
		e.must("users", "edit", "rgold", "--phone", fmt.Sprint("+44 1 ", time.Now().UnixNano()))
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*.ckpt"))
	if err != nil || len(kept) != 2 {
		t.Errorf("in the folder: %v, %v", kept, err)
	}
	e.must("audit", "verify", "--key", e.key, "--since", kept[0])
	if a, stderr := e.push(t, 11, "--exec", "echo no relay here >&2; exit 3"); a.Pushed[0].Code != "unavailable" || !strings.Contains(stderr, "no relay here") {
		t.Errorf("a command that fails: %+v %s", a, stderr)
	}

	e.rebuild(e.changed())
	e.signAgain()
	newest := e.readText(kept[1])
	for _, to := range []string{dir, file} {
		if a, _ := e.push(t, 9, "--to", to); a.Pushed[0].Outcome != "refused" || a.Pushed[0].Problem == ledger.OK {
			t.Errorf("a rewritten log went to %s: %+v", to, a)
		}
	}
	if again, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(again) != 2 || e.readText(file) != newest {
		t.Errorf("the anchors were touched: %v, %v", again, err)
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
