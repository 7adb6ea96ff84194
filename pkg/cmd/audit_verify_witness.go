package cmd

import (
	"fmt"
	"slices"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/ui"
	"github.com/logiqc/logiqc/pkg/witness"
)

// keyStore is the source of a witness's key that nobody typed: the store.
const keyStore = "store"

// cosignedAt is what a witness has signed of the log.
type cosignedAt struct {
	Witness   string      `json:"witness"`
	At        logiqc.Time `json:"at"`
	Size      int64       `json:"size"`
	KeySource string      `json:"key_source"` // flag, or store: then it shows no more than the store does
}

// witnessKeys reads the keys of --witness.
func witnessKeys(lines []string) ([]*witness.Verifier, error) {
	keys := make([]*witness.Verifier, len(lines))
	for i, line := range lines {
		v, err := witness.NewVerifier(line)
		if err != nil {
			return nil, logiqc.Errorf(logiqc.Usage, "--witness: %w", err).WithHint("the witness's operator publishes it: one line, NAME+HASH+KEY")
		}
		keys[i] = v
	}
	return keys, nil
}

// notCosigned is the problem of a log that a witness was to have signed.
func notCosigned(v *witness.Verifier) error {
	return fmt.Errorf("%w: no cosignature by the key given of %s", ledger.ErrBadSignature, v.Name())
}

// wantCosigned wants cosignatures by all the keys typed under a checkpoint.
func wantCosigned(note string, lines []string) (all []cosignedAt, err error) {
	keys, err := witnessKeys(lines)
	if err != nil {
		return nil, err
	}
	for _, v := range keys {
		c, err := witness.Open([]byte(note), v)
		if err != nil {
			return nil, notCosigned(v)
		}
		_, head, err := ledger.ParseCheckpoint([]byte(note))
		if err != nil {
			return nil, err
		}
		all = append(all, cosignedAt{v.Name(), logiqc.At(c.At), head.Size, keyFlag})
	}
	return all, nil
}

// cosignedIn are the cosigned checkpoints that the store keeps: the log has to
// continue them too. Those of the witnesses typed must be among them.
func (a *App) cosignedIn(e logiqc.Evidence, k logKeys, typed []string) (known []keptCheckpoint, all []cosignedAt, err error) {
	keys, err := witnessKeys(typed)
	if err != nil {
		return nil, nil, err
	}
	all = []cosignedAt{}
	var proved []*witness.Verifier
	for _, w := range e.Witnesses {
		if w.Last.Note == "" || len(k.verifiers) == 0 {
			continue
		}
		head, err := ledger.OpenCheckpoint([]byte(w.Last.Note), k.origin(), k.verifiers...)
		if err != nil { // of a key that was retired, or of the log before
			a.warnCosigned(w.Name, err)
			continue
		}
		v, source := witnessKey(w, keys)
		if v == nil {
			a.warnCosigned(w.Name, witness.ErrKey)
			continue
		}
		c, err := witness.Open([]byte(w.Last.Note), v)
		if err != nil {
			a.warnCosigned(w.Name, err)
			continue
		}
		proved = append(proved, v)
		known = append(known, keptCheckpoint{what: "cosigned", at: logiqc.At(c.At), head: head})
		all = append(all, cosignedAt{w.Name, logiqc.At(c.At), head.Size, source})
	}
	for _, v := range keys {
		if !slices.Contains(proved, v) {
			return nil, all, notCosigned(v)
		}
	}
	return known, all, nil
}

// witnessKey is the key that a witness's signature is checked with: one that
// was typed for its name, or else the store's; nil when that is none.
func witnessKey(w logiqc.Witness, typed []*witness.Verifier) (v *witness.Verifier, source string) {
	for _, v := range typed {
		if v.Name() == w.Name {
			return v, keyFlag
		}
	}
	v, err := witness.NewVerifier(w.Key)
	if err != nil {
		return nil, keyStore
	}
	return v, keyStore
}

func (a *App) warnCosigned(name string, err error) {
	a.IO().Warnf("what the store keeps as cosigned by %s cannot be checked: %v", name, err)
}

// tellCosigned tells which witnesses have signed what.
func (v verified) tellCosigned(io *ui.IO) {
	for _, c := range v.Cosigned {
		whose := ""
		if c.KeySource == keyStore {
			whose = " (its key is the store's: give it with --witness)"
		}
		io.Answerf("Cosigned by %s on %s: %s%s.", c.Witness, minute(c.At), events(c.Size), whose)
	}
}
