package main

import (
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/logiqc/logiqc/pkg/ledger"
)

// bundle is the one file of entries of a small export.
func (e *evidence) bundle(dir string) string {
	e.t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "tile", "entries", "000.p", "*"))
	if err != nil || len(files) != 1 {
		e.t.Fatalf("entries: %v, %v", files, err)
	}
	return files[0]
}

// rewrite puts leaves into an export's bundle and nothing else.
func (e *evidence) rewrite(dir string, leaves [][]byte) {
	e.t.Helper()
	var data []byte
	for _, leaf := range leaves {
		data = binary.BigEndian.AppendUint16(data, uint16(len(leaf)))
		data = append(data, leaf...)
	}
	e.write(e.bundle(dir), string(data))
}

// copyDir copies the honest export, to be damaged.
func (e *evidence) copyDir() string {
	e.t.Helper()
	to := filepath.Join(e.t.TempDir(), "log")
	if err := os.CopyFS(to, os.DirFS(e.dir)); err != nil {
		e.t.Fatal(err)
	}
	return to
}

// mutation is damage to an export, and what finds it.
type mutation struct {
	name    string
	folder  string // the damaged one
	key     string
	since   bool // needs the kept checkpoint to be seen
	problem ledger.Problem
	seq     int
	fsck    bool // tessera's fsck sees it too
}

// mutations are those of bytes, of order and of files, which need no key.
func (e *evidence) mutations() []mutation {
	n := len(e.leaves)
	swapped := slices.Clone(e.leaves)
	swapped[3], swapped[4] = swapped[4], swapped[3]
	oneByte := slices.Clone(e.leaves)
	oneByte[5] = slices.Clone(oneByte[5])
	oneByte[5][20] ^= 1
	bundle := func(leaves [][]byte) string {
		dir := e.copyDir()
		e.rewrite(dir, leaves)
		return dir
	}
	without := func(path func(dir string) string) string {
		dir := e.copyDir()
		if err := os.RemoveAll(path(dir)); err != nil {
			e.t.Fatal(err)
		}
		return dir
	}
	return []mutation{
		{"one byte", bundle(oneByte), e.key, false, ledger.Altered, 5, true},
		{"two swapped", bundle(swapped), e.key, false, ledger.Altered, 3, true},
		{"last dropped", bundle(e.leaves[:n-1]), e.key, false, ledger.Altered, n - 1, true},
		{"middle dropped", bundle(slices.Delete(slices.Clone(e.leaves), 6, 7)), e.key, false, ledger.Altered, 6, true},
		{"appended unsigned", bundle(append(slices.Clone(e.leaves), []byte("{}"))), e.key, false, ledger.Altered, n, false},
		{"missing tile", without(func(dir string) string { return filepath.Join(dir, "tile", "0") }), e.key, false, ledger.Missing, -1, true},
		{"missing entries", without(e.bundle), e.key, false, ledger.Missing, 0, true},
		{"no checkpoint", without(func(dir string) string { return filepath.Join(dir, "checkpoint") }), e.key, false, ledger.Missing, -1, true},
	}
}

// forgeries are by who has the signing key, or another one.
func (e *evidence) forgeries() []mutation {
	_, elsewhere := otherKey(e.t, "logiqc/elsewhere/00000000")
	_, stranger := otherKey(e.t, e.origin())
	rebuilt := e.signedExport(e.changed())
	e.copy(filepath.Join(e.dir, "checkpoint"), filepath.Join(rebuilt, "checkpoint"))
	stale := e.signedExport(e.leaves[:e.before-1])
	e.rewrite(stale, e.leaves[:e.before-1])
	return []mutation{
		{"rebuilt with the old checkpoint", rebuilt, e.key, false, ledger.Altered, -1, true},
		{"rebuilt and signed again", e.signedExport(e.changed()), e.key, true, ledger.Forked, -1, false},
		{"shrunk and signed again", e.signedExport(e.leaves[:e.before-1]), e.key, true, ledger.Truncated, e.before - 1, false},
		{"stale checkpoint", stale, e.key, true, ledger.Truncated, e.before - 1, false},
		{"another origin", e.copyDir(), elsewhere, false, ledger.WrongOrigin, -1, true},
		{"another key", e.copyDir(), stranger, false, ledger.BadSignature, -1, true},
	}
}

