package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// newBox makes a key folder and opens it.
func newBox(t testing.TB) (*Box, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys", "0193")
	if err := Create(dir); err != nil {
		t.Fatal(err)
	}
	box, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return box, dir
}

func mustSeal(t testing.TB, b *Box, plaintext, ad string) string {
	t.Helper()
	sealed, err := b.Seal([]byte(plaintext), ad)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealAndOpen(t *testing.T) {
	box, dir := newBox(t)
	rapid.Check(t, func(r *rapid.T) {
		plaintext, ad := rapid.SliceOf(rapid.Byte()).Draw(r, "plaintext"), rapid.String().Draw(r, "ad")
		sealed, err := box.Seal(plaintext, ad)
		if err != nil {
			r.Fatal(err)
		}
		if got, err := box.Open(sealed, ad); err != nil || !bytes.Equal(got, plaintext) {
			r.Fatalf("opened %q: %v", got, err)
		}
		if _, err := box.Open(sealed, ad+"|"); !errors.Is(err, ErrSealed) {
			r.Fatalf("opened under another ad: %v", err)
		}
	})
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	first, second := mustSeal(t, box, "secret", "ad"), mustSeal(t, box, "secret", "ad")
	if got, err := again.Open(first, "ad"); err != nil || string(got) != "secret" {
		t.Errorf("after opening the folder again: %q, %v", got, err)
	}
	if first == second || strings.ContainsAny(first, "+/=") {
		t.Errorf("%q and %q: repeated, or not base64url", first, second)
	}
}

// Two users' ciphertexts, swapped in the store, both fail.
func TestSwap(t *testing.T) {
	box, _ := newBox(t)
	ana, ben := AssociatedData("s", "ana", "e1"), AssociatedData("s", "ben", "e2")
	sealedAna, sealedBen := mustSeal(t, box, "ana's key", ana), mustSeal(t, box, "ben's key", ben)
	for _, tc := range [][2]string{
		{sealedAna, ben}, {sealedBen, ana},
		{sealedAna, AssociatedData("s", "ana", "e2")}, {sealedAna, AssociatedData("s2", "ana", "e1")}, {sealedAna, ""},
	} {
		if got, err := box.Open(tc[0], tc[1]); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("opened as %q: %q, %v", tc[1], got, err)
		}
	}
	if got := AssociatedData("0193-s", "0193-u", "0193-e"); got != "logiqc/totp/v1|0193-s|0193-u|0193-e" {
		t.Errorf("%q: what is sealed already would not open", got)
	}
}

func TestAltered(t *testing.T) {
	box, _ := newBox(t)
	other, _ := newBox(t)
	sealed := mustSeal(t, box, "secret", "ad")
	bad := []string{
		"", "A", "!", sealed + "\n", "\r" + sealed, sealed + "A", sealed + "=", sealed[:len(sealed)-4], sealed[4:], sealed + sealed,
		mustSeal(t, other, "secret", "ad"), strings.Repeat("A", 1<<20),
	}
	// Every character, changed by one bit of its value.
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range sealed {
		for bit := range 6 {
			changed := []byte(sealed)
			changed[i] = digits[strings.IndexByte(digits, sealed[i])^(1<<bit)]
			bad = append(bad, string(changed))
		}
	}
	for _, text := range bad {
		if got, err := box.Open(text, "ad"); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("%.80q opens: %q, %v", text, got, err)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	box, dir := newBox(t)
	before, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	if err := Create(dir); !errors.Is(err, ErrExists) {
		t.Errorf("a second Create: %v", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a second Create changed the key: %v", err)
	}
	if _, err := box.Open(mustSeal(t, box, "x", "ad"), "ad"); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Create(file); err == nil {
		t.Error("a file was taken for a folder")
	}
}

// Of many at once one makes the key, and it is the one that is kept.
func TestCreateRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	errs := make([]error, 16)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = Create(dir) })
	}
	group.Wait()
	made := 0
	for _, err := range errs {
		switch {
		case err == nil:
			made++
		case !errors.Is(err, ErrExists):
			t.Error(err)
		}
	}
	if _, err := Open(dir); made != 1 || err != nil {
		t.Errorf("%d keys were made; %v", made, err)
	}
	onlyFile(t, dir)
}

