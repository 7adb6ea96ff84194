package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/ledger"
)

// evidence is a store with a checkpoint kept from before its last events, the
// key an auditor was given, and an export.
type evidence struct {
	*home
	key    string
	kept   string // a file
	dir    string
	leaves [][]byte
	before int // how many of them the kept checkpoint covers
}

func newEvidence(t *testing.T, tpl *template) *evidence {
	t.Helper()
	h := honest(t, tpl)
	for _, name := range []string{"log.key", "log.vkey"} {
		h.copy(filepath.Join(tpl.dir, tpl.id, name), h.keyFile(name))
	}
	e := &evidence{home: h, kept: filepath.Join(h.dir, "kept.ckpt"), dir: filepath.Join(h.dir, "log")}
	e.key = strings.TrimSpace(e.must("audit", "key"))
	h.write(e.kept, e.must("audit", "checkpoint"))
	e.must("mfa", "reset", "jlee", "--yes", "--reason", "new phone")
	e.must("users", "edit", "rgold", "--name", "Ruth Golding")
	e.must("audit", "export", e.dir)
	dir, err := ledger.OpenDir(e.dir, e.origin(), e.verifier())
	if err != nil {
		t.Fatal(err)
	}
	e.leaves = leavesOf(t, dir)
	e.before = int(headOf(t, h.readText(e.kept)).Size)
	return e
}

// honest is a home whose store is what its log says: the recovery codes and the
// dates that the template was given went past the log.
func honest(t *testing.T, tpl *template) *home {
	t.Helper()
	h := tpl.home(t)
	h.tamper2(`DELETE FROM recovery_code;
		UPDATE account SET created_at = (SELECT at FROM event WHERE target_id = account.id AND action = 'user.created');
		UPDATE enrolment SET last_used_at = 0, enrolled_at = (SELECT at FROM event WHERE target_id = user_id AND action = 'user.imported')`)
	return h
}

func (h *home) keyFile(name string) string {
	return filepath.Join(h.dir, "config", "logiqc", "keys", h.tpl.id, name)
}

func (h *home) readText(path string) string { return string(h.read(path)) }

// must runs the program, which must succeed.
func (h *home) must(args ...string) string {
	h.t.Helper()
	stdout, stderr, status := h.run(args...)
	if status != 0 {
		h.t.Fatalf("logiqc %v: status %d\n%s%s", args, status, stdout, stderr)
	}
	return stdout
}

func (e *evidence) verifier() note.Verifier { return verifierOf(e.t, e.key) }

func verifierOf(t *testing.T, vkey string) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (e *evidence) origin() string { return e.verifier().Name() }

// signer is the log's own key, as somebody with root on the box has it.
func (e *evidence) signer() note.Signer {
	e.t.Helper()
	s, err := note.NewSigner(strings.TrimSpace(e.readText(e.keyFile("log.key"))))
	if err != nil {
		e.t.Fatal(err)
	}
	return s
}

func headOf(t *testing.T, checkpoint string) ledger.Head {
	t.Helper()
	_, head, err := ledger.ParseCheckpoint([]byte(checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func leavesOf(t *testing.T, src ledger.Source) (leaves [][]byte) {
	t.Helper()
	head, err := src.Head(t.Context())
	if err == nil {
		err = src.Leaves(t.Context(), 0, head.Size, func(_ int64, leaf []byte) error {
			leaves = append(leaves, slices.Clone(leaf))
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return leaves
}

// forged is a log in memory, with a tree of its own.
type forged struct {
	head   ledger.Head
	leaves [][]byte
	hashes []ledger.StoredHash
}

func forge(t testing.TB, leaves [][]byte) *forged {
	t.Helper()
	f := &forged{head: ledger.Head{Root: ledger.EmptyRoot()}}
	head, hashes, err := ledger.Append(f.head, leaves, ledger.NewHashReader(context.Background(), f))
	if err != nil {
		t.Fatal(err)
	}
	f.head, f.leaves, f.hashes = head, leaves, hashes
	return f
}

func (f *forged) Head(context.Context) (ledger.Head, error) { return f.head, nil }

func (f *forged) Leaves(_ context.Context, from, to int64, fn func(int64, []byte) error) error {
	for seq := from; seq < min(to, int64(len(f.leaves))); seq++ {
		if err := fn(seq, f.leaves[seq]); err != nil {
			return err
		}
	}
	return nil
}

func (f *forged) StoredHashes(_ context.Context, from, to int64, fn func(int64, ledger.Hash) error) error {
	for i := from; i < min(to, int64(len(f.hashes))); i++ {
		if err := fn(i, f.hashes[i].Hash); err != nil {
			return err
		}
	}
	return nil
}

// changed are the leaves with another person in the last reset.
func (e *evidence) changed() [][]byte {
	e.t.Helper()
	leaves := slices.Clone(e.leaves)
	at := e.seqToChange()
	leaves[at] = []byte(strings.Replace(string(leaves[at]), `"os_user":"`, `"os_user":"x`, 1))
	return leaves
}

// seqToChange is an event that the kept checkpoint covers.
func (e *evidence) seqToChange() int { return e.before - 2 }

// signedExport writes leaves as an export that the log's own key signed.
func (e *evidence) signedExport(leaves [][]byte) string {
	e.t.Helper()
	f, dir := forge(e.t, leaves), e.t.TempDir()
	checkpoint, err := ledger.SignCheckpoint(f.head, e.signer())
	if err == nil {
		_, err = ledger.Export(e.t.Context(), dir, f, checkpoint, e.origin(), e.verifier())
	}
	if err != nil {
		e.t.Fatal(err)
	}
	return dir
}

// found is what `audit verify` says.
type found struct {
	OK        bool
	Problem   ledger.Problem
	Seq       *int64
	KeySource string `json:"key_source"`
	Size      int64
	Cosigned  []struct {
		Witness   string
		Size      int64
		KeySource string `json:"key_source"`
	}
}

// verify runs `audit verify` and wants its status and its finding to agree.
func (e *evidence) verify(t *testing.T, args ...string) (f found) {
	t.Helper()
	stdout, stderr, status := e.run(append([]string{"audit", "verify", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &f); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, stdout, stderr)
	}
	if f.OK != (status == 0) || !f.OK && (status != 9 || !strings.Contains(stderr, `"code":"integrity"`)) {
		t.Errorf("%v: status %d\n%s%s", args, status, stdout, stderr)
	}
	return f
}

// want runs `audit verify` and wants a problem, at a place unless that is -1.
func (e *evidence) want(t *testing.T, problem ledger.Problem, seq int, args ...string) {
	t.Helper()
	f := e.verify(t, args...)
	at := -1
	if f.Seq != nil {
		at = int(*f.Seq)
	}
	if f.Problem != problem || at != seq {
		t.Errorf("verify %v: %q at %d, want %q at %d", args, f.Problem, at, problem, seq)
	}
}

// otherKey is the key of another log, or with an origin another key of that.
func otherKey(t *testing.T, origin string) (signer note.Signer, vkey string) {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey(strings.NewReader(strings.Repeat("somebody else's ", 8)), origin)
	if err != nil {
		t.Fatal(err)
	}
	if signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	return signer, vkey
}
