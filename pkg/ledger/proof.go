package ledger

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proofHeader is the first line of a C2SP tlog-proof.
const proofHeader = "c2sp.org/tlog-proof@v1"

// Proof is what a proof shows once [VerifyProof] has accepted it: that the log
// had Leaf at Seq when it had Head.
type Proof struct {
	Seq  int64
	Leaf []byte
	Head Head
	// Checkpoint is the signed statement of Head, other signatures included.
	Checkpoint string
}

// Prove gives a C2SP tlog-proof that leaf is number seq in the log of the
// signed checkpoint: text an outsider checks offline with a verifier key. The
// leaf travels in the proof's extra line, so that the text needs no company.
// Stored must hold the hashes of that log; O(log n) of them are read.
//
// Errors: [ErrRange] when the log of the checkpoint has no leaf seq;
// [ErrAltered] when leaf and stored hashes do not give its root;
// [ErrBadSignature] when checkpoint is none (its signature is not looked at).
func Prove(seq int64, leaf, checkpoint []byte, stored HashReader) ([]byte, error) {
	head, err := unopened(checkpoint)
	if err != nil {
		return nil, err
	}
	if seq < 0 || seq >= head.Size {
		return nil, fmt.Errorf("entry %d of a log of %d: %w", seq, head.Size, ErrRange)
	}
	path, err := tlog.ProveRecord(head.Size, seq, stored)
	if err != nil {
		return nil, fmt.Errorf("proving entry %d: %w", seq, err)
	}
	if tlog.CheckRecord(path, head.Size, head.Root, seq, LeafHash(leaf)) != nil {
		return nil, fmt.Errorf("entry %d is not in the log of the checkpoint: %w", seq, ErrAltered)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s\nextra %s\nindex %d\n", proofHeader, base64.StdEncoding.EncodeToString(leaf), seq)
	for _, h := range path {
		text.WriteString(h.String() + "\n")
	}
	text.WriteByte('\n')
	text.Write(checkpoint)
	return []byte(text.String()), nil
}

// VerifyProof checks a C2SP tlog-proof with nothing but a pinned origin and
// its keys. Leaf is the entry in question, or nil for the one the proof
// carries in its extra line.
//
// Errors: those of [OpenCheckpoint]; [ErrAltered] when the text is no proof or
// the entry is not the one the log has; [ErrMissing] when there is no entry.
func VerifyProof(proof, leaf []byte, origin string, verifiers ...note.Verifier) (Proof, error) {
	p, err := parseProof(string(proof))
	if err != nil {
		return Proof{}, err
	}
	head, err := OpenCheckpoint([]byte(p.checkpoint), origin, verifiers...)
	if err != nil {
		return Proof{}, err
	}
	if leaf == nil {
		leaf = p.extra
	}
	if leaf == nil {
		return Proof{}, fmt.Errorf("the proof does not carry its entry: %w", ErrMissing)
	}
	if tlog.CheckRecord(p.path, head.Size, head.Root, p.seq, LeafHash(leaf)) != nil {
		return Proof{}, fmt.Errorf("the proof of entry %d does not hold: %w", p.seq, ErrAltered)
	}
	return Proof{p.seq, leaf, head, p.checkpoint}, nil
}

// proofText is a proof taken apart, nothing of it believed yet.
type proofText struct {
	extra      []byte // nil when there is no extra line
	seq        int64
	path       tlog.RecordProof
	checkpoint string
}

func parseProof(text string) (p proofText, err error) {
	malformed := fmt.Errorf("not a %s: %w", proofHeader, ErrAltered)
	top, checkpoint, _ := strings.Cut(text, "\n\n")
	p.checkpoint = checkpoint
	lines := strings.Split(top, "\n")
	if lines[0] != proofHeader {
		return p, malformed
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		if p.extra, err = base64.StdEncoding.DecodeString(lines[0][len("extra "):]); err != nil {
			return p, malformed
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return p, malformed
	}
	index := lines[0][len("index "):]
	if p.seq, err = strconv.ParseInt(index, 10, 64); err != nil || strconv.FormatInt(p.seq, 10) != index {
		return p, malformed
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil || h.String() != line {
			return p, malformed
		}
		p.path = append(p.path, h)
	}
	return p, nil
}
