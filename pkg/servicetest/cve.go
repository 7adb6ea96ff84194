package servicetest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/totp"
)

// CVE tries on a Service what was found in programs like it, one subtest for
// each lesson, named by the identifiers that taught it. Lessons about a terminal, a proof or
// a key are tests of pkg/ui, pkg/ledger and pkg/totp with such a name.
//
//	go test ./... -run CVE
func CVE(t *testing.T, open func(t *testing.T) Desk) {
	for ids, lesson := range map[string]func(t *testing.T, w *World){
		"CVE-2025-6014,CVE-2025-55000,CVE-2026-33473,CVE-2025-43798,CVE-2026-27855": codeInItsWindow,
		"CVE-2026-20779,GHSA-gx3v-q759-g323":                                        codeOnEveryPathAtOnce,
		"CVE-2026-35597,GHSA-fgfv-pv97-6cmj":                                        missesOfFailedSignins,
		"CVE-2024-32868,CVE-2025-64102,CVE-2026-56450":                              everyFactorCounts,
		"CVE-2025-6015,CVE-2025-55003":                                              limitPerAuthenticator,
		"CVE-2026-27801,GHSA-v6pg-v89r-w8wr":                                        limitOnEveryAction,
		"CVE-2025-6004,CVE-2025-54998":                                              oneCounterForEveryName,
		"CVE-2025-6013,CVE-2025-55001":                                              factorUnderEveryName,
		"CVE-2026-3429":                                                             factorAgainstPassword,
		"CVE-2026-44460":                                                            secretIsNotShownAgain,
		"CVE-2022-36071,GHSA-54qx-8p8w-xhg8":                                        recoveryCodesOfAnEnrolment,
		"CVE-2025-64175,GHSA-p6x6-9mx6-26wj":                                        recoveryCodesOfAUser,
		"CVE-2024-21722,CVE-2026-9162":                                              sessionsAfterAReset,
		"CVE-2026-34727,CVE-2026-33315,CVE-2026-32246":                              nothingWithoutTheCode,
		"CVE-2025-11794":                                                            noReadPathToSecrets,
		"CVE-2025-62513,CVE-2025-62705,CVE-2024-8365,GHSA-prh4-vhfh-24mj,CVE-2023-22649": noSecretInTheLog,
		"CVE-2026-34762":               eventNamesWhatChanged,
		"CVE-2025-6000,CVE-2025-54997": logIsNotSetByTheAPI,
		"CVE-2023-3462,CVE-2020-35177,CVE-2026-23511,CVE-2026-23849": failuresReadTheSame,
		"GHSA-rxmp-8h9v-56cx": roleInsideTheTransaction,
	} {
		t.Run(ids, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open(t))
			lesson(t, w)
			w.Check(t)
		})
	}
}

// ann adds ann, who is enrolled, and lets the step of that pass.
func (w *World) ann() {
	w.t.Helper()
	w.add("ann")
	w.enrol("ann")
	w.Advance(5 * totp.Period)
}

// atCode is a sign-in of ann's for a purpose that waits for a code.
func (w *World) atCode(p logiqc.Purpose) logiqc.Secret {
	w.t.Helper()
	at, err := w.startFor("ann", Password, p)
	if err != nil || at.Stage != logiqc.StageCode {
		w.t.Fatalf("%s: %s, %v", p, at.Stage, err)
	}
	return at.Token
}

// byCode are the ways to use an app code of ann's, who has begun them all.
func (w *World) byCode() map[string]func(code string) error {
	at := func(p logiqc.Purpose) func(string) error {
		token := w.atCode(p)
		return func(code string) error {
			_, err := w.SignIn().Code(w.ctx(), token, code, source)
			return err
		}
	}
	return map[string]func(string) error{
		"signin": at(logiqc.SigninPurpose), "replace": at(logiqc.ReplacePurpose), "recovery codes": at(logiqc.RecoveryPurpose),
		"verify": func(code string) error {
			_, err := w.Helen.VerifyCode(w.ctx(), logiqc.CodeCheck{User: "ann", Code: code})
			return err
		},
	}
}

