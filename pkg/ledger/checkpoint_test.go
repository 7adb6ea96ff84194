package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

const testOrigin = "logiqc/st-marys/9c41e07b"

// testKey gives the pair made of seed b.
func testKey(t testing.TB, b byte, origin string) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := GenerateKey(seed(b), origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

func sign(t testing.TB, head Head, signers ...note.Signer) []byte {
	t.Helper()
	msg, err := SignCheckpoint(head, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// signText signs any text at all, as a careless or hostile log would.
func signText(t testing.TB, text string, signers ...note.Signer) []byte {
	t.Helper()
	msg, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// TestCheckpointBytes pins the format: these bytes may never change. The signature was computed
// once by another implementation of Ed25519.
func TestCheckpointBytes(t *testing.T) {
	signer, _ := testKey(t, 7, testOrigin)
	const want = "logiqc/st-marys/9c41e07b\n" +
		"0\n" +
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n" +
		"\n" +
		"— logiqc/st-marys/9c41e07b 6A/9sn8PRLaJ5qtG1Pw2FFn/jKbl5vDDatJXJhc/FZJps2aTLNHng3pPrTMf13/VpBrDEWHAyKFhkWo2w5Keg8bV2gE=\n"
	if got := string(sign(t, Head{0, EmptyRoot()}, signer)); got != want {
		t.Errorf("checkpoint = %q, want %q", got, want)
	}
}

func TestCheckpointRoundTrip(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	for _, head := range []Head{{0, EmptyRoot()}, {1, LeafHash([]byte("x"))}, {1<<63 - 1, Hash{0xff}}} {
		msg := sign(t, head, signer)
		if got, err := OpenCheckpoint(msg, testOrigin, verifier); err != nil || got != head {
			t.Errorf("OpenCheckpoint = %v, %v; want %v", got, err, head)
		}
		if opened, err := note.Open(msg, note.VerifierList(verifier)); err != nil || strings.Count(opened.Text, "\n") != 3 {
			t.Errorf("note.Open = %v, %v; want three lines", opened, err)
		}
	}
}

// TestCheckpointSpecExample: the example of C2SP tlog-checkpoint is taken
// apart rightly; its key is not published, so it is nobody's.
func TestCheckpointSpecExample(t *testing.T) {
	const example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
		"— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
	head, err := unopened([]byte(example))
	if err != nil || head.Size != 20852163 || head.Root.String() != "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=" {
		t.Errorf("head = %v, %v", head, err)
	}
	_, verifier := testKey(t, 7, "example.com/behind-the-sofa")
	if _, err := OpenCheckpoint([]byte(example), "example.com/behind-the-sofa", verifier); !errors.Is(err, ErrBadSignature) {
		t.Errorf("with an unknown key: %v, want ErrBadSignature", err)
	}
}

func TestCheckpointWhileAKeyIsReplaced(t *testing.T) {
	oldSigner, oldVerifier := testKey(t, 1, testOrigin)
	newSigner, newVerifier := testKey(t, 2, testOrigin)
	witness, _ := testKey(t, 3, "witness.example")
	head := Head{3, Hash{3}}
	opened, err := note.Open(sign(t, head, oldSigner, newSigner), note.VerifierList(oldVerifier))
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(opened, witness)
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string][]note.Verifier{
		"old": {oldVerifier}, "new": {newVerifier}, "both": {oldVerifier, newVerifier},
	} {
		if got, err := OpenCheckpoint(msg, testOrigin, keys...); err != nil || got != head {
			t.Errorf("with the %s key: %v, %v", name, got, err)
		}
	}
}

func TestOpenCheckpointTellsProblemsApart(t *testing.T) {
	signer, verifier := testKey(t, 7, testOrigin)
	stranger, strangerKey := testKey(t, 8, testOrigin)
	elsewhere, elsewhereKey := testKey(t, 7, "logiqc/other/00000000")
	head := Head{42, Hash{42}}
	root := head.Root.String()
	good := sign(t, head, signer)
	tests := []struct {
		name string
		msg  []byte
		keys []note.Verifier
		want error
	}{
		{"another key", sign(t, head, stranger), []note.Verifier{verifier}, ErrBadSignature},
		{"verifier of another key", good, []note.Verifier{strangerKey}, ErrBadSignature},
		{"another log", sign(t, head, elsewhere), []note.Verifier{verifier}, ErrWrongOrigin},
		{"our key, another log's body", signText(t, "logiqc/other/00000000\n42\n"+root+"\n", signer), []note.Verifier{verifier}, ErrWrongOrigin},
		{"key of another log", good, []note.Verifier{elsewhereKey}, ErrWrongOrigin},
		{"no key", good, nil, ErrWrongOrigin},
		{"another log's key signs our origin", signText(t, testOrigin+"\n42\n"+root+"\n", elsewhere), []note.Verifier{verifier, elsewhereKey}, ErrBadSignature},
		{"body edited", bytes.Replace(good, []byte("\n42\n"), []byte("\n43\n"), 1), []note.Verifier{verifier}, ErrBadSignature},
		{"origin edited", bytes.Replace(good, []byte("st-marys"), []byte("st-marks"), 1), []note.Verifier{verifier}, ErrBadSignature},
		{"signature line gone", good[:bytes.Index(good, []byte("—"))], []note.Verifier{verifier}, ErrBadSignature},
		{"cut short", good[:len(good)-1], []note.Verifier{verifier}, ErrBadSignature},
		{"empty", nil, []note.Verifier{verifier}, ErrBadSignature},
		{"extension line", signText(t, testOrigin+"\n42\n"+root+"\nmore\n", signer), []note.Verifier{verifier}, ErrBadSignature},
		{"two lines", signText(t, testOrigin+"\n42\n", signer), []note.Verifier{verifier}, ErrBadSignature},
		{"leading zero", signText(t, testOrigin+"\n042\n"+root+"\n", signer), []note.Verifier{verifier}, ErrBadSignature},
		{"signed size", signText(t, testOrigin+"\n+42\n"+root+"\n", signer), []note.Verifier{verifier}, ErrBadSignature},
		{"negative size", signText(t, testOrigin+"\n-42\n"+root+"\n", signer), []note.Verifier{verifier}, ErrBadSignature},
		{"size beyond 63 bits", signText(t, testOrigin+"\n9223372036854775808\n"+root+"\n", signer), []note.Verifier{verifier}, ErrBadSignature},
		{"root too short", signText(t, testOrigin+"\n42\nAAAA\n", signer), []note.Verifier{verifier}, ErrBadSignature},
		{"root in loose base64", signText(t, testOrigin+"\n42\n"+root[:42]+"B=\n", signer), []note.Verifier{verifier}, ErrBadSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := OpenCheckpoint(tt.msg, testOrigin, tt.keys...)
			if !errors.Is(err, tt.want) || got != (Head{}) {
				t.Errorf("OpenCheckpoint = %v, %v; want %v", got, err, tt.want)
			}
			if p := ProblemOf(err); p != ProblemOf(tt.want) {
				t.Errorf("problem = %q, want %q", p, ProblemOf(tt.want))
			}
		})
	}
}

func TestSignCheckpointRefuses(t *testing.T) {
	signer, _ := testKey(t, 7, testOrigin)
	other, _ := testKey(t, 8, "logiqc/other/00000000")
	if _, err := SignCheckpoint(Head{0, EmptyRoot()}); !errors.Is(err, ErrOrigin) {
		t.Errorf("without a signer: %v", err)
	}
	if _, err := SignCheckpoint(Head{0, EmptyRoot()}, signer, other); !errors.Is(err, ErrOrigin) {
		t.Errorf("with signers of two logs: %v", err)
	}
	if _, err := SignCheckpoint(Head{-1, EmptyRoot()}, signer); !errors.Is(err, ErrRange) {
		t.Errorf("of a negative size: %v", err)
	}
}

func TestProblemOf(t *testing.T) {
	for err, want := range map[error]Problem{
		nil: OK, errDisk: OK, ErrLeafTooLong: OK, ErrRange: OK,
		fmt.Errorf("x: %w", ErrAltered): Altered, ErrTruncated: Truncated, ErrForked: Forked,
		ErrBadSignature: BadSignature, ErrWrongOrigin: WrongOrigin, ErrMissing: Missing,
	} {
		if got := ProblemOf(err); got != want {
			t.Errorf("ProblemOf(%v) = %q, want %q", err, got, want)
		}
	}
}
