package servicetest

import (
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// Enrolment has two phases, and an abandoned one locks nobody out (product.md
// R12; NIST SP 800-63B §4.1.2).
func testEnrolment(t *testing.T, w *World) {
	w.add("ann")
	in := w.SignIn()
	at, err := w.start("ann", Password)
	if err != nil || at.Stage != logiqc.StageEnrol {
		t.Fatal(at.Stage, err)
	}
	_, err = in.ProveEnrolment(w.ctx(), at.Token, "123456", source)
	want(t, "nothing started", err, logiqc.EnrolmentRequired)
	_, err = in.Code(w.ctx(), at.Token, "123456", source)
	want(t, "no code is asked for", err, logiqc.Conflict)

	first, err := in.StartEnrolment(w.ctx(), at.Token, source)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := totp.ParseKey(first.Secret.Reveal())
	if len(key.Bytes()) != 20 || first.Label != "ann" || first.Issuer != "Logiqc" || !strings.HasPrefix(first.URI.Reveal(), "otpauth://totp/Logiqc:ann?secret=") {
		t.Errorf("got %s", first.URI.Reveal())
	}
	if a := w.get("ann"); a.MFA.State != logiqc.EnrolmentPending || a.Signin.Next != "enrol" {
		t.Errorf("pending: %+v", a.MFA)
	}
	again, err := in.StartEnrolment(w.ctx(), at.Token, source)
	if err != nil || again.Secret.Reveal() == first.Secret.Reveal() {
		t.Fatal("starting again gives the same secret", err)
	}
	_, err = in.ProveEnrolment(w.ctx(), at.Token, totp.Code(key, totp.Step(w.Now())), source)
	want(t, "a code of the secret that was replaced", err, logiqc.WrongCode)

	t.Run("expiry", func(t *testing.T) { enrolmentExpiry(t, w, at, again) })

	at, _ = w.start("ann", Password)
	done := w.finishEnrolment(at)
	if done.Stage != logiqc.StageSignedIn || len(w.spare["ann"]) != 10 {
		t.Fatalf("got %+v with %d recovery codes", done, len(w.spare["ann"]))
	}
	w.as(done.Token)
	if a := w.get("ann"); a.MFA.State != logiqc.EnrolmentEnrolled || !bool(a.MFA.ToggleOwn) || a.MFA.RecoveryCodesLeft != 10 ||
		a.MFA.EnrolledAt != logiqc.At(w.Now()) {
		t.Errorf("enrolled: %+v", a.MFA)
	}
	_, err = in.StartEnrolment(w.ctx(), done.Token, source)
	want(t, "a second one from the session (CVE-2026-3429, CVE-2026-44460)", err, logiqc.AlreadyEnrolled)
	_, err = w.startFor("ann", Password, logiqc.EnrolPurpose)
	want(t, "a second one from the password", err, logiqc.AlreadyEnrolled)
	if e := w.events("ann", 1)[0]; e.Action != logiqc.EnrolmentStarted || e.Outcome != logiqc.Denied || e.Code != logiqc.AlreadyEnrolled {
		t.Errorf("the refusal is in the log as %s %s %s", e.Action, e.Outcome, e.Code)
	}

	t.Run("in two calls", func(t *testing.T) { enrolTwice(t, w) })
}

func enrolmentExpiry(t *testing.T, w *World, at logiqc.Attempt, p logiqc.PendingEnrolment) {
	in := w.SignIn()
	if p.ExpiresAt != logiqc.At(w.Now().Add(10*time.Minute)) {
		t.Errorf("expires %v", p.ExpiresAt)
	}
	for i := range 6 { // each attempt renews the ten minutes
		w.Advance(9 * time.Minute)
		_, err := in.ProveEnrolment(w.ctx(), at.Token, "000000", source)
		want(t, "a wrong code", err, logiqc.WrongCode)
		if t.Failed() {
			t.Fatalf("at attempt %d", i)
		}
	}
	w.Advance(9 * time.Minute) // 63 minutes after the start
	_, err := in.ProveEnrolment(w.ctx(), at.Token, "000000", source)
	want(t, "after an hour in all", err, logiqc.Unauthenticated)
	if a := w.get("ann"); a.MFA.State != logiqc.EnrolmentNone {
		t.Errorf("expired: %+v", a.MFA)
	}
	at, err = w.startFor("ann", Password, logiqc.EnrolPurpose)
	want(t, "start over", err, "")
	_, err = in.ProveEnrolment(w.ctx(), at.Token, "000000", source)
	want(t, "the expired one", err, logiqc.Expired)
	w.Advance(2 * time.Hour)
}

// enrolTwice is how scripts enrol: a start and a proof, each with the password,
// and no session in between or after.
func enrolTwice(t *testing.T, w *World) {
	w.add("bob")
	in := w.SignIn()
	at, err := w.startFor("bob", Password, logiqc.EnrolPurpose)
	if err != nil {
		t.Fatal(err)
	}
	p, err := in.StartEnrolment(w.ctx(), at.Token, source)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := totp.ParseKey(p.Secret.Reveal())
	at, err = w.startFor("bob", Password, logiqc.EnrolPurpose)
	if err != nil || !at.Pending {
		t.Fatalf("got %+v, %v", at, err)
	}
	out, err := in.ProveEnrolment(w.ctx(), at.Token, totp.Code(key, totp.Step(w.Now())), source)
	if err != nil || len(out.RecoveryCodes) != 10 {
		t.Fatal(err)
	}
	_, err = w.As(w.ctx(), at.Token)
	want(t, "enrolling signs nobody in", err, logiqc.Unauthenticated)
	for _, e := range w.events("bob", 10) {
		if e.Action == logiqc.SigninSucceeded {
			t.Error("enrolling is in the log as a sign-in")
		}
	}
}

// A recovery code signs in once, and only the user it was made for.
// (CVE-2025-64175, CVE-2022-36071.)
func testRecovery(t *testing.T, w *World) {
	for _, name := range []string{"ann", "bob"} {
		w.add(name)
		w.enrol(name)
	}
	in := w.SignIn()
	try := func(what, user string, code logiqc.Secret, code2 logiqc.Code) logiqc.Attempt {
		t.Helper()
		w.Advance(2 * time.Hour)
		at, err := w.start(user, Password)
		if err != nil {
			t.Fatal(err)
		}
		at2, err := in.RecoveryCode(w.ctx(), at.Token, code, source)
		want(t, what, err, code2)
		return at2
	}
	mine := w.spare["ann"]
	try("somebody else's", "ann", w.spare["bob"][0], logiqc.WrongCode)
	try("nonsense", "ann", "zzzz", logiqc.WrongCode)
	at := try("a right one", "ann", logiqc.Secret(strings.ToUpper(strings.ReplaceAll(mine[0].Reveal(), "-", " "))), "")
	w.as(at.Token)
	if left := w.get("ann").MFA.RecoveryCodesLeft; left != 9 {
		t.Errorf("%d left", left)
	}
	try("the same again", "ann", mine[0], logiqc.WrongCode)

	at, err := w.startFor("ann", Password, logiqc.RecoveryPurpose)
	if err != nil {
		t.Fatal(err)
	}
	_, err = in.NewRecoveryCodes(w.ctx(), at.Token, source)
	want(t, "a fresh set without a code", err, logiqc.CodeRequired)
	_, err = in.RecoveryCode(w.ctx(), at.Token, mine[1], source)
	want(t, "a fresh set with a recovery code", err, logiqc.WrongCode)
	if _, err = in.Code(w.ctx(), at.Token, w.code("ann", 0), source); err != nil {
		t.Fatal(err)
	}
	_, err = w.As(w.ctx(), at.Token)
	want(t, "an attempt for recovery codes is no session", err, logiqc.Unauthenticated)
	out, err := in.NewRecoveryCodes(w.ctx(), at.Token, source)
	if err != nil || len(out.RecoveryCodes) != 10 {
		t.Fatal(err)
	}
	try("one of the old set", "ann", mine[1], logiqc.WrongCode)
	try("one of the new set", "ann", out.RecoveryCodes[9], "")
	if res := w.reset(w.Helen, "ann"); res.Outcome != logiqc.ResetDone || res.Cleared.RecoveryCodes != 9 {
		t.Errorf("got %+v", res)
	}
	w.enrol("ann")
	try("one from before the reset", "ann", out.RecoveryCodes[0], logiqc.WrongCode)
}

// A user who still has a factor moves without the desk; the old link works
// until the new one is proved (product.md R16).
func testReplace(t *testing.T, w *World) {
	w.add("ann")
	_, err := w.startFor("ann", Password, logiqc.ReplacePurpose)
	want(t, "nothing to replace", err, logiqc.EnrolmentRequired)
	w.enrol("ann")
	old := w.apps["ann"]
	in := w.SignIn()
	w.Advance(5 * totp.Period)

	at, err := w.startFor("ann", Password, logiqc.ReplacePurpose)
	if err != nil || at.Stage != logiqc.StageCode {
		t.Fatal(at.Stage, err)
	}
	_, err = in.StartEnrolment(w.ctx(), at.Token, source)
	want(t, "without the old factor", err, logiqc.CodeRequired)
	if _, err = in.Code(w.ctx(), at.Token, w.code("ann", 0), source); err != nil {
		t.Fatal(err)
	}
	p, err := in.StartEnrolment(w.ctx(), at.Token, source)
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := totp.ParseKey(p.Secret.Reveal())
	w.signin("ann") // with the old one, still
	if a := w.get("ann"); a.MFA.State != logiqc.EnrolmentEnrolled {
		t.Errorf("while replacing: %+v", a.MFA)
	}

	at, err = w.startFor("ann", Password, logiqc.ReplacePurpose) // a second call, as scripts make it
	if err != nil || !at.Pending {
		t.Fatal(at, err)
	}
	_, err = in.StartEnrolment(w.ctx(), at.Token, source)
	want(t, "another secret with the password alone", err, logiqc.CodeRequired)
	out, err := in.ProveEnrolment(w.ctx(), at.Token, totp.Code(fresh, totp.Step(w.Now())), source)
	if err != nil || len(out.RecoveryCodes) != 10 {
		t.Fatal(err)
	}
	if e := w.events("ann", 1)[0]; e.Action != logiqc.MFAReplaced || e.Details.Replaces == "" {
		t.Errorf("in the log as %s", e.Action)
	}
	w.Advance(5 * totp.Period)
	at, _ = w.start("ann", Password)
	_, err = in.Code(w.ctx(), at.Token, totp.Code(old, totp.Step(w.Now())), source)
	want(t, "the old app", err, logiqc.WrongCode)
	w.apps["ann"] = fresh
	w.signin("ann")
}
