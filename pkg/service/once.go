package service

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// once runs fn, or returns what an earlier call of the same actor, command and
// request id returned: a retry after a lost answer changes nothing twice. The
// outcome comes back without its secrets. The same id for another matter is
// Conflict. matter is what was asked for, the consent aside.
func once[T any](t *txn, command string, matter any, fn func() (T, error)) (out T, replayed bool, err error) {
	req := t.request
	if !req.Remember || req.DryRun {
		out, err = fn()
		return out, false, err
	}
	raw, err := json.Marshal(matter)
	if err != nil {
		return out, false, err
	}
	digest := sha256.Sum256(raw)
	then, result, found, err := t.Remembered(t.actor.ID, command, req.RequestID, req.Batch)
	if err != nil {
		return out, false, err
	}
	if found {
		if string(then) != string(digest[:]) {
			return out, false, usedForElse(req.RequestID)
		}
		if err := json.Unmarshal(result, &out); err != nil {
			return out, false, fmt.Errorf("read the outcome of request %s: %w", req.RequestID, err)
		}
		return out, true, nil
	}
	if out, err = fn(); err != nil || !req.Given {
		return out, false, err
	}
	if result, err = json.Marshal(out); err != nil {
		return out, false, err
	}
	return out, false, t.Remember(t.actor.ID, command, req.RequestID, req.Batch, digest[:], result)
}

func usedForElse(requestID string) error {
	return logiqc.Errorf(logiqc.Conflict, "the request id %q was used for something else", requestID).
		WithHint("leave --request-id out, or see what it did: logiqc audit list --request %s", requestID)
}
