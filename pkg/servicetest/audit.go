package servicetest

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

const witnessKey = "witness.example/w1+7e136b5c+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

// What is handed over for checking the log: to whom, and that it is the log.
func testAudit(t *testing.T, w *World) {
	w.add("priya", role(logiqc.RoleHelpdesk))
	w.add("aud", role(logiqc.RoleAuditor))
	w.add("ann")
	for _, name := range []string{"ann", "priya"} {
		a := w.audit(w.session(name))
		size := w.size()
		for what, call := range auditCalls {
			want(t, name+": "+what, call(w, a), logiqc.Forbidden)
		}
		if denied := w.size() - size; denied != int64(len(auditCalls)) {
			t.Errorf("%d refusals of %s are in the log, of %d", denied, name, len(auditCalls))
		}
	}
	aud, helen := w.audit(w.session("aud")), w.audit(w.Init())
	t.Run("bytes", func(t *testing.T) { auditBytes(t, w, aud) })
	t.Run("signed", func(t *testing.T) { auditSigned(t, w, aud) })
	t.Run("receipt", func(t *testing.T) { auditReceipt(t, w, aud) })
	t.Run("witness", func(t *testing.T) { auditWitness(t, w, aud, helen) })
	if r, err := aud.Reconcile(w.ctx()); err != nil || r.Compared != 4 || len(r.Differences) > 0 {
		t.Errorf("reconcile: %+v, %v", r, err)
	}
	c, err := aud.Checkup(w.ctx())
	if err != nil || !slices.ContainsFunc(c.Findings, func(f logiqc.CheckupFinding) bool { return f.Check == "admins" && f.Grade == logiqc.GradeWarn }) {
		t.Errorf("checkup: %+v, %v", c, err)
	}
}

// auditCalls are all that takes the right to check the log.
var auditCalls = map[string]func(w *World, a logiqc.Audit) error{
	"evidence": func(w *World, a logiqc.Audit) error { _, err := a.Evidence(w.ctx()); return err },
	"head":     func(w *World, a logiqc.Audit) error { _, err := a.LogHead(w.ctx()); return err },
	"leaves": func(w *World, a logiqc.Audit) error {
		_, err := a.LogLeaves(w.ctx(), logiqc.LogRange{To: 1})
		return err
	},
	"hashes": func(w *World, a logiqc.Audit) error {
		_, err := a.LogHashes(w.ctx(), logiqc.LogRange{To: 1})
		return err
	},
	"hashes at":  func(w *World, a logiqc.Audit) error { _, err := a.LogHashesAt(w.ctx(), []int64{0}); return err },
	"checkpoint": func(w *World, a logiqc.Audit) error { _, err := a.SignCheckpoint(w.ctx()); return err },
	"prove":      func(w *World, a logiqc.Audit) error { _, err := a.Prove(w.ctx(), 0); return err },
	"export": func(w *World, a logiqc.Audit) error {
		_, err := a.BeginExport(w.ctx(), logiqc.LogExport{Folder: "x"})
		return err
	},
	"reconcile": func(w *World, a logiqc.Audit) error { _, err := a.Reconcile(w.ctx()); return err },
	"witness": func(w *World, a logiqc.Audit) error {
		_, err := a.AddWitness(w.ctx(), logiqc.NewWitness{URL: "http://127.0.0.1:9", Key: witnessKey})
		return err
	},
	"no witness": func(w *World, a logiqc.Audit) error {
		_, err := a.RemoveWitness(w.ctx(), logiqc.WitnessRemoval{Name: "x"})
		return err
	},
	"anchor": func(w *World, a logiqc.Audit) error {
		return a.KeepAnchor(w.ctx(), logiqc.NewAnchor{Place: "file:x", Note: "x"})
	},
	"checkup": func(w *World, a logiqc.Audit) error { _, err := a.Checkup(w.ctx()); return err },
}

