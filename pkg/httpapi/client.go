package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// Client is a server's Service and SignIn, from afar.
type Client struct {
	http *http.Client
	base string
}

// NewClient makes a client of the server whose paths come after base. Nothing is
// opened before the first call.
func NewClient(c *http.Client, base string) *Client { return &Client{http: c, base: base} }

// SignIn returns the way in.
func (c *Client) SignIn() logiqc.SignIn { return &signIn{client: c} }

// Service returns what the holder of a session or a token may do;
// Unauthenticated for one that is neither. src is where this process runs.
func (c *Client) Service(ctx context.Context, bearer logiqc.Secret, src logiqc.Source) (logiqc.Service, error) {
	s := &service{client: c, bearer: bearer, actor: logiqc.Actor{Source: src}}
	who, err := ask(ctx, s, whoAmI, none{})
	s.actor = who.domain(src)
	return s, err
}

// How a call is tried again whose answer was lost or that did not get through:
// only one that may be made twice.
const (
	tries      = 3
	firstPause = 100 * time.Millisecond
)

// The most bytes of an answer: a page of accounts or events is some megabytes.
const answerLimit = 256 << 20

// outgoing is one request.
type outgoing struct {
	method, path string
	query        url.Values
	body         any       // sent as JSON, or
	stream       io.Reader // sent as it is, of
	kind         string    // this media type
	bearer       logiqc.Secret
	attempt      logiqc.Secret // of a sign-in
	source       logiqc.Source
	request      string // the id, "" where there is none
	again        bool   // may be made twice
	dry          bool   // changes nothing, whatever the method
}

// send makes a call and reads its answer into out, unless that is nil.
func (c *Client) send(ctx context.Context, k outgoing, out any) error {
	pause := firstPause
	var unknown *logiqc.Error // of a try that may have been carried out
	for try := 1; ; try++ {
		err := c.once(ctx, k, out)
		if err == nil {
			return nil
		}
		e := logiqc.AsError(err)
		if e.Code == logiqc.UnknownOutcome {
			unknown = e
		}
		lost := e.Code == logiqc.Unavailable || e.Code == logiqc.UnknownOutcome
		if !lost || !k.again || try == tries || ctx.Err() != nil || errors.Is(err, errNoAnswer) { // it had its time
			return k.last(e, unknown)
		}
		select {
		case <-ctx.Done():
			return k.last(e, unknown)
		case <-time.After(pause/2 + rand.N(pause)): // #nosec G404 -- when to try again is no secret
			pause *= 3
		}
	}
}

// last is the error to tell of the last try, e. What may have been carried out
// before is not undone because the server is away by now, or because it knows the
// bearer no more: the change itself may have ended their session. An outcome that
// nobody knows comes with how to find it out.
func (k outgoing) last(e, unknown *logiqc.Error) error {
	if unknown != nil && (e.Code == logiqc.Unavailable || e.Code == logiqc.Unauthenticated && k.request != "") {
		e = unknown
	}
	if e.Code == logiqc.UnknownOutcome && k.request != "" {
		return e.WithHint("see whether it was done: logiqc audit list --request %s", k.request)
	}
	return e
}

// changes tells whether the call changes something if it gets through.
func (k outgoing) changes() bool { return k.method != http.MethodGet && !k.dry }

func (c *Client) once(ctx context.Context, k outgoing, out any) error {
	r, err := c.prepare(ctx, k)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(r) // #nosec G704 -- the server that its user names
	if err != nil {
		return k.lost(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return k.lost(ctx, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return k.refused(resp, data)
	}
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return k.notOurs(resp)
	}
	return nil
}

func (c *Client) prepare(ctx context.Context, k outgoing) (*http.Request, error) {
	body, kind := k.stream, k.kind
	if k.body != nil {
		data, err := json.Marshal(k.body)
		if err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(data), "application/json"
	}
	target := c.base + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, k.method, target, body) // #nosec G704 -- as above
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Content-Type": kind, patientHeader: "1", attemptHeader: k.attempt.Reveal(),
		hostHeader: url.PathEscape(k.source.Host), osUserHeader: url.PathEscape(k.source.OSUser),
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if k.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+k.bearer.Reveal())
	}
	return r, nil
}

// lost says what it means that no answer came.
func (k outgoing) lost(ctx context.Context, err error) error {
	var known *logiqc.Error
	var at *url.Error
	switch {
	case errors.As(err, &known) && (k.changes() || known.Code != logiqc.UnknownOutcome):
		return known
	case ctx.Err() != nil && !k.changes():
		return ctx.Err()
	case known != nil:
		err = known.Unwrap()
	case errors.As(err, &at):
		err = at.Err
	}
	if !k.changes() {
		return logiqc.Errorf(logiqc.Unavailable, "the server cannot be reached: %w; nothing was changed", err)
	}
	return logiqc.Errorf(logiqc.UnknownOutcome, "the connection to the server was lost: %w; what was asked for may have been done", err)
}

// refused is the error of an answer that is a failure.
func (k outgoing) refused(resp *http.Response, data []byte) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	var p problem
	if kind == problemType && json.Unmarshal(data, &p) == nil && p.Code != "" {
		if !p.understood() {
			return logiqc.Errorf(logiqc.Unavailable, "%s is a logiqc of another version: %s; nothing was changed", resp.Request.URL.Host, p.Detail).
				WithHint("bring both to the same version: logiqc version")
		}
		return p.domain()
	}
	switch status := resp.StatusCode; {
	case status == http.StatusServiceUnavailable || !k.changes() && status >= http.StatusBadGateway:
		return logiqc.Errorf(logiqc.Unavailable, "the server is not available (%s)", resp.Status)
	case status >= http.StatusBadGateway:
		return logiqc.Errorf(logiqc.UnknownOutcome, "what stands before the server gave up on it (%s); what was asked for may have been done", resp.Status)
	}
	return k.notOurs(resp)
}

// notOurs is the error of an answer that no logiqc gave. Who refuses a change has
// not passed it on; what else is answered to one tells nothing.
func (k outgoing) notOurs(resp *http.Response) error {
	code, outcome := logiqc.Unavailable, "nothing was changed"
	if refused := resp.StatusCode >= http.StatusMultipleChoices && resp.StatusCode < http.StatusInternalServerError; k.changes() && !refused {
		code, outcome = logiqc.UnknownOutcome, "what was asked for may have been done"
	}
	return logiqc.Errorf(code, "%s answered %s, and not as a logiqc server does; %s", resp.Request.URL.Host, resp.Status, outcome).
		WithHint("is --store the address of a logiqc serve?")
}
