package service

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/totp"
)

const (
	// recentEvents is how far back a checkup looks for a clock that went back.
	recentEvents = 20_000
	// clockSlack is by how much events may be out of order where several
	// servers write: order is what the sequence says.
	clockSlack = 5 * time.Second
	// staleAfter is the age from which a checkpoint is worth a warning.
	staleAfter = 7 * 24 * time.Hour
)

// Checkup implements [logiqc.Audit].
func (a *audit) Checkup(ctx context.Context) (c logiqc.Checkup, err error) {
	e, err := a.Evidence(ctx)
	if err != nil && !errors.Is(err, logiqc.Unavailable) { // keys that are not as they should be are a finding
		return c, err
	}
	err = a.view(ctx, func(t *txn) error {
		c = logiqc.Checkup{Findings: []logiqc.CheckupFinding{}}
		for _, look := range []func(*logiqc.Checkup) error{
			t.lookAtStore, t.lookAtServer, t.lookAtKeys, t.lookAtGuard, t.lookAtClock, t.lookAtOrder, t.lookAtAdmins, t.lookAtApprovers,
		} {
			if err := look(&c); err != nil {
				return err
			}
		}
		head, err := t.head()
		lookAtCheckpoint(&c, e, head.Size, t.Now())
		lookAtAnchors(&c, e, head.Size, t.Now())
		return err
	})
	return c, err
}

// lookAtStore tells of what schema the store is, whether it takes changes, and
// whether its log ends where its head says.
func (t *txn) lookAtStore(c *logiqc.Checkup) error {
	info, err := t.Info()
	if err != nil {
		return err
	}
	c.Add("schema", logiqc.GradeOK, "the store's schema is "+strconv.Itoa(info.Schema)+", which is this program's", "")
	s, err := t.State()
	switch {
	case err != nil:
		return err
	case s.Moved:
		c.Add("state", logiqc.GradeWarn, "the store has moved to "+s.To+" and takes no change", "use it there: --store "+s.To)
	case s.To != "":
		c.Add("state", logiqc.GradeWarn, "a move to "+s.To+" has been begun and not finished", "logiqc store copy --to "+s.To+", or logiqc store thaw")
	case s.Frozen:
		c.Add("state", logiqc.GradeWarn, "the store is frozen: "+s.Reason, "logiqc store thaw")
	default:
		c.Add("state", logiqc.GradeOK, "the store takes changes", "")
	}
	head, err := t.head()
	if err != nil {
		return err
	}
	size, err := t.LogSize()
	if err == nil && size != head.Size {
		c.Add("log", logiqc.GradeProblem, fmt.Sprintf("the log has %d events and its head says %d", size, head.Size), "logiqc audit verify")
	} else {
		c.Add("log", logiqc.GradeOK, fmt.Sprintf("the log has %d events; doctor does not read them all", head.Size), "")
	}
	return err
}

// lookAtServer tells of a database server that only reads, may forget what it
// has answered, or searches slowly.
func (t *txn) lookAtServer(c *logiqc.Checkup) error {
	s, ok, err := t.Server()
	if err != nil || !ok {
		return err
	}
	switch {
	case s.ReadOnly:
		e := logiqc.AsError(t.CheckWritable())
		c.Add("server", logiqc.GradeWarn, e.Message, e.Hint)
	case len(s.Unsafe) > 0:
		c.Add("server", logiqc.GradeWarn, fmt.Sprintf("%s does not wait for the disk (%s off): what was said to be done may be lost with the machine",
			s.Name, strings.Join(s.Unsafe, ", ")), "ALTER SYSTEM SET "+s.Unsafe[0]+" = on; SELECT pg_reload_conf()")
	default:
		c.Add("server", logiqc.GradeOK, s.Name+" answers when what was changed is on its disk", "")
	}
	if s.Trigrams {
		c.Add("search", logiqc.GradeOK, "parts of words are looked for by an index", "")
	} else {
		c.Add("search", logiqc.GradeWarn, "there is no index of trigrams: a part of a word is looked for in every account",
			"CREATE EXTENSION pg_trgm, and its index: docs/postgres.md")
	}
	return nil
}

