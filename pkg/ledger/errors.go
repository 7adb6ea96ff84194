package ledger

import "errors"

// MaxLeaf is the length in bytes of the longest leaf a log takes: an entry
// bundle of C2SP tlog-tiles counts an entry's bytes in 16 bits.
const MaxLeaf = 65535

// Errors of this package, to be told apart with [errors.Is]. Those that speak
// of the log rather than of the call have a [Problem] each: see [ProblemOf].
var (
	// ErrLeafTooLong: a leaf has more than [MaxLeaf] bytes. Nothing was computed.
	ErrLeafTooLong = errors.New("entry is longer than 65535 bytes")
	// ErrAltered: bytes of the log are not those its tree was built over.
	ErrAltered = errors.New("the log was altered")
	// ErrTruncated: the log is shorter than it is known to have been.
	ErrTruncated = errors.New("the log was cut short")
	// ErrForked: the log is another one than the earlier head or checkpoint speaks of.
	ErrForked = errors.New("the log is not a continuation of the known one")
	// ErrBadSignature: no pinned key signed these bytes, or they are no checkpoint at all.
	ErrBadSignature = errors.New("the checkpoint is not signed by a known key")
	// ErrWrongOrigin: the checkpoint or the key speaks for another log.
	ErrWrongOrigin = errors.New("the checkpoint belongs to another log")
	// ErrMissing: a part that must be there is not.
	ErrMissing = errors.New("a part of the log is missing")
	// ErrOrigin: a text cannot serve as origin and key name.
	ErrOrigin = errors.New("not a usable log origin")
	// ErrRange: a size, position or range lies outside the log or does not fit.
	ErrRange = errors.New("position outside the log")
)

// Problem names what is wrong with a log; the values are part of the JSON
// answer of `audit verify`.
type Problem string

// The problems a log can have. [OK] is none.
const (
	OK           Problem = ""
	Altered      Problem = "altered"
	Truncated    Problem = "truncated"
	Forked       Problem = "forked"
	BadSignature Problem = "bad_signature"
	WrongOrigin  Problem = "wrong_origin"
	Missing      Problem = "missing"
)

// ProblemOf gives the problem that err stands for: [OK] for nil and for an
// error that says nothing about the log (a failed read, a cancelled context).
func ProblemOf(err error) Problem {
	for _, p := range []struct {
		err     error
		problem Problem
	}{
		{ErrAltered, Altered}, {ErrTruncated, Truncated}, {ErrForked, Forked},
		{ErrBadSignature, BadSignature}, {ErrWrongOrigin, WrongOrigin}, {ErrMissing, Missing},
	} {
		if errors.Is(err, p.err) {
			return p.problem
		}
	}
	return OK
}