// The whole mutation set of the threat model, on an exported folder that is
// checked with nothing but the key and a kept checkpoint.
func TestMutationsOfExport(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	if f := e.verify(t, "--dir", e.dir, "--key", e.key, "--since", e.kept); !f.OK || f.Size != int64(len(e.leaves)) || f.KeySource != "flag" {
		t.Fatalf("the honest export: %+v", f)
	}
	for _, m := range append(e.mutations(), e.forgeries()...) {
		t.Run(m.name, func(t *testing.T) {
			args := []string{"--dir", m.folder, "--key", m.key}
			if m.since {
				// Whoever holds the signing key is found by what was kept elsewhere alone.
				if f := e.verify(t, args...); !f.OK {
					t.Errorf("without a kept checkpoint: %+v", f)
				}
				args = append(args, "--since", e.kept)
			}
			e.want(t, m.problem, m.seq, args...)
			if accepted, said := fsck(t, m.folder, m.key); accepted == m.fsck {
				t.Errorf("fsck accepts: %v\n%s", accepted, said)
			}
		})
	}
}

// rebuild makes the store's log anew from leaves, as somebody who holds the
// file can; the columns stay as they are.
func (h *home) rebuild(leaves [][]byte) {
	h.t.Helper()
	f := forge(h.t, leaves)
	h.tamper(`DELETE FROM log_hash`)
	db, err := sql.Open("sqlite", h.db())
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	do := func(statement string, args ...any) {
		if _, err := db.Exec(statement, args...); err != nil {
			h.t.Fatalf("%s: %v", statement, err)
		}
	}
	do(`DELETE FROM event WHERE seq >= $1`, len(leaves))
	for seq, leaf := range leaves {
		do(`UPDATE event SET bytes = $1 WHERE seq = $2`, leaf, seq)
	}
	for _, s := range f.hashes {
		do(`INSERT INTO log_hash (idx, hash) VALUES ($1, $2)`, s.Index, s.Hash[:])
	}
	do(`UPDATE log_head SET size = $1, root = $2`, f.head.Size, f.head.Root[:])
}

// signAgain makes the program forget what it signed, and sign what there is.
func (e *evidence) signAgain() {
	e.t.Helper()
	e.tamper2(`DELETE FROM checkpoint`)
	if err := os.Remove(e.keyFile("log.state")); err != nil {
		e.t.Fatal(err)
	}
	e.must("audit", "checkpoint")
}

// tamper2 is tamper for a store whose triggers are gone already.
func (h *home) tamper2(statement string) {
	h.t.Helper()
	db, err := sql.Open("sqlite", h.db())
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		h.t.Fatal(err)
	}
}