// A code is good once, not for as long as its window is open; and no code of
// an earlier step is good after it.
func codeInItsWindow(t *testing.T, w *World) {
	w.ann()
	now, before := w.code("ann", 0), w.code("ann", -totp.Period)
	use := w.byCode()
	want(t, "a code", use["signin"](now), "")
	want(t, "the same elsewhere", use["verify"](now), logiqc.WrongCode)
	want(t, "the one before it", use["replace"](before), logiqc.WrongCode)
	w.Advance(totp.Period - time.Second)
	want(t, "the same, later in its window", use["recovery codes"](now), logiqc.WrongCode)
}

// One code on every path at the same time is one success.
func codeOnEveryPathAtOnce(t *testing.T, w *World) {
	w.ann()
	code := w.code("ann", 0)
	var uses []func(string) error
	for range 5 {
		for _, use := range w.byCode() {
			uses = append(uses, use)
		}
	}
	results := make(chan error, len(uses))
	for _, use := range uses {
		go func() { results <- use(code) }()
	}
	done := 0
	for range uses {
		if err := <-results; err == nil {
			done++
		} else if !errors.Is(err, logiqc.WrongCode) && !errors.Is(err, logiqc.Throttled) {
			t.Error(err)
		}
	}
	if done != 1 {
		t.Errorf("%d of %d uses of one code succeeded", done, len(uses))
	}
}

// A miss is counted although the sign-in it belongs to fails.
func missesOfFailedSignins(t *testing.T, w *World) {
	w.ann()
	_, err := w.start("ann", "wrong")
	want(t, "a wrong password", err, logiqc.SigninDenied)
	want(t, "a wrong code", w.byCode()["signin"]("000000"), logiqc.WrongCode)
	if s := w.get("ann").Signin; s.PasswordMisses != 0 || s.CodeMisses != 1 { // the right password came after
		t.Errorf("counted: %+v", s)
	}
	_, err = w.start("ann", "wrong")
	want(t, "a wrong password again", err, logiqc.SigninDenied)
	if s := w.get("ann").Signin; s.PasswordMisses != 1 || s.CodeMisses != 1 {
		t.Errorf("counted: %+v", s)
	}
}

// Every kind of code fills one counter, and the wait holds for all of them.
func everyFactorCounts(t *testing.T, w *World) {
	w.ann()
	use := w.byCode()
	want(t, "at a sign-in", use["signin"]("000000"), logiqc.WrongCode)
	want(t, "read out to the desk", use["verify"]("000000"), logiqc.WrongCode)
	for range 2 {
		_, err := w.SignIn().RecoveryCode(w.ctx(), w.atCode(logiqc.SigninPurpose), "zzzz-zzzz-zzzz-zzzz", source)
		want(t, "a recovery code", err, logiqc.WrongCode)
	}
	want(t, "to replace", use["replace"]("000000"), logiqc.WrongCode)
	_, err := w.SignIn().RecoveryCode(w.ctx(), w.atCode(logiqc.SigninPurpose), w.spare["ann"][0], source)
	want(t, "a right recovery code during the wait", err, logiqc.Throttled)

	w.add("bob")
	at := w.started("bob")
	if _, err := w.SignIn().StartEnrolment(w.ctx(), at.Token, source); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_, err := w.SignIn().ProveEnrolment(w.ctx(), at.Token, "000000", source)
		want(t, "the proof of an enrolment", err, logiqc.WrongCode)
	}
	_, err = w.SignIn().ProveEnrolment(w.ctx(), at.Token, "000000", source)
	want(t, "the sixth proof", err, logiqc.Throttled)
}

// Neither a new attempt nor another machine gives more tries.
func limitPerAuthenticator(t *testing.T, w *World) {
	w.ann()
	for i := range 5 {
		from := logiqc.Source{Host: "host-" + string(rune('a'+i)), IP: "203.0.113." + string(rune('1'+i))}
		_, err := w.SignIn().Code(w.ctx(), w.atCode(logiqc.SigninPurpose), "000000", from)
		want(t, "a wrong code", err, logiqc.WrongCode)
	}
	_, err := w.SignIn().Code(w.ctx(), w.atCode(logiqc.SigninPurpose), w.code("ann", 0), logiqc.Source{Host: "another"})
	want(t, "a right one from elsewhere", err, logiqc.Throttled)
}

