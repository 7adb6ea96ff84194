package cmd

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/logiqc/logiqc/pkg/ledger"
	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/witness"
)

const pushLong = `Sign a checkpoint and send it where those who run the store cannot change it: to every
witness ("audit witness add"), which cosigns it; with --to into a file or folder, on
another machine's disk for example; with --exec into a command's standard input. When and
where is remembered, and "doctor" says how old the last one is. Run it from a timer.

A witness signs only what continues what it has seen. --to compares too: a file, or the
newest one of a folder, that the log does not continue stays as it is. A folder gets a new
file each time.

Exit status: 9 when a witness or a file has seen another log, or more of this one; 8 when
some could not be reached; 11 when none could.`

// The outcomes of a push.
const (
	pushCosigned = "cosigned"
	pushKept     = "kept"
	pushRefused  = "refused"
	pushFailed   = "failed"
)

// pushed is what came of one place that a checkpoint was sent to.
type pushed struct {
	To      string         `json:"to"`
	Kind    string         `json:"kind"` // witness, file or command
	Outcome string         `json:"outcome"`
	At      logiqc.Time    `json:"at"`
	Problem ledger.Problem `json:"problem,omitempty"` // what is wrong with the log
	Code    logiqc.Code    `json:"code"`
	Message string         `json:"message"`
	hint    string
}

// pushFlags are where a checkpoint goes beside the witnesses.
type pushFlags struct{ to, commands []string }

func newAuditPush(a *App) *cobra.Command {
	var f pushFlags
	c := &cobra.Command{
		Use: "push", Short: "Send a checkpoint to the witnesses, a file or a command", Long: pushLong,
		Annotations: oneAnswer,
		Example: "  logiqc audit push\n" +
			"  logiqc audit push --to /mnt/worm/logiqc/\n" +
			"  logiqc audit push --exec 'mail -s \"logiqc checkpoint\" auditor@example.org'",
		RunE: func(c *cobra.Command, _ []string) error {
			audit, e, err := a.evidence(c.Context())
			if err != nil {
				return err
			}
			if len(e.Witnesses)+len(f.to)+len(f.commands) == 0 {
				return logiqc.Errorf(logiqc.Usage, "there is no witness, and no place was given").
					WithHint("logiqc audit witness add URL --key VKEY; or --to FILE, or --exec COMMAND")
			}
			p, err := a.newPush(c.Context(), audit, e)
			if err != nil {
				return err
			}
			p.all(c.Context(), f)
			if err := a.answer(p.answer(), p.text); err != nil {
				return err
			}
			return p.failure()
		},
	}
	c.Flags().StringArrayVar(&f.to, "to", nil, "keep it in `FILE`, or in a new file of a folder")
	c.Flags().StringArrayVar(&f.commands, "exec", nil, "run `COMMAND` with the shell, the checkpoint on its standard input")
	return c
}

// push is one run of `audit push`.
type push struct {
	app   *App
	audit logiqc.Audit
	e     logiqc.Evidence
	keys  logKeys
	cp    logiqc.Checkpoint
	done  []pushed
}

func (a *App) newPush(ctx context.Context, audit logiqc.Audit, e logiqc.Evidence) (p *push, err error) {
	p = &push{app: a, audit: audit, e: e, done: []pushed{}}
	if p.cp, err = audit.SignCheckpoint(ctx); err != nil {
		return nil, err
	}
	p.keys, err = a.keysFor(nil, e)
	return p, err
}

// all sends the checkpoint everywhere; the witnesses come first, so that what
// is kept elsewhere bears their signatures.
func (p *push) all(ctx context.Context, f pushFlags) {
	for _, w := range p.e.Witnesses {
		p.note(w.Name, "witness", pushCosigned, p.toWitness(ctx, w))
	}
	for _, path := range f.to {
		p.note(path, "file", pushKept, p.toFile(ctx, path))
	}
	for _, command := range f.commands {
		p.note(command, "command", pushKept, p.toCommand(ctx, command))
	}
}

