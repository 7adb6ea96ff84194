package service_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// bcryptHash is of "U*U" (crypt_blowfish's test vectors).
const bcryptHash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

// importDesk is a store with helen, its one admin, and her Service.
type importDesk struct {
	*desk
	helen logiqc.Service
}

func openImport(t testing.TB) importDesk {
	t.Helper()
	d := openDesk(t)
	helen, err := d.As(t.Context(), d.Init())
	if err != nil {
		t.Fatal(err)
	}
	return importDesk{d, helen}
}

// rows yields rows numbered from 2 on, as below a header.
func rows(all ...logiqc.ImportRow) iter.Seq2[logiqc.ImportRow, error] {
	return func(yield func(logiqc.ImportRow, error) bool) {
		for i, r := range all {
			r.Row = i + 2
			if r.Fields == nil {
				r.Fields = []string{"username", "email"}
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// named is a row with a username and an email.
func named(username string) logiqc.ImportRow {
	return logiqc.ImportRow{Username: username, Email: username + "@example.org"}
}

// field is a row of an update.
func field(username string, fields []string, set func(*logiqc.ImportRow)) logiqc.ImportRow {
	r := logiqc.ImportRow{Username: username, Fields: append(fields, "username")}
	set(&r)
	return r
}

func (d importDesk) run(t *testing.T, on logiqc.Existing, all ...logiqc.ImportRow) (logiqc.ImportResult, error) {
	t.Helper()
	return d.helen.ImportUsers(t.Context(), logiqc.Import{OnExisting: on, Rows: rows(all...)})
}

func (d importDesk) get(t *testing.T, username string) logiqc.Account {
	t.Helper()
	a, err := d.helen.GetUser(t.Context(), username)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// last is the newest event.
func (d importDesk) last(t *testing.T) logiqc.Event {
	t.Helper()
	page, err := d.helen.Events(t.Context(), logiqc.EventQuery{Limit: 1})
	if err != nil || len(page.Events) != 1 {
		t.Fatalf("events: %v", err)
	}
	return page.Events[0]
}

func TestImportAdds(t *testing.T) {
	d := openImport(t)
	key, err := totp.KeyFromBytes([]byte("12345678901234567890"))
	if err != nil {
		t.Fatal(err)
	}
	vik, wen, uma := named("vik"), named("wen"), named("uma")
	vik.PasswordHash, vik.TOTP = bcryptHash, logiqc.Secret(totp.URI("Old", "vik", key))
	wen.Auth, wen.Status, wen.Role, wen.Protected, wen.Name, wen.Phone = logiqc.BySSO, logiqc.Inactive, logiqc.RoleAuditor, true, "Wen", "1"
	uma.Role, uma.Toggle = logiqc.RoleAdmin, true
	out, err := d.run(t, "", vik, wen, uma, named("xan"))
	if err != nil || out.Added != 4 || out.WithoutPassword != 2 || !slices.Equal(out.Admins, []string{"uma"}) {
		t.Fatalf("%+v, %v", out, err)
	}
	if a := d.get(t, "vik"); a.MFA.State != logiqc.EnrolmentEnrolled || !bool(a.MFA.ToggleOwn) || a.Signin.Next != logiqc.NextCode {
		t.Errorf("vik: %+v %+v", a.MFA, a.Signin)
	}
	if a := d.get(t, "wen"); a.Auth != logiqc.BySSO || a.Status != logiqc.Inactive || a.Role != logiqc.RoleAuditor ||
		!a.Protected || a.Name != "Wen" || a.Phone != "1" {
		t.Errorf("wen: %+v", a)
	}
	if a := d.get(t, "uma"); !bool(a.MFA.ToggleOwn) || a.Signin.Why != logiqc.WhyNoPassword {
		t.Errorf("uma: %+v %+v", a.MFA, a.Signin)
	}
	if e := d.last(t); e.Action != logiqc.UserImported || e.Target.Username != "xan" || e.Details.Account.Email != "xan@example.org" {
		t.Errorf("event %+v", e)
	}

	// The imported password and app sign in, and the hash is made anew.
	at, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "vik", Password: "U*U", Purpose: logiqc.SigninPurpose})
	if err != nil || at.Stage != logiqc.StageCode {
		t.Fatalf("vik signs in: %+v, %v", at, err)
	}
	if _, err := d.SignIn().Code(t.Context(), at.Token, totp.Code(key, totp.Step(d.Now())), logiqc.Source{}); err != nil {
		t.Errorf("vik's app: %v", err)
	}
	d.Check(t)
}

func TestImportNamesBadRows(t *testing.T) {
	d := openImport(t)
	noEmail, badHash, badURI, badRole, sso := named("a1"), named("a2"), named("a3"), named("a4"), named("a5")
	noEmail.Email, badHash.PasswordHash, badURI.TOTP, badRole.Role = "", "secret!", "otpauth://totp/secret!", "boss"
	sso.Auth, sso.PasswordHash = logiqc.BySSO, bcryptHash
	twice := named("OK")
	twice.Email = "other@example.org"
	mail := named("mail")
	mail.Email = "OK@example.org"
	_, err := d.run(t, "", named("ok"), noEmail, badHash, badURI, badRole, sso, twice, mail, named("fine"))
	if !errors.Is(err, logiqc.Invalid) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{
		"row 3: \"\" is no email", "row 4: password_hash", "row 5: totp", "row 6: \"boss\" is no role", "row 7: a5 is to sign in by SSO",
		"row 8: the username OK is on row 2 already", "row 9: the email OK@example.org is on row 2 already",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret!") || strings.Contains(err.Error(), "row 2:") || strings.Contains(err.Error(), "row 10:") {
		t.Errorf("said too much:\n%v", err)
	}
	if _, err := d.helen.GetUser(t.Context(), "ok"); !errors.Is(err, logiqc.NotFound) {
		t.Errorf("something was imported: %v", err)
	}
	d.Check(t)
}

// Whoever exists is found by the insert itself; all of them are named, beyond
// the batch, and the refusal is recorded.
func TestImportOfExisting(t *testing.T) {
	d := openImport(t)
	if _, err := d.run(t, "", named("ann"), named("bob"), named("cat")); err != nil {
		t.Fatal(err)
	}
	all := []logiqc.ImportRow{named("x0"), named("ANN")}
	for i := range 2500 {
		all = append(all, named(fmt.Sprintf("new%d", i)))
	}
	takenMail := named("zed")
	takenMail.Email = "Cat@example.org"
	all = append(all, named("bob"), takenMail)
	_, err := d.run(t, logiqc.ExistingFail, all...)
	if !errors.Is(err, logiqc.Exists) || strings.Count(err.Error(), "row ") != 3 {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"row 3: ", "row 2504: the username bob is taken", "row 2505: the email Cat@example.org is taken"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	if e := d.last(t); e.Action != logiqc.UserImported || e.Outcome != logiqc.Denied || e.Code != logiqc.Exists {
		t.Errorf("event %+v", e)
	}
	out, err := d.run(t, logiqc.ExistingSkip, named("ANN"), named("dan"))
	if err != nil || out.Skipped != 1 || out.Added != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := d.run(t, logiqc.ExistingSkip, takenMail); !errors.Is(err, logiqc.Exists) {
		t.Errorf("the email of somebody else: %v", err)
	}
	if _, err := d.run(t, "perhaps", named("eve")); !errors.Is(err, logiqc.Usage) {
		t.Errorf("an unknown way: %v", err)
	}
	d.Check(t)
}

func TestImportStopsAfterManyBadRows(t *testing.T) {
	d := openImport(t)
	read := 0
	_, err := d.helen.ImportUsers(t.Context(), logiqc.Import{Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for read < 1000 {
			read++
			if !yield(logiqc.ImportRow{Row: read}, logiqc.Errorf(logiqc.Invalid, "bad")) {
				return
			}
		}
	}})
	if !errors.Is(err, logiqc.Invalid) || !strings.Contains(err.Error(), "perhaps more") || read != 20 {
		t.Errorf("after %d rows: %v", read, err)
	}
	broken := errors.New("disk gone")
	_, err = d.helen.ImportUsers(t.Context(), logiqc.Import{Rows: func(yield func(logiqc.ImportRow, error) bool) {
		yield(logiqc.ImportRow{}, broken)
	}})
	if !errors.Is(err, broken) {
		t.Errorf("a failure of reading: %v", err)
	}
}

func TestImportUpdatesOnlyWhatIsGiven(t *testing.T) {
	d := openImport(t)
	ann := named("ann")
	ann.Name, ann.Phone, ann.PasswordHash = "Ann", "1", bcryptHash
	if _, err := d.run(t, "", ann); err != nil {
		t.Fatal(err)
	}
	before := d.get(t, "ann")
	out, err := d.run(t, logiqc.ExistingUpdate,
		field("ann", []string{"phone", "name"}, func(r *logiqc.ImportRow) { r.Phone, r.Name = "2", "" }), named("bob"))
	if err != nil || out.Updated != 1 || out.Added != 1 || out.Skipped != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	a := d.get(t, "ann")
	if a.Phone != "2" || a.Name != "" || a.Email != before.Email || a.Role != before.Role || a.Signin.Why != "" || a.ContactChangedBy != "helen" {
		t.Errorf("%+v", a)
	}
	out, err = d.run(t, logiqc.ExistingUpdate, field("ann", []string{"phone"}, func(r *logiqc.ImportRow) { r.Phone = "2" }))
	if err != nil || out.Updated != 0 || out.Skipped != 1 {
		t.Errorf("what is so already: %+v, %v", out, err)
	}
	out, err = d.run(t, logiqc.ExistingUpdate, field("ann", []string{"role"}, func(r *logiqc.ImportRow) { r.Role = logiqc.RoleAdmin }))
	if err != nil || !slices.Equal(out.Admins, []string{"ann"}) {
		t.Errorf("%+v, %v", out, err)
	}
	d.Check(t)
}

// An import obeys the rules that single changes obey.
func TestImportRules(t *testing.T) {
	d := openImport(t)
	uri := func(r *logiqc.ImportRow) { r.TOTP = "otpauth://totp/x:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" }
	ann := named("ann")
	ann.Toggle, ann.PasswordHash = true, bcryptHash
	uri(&ann)
	if _, err := d.run(t, "", ann); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		row  logiqc.ImportRow
		code logiqc.Code
	}{
		"the last admin": {field("helen", []string{"role"}, func(r *logiqc.ImportRow) { r.Role = logiqc.RoleUser }), logiqc.LastAdmin},
		"inactive too":   {field("helen", []string{"status"}, func(r *logiqc.ImportRow) { r.Status = logiqc.Inactive }), logiqc.LastAdmin},
		"enforced":       {field("ann", []string{"mfa"}, func(r *logiqc.ImportRow) {}), logiqc.Enforced},
		"a second app":   {field("ann", []string{"totp"}, uri), logiqc.AlreadyEnrolled},
		"sso with a password": {field("ann", []string{"auth"}, func(r *logiqc.ImportRow) { r.Auth = logiqc.BySSO }),
			logiqc.Invalid},
		"no email": {field("ann", []string{"email"}, func(r *logiqc.ImportRow) { r.Email = "x" }), logiqc.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.run(t, logiqc.ExistingUpdate, c.row)
			if !errors.Is(err, c.code) || !strings.Contains(err.Error(), "row 2") {
				t.Errorf("%v", err)
			}
			if e := d.last(t); c.code != logiqc.Invalid && (e.Outcome != logiqc.Denied || e.Code != c.code) {
				t.Errorf("event %+v", e)
			}
		})
	}
	// One admin for another, in one file, is fine.
	bob := named("bob")
	bob.Role = logiqc.RoleAdmin
	helen := field("helen", []string{"role"}, func(r *logiqc.ImportRow) { r.Role = logiqc.RoleHelpdesk })
	if out, err := d.run(t, logiqc.ExistingUpdate, helen, bob); err != nil || out.Updated != 1 || out.Added != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := d.run(t, "", named("cat")); !errors.Is(err, logiqc.Unauthenticated) && !errors.Is(err, logiqc.Forbidden) {
		t.Errorf("helen is no admin any more: %v", err)
	}
	d.Check(t)
}

func TestImportEndsSessions(t *testing.T) {
	d := openImport(t)
	ann := named("ann")
	ann.PasswordHash = bcryptHash
	if _, err := d.run(t, "", ann); err != nil {
		t.Fatal(err)
	}
	if _, err := d.helen.Enforce(t.Context(), logiqc.Enforcement{Request: logiqc.Request{Consent: logiqc.Consent{Given: true}}}); err != nil {
		t.Fatal(err)
	}
	at, err := d.SignIn().Start(t.Context(), logiqc.SigninRequest{User: "ann", Password: "U*U", Purpose: logiqc.SigninPurpose})
	if err != nil || at.Stage != logiqc.StageSignedIn {
		t.Fatalf("%+v, %v", at, err)
	}
	for _, c := range []struct {
		field string
		ends  bool
	}{{"name", false}, {"role", true}} {
		row := field("ann", []string{c.field}, func(r *logiqc.ImportRow) { r.Name, r.Role = "Ann", logiqc.RoleHelpdesk })
		if _, err := d.run(t, logiqc.ExistingUpdate, row); err != nil {
			t.Fatal(err)
		}
		if _, err := d.As(t.Context(), at.Token); (err != nil) != c.ends {
			t.Errorf("after another %s: %v", c.field, err)
		}
	}
	d.Check(t)
}

func TestImportDryRunAndRetry(t *testing.T) {
	d := openImport(t)
	size := d.last(t).Seq
	req := logiqc.Import{Request: logiqc.Request{RequestID: "i1", Remember: true, Consent: logiqc.Consent{DryRun: true}},
		Rows: rows(named("ann"), named("bob"))}
	out, err := d.helen.ImportUsers(t.Context(), req)
	if err != nil || out.Added != 2 || d.last(t).Seq != size {
		t.Fatalf("dry run: %+v, %v", out, err)
	}
	req.DryRun = false
	for _, replayed := range []bool{false, true} {
		out, err = d.helen.ImportUsers(t.Context(), req)
		if err != nil || out.Added != 2 || out.Replayed.Replayed != replayed {
			t.Errorf("%+v, %v", out, err)
		}
	}
	req.Rows = rows(named("ann"))
	if _, err := d.helen.ImportUsers(t.Context(), req); !errors.Is(err, logiqc.Conflict) {
		t.Errorf("another file under the same id: %v", err)
	}
	d.Check(t)
}

// BenchmarkImport is the whole import of b.N accounts: rows, search index and
// one event each. The counterpart is in testdata/bench.
func BenchmarkImport(b *testing.B) {
	d := openImport(b).helen
	b.ReportAllocs()
	b.ResetTimer()
	_, err := d.ImportUsers(b.Context(), logiqc.Import{Rows: func(yield func(logiqc.ImportRow, error) bool) {
		for i := range b.N {
			row := logiqc.ImportRow{Row: i + 2, Username: fmt.Sprintf("user%07d", i), Email: fmt.Sprintf("user%07d@stmary.example", i),
				Name: fmt.Sprintf("Given%d Family%d", i%5000, i/5000), Fields: []string{"username", "email", "name"}}
			if !yield(row, nil) {
				return
			}
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
}
