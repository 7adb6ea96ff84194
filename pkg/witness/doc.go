// Package witness has checkpoints of a log cosigned by witnesses: servers of
// somebody else that remember how far they have seen a log, and sign only what
// continues that. It speaks C2SP tlog-witness (add-checkpoint) and reads C2SP
// tlog-cosignature (cosignature/v1, Ed25519 with a timestamp).
//
// A witness does not look at what a log says. With its signature under a
// checkpoint nobody, the owner of the log's key included, can show another log
// of that size to somebody who wants that signature.
package witness
