package seal

import (
	"errors"
	"testing"
)

func TestRotate(t *testing.T) {
	box, dir := newBox(t)
	const ad = "logiqc/totp/v1|s|u|e"
	old, err := box.Seal([]byte("first"), ad)
	if err != nil {
		t.Fatal(err)
	}
	before, err := Keys(dir)
	if err != nil || len(before) != 1 {
		t.Fatalf("%v, %v", before, err)
	}
	id, commit, err := Add(dir)
	if err != nil {
		t.Fatal(err)
	}
	if now, err := Keys(dir); err != nil || len(now) != 1 {
		t.Errorf("before the commit: %v, %v", now, err)
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, dir)
	if now, err := Keys(dir); err != nil || len(now) != 2 || now[0] != id || now[1] != before[0] {
		t.Fatalf("after it: %v, %v", now, err)
	}
	box, err = Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := box.Open(old, ad); err != nil || string(plain) != "first" {
		t.Errorf("the old value: %q, %v", plain, err)
	}
	fresh, err := box.Seal([]byte("second"), ad)
	if err != nil {
		t.Fatal(err)
	}
	for sealed, want := range map[string]KeyID{old: before[0], fresh: id} {
		if got, err := KeyOf(sealed); got != want || err != nil {
			t.Errorf("sealed with %s, %v; want %s", got, err, want)
		}
	}
	removeOld(t, dir, before[0], id)
	if box, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := box.Open(old, ad); !errors.Is(err, ErrSealed) {
		t.Errorf("the old value without its key: %v", err)
	}
	if plain, err := box.Open(fresh, ad); err != nil || string(plain) != "second" {
		t.Errorf("the new value: %q, %v", plain, err)
	}
}

// removeOld removes the old key, once it was seen that the current one, and one
// that is not there, are not removed.
func removeOld(t *testing.T, dir string, old, current KeyID) {
	t.Helper()
	if _, err := Remove(dir, current); !errors.Is(err, ErrCurrent) {
		t.Errorf("removing the current key: %v", err)
	}
	if _, err := Remove(dir, current+1); !errors.Is(err, ErrMissing) {
		t.Errorf("removing no key: %v", err)
	}
	commit, err := Remove(dir, old)
	if err != nil {
		t.Fatal(err)
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
}

func TestKeyOfNothing(t *testing.T) {
	for _, s := range []string{"", "AQ", "AgAAAAA", "not base64!"} {
		if id, err := KeyOf(s); !errors.Is(err, ErrSealed) {
			t.Errorf("KeyOf(%q) = %s, %v", s, id, err)
		}
	}
}
