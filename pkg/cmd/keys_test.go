package cmd

import (
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// A rotation that the disk stops half-way says which keys are in use, not that
// nothing was changed: neither in words nor by exit status 11.
func TestRotationSoFar(t *testing.T) {
	full := logiqc.Errorf(logiqc.Unavailable, "the disk is full; nothing was changed: no space").WithHint("make room")
	if e := logiqc.AsError(rotated{}.soFar(full, "logiqc keys rotate seal")); e != full {
		t.Errorf("before anything: %+v", e)
	}
	e := logiqc.AsError(rotated{AuditKey: "k", SealKey: "s"}.soFar(full, "logiqc keys rotate seal --resume"))
	if strings.Contains(e.Message, "nothing was changed") || !strings.Contains(e.Message, "the new seal is in use") ||
		e.Hint != "make room; then: logiqc keys rotate seal --resume" || e.Code != logiqc.UnknownOutcome || strings.Contains(full.Message, "seal") {
		t.Errorf("half-way: %+v", e)
	}
}
