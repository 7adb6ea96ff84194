package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"
	"slices"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// How an import works in portions: accounts written at a time, and how many
// bad rows are named before it gives up.
const (
	importBatch  = 1000
	importErrors = 20
)

// importer is one import under way.
type importer struct {
	*txn
	onExisting logiqc.Existing
	secrets    importSecrets
	out        logiqc.ImportResult
	batch      []imported
	names      rowIndex
	rows       int64
	demoted    int // the last row that took an active admin away, or 0

	bad   []string // what is wrong, by row
	codes []logiqc.Code
	// lookOnly: an account could not be inserted, so the transaction is lost;
	// the rows that follow are only looked at, to name what else is wrong.
	lookOnly bool
}

// imported is a new account on its way into the store, from a row of the file.
type imported struct {
	row  int
	user *logiqc.User
}

// ImportUsers implements [logiqc.Service]: everything in one transaction.
func (s *service) ImportUsers(ctx context.Context, r logiqc.Import) (out logiqc.ImportResult, err error) {
	switch r.OnExisting {
	case "":
		r.OnExisting = logiqc.ExistingFail
	case logiqc.ExistingFail, logiqc.ExistingSkip, logiqc.ExistingUpdate:
	default:
		return out, logiqc.Errorf(logiqc.Usage, "--on-existing takes fail, skip or update, not %q", r.OnExisting)
	}
	given, begun := r.Rows, false
	r.Rows = func(yield func(logiqc.ImportRow, error) bool) { begun = true; given(yield) }
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if begun { // they can be read once, and here is the transaction again
			return logiqc.Errorf(logiqc.Unavailable, "the store had to begin anew while the rows were read; nothing was imported").WithHint("run it again")
		}
		if err := t.needs(logiqc.UsersWrite, logiqc.UserImported, ""); err != nil {
			return err
		}
		out, err = t.importOnce(ctx, r)
		return err
	})
	return out, err
}

// importCommand is the name under which the outcome of an import is remembered.
const importCommand = "users import"

// importOnce is what [once] is for other changes, for one whose matter is a
// stream: the digest of the rows is made while they are read.
func (t *txn) importOnce(ctx context.Context, r logiqc.Import) (out logiqc.ImportResult, err error) {
	remember := r.Remember && !r.DryRun
	digest := sha256.New()
	if remember {
		_, _ = fmt.Fprintf(digest, "%s %s\n", r.OnExisting, r.Reason)
		r.Rows = digested(r.Rows, digest)
		then, result, found, err := t.Remembered(t.actor.ID, importCommand, r.RequestID, r.Batch)
		if err != nil {
			return out, err
		}
		if found {
			return replayedImport(ctx, r, digest, then, result)
		}
	}
	im := &importer{txn: t, onExisting: r.OnExisting, names: newRowIndex(), out: logiqc.ImportResult{Admins: []string{}}}
	if err := im.run(ctx, r); err != nil || !remember {
		return im.out, err
	}
	result, err := json.Marshal(im.out)
	if err != nil {
		return out, err
	}
	return im.out, t.Remember(t.actor.ID, importCommand, r.RequestID, r.Batch, digest.Sum(nil), result)
}

// replayedImport reads the rows again, only to see that they are the same, and
// answers what the first call did.
func replayedImport(ctx context.Context, r logiqc.Import, digest hash.Hash, then, result []byte) (out logiqc.ImportResult, err error) {
	for _, err := range r.Rows {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return out, err
		}
	}
	if string(then) != string(digest.Sum(nil)) {
		return out, usedForElse(r.RequestID)
	}
	err = json.Unmarshal(result, &out)
	out.Replayed.Replayed = true
	return out, err
}

// digested passes rows on and adds each to the digest.
func digested(rows iter.Seq2[logiqc.ImportRow, error], digest hash.Hash) iter.Seq2[logiqc.ImportRow, error] {
	return func(yield func(logiqc.ImportRow, error) bool) {
		for row, err := range rows {
			_, _ = fmt.Fprintf(digest, "%q %q %q %q %q %q %q %q %t %t %q %q\n", row.Fields, row.Username, row.Email, row.Name, row.Phone,
				row.Role, row.Auth, row.Status, row.Toggle, row.Protected, row.PasswordHash.Reveal(), row.TOTP.Reveal())
			if !yield(row, err) {
				return
			}
		}
	}
}

