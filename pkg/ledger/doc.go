// Package ledger keeps an append-only log that shows when it was changed: a
// Merkle tree over byte strings, signed statements of its size and root, and
// the proofs an outsider checks with nothing but a public key.
//
// The tree is that of RFC 6962 §2.1, its hashes numbered as
// [golang.org/x/mod/sumdb/tlog] numbers them. The package knows nothing of
// what a leaf says, nor of where leaves and hashes are kept: writers are told
// which hashes to store ([Append]), readers hand bytes over through [Source]
// and are not believed ([Verify]).
//
// # What is proved
//
// [Verify] alone shows that leaves, stored hashes and head agree. Whoever can
// rewrite all three is found only with something kept elsewhere: a signed
// checkpoint ([OpenCheckpoint]) or a head of an earlier day
// ([VerifyOptions].Known, [CheckGrowth]).
//
// # Formats
//
// Checkpoints are C2SP tlog-checkpoint signed notes (Ed25519, three lines, no
// extension lines), proofs are C2SP tlog-proof, and an exported directory is
// C2SP tlog-tiles with tiles of height 8, so that tools written elsewhere can
// check what this package wrote.
package ledger
