package servicetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/logiqc/logiqc/pkg/logiqc"
)

// The event of a change names the account that changed, not the words that
// asked for it.
func eventNamesWhatChanged(t *testing.T, w *World) {
	refs := []logiqc.ResetTarget{}
	ids := map[string]string{}
	for i, name := range []string{"ann", "bob", "cat"} {
		a := w.add(name)
		w.enrol(name)
		ids[a.Username] = a.ID
		refs = append(refs, logiqc.ResetTarget{User: []string{strings.ToUpper(a.Email), a.ID, "CAT"}[i]})
	}
	results, err := w.Helen.ResetMFA(w.ctx(), logiqc.Reset{Request: given(), Users: refs})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"ann", "bob", "cat"} {
		e, err := w.Helen.EventAt(w.ctx(), results[i].Audit.Seq)
		if err != nil || results[i].User != name || e.Target != (logiqc.Target{ID: ids[name], Username: name}) || e.Action != logiqc.MFAResetDone {
			t.Errorf("%s is in the log as %+v, %v", refs[i].User, e.Target, err)
		}
	}
}

// No setting says where the log goes, or that there is none.
func logIsNotSetByTheAPI(t *testing.T, w *World) {
	for _, key := range logiqc.PolicyKeys {
		for _, word := range []string{"audit", "log", "event", "sink"} {
			if strings.Contains(key, word) {
				t.Errorf("the policy has %s", key)
			}
		}
	}
	for _, key := range []string{"audit.enabled", "audit.sink", "log.file", "log.key"} {
		_, err := w.Helen.ChangePolicy(w.ctx(), logiqc.PolicyEdit{Request: given(), Settings: []logiqc.Setting{{Key: key, Value: "off"}}})
		if err == nil {
			t.Errorf("%s was set", key)
		}
	}
}

// Until the password is right every failure is one and the same.
// (TestDeniedTakesTheSameTime has a clock.)
func failuresReadTheSame(t *testing.T, w *World) {
	w.ann()
	w.add("ina", func(n *logiqc.NewUser) { n.Status = logiqc.Inactive })
	w.add("sam", func(n *logiqc.NewUser) { n.Auth = logiqc.BySSO })
	w.add("late")
	for range 5 {
		_, _ = w.start("late", "wrong")
	}
	first := ""
	for _, c := range []struct {
		user     string
		password logiqc.Secret
	}{{"ann", "wrong"}, {"nobody", Password}, {"ina", Password}, {"sam", Password}, {"late", Password}, {"late", "wrong"}} {
		at, err := w.start(c.user, c.password)
		text := fmt.Sprintf("%+v %+v", at, logiqc.AsError(err))
		if first == "" {
			first = text
		}
		if text != first || !errors.Is(err, logiqc.SigninDenied) {
			t.Errorf("%s reads\n%s\nnot\n%s", c.user, text, first)
		}
	}
}

// Who has lost a role cannot act by it any more, not even where they had
// already been let in.
func roleInsideTheTransaction(t *testing.T, w *World) {
	w.add("tom", role(logiqc.RoleAdmin))
	w.add("eve")
	tom := w.as(w.enrol("tom").Token)
	admin := logiqc.RoleAdmin
	promote := func() error {
		_, err := tom.EditUser(w.ctx(), logiqc.UserEdit{User: "eve", Role: &admin})
		return err
	}
	want(t, "demote tom", w.edit("tom", logiqc.RoleUser), "")
	if err := promote(); !errors.Is(err, logiqc.Unauthenticated) && !errors.Is(err, logiqc.Forbidden) {
		t.Errorf("tom, who is no admin, makes one: %v", err)
	}
	if got := w.get("eve").Role; got != logiqc.RoleUser {
		t.Errorf("eve is %s", got)
	}

	// At the same time: either tom was first, or eve is nothing.
	want(t, "promote tom", w.edit("tom", logiqc.RoleAdmin), "")
	tom = w.signin("tom")
	promoted := make(chan error)
	go func() { promoted <- promote() }()
	want(t, "demote tom again", w.edit("tom", logiqc.RoleUser), "")
	err := <-promoted
	if got := w.get("eve").Role; (got == logiqc.RoleAdmin) != (err == nil) {
		t.Errorf("eve is %s, and tom was told %v", got, err)
	}
	if err == nil && w.events("eve", 1)[0].Seq > w.events("tom", 1)[0].Seq {
		t.Error("tom made an admin after he was none")
	}
}

// Whatever field a secret comes in by, the log does not have it.
func noSecretInTheLog(t *testing.T, w *World) {
	w.ann()
	const typed, next = "hunter2 typed as a name", logiqc.Secret("the next password")
	_, _ = w.start(typed, "a wrong password")
	at, err := w.SignIn().RecoveryCode(w.ctx(), w.atCode(logiqc.SigninPurpose), w.spare["ann"][0], source)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := w.Helen.CreateToken(w.ctx(), logiqc.NewToken{Name: "ci", Role: logiqc.RoleApp})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Helen.SetPassword(w.ctx(), logiqc.PasswordChange{User: "ann", New: next}); err != nil {
		t.Fatal(err)
	}
	w.add("bob")
	desk := w.issue("bob")
	events, err := w.Helen.Events(w.ctx(), logiqc.EventQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for _, e := range slices.Backward(events.Events) {
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		log.Write(leaf)
	}
	betrays(t, log.String(), map[string]logiqc.Secret{
		"the setup key": logiqc.Secret(w.apps["ann"].Base32()), "a used recovery code": w.spare["ann"][0], "another": w.spare["ann"][1],
		"the password": Password, "the next password": next, "a wrong password": "a wrong password", "a name": typed,
		"a session": at.Token, "helen's session": w.Init(), "a token": token, "an enrolment code": desk,
	})
}
