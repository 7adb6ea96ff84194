package service

import (
	"errors"
	"hash/maphash"
	"slices"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/password"
	"github.com/logiqc/logiqc/pkg/seal"
	"github.com/logiqc/logiqc/pkg/totp"
)

// take decides about one row: a new account, one to leave alone, or one to
// change.
func (im *importer) take(row logiqc.ImportRow) error {
	if err := im.names.add(row); err != nil {
		return err
	}
	if row.PasswordHash != "" {
		if err := password.CheckHash(row.PasswordHash.Reveal()); err != nil {
			return logiqc.Errorf(logiqc.Invalid, "password_hash: %w", err)
		}
	}
	// With "fail" the insert itself finds out who exists, many at a time.
	if im.onExisting != logiqc.ExistingFail {
		u, found, err := im.existing(row.Username)
		switch {
		case err != nil:
			return err
		case found && im.onExisting == logiqc.ExistingSkip:
			im.out.Skipped++
			return nil
		case found:
			return im.change(row, u)
		}
	}
	return im.add(row)
}

// existing finds the account with the username.
func (im *importer) existing(username string) (u logiqc.User, found bool, err error) {
	u, err = im.UserExact(username)
	switch {
	case errors.Is(err, logiqc.NotFound):
		return u, false, nil
	case errors.Is(err, logiqc.Ambiguous):
		return u, false, logiqc.Errorf(logiqc.Invalid, "%s is the username of one account and the id of another", username)
	}
	return u, err == nil && logiqc.Key(u.Username) == logiqc.Key(username), err
}

// add puts a new account into the batch.
func (im *importer) add(row logiqc.ImportRow) error {
	u, err := newUser(logiqc.NewUser{
		Username: row.Username, Email: row.Email, Name: row.Name, Phone: row.Phone, Role: row.Role, Status: row.Status,
		Auth: row.Auth, Toggle: row.Toggle, Protected: row.Protected, Password: row.PasswordHash,
	})
	if err != nil {
		return err
	}
	if err := im.mayGive(u.Role); err != nil {
		return err
	}
	if u.ID, err = im.desk.newID(); err != nil {
		return err
	}
	u.PasswordHash, u.Version, u.CreatedAt, u.UpdatedAt = row.PasswordHash, 1, im.Now(), im.Now()
	if err := im.enrol(row, &u); err != nil {
		return err
	}
	if im.lookOnly {
		return im.free(u)
	}
	im.count(u, &im.out.Added)
	if u.Role == logiqc.RoleAdmin {
		im.out.Admins = append(im.out.Admins, u.Username)
	}
	if im.batch = append(im.batch, imported{row.Row, &u}); len(im.batch) >= importBatch {
		return im.write()
	}
	return nil
}

// count counts an account among those added or updated.
func (im *importer) count(u logiqc.User, as *int) {
	*as++
	if u.Auth == logiqc.ByPassword && u.PasswordHash == "" {
		im.out.WithoutPassword++
	}
}

// change gives an account that exists the fields that the row has. One that is
// so already is left alone.
func (im *importer) change(row logiqc.ImportRow, before logiqc.User) error {
	u := before
	if err := im.apply(row, &u); err != nil {
		return err
	}
	if snapshotOf(before) == snapshotOf(u) {
		im.out.Skipped++
		return nil
	}
	if u.Role != before.Role {
		if err := im.policy.CheckStepUp(im.actor, im.Now()); err != nil {
			return err
		}
	}
	if im.lookOnly {
		return nil
	}
	if u.Email != before.Email || u.Phone != before.Phone {
		u.ContactChangedAt, u.ContactChangedBy = im.Now(), im.actor.Username
	}
	if err := im.UpdateUser(&u); err != nil {
		return err
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
	if before.Role == logiqc.RoleAdmin && before.Status == logiqc.Active && (u.Role != before.Role || u.Status != before.Status) {
		im.demoted = row.Row
	}
	if u.Role == logiqc.RoleAdmin && before.Role != logiqc.RoleAdmin {
		im.out.Admins = append(im.out.Admins, u.Username)
	}
	im.count(u, &im.out.Updated)
	return im.recordImported(u)
}

// apply puts the fields of the row into the account, and checks it.
func (im *importer) apply(row logiqc.ImportRow, u *logiqc.User) error {
	before := *u
	for _, field := range row.Fields {
		setField(u, row, field)
	}
	if u.Toggle != before.Toggle {
		if err := im.toggled(*u); err != nil {
			return err
		}
	}
	if u.Auth == logiqc.BySSO && (u.PasswordHash != "" || u.Enrolled != nil) {
		return logiqc.Errorf(logiqc.Invalid, "%s has a password or an authenticator app here, so it cannot be an SSO account", u.Username)
	}
	if err := im.enrol(row, u); err != nil {
		return err
	}
	return u.Check()
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
		u.PasswordHash, u.PasswordThrottle = row.PasswordHash, logiqc.Throttle{}
	}
}

