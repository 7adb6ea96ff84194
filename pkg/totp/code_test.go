package totp

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"pgregory.net/rapid"
)

func TestStep(t *testing.T) {
	for _, tc := range []struct {
		unix, want int64
	}{
		{0, 0}, {29, 0}, {30, 1}, {59, 1},
		{-1, -1}, {-30, -1}, {-31, -2}, {-60, -2},
		{1<<31 - 1, 71582788}, {1 << 31, 71582788}, // 19 January 2038
		{4102444800, 136748160}, // 2100
		{253402300799, 8446743359},
	} {
		if got := Step(time.Unix(tc.unix, 0)); got != tc.want {
			t.Errorf("Step(%d s) = %d, want %d", tc.unix, got, tc.want)
		}
	}
	if got := Step(time.Unix(29, 999_999_999)); got != 0 {
		t.Errorf("Step just before 30 s = %d, want 0", got)
	}
	if got := Step(time.Unix(-31, 999_999_999)); got != -2 {
		t.Errorf("Step just before -30 s = %d, want -2", got)
	}
}

// code6 returns k's code at step, and fails the test if another step nearby
// happens to have the same one, which would blur what is tested.
func code6(t *testing.T, k Key, step int64) string {
	t.Helper()
	code := Code(k, step)
	for other := step - 2*DriftSteps; other <= step+2*DriftSteps; other++ {
		if other != step && Code(k, other) == code {
			t.Fatalf("steps %d and %d share a code: take another time", step, other)
		}
	}
	return code
}

func TestCheckEveryOffset(t *testing.T) {
	k := rfcKey(t)
	for _, now := range []time.Time{
		time.Unix(1_700_000_000, 0), time.Unix(-1_000_000_000, 0), time.Unix(0, 0),
		time.Date(2038, 1, 20, 3, 14, 7, 999, time.UTC), time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		for offset := int64(-DriftSteps - 2); offset <= DriftSteps+2; offset++ {
			step := Step(now) + offset
			want := Match{}
			switch distance := max(offset, -offset); {
			case distance <= Skew:
				want = Match{OK: true, Step: step}
			case distance <= DriftSteps:
				want = Match{Drifted: true, Drift: time.Duration(offset) * Period}
			}
			if got := Check(k, code6(t, k, step), now); got != want {
				t.Errorf("at %v, %+d steps: %+v, want %+v", now, offset, got, want)
			}
		}
	}
}

// When steps share a code, the latest in the window counts, the window comes
// before drift, and outside it the nearest counts. The pairs are real ones of
// the RFCs' key.
func TestCheckSharedCodes(t *testing.T) {
	k := rfcKey(t)
	for _, tc := range []struct {
		first, second, now int64
		want               Match
	}{
		{153567, 153569, 153568, Match{OK: true, Step: 153569}},
		{2386, 2394, 2386, Match{OK: true, Step: 2386}},
		{2386, 2394, 2394, Match{OK: true, Step: 2394}},
		{134412, 134447, 134429, Match{Drifted: true, Drift: -17 * Period}},
		{134412, 134447, 134430, Match{Drifted: true, Drift: 17 * Period}},
	} {
		code := Code(k, tc.first)
		if code != Code(k, tc.second) {
			t.Fatalf("steps %d and %d do not share a code", tc.first, tc.second)
		}
		if got := Check(k, code, at(tc.now)); got != tc.want {
			t.Errorf("steps %d and %d at %d: %+v, want %+v", tc.first, tc.second, tc.now, got, tc.want)
		}
	}
}

func at(step int64) time.Time { return time.Unix(step*int64(Period/time.Second), 0) }

// Any order of presenting codes accepts each step at most once if the caller
// takes only steps greater than the last (RFC 6238 section 5.2).
func TestNoStepTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		k := mustKey(t, rapid.SliceOfN(rapid.Byte(), 10, 64).Draw(r, "key"))
		now := rapid.Int64Range(1000, 1<<40).Draw(r, "now")
		last, accepted := int64(math.MinInt64), map[string]bool{}
		for _, offset := range rapid.SliceOfN(rapid.Int64Range(-3, 3), 1, 12).Draw(r, "offsets") {
			now += rapid.Int64Range(0, 1).Draw(r, "pause")
			code := Code(k, now+offset)
			m := Check(k, code, at(now))
			if m.OK && max(m.Step-now, now-m.Step) > Skew {
				r.Fatalf("step %d accepted at %d", m.Step, now)
			}
			if m.OK && m.Step > last {
				if accepted[code] {
					r.Fatalf("code %s accepted twice", code)
				}
				last, accepted[code] = m.Step, true
			}
		}
	})
}

