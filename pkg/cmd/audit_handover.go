package cmd

import (
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/service"
)

// successors are the keys that those in k handed the log over to before they
// were retired: each is named whole by an event key.rotated that is proved
// under a checkpoint signed by a key trusted already. Whoever hands over the
// proofs is believed nothing. The log must continue what they were proved in.
func (k logKeys) successors(proofs []string) (lines []string, heads []ledger.Head) {
	if len(k.verifiers) == 0 {
		return nil, nil
	}
	trusted := slices.Clone(k.verifiers)
	for grown := true; grown; {
		grown = false
		for _, text := range proofs {
			p, err := ledger.VerifyProof([]byte(text), nil, k.origin(), trusted...)
			if err != nil {
				continue
			}
			e, err := logiqc.ParseLeaf(p.Seq, p.Leaf)
			if err != nil || e.Action != logiqc.KeyRotated || e.Outcome != logiqc.Success {
				continue
			}
			v, err := service.ParseVerifiers(e.Details.Verifier)
			if err != nil || v[0].Name() != k.origin() || slices.ContainsFunc(trusted, func(t note.Verifier) bool { return t.KeyHash() == v[0].KeyHash() }) {
				continue
			}
			trusted, lines, heads, grown = append(trusted, v[0]), append(lines, e.Details.Verifier), append(heads, p.Head), true
		}
	}
	return lines, heads
}

// follow takes the successors of keys that were kept here among them.
func (k *logKeys) follow(proofs []string) (err error) {
	lines, heads := k.successors(proofs)
	if len(lines) == 0 {
		return nil
	}
	k.lines, k.handed = append(slices.Clone(k.lines), lines...), heads
	k.verifiers, err = service.ParseVerifiers(k.lines...)
	return err
}

// toKeep are the lines to keep from now on: of keys that were handed over, not
// those that have been retired.
func (k logKeys) toKeep(e logiqc.Evidence) []string {
	if len(k.handed) == 0 {
		return k.lines
	}
	var lines []string
	for _, line := range e.Keys {
		if slices.Contains(k.lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 { // the store has no keys to say which
		return k.lines
	}
	return lines
}

// signed tells whether one of the keys signed the checkpoint.
func signed(checkpoint string, lines []string) bool {
	verifiers, err := service.ParseVerifiers(lines...)
	return err == nil && slices.ContainsFunc(verifiers, func(v note.Verifier) bool {
		_, err := ledger.OpenCheckpoint([]byte(checkpoint), v.Name(), v)
		return err == nil
	})
}