// The same on the live store; damage that needs no key is in
// TestVerifyFindsTampering.
func TestMutationsOfStore(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	t.Run("rebuilt with the old checkpoint", func(t *testing.T) {
		e := newEvidence(t, tpl)
		e.rebuild(e.changed())
		e.want(t, ledger.Forked, -1)
		e.want(t, ledger.Forked, -1, "--key", e.key)
		if _, stderr, status := e.run("audit", "checkpoint"); status != 9 {
			t.Errorf("signed: %s", stderr)
		}
		if _, stderr, status := e.run("mfa", "reset", "mchen", "--yes"); status != 9 {
			t.Errorf("reset: %s", stderr)
		}
	})
	t.Run("rebuilt and signed again", func(t *testing.T) {
		e := newEvidence(t, tpl)
		e.rebuild(e.changed())
		e.signAgain()
		if f := e.verify(t, "--key", e.key); !f.OK {
			t.Errorf("without a kept checkpoint: %+v", f)
		}
		e.want(t, ledger.Forked, -1, "--key", e.key, "--since", e.kept)
	})
	t.Run("shrunk and signed again", func(t *testing.T) {
		e := newEvidence(t, tpl)
		e.rebuild(e.leaves[:e.before-1])
		e.want(t, ledger.Truncated, e.before-1)
		e.signAgain()
		e.want(t, ledger.Truncated, e.before-1, "--key", e.key, "--since", e.kept)
	})
	t.Run("stale checkpoint", func(t *testing.T) {
		e := newEvidence(t, tpl)
		e.rebuild(e.leaves[:e.before])
		e.tamper2(`UPDATE checkpoint SET note = '` + e.readText(e.kept) + `'`)
		e.want(t, ledger.Truncated, e.before) // log.state remembers
	})
}

// Checkpoints on the live store that the log's own key never signed.
func TestForgedCheckpoints(t *testing.T) {
	t.Parallel()
	tpl := newTemplate(t)
	_, elsewhere := otherKey(t, "logiqc/elsewhere/00000000")
	t.Run("signed by another key", func(t *testing.T) {
		e := newEvidence(t, tpl)
		signer, _ := otherKey(t, e.origin())
		forgedNote, err := ledger.SignCheckpoint(headOf(t, e.readText(e.kept)), signer)
		if err != nil {
			t.Fatal(err)
		}
		e.tamper(`UPDATE checkpoint SET note = '` + string(forgedNote) + `'`)
		e.want(t, ledger.BadSignature, -1)
	})
	t.Run("another key and another origin", func(t *testing.T) {
		e := newEvidence(t, tpl)
		_, stranger := otherKey(t, e.origin())
		e.want(t, ledger.BadSignature, -1, "--key", stranger)
		e.want(t, ledger.WrongOrigin, -1, "--key", elsewhere)
		e.want(t, ledger.BadSignature, -1, "--key", stranger, "--since", e.kept)
	})
	t.Run("not a checkpoint", func(t *testing.T) {
		e := newEvidence(t, tpl)
		junk := filepath.Join(e.dir, "junk")
		e.write(junk, "hello\n")
		e.want(t, ledger.BadSignature, -1, "--since", junk)
		if _, stderr, status := e.run("audit", "verify", "--since", filepath.Join(e.dir, "none")); status != 2 {
			t.Errorf("status %d %s", status, stderr)
		}
	})
}

// A proof of one event, with bytes of it changed.
func TestMutationsOfProof(t *testing.T) {
	t.Parallel()
	e := newEvidence(t, newTemplate(t))
	proof := e.must("audit", "prove", "4")
	file := filepath.Join(e.home.dir, "proof")
	e.write(file, proof)
	if f := e.verify(t, "--proof", file, "--key", e.key); !f.OK || f.Seq == nil || *f.Seq != 4 {
		t.Errorf("the honest proof: %+v", f)
	}
	_, elsewhere := otherKey(t, "logiqc/elsewhere/00000000")
	_, stranger := otherKey(t, e.origin())
	e.want(t, ledger.WrongOrigin, -1, "--proof", file, "--key", elsewhere)
	e.want(t, ledger.BadSignature, -1, "--proof", file, "--key", stranger)
	for at := 0; at < len(proof); at += 7 {
		bad := []byte(proof)
		bad[at] ^= 4
		e.write(file, string(bad))
		if f := e.verify(t, "--proof", file, "--key", e.key); f.OK {
			t.Fatalf("byte %d changed, and accepted:\n%s", at, bad)
		}
	}
	if _, stderr, status := e.run("audit", "verify", "--proof", file); status != 2 {
		t.Errorf("without a key: status %d %s", status, stderr)
	}
}