// The wait holds on every path that takes a code.
func limitOnEveryAction(t *testing.T, w *World) {
	w.ann()
	use := w.byCode()
	for range 5 {
		want(t, "a wrong code", use["signin"]("000000"), logiqc.WrongCode)
	}
	for path, do := range use {
		want(t, path, do(w.code("ann", 0)), logiqc.Throttled)
	}
}

// annsNames are what ann can be called at a sign-in.
func (w *World) annsNames() []string {
	id := w.get("ann").ID
	return []string{"ann", "ANN", "aNn", "ann@example.org", "Ann@EXAMPLE.org", id, strings.ToUpper(id)}
}

// Misses under any of an account's names are misses of the account.
func oneCounterForEveryName(t *testing.T, w *World) {
	w.ann()
	for _, name := range w.annsNames()[:5] {
		_, err := w.start(name, "wrong")
		want(t, name, err, logiqc.SigninDenied)
	}
	if s := w.get("ann").Signin; s.PasswordMisses != 5 || s.Why != logiqc.WhyThrottled {
		t.Errorf("the card: %+v", s)
	}
	for _, name := range []string{" ann", "ann ", "ａｎｎ", "ann\x00", "аnn"} { // nobody, or ann and throttled
		_, err := w.start(name, Password)
		want(t, name, err, logiqc.SigninDenied)
	}
}

// The code is asked for whatever name the password came with.
func factorUnderEveryName(t *testing.T, w *World) {
	w.ann()
	for _, name := range w.annsNames() {
		at, err := w.start(name, Password)
		if err != nil || at.Stage != logiqc.StageCode {
			t.Errorf("%s: %s, %v", name, at.Stage, err)
		}
	}
}