// run takes the rows one by one; it stops early only when too many are bad.
func (im *importer) run(ctx context.Context, r logiqc.Import) error {
	if err := im.BeginBulk(); err != nil {
		return err
	}
	for row, err := range r.Rows {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			err = im.take(row)
		}
		if err := im.note(row.Row, err); err != nil {
			return err
		}
		if im.rows++; r.Progress != nil && im.rows%importBatch == 0 {
			r.Progress(im.rows)
		}
		if len(im.bad) >= importErrors {
			im.bad = append(im.bad, "… and perhaps more")
			return im.failure()
		}
	}
	if err := im.write(); err != nil {
		return err
	}
	if len(im.bad) > 0 {
		return im.failure()
	}
	if err := im.checkAdmins(); err != nil {
		return err
	}
	return im.EndBulk()
}

// note keeps what is wrong with a row; other errors end the import.
func (im *importer) note(row int, err error) error {
	if err == nil {
		return nil
	}
	e := logiqc.AsError(err)
	if exit := e.Code.ExitStatus(); exit != 2 && exit != 5 {
		return err
	}
	im.bad = append(im.bad, fmt.Sprintf("row %d: %s", row, e.Message))
	im.codes = append(im.codes, e.Code)
	return nil
}

// failure says what is wrong, by row: under the code that all rows share, or
// else as an unfit file.
func (im *importer) failure() error {
	code := im.codes[0]
	if code == logiqc.Usage || slices.ContainsFunc(im.codes, func(c logiqc.Code) bool { return c != code }) {
		code = logiqc.Invalid
	}
	e := logiqc.Errorf(code, "nothing was imported:\n%s", strings.Join(im.bad, "\n"))
	if code == logiqc.Exists {
		e = e.WithHint("--on-existing skip leaves accounts that exist alone, update changes them")
	}
	return refuse(logiqc.UserImported, "", e)
}

// checkAdmins refuses a file after which nobody could administer the store
// (product.md, R15).
func (im *importer) checkAdmins() error {
	if im.demoted == 0 {
		return nil
	}
	admins, err := im.ActiveAdmins()
	if err != nil || admins > 0 {
		return err
	}
	return refuse(logiqc.UserImported, "", logiqc.Errorf(logiqc.LastAdmin,
		"nothing was imported: row %d takes the last active admin away", im.demoted))
}

// write inserts the batch, with the enrolments and the events of its accounts.
func (im *importer) write() error {
	batch := im.batch
	im.batch = im.batch[:0]
	if len(batch) == 0 || im.lookOnly {
		return nil
	}
	users := make([]*logiqc.User, len(batch))
	for i, b := range batch {
		users[i] = b.user
	}
	err := im.InsertUsers(users)
	var taken *store.RowError
	if errors.As(err, &taken) {
		return im.lookOn(batch, taken)
	}
	if err != nil {
		return err
	}
	for _, b := range batch {
		if b.user.Enrolled != nil {
			if err := im.PutEnrolled(*b.user.Enrolled); err != nil {
				return err
			}
		}
		if err := im.recordImported(*b.user); err != nil {
			return err
		}
	}
	return nil
}

// recordImported writes the event of one account, as it is now.
func (im *importer) recordImported(u logiqc.User) error {
	snapshot := snapshotOf(u)
	_, err := im.record(logiqc.UserImported, u.Target(), logiqc.Details{Account: &snapshot})
	return err
}

// lookOn goes on after an account that could not be inserted, without writing.
func (im *importer) lookOn(batch []imported, taken *store.RowError) error {
	im.lookOnly = true
	if err := im.note(batch[taken.Row].row, taken.Err); err != nil {
		return err
	}
	for _, b := range batch[taken.Row+1:] {
		if err := im.note(b.row, im.free(*b.user)); err != nil {
			return err
		}
		if len(im.bad) >= importErrors {
			return nil
		}
	}
	return nil
}

// free refuses with Exists an account whose username or email is taken.
func (im *importer) free(u logiqc.User) error {
	for _, k := range []struct{ field, value string }{{"username", u.Username}, {"email", u.Email}} {
		_, err := im.UserExact(k.value)
		if err == nil || errors.Is(err, logiqc.Ambiguous) {
			return logiqc.Errorf(logiqc.Exists, "the %s %s is taken", k.field, k.value)
		}
		if !errors.Is(err, logiqc.NotFound) {
			return err
		}
	}
	return nil
}