// onlyFile fails unless seal.json is alone in dir: no temporary file is left.
func onlyFile(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != File {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
}

func TestOpenBroken(t *testing.T) {
	_, dir := newBox(t)
	path := filepath.Join(dir, File)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty": "", "no JSON": "canary", "a list": `["canary"]`, "no keys": "{}", "half": string(good[:len(good)/2]),
		"not AEAD":  strings.Replace(string(good), "AesGcmKey", "HmacKey", 1),
		"no key":    `{"primaryKeyId":1,"key":[]}`,
		"wrong key": strings.Replace(string(good), `"value":"`, `"value":"canary`, 1),
		"huge":      strings.Repeat("canary ", maxFile/7+1),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		box, err := Open(dir)
		if err == nil || box != nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), path) {
		t.Errorf("no seal.json: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, ErrMissing) {
		t.Errorf("no folder: %v", err)
	}
}

// A keyset with several keys opens what any of them sealed: the room that
// rotation needs. The file is joined by hand, as a rotation will write it.
func TestSeveralKeys(t *testing.T) {
	first, firstDir := newBox(t)
	second, secondDir := newBox(t)
	type keyset struct {
		PrimaryKeyID uint32            `json:"primaryKeyId"`
		Key          []json.RawMessage `json:"key"`
	}
	var joined keyset
	for _, dir := range []string{firstDir, secondDir} {
		data, err := os.ReadFile(filepath.Join(dir, File))
		if err != nil {
			t.Fatal(err)
		}
		var one keyset
		if err := json.Unmarshal(data, &one); err != nil || len(one.Key) != 1 {
			t.Fatalf("seal.json is no JSON keyset of one key: %v", err)
		}
		joined.PrimaryKeyID, joined.Key = one.PrimaryKeyID, append(joined.Key, one.Key...)
	}
	data, err := json.Marshal(joined)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "rotated")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, File), data); err != nil {
		t.Fatal(err)
	}
	both, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []*Box{first, second} {
		if got, err := both.Open(mustSeal(t, old, "secret", "ad"), "ad"); err != nil || string(got) != "secret" {
			t.Errorf("an older value: %q, %v", got, err)
		}
	}
	fresh := mustSeal(t, both, "secret", "ad")
	if _, err := second.Open(fresh, "ad"); err != nil {
		t.Error("the primary key did not seal")
	}
	if _, err := first.Open(fresh, "ad"); !errors.Is(err, ErrSealed) {
		t.Errorf("a missing key: %v", err)
	}
}

// keySpellings reads the key material of seal.json and spells it every way in
// which it could be printed.
func keySpellings(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Key []struct {
			KeyData struct{ Value string } `json:"keyData"`
		} `json:"key"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	material, err := base64.StdEncoding.DecodeString(file.Key[0].KeyData.Value)
	if err != nil || len(material) < 32 {
		t.Fatalf("%d bytes of key: %v", len(material), err)
	}
	key := material[len(material)-32:]
	var words []string
	for _, part := range [][]byte{key[:6], key[13:19], key[26:]} {
		words = append(words, string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)),
			strings.Trim(fmt.Sprintf("%d", part), "[]"), strings.Trim(fmt.Sprintf("%o", part), "[]"),
			strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"))
	}
	return append(words, file.Key[0].KeyData.Value[:12])
}

func TestBoxPrintsNothing(t *testing.T) {
	box, dir := newBox(t)
	words := keySpellings(t, dir)
	type hidden struct {
		p *Box
		v Box
		a any
	}
	var out bytes.Buffer
	for _, v := range []any{box, *box, []*Box{box}, []Box{*box}, hidden{box, *box, box}, &hidden{box, *box, *box}} {
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#", "# ", " "} {
				_, _ = fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", v)
			}
		}
		j, err := json.Marshal(v)
		_, _ = fmt.Fprintf(&out, "%s %v\n", j, err)
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
	}
	for _, word := range words {
		if strings.Contains(out.String(), word) {
			t.Errorf("key material is printed, as %q", word)
		}
	}
	text, err := box.MarshalText()
	for _, got := range []string{fmt.Sprintf("%+v", box), fmt.Sprintf("%#v", *box), fmt.Sprintf("%d", box),
		box.String(), box.GoString(), box.LogValue().String(), string(text)} {
		if got != "[redacted]" || err != nil {
			t.Errorf("a Box prints as %q", got)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	box, _ := newBox(b)
	sealed := mustSeal(b, box, "12345678901234567890", "ad")
	for b.Loop() {
		if _, err := box.Open(sealed, "ad"); err != nil {
			b.Fatal(err)
		}
	}
}
