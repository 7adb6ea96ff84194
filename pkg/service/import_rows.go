package service

import (
	"errors"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/store"
	"github.com/logiqc/logiqc/pkg/totp"
)

// take decides what becomes of a row: a new account, an update of one that
// exists, or nothing.
func (im *importer) take(row logiqc.ImportRow) error {
	if row.PasswordHash != "" {
		if err := password.CheckHash(row.PasswordHash.Reveal()); err != nil {
			return logiqc.Errorf(logiqc.Invalid, "password_hash: %w", err)
		}
	}
	if im.onExisting != logiqc.ExistingFail {
		u, err := im.UserExact(row.Username)
		switch {
		case err == nil && im.onExisting == logiqc.ExistingSkip:
			im.out.Skipped++
			return nil
		case err == nil:
			return im.update(row, u)
		case !errors.Is(err, logiqc.NotFound):
			return err
		}
	}
	u, err := newUser(logiqc.NewUser{Username: row.Username, Email: row.Email, Name: row.Name, Phone: row.Phone, Role: row.Role,
		Auth: row.Auth, Status: row.Status, Toggle: row.Toggle || row.TOTP != "", Protected: row.Protected})
	if err != nil {
		return err
	}
	if u.Auth == logiqc.BySSO && (row.PasswordHash != "" || row.TOTP != "") {
		return logiqc.Errorf(logiqc.Invalid, "%s is to sign in by SSO: it has no password and no MFA here", row.Username)
	}
	u.PasswordHash = row.PasswordHash
	if u.ID, err = im.desk.newID(); err != nil {
		return err
	}
	if err := im.enrol(&u, row.TOTP); err != nil {
		return err
	}
	u.Version, u.CreatedAt, u.UpdatedAt = 1, im.Now(), im.Now()
	im.count(u)
	im.out.Added++
	im.batch = append(im.batch, imported{row: row.Row, user: u})
	if len(im.batch) >= importBatch {
		return im.write()
	}
	return nil
}

// count keeps what the importing admin should know of an account.
func (im *importer) count(u logiqc.User) {
	if u.Auth == logiqc.ByPassword && u.PasswordHash == "" {
		im.out.WithoutPassword++
	}
	if u.Role == logiqc.RoleAdmin {
		im.out.Admins = append(im.out.Admins, u.Username)
	}
}

// enrol gives the account the authenticator app of an otpauth URI.
func (im *importer) enrol(u *logiqc.User, uri logiqc.Secret) error {
	if uri == "" {
		return nil
	}
	parts, err := totp.ParseURI(uri.Reveal())
	if err != nil {
		return logiqc.Errorf(logiqc.Invalid, "totp: %w", err)
	}
	if im.box == nil {
		if im.box, im.storeID, err = im.txn.box(); err != nil {
			return err
		}
	}
	id, err := im.desk.newID()
	if err != nil {
		return err
	}
	sealed, err := im.box.Seal(parts.Key.Bytes(), seal.AssociatedData(im.storeID, u.ID, id))
	if err != nil {
		return err
	}
	u.Enrolled = &logiqc.Enrolment{ID: id, UserID: u.ID, State: logiqc.EnrolmentEnrolled, Sealed: sealed,
		CreatedAt: im.Now(), EnrolledAt: im.Now()}
	return nil
}

// write puts the waiting accounts into the store, with an event each.
func (im *importer) write() error {
	if len(im.batch) == 0 {
		return nil
	}
	users := make([]*logiqc.User, len(im.batch))
	for i := range im.batch {
		users[i] = &im.batch[i].user
	}
	if err := im.InsertUsers(users); err != nil {
		var taken *store.RowError
		if !errors.As(err, &taken) {
			return err
		}
		// What follows in this transaction is not to be relied on, and it will
		// not be committed: this row is the last one named.
		return &rowTaken{row: im.batch[taken.Row].row, err: taken.Err}
	}
	for _, u := range users {
		if err := im.written(u); err != nil {
			return err
		}
	}
	im.batch = im.batch[:0]
	return nil
}