// note takes down what came of one place.
func (p *push) note(to, kind, outcome string, err error) {
	one := pushed{To: to, Kind: kind, Outcome: outcome, At: logiqc.At(p.app.Now())}
	if err != nil {
		e := logiqc.AsError(err)
		one.Outcome, one.Problem, one.Code, one.Message, one.hint = pushFailed, ledger.ProblemOf(err), e.Code, e.Error(), e.Hint
		if e.Code == logiqc.Integrity || e.Code == logiqc.NotFound || e.Code == logiqc.Forbidden {
			one.Outcome = pushRefused
		}
	}
	p.done = append(p.done, one)
}

// witnessTimeout is how long a witness is waited for without --timeout.
const witnessTimeout = 30 * time.Second

// toWitness has one witness cosign the checkpoint.
func (p *push) toWitness(ctx context.Context, w logiqc.Witness) error {
	v, err := witness.NewVerifier(w.Key)
	if err != nil {
		return logiqc.Errorf(logiqc.Integrity, "the key of the witness in the store is none: %w", err)
	}
	s, err := p.app.Settings()
	if err != nil {
		return err
	}
	timeout := witnessTimeout
	if s.Timeout > 0 {
		timeout = s.Timeout
	}
	client := &witness.Client{URL: w.URL, Verifier: v, HTTP: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	note, err := client.Cosign(ctx, p.log(ctx), w.Last.Size)
	if ahead, ok := errors.AsType[*witness.AheadError](err); ok && p.grownTo(ctx, ahead.Size) {
		note, err = client.Cosign(ctx, p.log(ctx), ahead.Size)
	}
	if err != nil {
		return witnessError(w, err)
	}
	p.cp.Note = witness.Merge(p.cp.Note, string(note))
	return p.audit.KeepAnchor(ctx, logiqc.NewAnchor{Witness: w.Name, Note: string(note)})
}

// log is the log as a witness client needs it.
func (p *push) log(ctx context.Context) witness.Log {
	head := ledgerHead(p.cp.LogHead)
	return witness.Log{Checkpoint: []byte(p.cp.Note), Size: head.Size, Prove: func(old int64) ([]ledger.Hash, error) {
		return ledger.ProveGrowth(old, head, ledger.NewHashReader(ctx, logSource{p.audit}))
	}}
}

// grownTo tells whether the log has that many events by now, as when somebody
// else pushed meanwhile, and signs a checkpoint of it.
func (p *push) grownTo(ctx context.Context, size int64) bool {
	cp, err := p.audit.SignCheckpoint(ctx)
	if err != nil || cp.Size < size {
		return false
	}
	p.cp = cp
	return true
}

// witnessError says what a witness's answer means for the log.
func witnessError(w logiqc.Witness, err error) error {
	const suspicious = "change nothing more; keep the store's files and keys as they are, and tell whoever answers for the log"
	switch {
	case errors.Is(err, witness.ErrAhead):
		return logiqc.Errorf(logiqc.Integrity, "%s: %w", w.Name, errors.Join(err, ledger.ErrTruncated)).WithHint(suspicious)
	case errors.Is(err, witness.ErrInconsistent):
		return logiqc.Errorf(logiqc.Integrity, "%s: %w", w.Name, errors.Join(err, ledger.ErrForked)).WithHint(suspicious)
	case errors.Is(err, witness.ErrUnknownLog):
		return logiqc.Errorf(logiqc.NotFound, "%s: %w", w.Name, err).WithHint("give its operator the line that logiqc audit key prints")
	case errors.Is(err, witness.ErrForbidden):
		return logiqc.Errorf(logiqc.Forbidden, "%s: %w", w.Name, err).WithHint("give its operator the line that logiqc audit key prints")
	case ledger.ProblemOf(err) != ledger.OK:
		return logiqc.Errorf(logiqc.Integrity, "%s was not asked: %w", w.Name, err).WithHint("logiqc audit verify")
	}
	return logiqc.Errorf(logiqc.Unavailable, "%s cannot be reached: %w", w.Name, err)
}
