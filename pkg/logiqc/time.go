package logiqc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time is an instant in whole milliseconds since 1970-01-01 UTC. The zero
// Time means never; it is null in JSON, everything else RFC 3339 in UTC with
// three decimals.
type Time int64

const timeLayout = "2006-01-02T15:04:05.000Z"

// At converts t, dropping what is finer than a millisecond.
func At(t time.Time) Time { return Time(t.UnixMilli()) }

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// IsZero reports whether t means never.
func (t Time) IsZero() bool { return t == 0 }

// Add returns t+d, to the millisecond.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Sub returns t-u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// String is the RFC 3339 form, "" for never.
func (t Time) String() string {
	if t == 0 {
		return ""
	}
	return t.Std().Format(timeLayout)
}

// MarshalJSON writes the RFC 3339 form or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, and any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*t = 0
		return nil
	}
	s, err := strconv.Unquote(string(b))
	if err != nil {
		return fmt.Errorf("time %s: %w", b, err)
	}
	u, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return err
	}
	*t = At(u)
	return nil
}

// ParseTime reads a TIME of the command line: RFC 3339, a date (its first
// instant in loc), or an age such as 90s, 15m, 24h, 7d or 2w before now.
func ParseTime(s string, now time.Time, loc *time.Location) (Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return At(t), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, loc); err == nil {
		return At(t), nil
	}
	if d, err := ParseAge(s); err == nil {
		return At(now.Add(-d)), nil
	}
	return 0, Errorf(Usage, "%q is not a time: give RFC 3339, a date or an age such as 24h or 7d", s)
}

// longestAge bounds the days or weeks of an age: more would not fit in a
// time.Duration.
const longestAge = 10_000

// ParseAge reads a length of time: what time.ParseDuration takes, and whole
// days (7d) and weeks (2w). It is never negative.
func ParseAge(s string) (time.Duration, error) {
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(s); n > 1 && unit[s[n-1]] != 0 {
		count, err := strconv.ParseUint(s[:n-1], 10, 16)
		if length := time.Duration(count) * unit[s[n-1]]; err == nil && count <= longestAge {
			return length, nil
		}
	}
	d, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil || d < 0 {
		return 0, Errorf(Usage, "%q is not a length of time: give one such as 90s, 15m, 24h or 7d", s)
	}
	return d, nil
}
