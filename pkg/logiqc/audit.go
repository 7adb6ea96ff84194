package logiqc

import (
	"context"
	"encoding/base64"
	"fmt"
)

// Audit hands over what is needed to check the log of a store, for one actor
// whose right to it is checked anew at every call. It gives bytes; what they
// prove is computed by whoever asked, and nothing of it is believed. Errors
// are [*Error] values with the codes of the contract.
type Audit interface {
	// Evidence tells which log this is, and what was signed of it.
	Evidence(ctx context.Context) (Evidence, error)
	// LogHead gives the size and root that the log claims to have now.
	LogHead(ctx context.Context) (LogHead, error)
	// LogLeaves hands over a page of events from r.From on, before r.To.
	LogLeaves(ctx context.Context, r LogRange) (LeafPage, error)
	// LogHashes hands over a page of the tree's hashes with indexes from r.From
	// on, before r.To, counted as golang.org/x/mod/sumdb/tlog.StoredHashIndex.
	LogHashes(ctx context.Context, r LogRange) (HashPage, error)
	// LogHashesAt hands over the hashes with these indexes, at most PageMax, in
	// the order asked for. Integrity when one is not there.
	LogHashesAt(ctx context.Context, indexes []int64) ([]Hash, error)

	// SignCheckpoint signs the log as it is now, once it is proved that it
	// continues what was signed before. Integrity when it does not, and nothing
	// is signed; Unavailable without the keys.
	SignCheckpoint(ctx context.Context) (Checkpoint, error)
	// Prove signs a checkpoint and proves that the event seq is in its log.
	// NotFound when there is no such event, else as SignCheckpoint.
	Prove(ctx context.Context, seq int64) (LogProof, error)
	// Receipt proves, as Prove does, a reset that the actor made.
	Receipt(ctx context.Context, ref AuditRef) (LogProof, error)
	// BeginExport records that the log is exported, and signs the checkpoint of
	// what is: what cannot be recorded does not leave.
	BeginExport(ctx context.Context, r LogExport) (Checkpoint, error)
	// Reconcile replays the log and compares the outcome with accounts, policy,
	// tokens and sessions.
	Reconcile(ctx context.Context) (Reconciled, error)

	// AddWitness notes whom checkpoints are sent to for cosigning; RemoveWitness
	// takes one off again. Both are for administrators.
	AddWitness(ctx context.Context, r NewWitness) (WitnessChanged, error)
	RemoveWitness(ctx context.Context, r WitnessRemoval) (WitnessChanged, error)
	// KeepAnchor keeps that a checkpoint of this log has gone somewhere. It is
	// checked: Integrity for one that is not of this log, or is not cosigned by
	// the witness it is said to be from.
	KeepAnchor(ctx context.Context, r NewAnchor) error
	// Checkup looks at the store, its keys and its log where they are, quickly:
	// at what is likely to go wrong, not at every byte.
	Checkup(ctx context.Context) (Checkup, error)
}

// Hash is a SHA-256 value; base64 in text and JSON.
type Hash [32]byte

// String is the standard base64 form.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *Hash) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || len(raw) != len(h) {
		return fmt.Errorf("%q is no hash", text)
	}
	copy(h[:], raw)
	return nil
}

// LogHead is how many events the log has, and the RFC 6962 root of them.
type LogHead struct {
	Size int64 `json:"size"`
	Root Hash  `json:"root"`
}

// Checkpoint is a signed statement of a log's head.
type Checkpoint struct {
	Note string `json:"note"` // C2SP tlog-checkpoint; "" for none
	LogHead
	At Time `json:"at"` // when it was signed, where that is known
}

// Evidence is what is kept beside a log and says what it was.
type Evidence struct {
	StoreID string `json:"store_id"`
	Origin  string `json:"origin"` // of the log's checkpoints, as the store says
	// Keys are the verifier lines beside the signing keys, the current one
	// first; none where the keys are not at hand.
	Keys []string `json:"keys"`
	// Last is the checkpoint signed last, as the store says.
	Last Checkpoint `json:"last"`
	// State is the one beside the keys, which no backup of the store brings
	// back; "" where there is none.
	State string `json:"state"`
	// Handovers lead from signing keys that were retired to the ones after them:
	// C2SP tlog-proofs of the event that names the new one.
	Handovers []string `json:"handovers"`
	// Witnesses and Anchors are where checkpoints went, as the store says. What
	// is there, and not here, is what counts.
	Witnesses []Witness `json:"witnesses"`
	Anchors   []Anchor  `json:"anchors"`
}

// LogRange asks for what has a number from From on and below To, which may
// lie beyond the end.
type LogRange struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// LogPageMax and LogPageBytes bound a page of leaves or hashes: how many, and
// how many bytes of leaves after which it ends.
const (
	LogPageMax   = 8192
	LogPageBytes = 4 << 20
)

// LeafPage is a run of events, in order; what is not in the log is not in it.
type LeafPage struct {
	Leaves []Leaf `json:"leaves"`
	// Next is where to go on from: the To of the range, or more, when this was
	// all of it.
	Next int64 `json:"next"`
}

// Leaf is an event as it is hashed.
type Leaf struct {
	Seq   int64  `json:"seq"`
	Bytes []byte `json:"bytes"`
	// Unfit says that the store shows something else than the bytes say: its
	// index of the event was changed.
	Unfit bool `json:"unfit,omitempty"`
}

// HashPage is hashes of the tree in order; what is not there is not in it.
type HashPage struct {
	Runs []HashRun `json:"runs"`
	Next int64     `json:"next"` // as of a LeafPage
}

// HashRun is hashes without a gap between them: 32 bytes each, the first with
// the index First.
type HashRun struct {
	First  int64  `json:"first"`
	Hashes []byte `json:"hashes"`
}

// LogProof is a C2SP tlog-proof of one event.
type LogProof struct {
	Seq   int64  `json:"seq"`
	Proof string `json:"proof"`
}

// LogExport says where to a log is exported.
type LogExport struct {
	Folder string `json:"folder"`
}

// Reconciled is the outcome of replaying the log.
type Reconciled struct {
	Compared    int          `json:"compared"` // accounts looked at
	Differences []Difference `json:"differences"`
}

// Difference is one thing that the store says otherwise than the log.
type Difference struct {
	User      string `json:"user"` // or "" for the policy
	Field     string `json:"field"`
	Log       string `json:"log"`
	Store     string `json:"store"`
	LastEvent int64  `json:"last_event"` // the newest event about the account, -1 for none
}
