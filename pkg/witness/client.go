package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// What a witness answers that is no cosignature.
var (
	// ErrUnknownLog: the witness does not follow this log (404).
	ErrUnknownLog = errors.New("the witness does not know this log")
	// ErrForbidden: none of the log's keys that the witness knows signed (403).
	ErrForbidden = errors.New("the witness knows no key that signed this checkpoint")
	// ErrInconsistent: the witness has seen another log (422, or 409 at the same
	// size): it was rewritten.
	ErrInconsistent = errors.New("the witness has seen another log than this one")
	// ErrAhead: the witness has seen more of this log than there is: it was cut
	// short, or an older copy put back. It is an [*AheadError] that knows how much.
	ErrAhead = errors.New("the witness has seen more of this log than there is")
	// ErrAnswer: the witness answers with what it must not.
	ErrAnswer = errors.New("not the answer of a witness")
)

// AheadError is [ErrAhead].
type AheadError struct{ Size int64 } // how many entries it has seen

func (e *AheadError) Error() string {
	return fmt.Sprintf("the witness has seen %d entries of this log, which are more than there are", e.Size)
}

// Is makes it [ErrAhead].
func (e *AheadError) Is(target error) bool { return target == ErrAhead }

// maxAnswer bounds what is read of an answer; a few lines are expected.
const maxAnswer = 64 << 10

// maxProof is the most lines of proof that a request may have.
const maxProof = 63

// CheckURL refuses what is no address of a witness: http or https, a host,
// and no more than a path.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is no address of a witness: https://host/path", text)
	}
	return nil
}

// Client asks one witness.
type Client struct {
	URL      string // its submission prefix
	Verifier *Verifier
	HTTP     *http.Client
}

// Log is the log whose checkpoint is to be cosigned.
type Log struct {
	Checkpoint []byte // signed by the log
	Size       int64  // of the checkpoint
	// Prove gives the consistency proof from the first old entries.
	Prove func(old int64) ([]tlog.Hash, error)
}

// conflict is the answer of a witness that has seen another number of entries
// than it was told.
type conflict struct{ size int64 }

func (c *conflict) Error() string { return fmt.Sprintf("the witness has seen %d entries", c.size) }

// Cosign has the witness sign the log's checkpoint, told that it has seen the
// first last entries so far; when it has seen another number it is asked again.
// It returns the checkpoint with the witness's cosignature, which is checked.
//
// Errors: those of this package, of Prove, and of the network.
func (c *Client) Cosign(ctx context.Context, log Log, last int64) ([]byte, error) {
	if last > log.Size {
		last = log.Size
	}
	// Somebody else may push meanwhile, so once is not always enough.
	for range 4 {
		lines, err := c.add(ctx, log, last)
		if seen, ok := errors.AsType[*conflict](err); ok {
			switch {
			case seen.size > log.Size:
				return nil, &AheadError{seen.size}
			case seen.size == last: // what it was told, and still no: another root
				return nil, ErrInconsistent
			}
			last = seen.size
			continue
		}
		if err != nil {
			return nil, err
		}
		return c.join(log.Checkpoint, lines)
	}
	return nil, fmt.Errorf("%w: it changes its mind", ErrAnswer)
}

// add makes one request.
func (c *Client) add(ctx context.Context, log Log, old int64) (lines []byte, err error) {
	proof, err := log.Prove(old)
	if err != nil {
		return nil, err
	}
	if len(proof) > maxProof {
		return nil, fmt.Errorf("a proof of %d lines is too long for a witness", len(proof))
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	for _, h := range proof {
		body.WriteString(h.String() + "\n")
	}
	body.WriteByte('\n')
	body.Write(log.Checkpoint)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+"/add-checkpoint", &body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	return answer, refusal(res, answer)
}

// refusal is the error that an answer is; nil for cosignatures.
func refusal(res *http.Response, answer []byte) error {
	switch res.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusConflict:
		size, err := strconv.ParseInt(strings.TrimSuffix(string(answer), "\n"), 10, 64)
		if err != nil || size < 0 || res.Header.Get("Content-Type") != "text/x.tlog.size" {
			return fmt.Errorf("%w: a conflict that names no size", ErrAnswer)
		}
		return &conflict{size}
	case http.StatusUnprocessableEntity:
		return ErrInconsistent
	case http.StatusNotFound:
		return ErrUnknownLog
	case http.StatusForbidden:
		return ErrForbidden
	}
	return fmt.Errorf("%w: %s", ErrAnswer, res.Status)
}

// join puts cosignatures under the checkpoint, those of the witness only.
func (c *Client) join(checkpoint, lines []byte) ([]byte, error) {
	for line := range bytes.Lines(lines) {
		one := append(bytes.Clone(checkpoint), line...)
		if _, err := Open(one, c.Verifier); err == nil {
			return one, nil
		}
	}
	return nil, fmt.Errorf("%w: no cosignature by the key of %s", ErrAnswer, c.Verifier.Name())
}
