package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/seal"
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
	box        *seal.Box // opened for the first imported secret
	storeID    string
	out        logiqc.ImportResult
	bad        []string
	batch      []imported // accounts that wait to be written
	rows       int64
}

// imported is a new account on its way into the store.
type imported struct {
	row  int
	user logiqc.User
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
	err = s.desk.update(ctx, s.actor, r.Request, func(t *txn) error {
		if err := t.need(logiqc.UsersWrite, logiqc.UserImported, ""); err != nil {
			return err
		}
		im := &importer{txn: t, onExisting: r.OnExisting, out: logiqc.ImportResult{Admins: []string{}}}
		if err := im.run(ctx, r); err != nil {
			return err
		}
		out = im.out
		return nil
	})
	return out, err
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
			break
		}
	}
	if len(im.bad) == 0 {
		if err := im.note(0, im.write()); err != nil {
			return err
		}
	}
	if len(im.bad) > 0 {
		return logiqc.Errorf(logiqc.Invalid, "nothing was imported:\n%s", strings.Join(im.bad, "\n"))
	}
	return im.EndBulk()
}

// note keeps what is wrong with a row; other errors end the import. A taken
// name ends it too, after everything found so far has been told.
func (im *importer) note(row int, err error) error {
	if err == nil {
		return nil
	}
	e := logiqc.AsError(err)
	if !fits(e.Code) {
		return err
	}
	var taken *rowTaken
	if errors.As(err, &taken) {
		im.bad = append(im.bad, fmt.Sprintf("row %d: %s", taken.row, e.Message))
		return logiqc.Errorf(logiqc.Invalid, "nothing was imported:\n%s", strings.Join(im.bad, "\n"))
	}
	im.bad = append(im.bad, fmt.Sprintf("row %d: %s", row, e.Message))
	return nil
}
