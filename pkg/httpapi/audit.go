package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The calls of [logiqc.Audit], in the order of its methods. They hand over
// bytes; what those prove is computed by whoever asked.
var (
	evidence       = endpoint[none, logiqc.Evidence]{"audit-evidence", "GET", "/v1/audit/evidence", "Tell which log this is, and what was signed of it", 0, false}
	logHead        = endpoint[none, logiqc.LogHead]{"audit-head", "GET", "/v1/audit/head", "Tell the size and root of the log", 0, false}
	logLeaves      = endpoint[logRange, logiqc.LeafPage]{"audit-leaves", "GET", "/v1/audit/leaves", "Hand over a page of events as they are hashed", 0, false}
	logHashes      = endpoint[logRange, logiqc.HashPage]{"audit-hashes", "GET", "/v1/audit/hashes", "Hand over a page of the tree's hashes", 0, false}
	logHashesAt    = endpoint[indexes, []logiqc.Hash]{"audit-hashes-at", "GET", "/v1/audit/hashes-at", "Hand over single hashes of the tree", 0, false}
	signCheckpoint = endpoint[none, logiqc.Checkpoint]{"audit-checkpoint", "POST", "/v1/audit/checkpoint", "Sign the log as it is now", 0, true}
	prove          = endpoint[eventRef, logiqc.LogProof]{"audit-prove", "POST", "/v1/audit/prove", "Sign a checkpoint and prove that an event is in its log", 0, true}
	receipt        = endpoint[logiqc.AuditRef, logiqc.LogProof]{"audit-receipt", "POST", "/v1/audit/receipt", "Prove a reset of one's own", 0, true}
	beginExport    = endpoint[logiqc.LogExport, logiqc.Checkpoint]{"audit-export", "POST", "/v1/audit/export", "Record that the log is exported, and sign what is", 0, true}
	reconcile      = endpoint[none, logiqc.Reconciled]{"audit-reconcile", "GET", "/v1/audit/reconcile", "Replay the log and compare the outcome with the accounts", 0, true}
)

// logRange is [logiqc.LogRange] as URL parameters.
type logRange struct {
	From int64 `query:"from" minimum:"0"`
	To   int64 `query:"to" minimum:"0"`
}

// indexes name hashes of the tree.
type indexes struct {
	Indexes []int64 `query:"indexes" maxItems:"1000"`
}

// auditRoutes serves the methods of Audit.
func (h *handler) auditRoutes(api huma.API) {
	type audit = logiqc.Audit
	d := door[audit]{h, api, h.backend.Audit}
	serve(d, evidence, func(a audit, c ctx, _ none) (logiqc.Evidence, error) { return a.Evidence(c) })
	serve(d, logHead, func(a audit, c ctx, _ none) (logiqc.LogHead, error) { return a.LogHead(c) })
	serve(d, logLeaves, func(a audit, c ctx, in logRange) (logiqc.LeafPage, error) { return a.LogLeaves(c, logiqc.LogRange(in)) })
	serve(d, logHashes, func(a audit, c ctx, in logRange) (logiqc.HashPage, error) { return a.LogHashes(c, logiqc.LogRange(in)) })
	serve(d, logHashesAt, func(a audit, c ctx, in indexes) ([]logiqc.Hash, error) { return a.LogHashesAt(c, in.Indexes) })
	serve(d, signCheckpoint, func(a audit, c ctx, _ none) (logiqc.Checkpoint, error) { return a.SignCheckpoint(c) })
	serve(d, prove, func(a audit, c ctx, in eventRef) (logiqc.LogProof, error) { return a.Prove(c, in.Seq) })
	serve(d, receipt, audit.Receipt)
	serve(d, beginExport, audit.BeginExport)
	h.witnessRoutes(api)
	serve(d, reconcile, func(a audit, c ctx, _ none) (logiqc.Reconciled, error) { return a.Reconcile(c) })
}

// audit is the Audit of one actor, from afar.
type audit struct{ *service }

// Audit returns what the holder of a session or a token needs to check the log.
// Whether it may is answered by the first call.
func (c *Client) Audit(bearer logiqc.Secret, src logiqc.Source) logiqc.Audit {
	return audit{&service{client: c, bearer: bearer, actor: logiqc.Actor{Source: src}}}
}

// sign makes a call that signs something. To sign twice harms nobody.
func sign[In, Out any](ctx context.Context, a audit, e endpoint[In, Out], in In) (out Out, err error) {
	err = a.client.send(ctx, outgoing{method: http.MethodPost, path: e.path, body: in, bearer: a.bearer,
		source: a.actor.Source, again: true}, &out)
	return out, err
}

// Evidence implements [logiqc.Audit].
func (a audit) Evidence(ctx context.Context) (logiqc.Evidence, error) {
	return ask(ctx, a.service, evidence, none{})
}

// LogHead implements [logiqc.Audit].
func (a audit) LogHead(ctx context.Context) (logiqc.LogHead, error) {
	return ask(ctx, a.service, logHead, none{})
}

// LogLeaves implements [logiqc.Audit].
func (a audit) LogLeaves(ctx context.Context, r logiqc.LogRange) (logiqc.LeafPage, error) {
	return ask(ctx, a.service, logLeaves, logRange(r))
}

// LogHashes implements [logiqc.Audit].
func (a audit) LogHashes(ctx context.Context, r logiqc.LogRange) (logiqc.HashPage, error) {
	return ask(ctx, a.service, logHashes, logRange(r))
}

// LogHashesAt implements [logiqc.Audit].
func (a audit) LogHashesAt(ctx context.Context, at []int64) ([]logiqc.Hash, error) {
	return ask(ctx, a.service, logHashesAt, indexes{at})
}

// SignCheckpoint implements [logiqc.Audit].
func (a audit) SignCheckpoint(ctx context.Context) (logiqc.Checkpoint, error) {
	return sign(ctx, a, signCheckpoint, none{})
}

// Prove implements [logiqc.Audit].
func (a audit) Prove(ctx context.Context, seq int64) (logiqc.LogProof, error) {
	return sign(ctx, a, prove, eventRef{seq})
}

// Receipt implements [logiqc.Audit].
func (a audit) Receipt(ctx context.Context, ref logiqc.AuditRef) (logiqc.LogProof, error) {
	return sign(ctx, a, receipt, ref)
}

// BeginExport implements [logiqc.Audit].
func (a audit) BeginExport(ctx context.Context, r logiqc.LogExport) (logiqc.Checkpoint, error) {
	return sign(ctx, a, beginExport, r)
}

// Reconcile implements [logiqc.Audit].
func (a audit) Reconcile(ctx context.Context) (logiqc.Reconciled, error) {
	return ask(ctx, a.service, reconcile, none{})
}
