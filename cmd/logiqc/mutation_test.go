package main

import (
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
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
func (e *evidence) copyDir(t *testing.T) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "log")
	if err := os.CopyFS(to, os.DirFS(e.dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// The whole mutation set of the threat model, on an exported folder that is
// checked with nothing but the key and a kept checkpoint.
func TestMutationsOfExport(t *testing.T) {
	e := newEvidence(t, newTemplate(t))
	n := len(e.leaves)
	_, elsewhere := otherKey(t, "logiqc/elsewhere/00000000")
	_, stranger := otherKey(t, e.origin())
	without := func(i int) [][]byte { return append(append([][]byte{}, e.leaves[:i]...), e.leaves[i+1:]...) }
	swapped := append([][]byte{}, e.leaves...)
	swapped[3], swapped[4] = swapped[4], swapped[3]
	oneByte := append([][]byte{}, e.leaves...)
	oneByte[5] = append([]byte{}, oneByte[5]...)
	oneByte[5][20] ^= 1

	if f := e.verify(t, "--dir", e.dir, "--key", e.key, "--since", e.kept); !f.OK || f.Size != int64(n) || f.KeySource != "flag" {
		t.Fatalf("the honest export: %+v", f)
	}
	bundle := func(leaves [][]byte) func(t *testing.T) string {
		return func(t *testing.T) string {
			dir := e.copyDir(t)
			e.rewrite(dir, leaves)
			return dir
		}
	}
	for _, m := range []struct {
		name    string
		damage  func(t *testing.T) string // returns the folder
		key     string
		since   bool // needs the kept checkpoint to be seen
		problem ledger.Problem
		seq     int
		fsck    bool // tessera's fsck sees it too
	}{
		{"one byte", bundle(oneByte), e.key, false, ledger.Altered, 5, true},
		{"two swapped", bundle(swapped), e.key, false, ledger.Altered, 3, true},
		{"last dropped", bundle(e.leaves[:n-1]), e.key, false, ledger.Altered, n - 1, true},
		{"middle dropped", bundle(without(6)), e.key, false, ledger.Altered, 6, true},
		{"appended unsigned", bundle(append(append([][]byte{}, e.leaves...), []byte("{}"))), e.key, false, ledger.Altered, n, false},
		{"rebuilt with the old checkpoint", func(t *testing.T) string {
			dir := e.signedExport(e.changed())
			e.write(filepath.Join(dir, "checkpoint"), e.readText(filepath.Join(e.dir, "checkpoint")))
			return dir
		}, e.key, false, ledger.Altered, -1, true},
		{"rebuilt and signed again", func(t *testing.T) string { return e.signedExport(e.changed()) },
			e.key, true, ledger.Forked, -1, false},
		{"shrunk and signed again", func(t *testing.T) string { return e.signedExport(e.leaves[:e.before-1]) },
			e.key, true, ledger.Truncated, e.before - 1, false},
		{"stale checkpoint", func(t *testing.T) string {
			dir := e.signedExport(e.leaves[:e.before-1])
			e.rewrite(dir, e.leaves[:e.before-1])
			return dir
		}, e.key, true, ledger.Truncated, e.before - 1, false},
		{"another origin", e.copyDir, elsewhere, false, ledger.WrongOrigin, -1, true},
		{"another key", e.copyDir, stranger, false, ledger.BadSignature, -1, true},
		{"missing tile", func(t *testing.T) string {
			dir := e.copyDir(t)
			if err := os.RemoveAll(filepath.Join(dir, "tile", "0")); err != nil {
				t.Fatal(err)
			}
			return dir
		}, e.key, false, ledger.Missing, -1, true},
		{"missing entries", func(t *testing.T) string {
			dir := e.copyDir(t)
			if err := os.Remove(e.bundle(dir)); err != nil {
				t.Fatal(err)
			}
			return dir
		}, e.key, false, ledger.Missing, 0, true},
		{"no checkpoint", func(t *testing.T) string {
			dir := e.copyDir(t)
			if err := os.Remove(filepath.Join(dir, "checkpoint")); err != nil {
				t.Fatal(err)
			}
			return dir
		}, e.key, false, ledger.Missing, -1, true},
	} {
		t.Run(m.name, func(t *testing.T) {
			args := []string{"--dir", m.damage(t), "--key", m.key}
			if m.since {
				// Whoever holds the signing key is found by what was kept elsewhere alone.
				if f := e.verify(t, args...); !f.OK {
					t.Errorf("without a kept checkpoint: %+v", f)
				}
				args = append(args, "--since", e.kept)
			}
			e.want(t, m.problem, m.seq, args...)
			if accepted, said := fsck(t, args[1], m.key); accepted == m.fsck {
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
	tpl := newTemplate(t)
	_, elsewhere := otherKey(t, "logiqc/elsewhere/00000000")
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
	t.Run("forged checkpoint", func(t *testing.T) {
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