// Who has the password alone neither takes the factor away nor sets up another.
func factorAgainstPassword(t *testing.T, w *World) {
	w.ann()
	before := w.get("ann").MFA
	for _, p := range []logiqc.Purpose{logiqc.SigninPurpose, logiqc.ReplacePurpose, logiqc.RecoveryPurpose} {
		token := w.atCode(p)
		_, err := w.SignIn().StartEnrolment(w.ctx(), token, source)
		if err == nil {
			t.Errorf("%s: a password sets up another app", p)
		}
		if _, err = w.SignIn().NewRecoveryCodes(w.ctx(), token, source); err == nil {
			t.Errorf("%s: a password makes recovery codes", p)
		}
	}
	_, err := w.startFor("ann", Password, logiqc.EnrolPurpose)
	want(t, "enrol again", err, logiqc.AlreadyEnrolled)
	if after := w.get("ann").MFA; after != before {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
}

// Starting an enrolment shows a secret that nobody has seen, and none once
// there is an app.
func secretIsNotShownAgain(t *testing.T, w *World) {
	w.add("ann")
	at := w.started("ann")
	seen := map[string]bool{}
	for range 3 {
		p, err := w.SignIn().StartEnrolment(w.ctx(), at.Token, source)
		if err != nil || seen[p.Secret.Reveal()] {
			t.Fatalf("shown before: %t, %v", err == nil, err)
		}
		seen[p.Secret.Reveal()] = true
	}
	done := w.finishEnrolment(at)
	for what, token := range map[string]logiqc.Secret{"half signed in": w.atCode(logiqc.SigninPurpose), "signed in": done.Token} {
		if p, err := w.SignIn().StartEnrolment(w.ctx(), token, source); err == nil || p.Secret != "" || p.URI != "" {
			t.Errorf("%s: a secret is shown", what)
		}
	}
}

// Recovery codes belong to the enrolment they were made at.
func recoveryCodesOfAnEnrolment(t *testing.T, w *World) {
	w.ann()
	old := w.spare["ann"]
	if res := w.reset(w.Helen, "ann"); res.Outcome != logiqc.ResetDone {
		t.Fatal(res.Err)
	}
	_, err := w.SignIn().RecoveryCode(w.ctx(), w.started("ann").Token, old[0], source)
	want(t, "after the reset", err, logiqc.Conflict)
	w.enrol("ann")
	_, err = w.SignIn().RecoveryCode(w.ctx(), w.atCode(logiqc.SigninPurpose), old[0], source)
	want(t, "after enrolling again", err, logiqc.WrongCode)
}

// A recovery code is good for the user it was made for.
func recoveryCodesOfAUser(t *testing.T, w *World) {
	w.ann()
	w.add("bob")
	w.enrol("bob")
	_, err := w.SignIn().RecoveryCode(w.ctx(), w.atCode(logiqc.SigninPurpose), w.spare["bob"][0], source)
	want(t, "bob's", err, logiqc.WrongCode)
	if left := w.get("bob").MFA.RecoveryCodesLeft; left != 10 {
		t.Errorf("bob has %d left", left)
	}
}

// A reset ends the sessions at once, also one that is in use.
func sessionsAfterAReset(t *testing.T, w *World) {
	w.add("ann", role(logiqc.RoleHelpdesk))
	token := w.enrol("ann").Token
	inUse, half := w.as(token), w.atCode(logiqc.SigninPurpose)
	w.Advance(totp.Period)
	code := w.code("ann", 0)
	if res := w.reset(w.Helen, "ann", func(r *logiqc.Reset) { r.Typed = "ann" }); res.Outcome != logiqc.ResetDone {
		t.Fatal(res.Err)
	}
	_, err := inUse.GetUser(w.ctx(), "helen")
	want(t, "a session in use", err, logiqc.Unauthenticated)
	_, err = w.As(w.ctx(), token)
	want(t, "the same anew", err, logiqc.Unauthenticated)
	_, err = w.SignIn().Code(w.ctx(), half, code, source)
	want(t, "a sign-in under way", err, logiqc.Unauthenticated)
}

// With the password alone no step of a sign-in leads in.
func nothingWithoutTheCode(t *testing.T, w *World) {
	w.ann()
	for _, p := range []logiqc.Purpose{logiqc.SigninPurpose, logiqc.ReplacePurpose, logiqc.RecoveryPurpose} {
		token, in := w.atCode(p), w.SignIn()
		for path, do := range map[string]func() error{
			"no code":        func() error { _, err := in.Code(w.ctx(), token, "", source); return err },
			"no recovery":    func() error { _, err := in.RecoveryCode(w.ctx(), token, "", source); return err },
			"enrolment code": func() error { _, err := in.EnrolmentCode(w.ctx(), token, "0000 0000 0000", source); return err },
			"start":          func() error { _, err := in.StartEnrolment(w.ctx(), token, source); return err },
			"prove":          func() error { _, err := in.ProveEnrolment(w.ctx(), token, w.code("ann", 0), source); return err },
			"codes":          func() error { _, err := in.NewRecoveryCodes(w.ctx(), token, source); return err },
		} {
			if err := do(); err == nil {
				t.Errorf("%s, %s: it led on", p, path)
			}
		}
		_, err := w.As(w.ctx(), token)
		want(t, string(p), err, logiqc.Unauthenticated)
		w.unlock("ann")
	}
}

// told is what the Service tells an administrator, as JSON.
func (w *World) told() string {
	w.t.Helper()
	var all []any
	keep := func(v any, err error) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, v)
	}
	users, err := w.Helen.FindUsers(w.ctx(), logiqc.UserQuery{})
	keep(users, err)
	events, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{})
	keep(events, err)
	tokens, err := w.Helen.Tokens(w.ctx())
	keep(tokens, err)
	sessions, err := w.Helen.Sessions(w.ctx(), "")
	keep(sessions, err)
	policy, err := w.Helen.Policy(w.ctx())
	keep(policy, err)
	text, err := json.Marshal(all)
	keep(nil, err)
	return string(text)
}

// betrays wants text to hold none of the secrets, in any case or grouping.
func betrays(t *testing.T, text string, secrets map[string]logiqc.Secret) {
	t.Helper()
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(s)) }
	text = plain(text)
	for what, s := range secrets {
		if s == "" || strings.Contains(text, plain(s.Reveal())) {
			t.Errorf("%s is told", what)
		}
	}
	if strings.Contains(text, "$argon2id$") || strings.Contains(text, "otpauth:") {
		t.Error("a password's hash or a setup URI is told")
	}
}

// No administrator reads a user's secret, by any method.
func noReadPathToSecrets(t *testing.T, w *World) {
	w.ann()
	betrays(t, w.told(), map[string]logiqc.Secret{
		"the setup key": logiqc.Secret(w.apps["ann"].Base32()), "a recovery code": w.spare["ann"][3], "the password": Password,
	})
}
