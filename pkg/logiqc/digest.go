package logiqc

import (
	"crypto/sha256"
	"encoding/hex"
)

// digestBytes are enough of a SHA-256: whoever would put something else in the
// place of what was digested has to find a second text for it.
const digestBytes = 16

// Digest is what an event keeps of hashes that the store holds, so that others
// put in their place show: the first half of the SHA-256 of them, hex; "" for
// none.
func Digest(hashes ...[32]byte) string {
	if len(hashes) == 0 {
		return ""
	}
	sum := sha256.New()
	for _, h := range hashes {
		_, _ = sum.Write(h[:])
	}
	return hex.EncodeToString(sum.Sum(nil)[:digestBytes])
}