// written completes an account that has just been put into the store.
func (im *importer) written(u *logiqc.User) error {
	if u.Enrolled != nil {
		if err := im.PutEnrolled(*u.Enrolled); err != nil {
			return err
		}
	}
	snapshot := snapshotOf(*u)
	_, err := im.record(logiqc.UserImported, u.Target(), logiqc.Details{Account: &snapshot})
	return err
}

// rowTaken ends an import at a row whose username or email is taken.
type rowTaken struct {
	row int
	err *logiqc.Error
}

func (e *rowTaken) Error() string { return e.err.Error() }
func (e *rowTaken) Unwrap() error { return e.err }

// update changes what the row gives of an account that exists.
func (im *importer) update(row logiqc.ImportRow, before logiqc.User) error {
	u := before
	for _, field := range row.Fields {
		setField(&u, row, field)
	}
	if err := u.Check(); err != nil {
		return err
	}
	if err := im.checkUpdate(row, before, u); err != nil {
		return err
	}
	if err := im.enrol(&u, row.TOTP); err != nil {
		return err
	}
	if snapshotOf(u) == snapshotOf(before) {
		im.out.Skipped++
		return nil
	}
	if u.Email != before.Email || u.Phone != before.Phone {
		u.ContactChangedAt, u.ContactChangedBy = im.Now(), im.actor.Username
	}
	if u.Enrolled != nil && before.Enrolled == nil {
		if err := im.PutEnrolled(*u.Enrolled); err != nil {
			return err
		}
	}
	if u.Role != before.Role || u.Status != before.Status || u.PasswordHash != before.PasswordHash {
		if _, err := im.EndSessions(u.ID); err != nil {
			return err
		}
	}
	if err := im.UpdateUser(&u); err != nil {
		return err
	}
	im.count(u)
	im.out.Updated++
	snapshot := snapshotOf(u)
	_, err := im.record(logiqc.UserImported, u.Target(), logiqc.Details{Account: &snapshot})
	return err
}

// checkUpdate refuses an update that a rule forbids.
func (im *importer) checkUpdate(row logiqc.ImportRow, before, u logiqc.User) error {
	if row.TOTP != "" && before.Enrolled != nil {
		return logiqc.Errorf(logiqc.Invalid, "%s is enrolled already; an import replaces no authenticator app", u.Username)
	}
	if u.Auth == logiqc.BySSO && (u.PasswordHash != "" || before.Enrolled != nil || row.TOTP != "") {
		return logiqc.Errorf(logiqc.Invalid, "%s has a password or an authenticator app here, so it cannot become an SSO account", u.Username)
	}
	if u.Role == before.Role && u.Status == before.Status {
		return nil
	}
	admins, err := im.ActiveAdmins()
	if err != nil || (u.Role == logiqc.RoleAdmin && u.Status == logiqc.Active) {
		return err
	}
	return before.CheckKeepsAdmin(admins)
}

// setField puts one column of a row into the account.
func setField(u *logiqc.User, row logiqc.ImportRow, field string) {
	switch field {
	case "email":
		u.Email = row.Email
	case "name":
		u.Name = row.Name
	case "phone":
		u.Phone = row.Phone
	case "role":
		u.Role = row.Role
	case "auth":
		u.Auth = row.Auth
	case "status":
		u.Status = row.Status
	case "mfa":
		u.Toggle = row.Toggle
	case "protected":
		u.Protected = row.Protected
	case "password_hash":
		if row.PasswordHash != "" {
			u.PasswordHash = row.PasswordHash
		}
	}
}

// fits tells which errors are about the row and not about the import.
func fits(code logiqc.Code) bool {
	return slices.Contains([]logiqc.Code{logiqc.Invalid, logiqc.Usage, logiqc.Exists, logiqc.LastAdmin}, code)
}