// toggled refuses to have turned a toggle where `mfa enable` and `mfa disable` would.
func (im *importer) toggled(u logiqc.User) error {
	if u.Toggle {
		return u.CheckHasMFA("enable")
	}
	return u.CheckDisable(im.policy)
}

// enrol gives the account the enrolment of the row's otpauth URI, proved
// elsewhere. A link that is there is not replaced: that takes a reset, which
// nobody does for themselves (product.md, R1).
func (im *importer) enrol(row logiqc.ImportRow, u *logiqc.User) error {
	switch {
	case row.TOTP == "":
		return nil
	case u.Auth == logiqc.BySSO:
		return u.CheckHasMFA("import")
	case u.Enrolled != nil:
		return logiqc.Errorf(logiqc.AlreadyEnrolled, "%s is enrolled already; reset the MFA first", u.Username)
	}
	parts, err := totp.ParseURI(row.TOTP.Reveal())
	if err != nil {
		return logiqc.Errorf(logiqc.Invalid, "totp: %w", err)
	}
	e := logiqc.Enrolment{UserID: u.ID, State: logiqc.EnrolmentEnrolled, CreatedAt: im.Now(), EnrolledAt: im.Now()}
	if e.ID, err = im.desk.newID(); err != nil {
		return err
	}
	if e.Sealed, err = im.secrets.seal(im.txn, parts.Key, u.ID, e.ID); err != nil {
		return err
	}
	u.Enrolled = &e
	if !slices.Contains(row.Fields, "mfa") {
		u.Toggle = true // as proving an enrolment does (product.md, R9)
	}
	return nil
}

// importSecrets seals imported setup keys. The keys of the store are opened for
// the first of them.
type importSecrets struct {
	box     *seal.Box
	storeID string
}

func (s *importSecrets) seal(t *txn, key totp.Key, userID, enrolmentID string) (sealed string, err error) {
	if s.box == nil {
		if s.box, s.storeID, err = t.box(); err != nil {
			return "", err
		}
	}
	return s.box.Seal(key.Bytes(), seal.AssociatedData(s.storeID, userID, enrolmentID))
}

// rowIndex remembers on which row of a file a username or email stood. It keeps
// 128 bits of each instead of the text: a million rows fit into memory, and no
// two of them are taken for the same by chance.
type rowIndex struct {
	seeds [2]maphash.Seed
	rows  map[[2]uint64]int
}

func newRowIndex() rowIndex {
	return rowIndex{[2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, map[[2]uint64]int{}}
}

// add refuses with Invalid a row whose username or email an earlier one had.
func (x rowIndex) add(row logiqc.ImportRow) error {
	for _, k := range []struct{ field, value string }{{"username", row.Username}, {"email", row.Email}} {
		if k.value == "" {
			continue
		}
		folded := k.field + " " + logiqc.Key(k.value)
		key := [2]uint64{maphash.String(x.seeds[0], folded), maphash.String(x.seeds[1], folded)}
		if earlier, ok := x.rows[key]; ok {
			return logiqc.Errorf(logiqc.Invalid, "the %s %s is on row %d already", k.field, k.value, earlier)
		}
		x.rows[key] = row.Row
	}
	return nil
}
