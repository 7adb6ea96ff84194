package password

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// phcText builds a PHC string from its parts, sound or not.
func phcText(costs string, salt, key int) string {
	text := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$" + costs + "$" + text(make([]byte, salt)) + "$" + text(make([]byte, key))
}

const saltAndKey = "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestCheckHashAccepts(t *testing.T) {
	for _, phc := range []string{
		phcText("m=19456,t=2,p=1", 16, 32), phcText("m=1048576,t=16,p=16", 64, 64), phcText("m=8,t=1,p=1", 8, 16),
		phcText("m=128,t=1,p=16", 16, 32),
		"$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
		"$2y$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
	} {
		if err := CheckHash(phc); err != nil {
			t.Errorf("CheckHash(%s) = %v", phc, err)
		}
	}
}

func TestCheckHashRefuses(t *testing.T) {
	good := phcText("m=19456,t=2,p=1", 16, 32)
	for _, tc := range []struct {
		phc, says string
	}{
		{"", "neither"}, {"password", "neither"}, {"$argon2i$v=19$m=19456,t=2,p=1" + saltAndKey, "neither"},
		{"$argon2d$v=19$m=19456,t=2,p=1" + saltAndKey, "neither"}, {" " + good, "neither"}, {good + "\n", "neither"},
		{"$5$rounds=5000$saltstring$canary", "neither"}, {"{SSHA}canary", "neither"}, {strings.Repeat("$", 1<<20), "neither"},
		{"$argon2id$", "malformed"}, {good + "$", "malformed"}, {"$argon2id$m=19456,t=2,p=1" + saltAndKey, "malformed"},
		{"$argon2id$v=16$m=19456,t=2,p=1" + saltAndKey, "version"}, {"$argon2id$v=019$m=19456,t=2,p=1" + saltAndKey, "version"},
		{phcText("t=2,m=19456,p=1", 16, 32), "malformed"}, {phcText("m=19456,t=2", 16, 32), "malformed"},
		{phcText("m=19456,t=2,p=1,keyid=x", 16, 32), "malformed"}, {phcText("m=+19456,t=2,p=1", 16, 32), "malformed"},
		{phcText("m=019456,t=2,p=1", 16, 32), "malformed"}, {phcText("m=,t=2,p=1", 16, 32), "malformed"},
		{phcText("m=-1,t=2,p=1", 16, 32), "malformed"}, {phcText("m=99999999999999999999,t=2,p=1", 16, 32), "malformed"},
		{phcText("m=1048577,t=2,p=1", 16, 32), "m must be"}, {phcText("m=19456,t=17,p=1", 16, 32), "t must be"},
		{phcText("m=19456,t=2,p=17", 16, 32), "p must be"}, {phcText("m=19456,t=0,p=1", 16, 32), "t must be"},
		{phcText("m=19456,t=2,p=0", 16, 32), "p must be"}, {phcText("m=127,t=2,p=16", 16, 32), "8 times"},
		{phcText("m=19456,t=2,p=1", 7, 32), "salt"}, {phcText("m=19456,t=2,p=1", 65, 32), "salt"},
		{phcText("m=19456,t=2,p=1", 16, 15), "key"}, {phcText("m=19456,t=2,p=1", 16, 65), "key"},
		{good + "=", "malformed"}, {good[:len(good)-1] + "B", "malformed"}, {good[:len(good)-1] + "!", "malformed"},
		{"$2x$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "neither"},
		{"$2b$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "cost"}, {"$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "cost"},
		{"$2b$+9$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "cost"}, {"$2b$10$canary", "bcrypt"},
		{"$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe=", "bcrypt"}, {"$2b$10x" + strings.Repeat("C", 53), "bcrypt"},
	} {
		err := CheckHash(tc.phc)
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("CheckHash(%.80q) = %v, want it to say %q", tc.phc, err, tc.says)
			continue
		}
		if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("the error repeats the hash: %v", err)
		}
	}
	for _, phc := range []string{"", "password", good + "$", "$2b$10$canary"} {
		if got := Verify(phc, "password"); got != (Result{}) {
			t.Errorf("Verify(%q) = %+v", phc, got)
		}
	}
}

// The decoy is a hash like ours in every cost, so that it takes as long, and
// no password of an account without a hash is right.
func TestDecoy(t *testing.T) {
	if want := phcText(fmt.Sprintf("m=%d,t=%d,p=%d", memoryKiB, passes, lanes), saltBytes, keyBytes); decoy.String() != want {
		t.Errorf("decoy is %s, want %s", decoy, want)
	}
	if decoy.weak() || verify(decoy, "").OK {
		t.Error("the decoy is weak or opens")
	}
}

func FuzzCheckHash(f *testing.F) {
	f.Add(phcText("m=19456,t=2,p=1", 16, 32))
	f.Add("$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Fuzz(func(t *testing.T, phc string) {
		stored, err := parse(phc)
		switch h := stored.(type) {
		case parameters:
			// One hash, one spelling: the digest of an event identifies it.
			if err != nil || h.String() != phc {
				t.Errorf("%q reads as %q: %v", phc, h, err)
			}
		case bcryptHash:
			if err != nil || string(h) != phc {
				t.Errorf("%q reads as %q: %v", phc, h, err)
			}
		default:
			if err == nil {
				t.Errorf("%q gives neither a hash nor an error", phc)
			}
		}
	})
}
