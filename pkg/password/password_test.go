package password

import (
	"crypto/rand"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

func mustHash(t testing.TB, password string) string {
	t.Helper()
	phc, err := Hash(rand.Reader, password)
	if err != nil {
		t.Fatal(err)
	}
	return phc
}

func TestHash(t *testing.T) {
	const password = "correct horse battery staple"
	phc := mustHash(t, password)
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") || len(phc) != 31+22+1+43 {
		t.Errorf("not the agreed form: %s", phc)
	}
	if again := mustHash(t, password); again == phc {
		t.Error("the salt repeats")
	}
	if err := CheckHash(phc); err != nil {
		t.Errorf("our own hash is refused: %v", err)
	}
	for _, tc := range []struct {
		password string
		want     Result
	}{
		{password, Result{OK: true}},
		{password + " ", Result{}}, {"Correct horse battery staple", Result{}}, {"", Result{}},
		{strings.Repeat(password, 1000), Result{}},
	} {
		if got := Verify(phc, tc.password); got != tc.want {
			t.Errorf("Verify(%.40q) = %+v, want %+v", tc.password, got, tc.want)
		}
	}
	if _, err := Hash(strings.NewReader("short"), password); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short source of randomness gives %v", err)
	}
}

// The key is that of the argon2id reference implementation's test suite:
// argon2id, version 19, t=2, m=2^16, p=1, "password", "somesalt".
func TestReferenceVector(t *testing.T) {
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if got := Verify(phc, "password"); got != (Result{OK: true, Weak: true}) { // an 8-byte salt
		t.Errorf("%+v", got)
	}
	if got := Verify(phc, "Password"); got != (Result{}) {
		t.Errorf("%+v", got)
	}
}

func TestWeak(t *testing.T) {
	const password = "correct horse"
	with := func(change func(*parameters)) string {
		p := decoy
		p.salt = []byte("sixteen byte slt")
		change(&p)
		p.key = argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
		return p.String()
	}
	for name, tc := range map[string]struct {
		phc  string
		weak bool
	}{
		"ours":        {with(func(*parameters) {}), false},
		"more memory": {with(func(p *parameters) { p.memory *= 2 }), false},
		"more passes": {with(func(p *parameters) { p.passes = 3 }), false},
		"more lanes":  {with(func(p *parameters) { p.lanes = 4 }), false},
		"less memory": {with(func(p *parameters) { p.memory-- }), true},
		"one pass":    {with(func(p *parameters) { p.passes = 1 }), true},
		"short salt":  {with(func(p *parameters) { p.salt = p.salt[:15] }), true},
		"short key":   {with(func(p *parameters) { p.key = p.key[:16] }), true},
	} {
		if got := Verify(tc.phc, password); got != (Result{OK: true, Weak: tc.weak}) {
			t.Errorf("%s: %+v", name, got)
		}
		if got := Verify(tc.phc, "wrong "+password); got != (Result{}) {
			t.Errorf("%s: a wrong password gives %+v", name, got)
		}
	}
}

func TestBcrypt(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"$2a$", "$2b$", "$2y$"} {
		phc := kind + string(hash[4:])
		if got := Verify(phc, "correct horse"); got != (Result{OK: true, Weak: true}) {
			t.Errorf("%s: %+v", phc, got)
		}
		if got := Verify(phc, "correct house"); got != (Result{}) {
			t.Errorf("%s: a wrong password gives %+v", phc, got)
		}
	}
	// A vector of the original implementation, cost 5.
	if got := Verify("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"); !got.OK {
		t.Error("bcrypt vector is refused")
	}
}

func TestNormalisation(t *testing.T) {
	composed, decomposed, ligature := "caf\u00e9 office", "cafe\u0301 office", "caf\u00e9 o\ufb03ce"
	phc := mustHash(t, composed)
	for _, typed := range []string{composed, decomposed, ligature} {
		if got := Verify(phc, typed); got != (Result{OK: true}) {
			t.Errorf("%+q: %+v", typed, got)
		}
	}
	// Another system hashed what it got.
	foreign, err := bcrypt.GenerateFromPassword([]byte(decomposed), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if got := Verify(string(foreign), decomposed); got != (Result{OK: true, Weak: true}) {
		t.Errorf("as typed elsewhere: %+v", got)
	}
	if got := Verify(string(foreign), composed); got.OK {
		t.Error("a form that the other system never saw is accepted")
	}
}

func TestCheckNew(t *testing.T) {
	for _, tc := range []struct {
		password, says string
	}{
		{"12345678", ""}, {"        ", ""}, {"aaaaaaaa", ""}, {"李雷李雷李雷李雷", ""}, {"😀😀😀😀😀😀😀😀", ""},
		{strings.Repeat("x", 1024), ""},
		{"", "too short"}, {"1234567", "too short"}, {"😀😀😀😀😀😀😀", "too short"},
		{"\ufdfa", "too short"},                     // one ligature, eighteen characters in NFKC
		{strings.Repeat("e\u0301", 4), "too short"}, // eight code points, four in NFKC
		{strings.Repeat("x", 1025), "1024 bytes"},
		{"12345678\xff", "UTF-8"}, {"1234567\x008", "NUL"},
	} {
		err := CheckNew(tc.password)
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("CheckNew(%.20q) = %v, want %q", tc.password, err, tc.says)
		}
	}
}

func TestDigest(t *testing.T) {
	if got := Digest("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("Digest = %s", got)
	}
}

// A computation starts only when a slot is free, and gives it back.
func TestSlots(t *testing.T) {
	if cap(slots) != runtime.GOMAXPROCS(0) {
		t.Fatalf("%d slots for %d cores", cap(slots), runtime.GOMAXPROCS(0))
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
	done := make(chan struct{})
	go func() { VerifyNone("waits for its turn"); close(done) }()
	select {
	case <-done:
		t.Error("one more than GOMAXPROCS at once")
	case <-time.After(300 * time.Millisecond):
	}
	for range cap(slots) {
		<-slots
	}
	<-done
	var group sync.WaitGroup
	for range 4 * cap(slots) {
		group.Go(func() { VerifyNone("many at once") })
	}
	group.Wait()
	if len(slots) != 0 {
		t.Errorf("%d slots were kept", len(slots))
	}
}

func BenchmarkVerify(b *testing.B) {
	phc := mustHash(b, "correct horse")
	for name, password := range map[string]string{"right": "correct horse", "wrong": "correct house"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Verify(phc, password)
			}
		})
	}
	for name, phc := range map[string]string{"empty": "", "unreadable": "$argon2id$v=19$"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Verify(phc, "correct horse")
			}
		})
	}
}

func BenchmarkVerifyNone(b *testing.B) {
	for b.Loop() {
		VerifyNone("correct horse")
	}
}