func TestNormalise(t *testing.T) {
	for _, tc := range []struct {
		in, want string
	}{
		{"123456", "123456"}, {"000000", "000000"},
		{" 123 456\t", "123456"}, {"123-456", "123456"}, {"12\u00a034\u202f56", "123456"}, {"123\u2013456", "123456"},
		{"", ""}, {"12345", ""}, {"1234567", ""}, {"12345678", ""}, {"      ", ""},
		{"１２３４５６", ""}, {"١٢٣٤٥٦", ""}, {"12345a", ""}, {"12345\x00", ""}, {"123456\n", ""}, {"123456\r", ""},
		{"+12345", ""}, {"1234\xff6", ""}, {"12.456", ""}, {"٣٣٣", ""},
		{strings.Repeat(" ", 58) + "123456", "123456"}, {strings.Repeat(" ", 59) + "123456", ""},
		{strings.Repeat("1", 1<<20), ""}, {strings.Repeat(" ", 1<<20), ""},
	} {
		got, ok := Normalise(tc.in)
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("Normalise(%.40q) = %q, %v; want %q", tc.in, got, ok, tc.want)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	now := time.Unix(59, 0)
	for _, code := range []string{"", "287082x", "28708", "0287082", "２８７０８２", strings.Repeat("287082", 200_000)} {
		if m := Check(rfcKey(t), code, now); m != (Match{}) {
			t.Errorf("Check(%.20q) = %+v, want nothing", code, m)
		}
	}
	if m := Check(rfcKey(t), " 287-082 ", now); !m.OK {
		t.Error("separators are not ignored")
	}
	// What an empty HMAC key would give must open nothing.
	empty, err := hotp.GenerateCodeCustom("", 1, hotp.ValidateOpts{Digits: otp.DigitsSix})
	if err != nil {
		t.Fatal(err)
	}
	if m := Check(Key{}, empty, now); m != (Match{}) || Code(Key{}, 1) != "" {
		t.Errorf("the zero Key matches: %+v", m)
	}
}

func TestDescribeDrift(t *testing.T) {
	for _, tc := range []struct {
		d    time.Duration
		want string
	}{
		{4 * time.Minute, "about 4 minutes fast"}, {-time.Minute, "about 1 minute slow"},
		{45 * time.Second, "about 45 seconds fast"}, {-time.Second, "about 1 second slow"},
		{90 * time.Second, "about 2 minutes fast"}, {-150 * time.Second, "about 3 minutes slow"},
		{59*time.Second + 600*time.Millisecond, "about 1 minute fast"},
		{-600 * time.Second, "about 10 minutes slow"}, {0, "on time"}, {-400 * time.Millisecond, "on time"},
		{math.MinInt64, "about 153722867 minutes slow"},
	} {
		if got := DescribeDrift(tc.d); got != tc.want {
			t.Errorf("DescribeDrift(%v) = %q, want %q", tc.d, got, tc.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"123456", "123 456", "１２３４５６", "", "12345\xff", "\u00a0-123456"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		code, ok := Normalise(s)
		if !ok {
			if code != "" {
				t.Errorf("refused %q but returned %q", s, code)
			}
			return
		}
		if again, ok := Normalise(code); !ok || again != code || len(code) != Digits {
			t.Errorf("Normalise(%q) = %q, which is not normal", s, code)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("12345678901234567890"), "287082", int64(59))
	f.Add([]byte("1234567890"), "000000", int64(math.MaxInt64))
	f.Add([]byte("1234567890"), " 12-34 56", int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, secret []byte, code string, unix int64) {
		k, err := KeyFromBytes(secret)
		if err != nil {
			return
		}
		now := time.Unix(unix, 0)
		m := Check(k, code, now)
		normal, wellFormed := Normalise(code)
		right := map[int64]bool{}
		for offset := int64(-DriftSteps); offset <= DriftSteps; offset++ {
			right[offset] = Code(k, Step(now)+offset) == normal
		}
		switch drift := int64(m.Drift / Period); {
		case m.OK && (m.Drifted || !wellFormed || !right[m.Step-Step(now)]):
			t.Errorf("wrongly accepted: %+v", m)
		case m.Drifted && (!wellFormed || !right[drift] || right[-1] || right[0] || right[1]):
			t.Errorf("wrongly called drifted: %+v", m)
		case !m.OK && !m.Drifted && wellFormed:
			for offset, hit := range right {
				if hit {
					t.Errorf("missed offset %d", offset)
				}
			}
		}
	})
}

// The codes that Check compares with are those that Code, which is a library's
// work, shows.
func TestCheckTakesWhatCodeShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, err := KeyFromBytes(rapid.SliceOfN(rapid.Byte(), minKeyBytes, maxKeyBytes).Draw(t, "key"))
		if err != nil {
			t.Fatal(err)
		}
		codes := newCoder(k)
		for range 3 { // the same coder again and again
			step := rapid.Int64().Draw(t, "step")
			if codes.matches(Code(k, step), step) != 1 {
				t.Fatalf("the code of step %d is not taken", step)
			}
		}
	})
}
