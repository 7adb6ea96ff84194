package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The calls of [logiqc.Audit] about what is beside the log. A server sends
// nothing anywhere: who pushes a checkpoint does it from where they are.
var (
	addWitness    = endpoint[logiqc.NewWitness, logiqc.WitnessChanged]{"audit-add-witness", "POST", "/v1/audit/witnesses/add", "Note a witness that cosigns checkpoints", 0, false}
	removeWitness = endpoint[logiqc.WitnessRemoval, logiqc.WitnessChanged]{"audit-remove-witness", "POST", "/v1/audit/witnesses/remove", "Take a witness off", 0, false}
	keepAnchor    = endpoint[logiqc.NewAnchor, kept]{"audit-keep-anchor", "POST", "/v1/audit/anchors", "Keep that a checkpoint has gone somewhere", 0, false}
	checkup       = endpoint[none, logiqc.Checkup]{"audit-checkup", "GET", "/v1/audit/checkup", "Look for what is likely to go wrong", 0, true}
)

// kept is the answer of keepAnchor.
type kept struct {
	Kept bool `json:"kept"`
}

// witnessRoutes serves the methods of Audit about witnesses, and the checkup.
func (h *handler) witnessRoutes(api huma.API) {
	type audit = logiqc.Audit
	d := door[audit]{h, api, h.backend.Audit}
	serve(d, addWitness, audit.AddWitness)
	serve(d, removeWitness, audit.RemoveWitness)
	serve(d, keepAnchor, func(a audit, c ctx, in logiqc.NewAnchor) (kept, error) {
		err := a.KeepAnchor(c, in)
		return kept{err == nil}, err
	})
	serve(d, checkup, func(a audit, c ctx, _ none) (logiqc.Checkup, error) { return a.Checkup(c) })
}

// AddWitness implements [logiqc.Audit]. The same again changes nothing.
func (a audit) AddWitness(ctx context.Context, r logiqc.NewWitness) (logiqc.WitnessChanged, error) {
	return tell(ctx, a.service, addWitness, r.Request, r)
}

// RemoveWitness implements [logiqc.Audit].
func (a audit) RemoveWitness(ctx context.Context, r logiqc.WitnessRemoval) (logiqc.WitnessChanged, error) {
	return tell(ctx, a.service, removeWitness, r.Request, r)
}

// KeepAnchor implements [logiqc.Audit]. To keep it twice harms nobody.
func (a audit) KeepAnchor(ctx context.Context, r logiqc.NewAnchor) error {
	return a.client.send(ctx, outgoing{method: http.MethodPost, path: keepAnchor.path, body: r, bearer: a.bearer,
		source: a.actor.Source, again: true}, new(kept))
}

// Checkup implements [logiqc.Audit].
func (a audit) Checkup(ctx context.Context) (logiqc.Checkup, error) {
	return ask(ctx, a.service, checkup, none{})
}
