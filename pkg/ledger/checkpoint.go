package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// SignCheckpoint gives the signed statement that a log has this head: a C2SP
// tlog-checkpoint of three lines with one signature for each signer. The name
// of the signers is the log's origin; several sign while a key is replaced.
//
// It does not ask whether an earlier checkpoint says otherwise; whoever calls
// it must have proved that with [CheckGrowth]. Errors: [ErrOrigin] without
// signers or with signers of several names; [ErrRange] for a negative size.
func SignCheckpoint(head Head, signers ...note.Signer) ([]byte, error) {
	if head.Size < 0 {
		return nil, fmt.Errorf("signing a log of %d entries: %w", head.Size, ErrRange)
	}
	if len(signers) == 0 {
		return nil, fmt.Errorf("signing without a key: %w", ErrOrigin)
	}
	origin := signers[0].Name()
	for _, s := range signers {
		if s.Name() != origin {
			return nil, fmt.Errorf("signing with keys of both %q and %q: %w", origin, s.Name(), ErrOrigin)
		}
	}
	msg, err := note.Sign(&note.Note{Text: formatBody(origin, head)}, signers...)
	if err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return msg, nil
}

// OpenCheckpoint gives the head that msg states, if one of the verifiers
// signed it for origin. Both come from whoever asks, never from the log
// (CVE-2022-39199). Signatures by unknown keys are ignored, as C2SP
// signed-note asks; a wrong one by a known key is not.
//
// Errors: [ErrWrongOrigin] when msg speaks for another log, or no verifier is
// named origin; [ErrBadSignature] for anything else that is not such a
// checkpoint, extension lines included.
func OpenCheckpoint(msg []byte, origin string, verifiers ...note.Verifier) (Head, error) {
	var own []note.Verifier
	for _, v := range verifiers {
		if v.Name() == origin {
			own = append(own, v)
		}
	}
	if len(own) == 0 {
		return Head{}, fmt.Errorf("no key given for %q: %w", origin, ErrWrongOrigin)
	}
	opened, err := note.Open(msg, note.VerifierList(own...))
	if unknown, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		// Nobody vouches for this text, so its origin only helps to say what it seems to be.
		if named, _, _ := strings.Cut(unknown.Note.Text, "\n"); named != origin {
			return Head{}, fmt.Errorf("checkpoint of %q instead of %q: %w", named, origin, ErrWrongOrigin)
		}
	}
	if err != nil {
		return Head{}, fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	named, head, err := parseBody(opened.Text)
	if err != nil {
		return Head{}, err
	}
	if named != origin {
		return Head{}, fmt.Errorf("checkpoint of %q instead of %q: %w", named, origin, ErrWrongOrigin)
	}
	return head, nil
}

// formatBody gives the signed lines of a checkpoint.
func formatBody(origin string, head Head) string {
	return origin + "\n" + strconv.FormatInt(head.Size, 10) + "\n" + head.Root.String() + "\n"
}

// parseBody reads what formatBody wrote and nothing else: writing it again
// must give the same text, which leaves no second spelling of a size or root.
func parseBody(text string) (origin string, head Head, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) == 4 {
		var sizeErr, rootErr error
		origin = lines[0]
		head.Size, sizeErr = strconv.ParseInt(lines[1], 10, 64)
		head.Root, rootErr = tlog.ParseHash(lines[2])
		if sizeErr == nil && rootErr == nil && head.Size >= 0 && origin != "" && formatBody(origin, head) == text {
			return origin, head, nil
		}
	}
	return "", Head{}, fmt.Errorf("not a checkpoint of three lines: %w", ErrBadSignature)
}

// ParseCheckpoint gives what a signed checkpoint states without asking who
// signed it: for one's own files, never for what comes from elsewhere.
// [ErrBadSignature] when msg is no checkpoint.
func ParseCheckpoint(msg []byte) (origin string, head Head, err error) {
	body, _, found := strings.Cut(string(msg), "\n\n")
	if !found {
		return "", Head{}, fmt.Errorf("not a signed checkpoint: %w", ErrBadSignature)
	}
	return parseBody(body + "\n")
}

// unopened gives the head of a signed checkpoint without asking who signed it.
func unopened(msg []byte) (Head, error) {
	_, head, err := ParseCheckpoint(msg)
	return head, err
}