// auditBytes wants the events as they are hashed, and the hashes that they have.
func auditBytes(t *testing.T, w *World, a logiqc.Audit) {
	head, err := a.LogHead(w.ctx())
	if err != nil || head.Size != w.size() {
		t.Fatalf("head %+v, %v; the log has %d events", head, err, w.size())
	}
	page, err := a.LogLeaves(w.ctx(), logiqc.LogRange{From: 1, To: head.Size + 10})
	if err != nil || int64(len(page.Leaves)) != head.Size-1 || page.Next < head.Size {
		t.Fatalf("%d leaves, next %d, %v", len(page.Leaves), page.Next, err)
	}
	events, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
	last := page.Leaves[len(page.Leaves)-1]
	if err != nil || last.Seq != head.Size-1 || last.Unfit {
		t.Fatalf("the last leaf: %+v, %v", last, err)
	}
	if leaf, err := events.Events[0].Leaf(); err != nil || !bytes.Equal(leaf, last.Bytes) {
		t.Errorf("the last event is\n%s, and its leaf\n%s, %v", leaf, last.Bytes, err)
	}
	// Stored hash 2 is that of the first two leaves (RFC 6962 §2.1).
	first, err := a.LogLeaves(w.ctx(), logiqc.LogRange{To: 1})
	if err != nil || len(first.Leaves) != 1 {
		t.Fatal(first, err)
	}
	leafHash := func(leaf []byte) [32]byte { return sha256.Sum256(append([]byte{0}, leaf...)) }
	zero, one := leafHash(first.Leaves[0].Bytes), leafHash(page.Leaves[0].Bytes)
	both := sha256.Sum256(slices.Concat([]byte{1}, zero[:], one[:]))
	at, err := a.LogHashesAt(w.ctx(), []int64{2, 0, 1})
	if err != nil || !slices.Equal(at, []logiqc.Hash{both, zero, one}) {
		t.Errorf("hashes %v, %v, want %v", at, err, []logiqc.Hash{both, zero, one})
	}
	runs, err := a.LogHashes(w.ctx(), logiqc.LogRange{To: 3})
	if err != nil || len(runs.Runs) != 1 || !bytes.Equal(runs.Runs[0].Hashes, slices.Concat(zero[:], one[:], both[:])) {
		t.Errorf("runs %+v, %v", runs, err)
	}
	_, err = a.LogHashesAt(w.ctx(), []int64{1 << 40})
	want(t, "a hash that is not there", err, logiqc.Integrity)
	_, err = a.LogHashesAt(w.ctx(), make([]int64, logiqc.PageMax+1))
	want(t, "too many hashes", err, logiqc.Invalid)
}

// auditSigned wants checkpoints and proofs of the log as it is, and an export
// to be an event.
func auditSigned(t *testing.T, w *World, a logiqc.Audit) {
	c, err := a.SignCheckpoint(w.ctx())
	e, failed := a.Evidence(w.ctx())
	if err != nil || failed != nil || c.Size != w.size() || e.Last.Note != c.Note || e.State != c.Note || !strings.HasPrefix(c.Note, e.Origin+"\n") || len(e.Keys) != 1 {
		t.Fatalf("checkpoint %+v, %v; evidence %+v, %v", c, err, e, failed)
	}
	if again, err := a.SignCheckpoint(w.ctx()); err != nil || again.Note != c.Note {
		t.Errorf("signed again: %+v, %v", again, err)
	}
	p, err := a.Prove(w.ctx(), 1)
	if err != nil || p.Seq != 1 || !strings.Contains(p.Proof, "\nindex 1\n") || !strings.HasSuffix(p.Proof, "\n\n"+c.Note) {
		t.Errorf("proof %+v, %v", p, err)
	}
	_, err = a.Prove(w.ctx(), 1<<40)
	want(t, "a proof of no event", err, logiqc.NotFound)
	size := w.size()
	x, err := a.BeginExport(w.ctx(), logiqc.LogExport{Folder: "/mnt/evidence"})
	events, _ := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
	if got := events.Events[0]; err != nil || x.Size != size+1 || got.Action != logiqc.AuditExported || got.Details.Folder != "/mnt/evidence" || got.Actor.Username != "aud" {
		t.Errorf("export %+v, %v; %+v", x, err, got)
	}
	_, err = a.BeginExport(w.ctx(), logiqc.LogExport{Folder: strings.Repeat("x", long)})
	want(t, "a long name", err, logiqc.Invalid)
}