// lookAtKeys looks for the folder of keys, and who may use it.
func (t *txn) lookAtKeys(c *logiqc.Checkup) error {
	info, err := t.Info()
	if err != nil {
		return err
	}
	keys, err := t.desk.keys(info.ID)
	if err == nil {
		err = keys.check(info.Origin)
	}
	switch {
	case errors.Is(err, seal.ErrMissing):
		c.Add("keys", logiqc.GradeWarn, "the keys of this store are not here: resets work, sign-ins with a code and checkpoints do not",
			"say where they are with --keys DIR")
	case err != nil:
		said, mend, _ := strings.Cut(err.Error(), "; run: ")
		c.Add("keys", logiqc.GradeProblem, said, mend)
	default:
		c.Add("keys", logiqc.GradeOK, "the keys are in "+keys.dir+", for their owner only", "")
	}
	return nil
}

// check looks whether all files of keys are there and for their owner only.
func (k Keys) check(origin string) error {
	if err := seal.CheckMode(k.dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{seal.File, signerFile, verifierFile} {
		if err := seal.CheckMode(filepath.Join(k.dir, name), 0o600); err != nil {
			return err
		}
	}
	if err := seal.CheckMode(k.stateFile(origin), 0o600); err != nil && !errors.Is(err, seal.ErrMissing) {
		return err
	}
	if _, err := k.box(); err != nil {
		return err
	}
	_, err := k.signers()
	return err
}

// lookAtGuard tells whether a log that was cut or put back would be noticed at
// the next change.
func (t *txn) lookAtGuard(c *logiqc.Checkup) error {
	info, err := t.Info()
	if err != nil {
		return err
	}
	keys, err := t.desk.keys(info.ID)
	if err == nil {
		_, err = keys.state(info.Origin)
	}
	switch {
	case errors.Is(err, seal.ErrMissing):
		c.Add("guard", logiqc.GradeWarn, "there is no log.state here: an older copy of the store that is put back would not be noticed at the next change",
			"logiqc audit checkpoint")
		return nil
	case err != nil:
		c.Add("guard", logiqc.GradeWarn, "log.state cannot be read, so the guard against an older copy of the store is off: "+err.Error(), "")
		return nil
	}
	if err := t.checkState(); err != nil {
		if !errors.Is(err, logiqc.Integrity) {
			return err
		}
		e := logiqc.AsError(err)
		c.Add("guard", logiqc.GradeProblem, e.Error(), e.Hint)
		return nil
	}
	c.Add("guard", logiqc.GradeOK, "the log continues what was signed before", "")
	return nil
}

// lookAtClock looks for signs that the store's clock is behind: codes spent,
// and events that happened, in what it takes for the future.
func (t *txn) lookAtClock(c *logiqc.Checkup) error {
	now := t.Now()
	v, err := t.Vitals(totp.Step(now.Std())+1, recentEvents, logiqc.Time(clockSlack.Milliseconds()))
	if err != nil {
		return err
	}
	const mend = "set the clock of the machine that holds the store (timedatectl)"
	switch {
	case v.Ahead > 0:
		c.Add("clock", logiqc.GradeProblem, fmt.Sprintf("the clock is behind: it says %s, and app codes of later times have been accepted (%s); "+
			"they are refused until it has caught up", now, counted(v.Ahead, "account")), mend)
	case v.NewestAt.Sub(now) > clockSlack:
		c.Add("clock", logiqc.GradeProblem, fmt.Sprintf("the clock is behind: it says %s, and the newest event is of %s", now, v.NewestAt), mend)
	default:
		c.Add("clock", logiqc.GradeOK, "the clock says "+now.String()+", and nothing is later than that", "")
	}
	return nil
}

// lookAtOrder looks for recent events that are earlier than the ones before
// them.
func (t *txn) lookAtOrder(c *logiqc.Checkup) error {
	v, err := t.Vitals(0, recentEvents, logiqc.Time(clockSlack.Milliseconds()))
	if err != nil {
		return err
	}
	if v.WentBack >= 0 {
		c.Add("order", logiqc.GradeWarn, fmt.Sprintf("the clock went back: event %d is of %s, and the one before it of %s; their order is that of their numbers",
			v.WentBack, v.BackEarly, v.BackLate), "keep the machine's clock by NTP")
		return nil
	}
	c.Add("order", logiqc.GradeOK, "the times of recent events grow with their numbers", "")
	return nil
}

// lookAtAdmins counts those who can still administer.
func (t *txn) lookAtAdmins(c *logiqc.Checkup) error {
	n, err := t.ActiveAdmins()
	switch {
	case err != nil:
	case n == 0:
		c.Add("admins", logiqc.GradeProblem, "there is no active administrator", "")
	case n == 1:
		c.Add("admins", logiqc.GradeWarn, "there is only one active administrator: who resets theirs?",
			"logiqc users add USERNAME --email E --role admin")
	default:
		c.Add("admins", logiqc.GradeOK, counted(n, "administrator")+" are active", "")
	}
	return err
}

// lookAtApprovers looks whether whoever the policy wants to approve a reset is
// there.
func (t *txn) lookAtApprovers(c *logiqc.Checkup) error {
	missing, err := t.nobodyApproves(t.policy)
	if missing == "" {
		c.Add("approvers", logiqc.GradeOK, "what takes a second operator by the policy has one", "")
	} else {
		c.Add("approvers", logiqc.GradeWarn, missing, logiqc.ApproverMissing)
	}
	return err
}

// lookAtCheckpoint tells how old the newest signed checkpoint is.
func lookAtCheckpoint(c *logiqc.Checkup, e logiqc.Evidence, size int64, now logiqc.Time) {
	switch last := e.Last; {
	case last.Note == "":
		c.Add("checkpoint", logiqc.GradeWarn, "no checkpoint of the log has been signed yet", "logiqc audit checkpoint > today.ckpt, and keep it elsewhere")
	case size > last.Size && now.Sub(last.At) > staleAfter:
		c.Add("checkpoint", logiqc.GradeWarn, "the last checkpoint is "+behind(last, size, now), "logiqc audit checkpoint")
	default:
		c.Add("checkpoint", logiqc.GradeOK, "the last checkpoint is "+behind(last, size, now), "")
	}
}

// lookAtAnchors tells how old the newest checkpoint is that is kept where those
// who run the store cannot change it.
func lookAtAnchors(c *logiqc.Checkup, e logiqc.Evidence, size int64, now logiqc.Time) {
	newest, where := logiqc.Checkpoint{}, ""
	for _, a := range e.Anchors {
		if a.Last.At > newest.At {
			newest, where = a.Last, a.Place
		}
	}
	for _, w := range e.Witnesses {
		if w.Last.At > newest.At {
			newest, where = w.Last, "the witness "+w.Name
		}
		if w.Last.Note == "" {
			c.Add("witness", logiqc.GradeWarn, "the witness "+w.Name+" has cosigned nothing yet", "logiqc audit push")
		}
	}
	switch {
	case where == "":
		c.Add("anchor", logiqc.GradeWarn, "no checkpoint went to a witness or another place: whoever has the store and the keys could rewrite the log unseen",
			"logiqc audit witness add URL --key VKEY; logiqc audit push, from a timer")
	case size > newest.Size && now.Sub(newest.At) > staleAfter:
		c.Add("anchor", logiqc.GradeWarn, "the last anchor, at "+where+", is "+behind(newest, size, now), "logiqc audit push, from a timer")
	default:
		c.Add("anchor", logiqc.GradeOK, "the last anchor, at "+where+", is "+behind(newest, size, now), "")
	}
}

// behind says how old a checkpoint is, and how much came after it.
func behind(c logiqc.Checkpoint, size int64, now logiqc.Time) string {
	age := "less than an hour old"
	switch d := now.Sub(c.At); {
	case d >= 48*time.Hour:
		age = counted(int(d.Hours())/24, "day") + " old"
	case d >= time.Hour:
		age = counted(int(d.Hours()), "hour") + " old"
	}
	if size == c.Size {
		return age + ", and of the whole log"
	}
	return age + ", and " + counted(int(size-c.Size), "event") + " behind"
}