// auditReceipt gives the proof of a reset to whoever made it, and to nobody else.
func auditReceipt(t *testing.T, w *World, aud logiqc.Audit) {
	priya := w.session("priya")
	reset, err := w.as(priya).ResetMFA(w.ctx(), logiqc.Reset{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}, Users: []logiqc.ResetTarget{{User: "ann"}}})
	if err != nil || len(reset) != 1 || reset[0].Audit == nil {
		t.Fatalf("%+v, %v", reset, err)
	}
	ref := *reset[0].Audit
	p, err := w.audit(priya).Receipt(w.ctx(), ref)
	if err != nil || p.Seq != ref.Seq || !strings.Contains(p.Proof, "\nindex "+strconv.FormatInt(ref.Seq, 10)+"\n") {
		t.Errorf("%+v, %v", p, err)
	}
	_, err = w.audit(w.Init()).Receipt(w.ctx(), ref)
	want(t, "somebody else's", err, logiqc.NotFound)
	_, err = aud.Receipt(w.ctx(), ref)
	want(t, "an auditor's", err, logiqc.Forbidden)
	ref.ID = "01a21325-d5d4-77b7-8d82-a96b8b82581a"
	_, err = w.audit(priya).Receipt(w.ctx(), ref)
	want(t, "another id", err, logiqc.NotFound)
}

// auditWitness wants only administrators to say who watches, and only what is of
// this log to be kept as having gone somewhere.
func auditWitness(t *testing.T, w *World, aud, helen logiqc.Audit) {
	add := logiqc.NewWitness{URL: "http://127.0.0.1:9", Key: witnessKey}
	_, err := aud.AddWitness(w.ctx(), add)
	want(t, "an auditor adds a witness", err, logiqc.Forbidden)
	out, err := helen.AddWitness(w.ctx(), add)
	if err != nil || !out.Changed || out.Witness.Name != "witness.example/w1" {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err = helen.AddWitness(w.ctx(), add); err != nil || out.Changed {
		t.Errorf("once more: %+v, %v", out, err)
	}
	_, err = helen.AddWitness(w.ctx(), logiqc.NewWitness{URL: "http://127.0.0.1:10", Key: witnessKey})
	want(t, "another address", err, logiqc.Exists)
	page, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{Limit: 1})
	if err != nil || page.Events[0].Action != logiqc.WitnessAdded || page.Events[0].Code != logiqc.Exists {
		t.Errorf("the refusal is in the log as %+v, %v", page.Events, err)
	}
	_, err = helen.AddWitness(w.ctx(), logiqc.NewWitness{URL: "http://127.0.0.1:9", Key: "x"})
	want(t, "no key", err, logiqc.Invalid)
	want(t, "a note of no log", aud.KeepAnchor(w.ctx(), logiqc.NewAnchor{Place: "file:x", Note: "x"}), logiqc.Invalid)
	c, err := aud.SignCheckpoint(w.ctx())
	if err != nil {
		t.Fatal(err)
	}
	want(t, "not cosigned", aud.KeepAnchor(w.ctx(), logiqc.NewAnchor{Witness: "witness.example/w1", Note: c.Note}), logiqc.Invalid)
	want(t, "nobody's", aud.KeepAnchor(w.ctx(), logiqc.NewAnchor{Witness: "x", Note: c.Note}), logiqc.NotFound)
	size := w.size()
	if err := aud.KeepAnchor(w.ctx(), logiqc.NewAnchor{Place: "file:x", Note: c.Note}); err != nil || w.size() != size {
		t.Errorf("kept: %v, and %d events", err, w.size()-size)
	}
	e, err := aud.Evidence(w.ctx())
	if err != nil || len(e.Anchors) != 1 || e.Anchors[0].Place != "file:x" || e.Anchors[0].Last.Note != c.Note || len(e.Witnesses) != 1 {
		t.Errorf("evidence: %+v, %v", e, err)
	}
	gone := logiqc.WitnessRemoval{Name: "witness.example/w1"}
	if out, err := helen.RemoveWitness(w.ctx(), gone); err != nil || !out.Changed {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = helen.RemoveWitness(w.ctx(), gone)
	want(t, "removed twice", err, logiqc.NotFound)
}

func (w *World) audit(bearer logiqc.Secret) logiqc.Audit {
	w.t.Helper()
	a, err := w.AuditOf(w.ctx(), bearer)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}
