package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// The line prompter: plain lines for screen readers and dumb terminals, with no
// escape sequence and nothing redrawn. huh's own accessible mode takes the
// default at end of input and skips validators, which a security question
// cannot have.

// sayf prints a line that belongs to a question. A question that may be asked
// is shown whatever the format of the answer: nobody agrees to what is unseen.
func (u *IO) sayf(format string, args ...any) {
	u.print(u.err, u.lines(u.errTTY, Sprintf(format, args...).s))
}

// escapeKey is what Esc leaves in a line.
const escapeKey = "\x1b"

// answer is one line typed, or why there is none.
type answer struct {
	line string
	err  error
}

// line asks with label and returns the line typed. End of input, Esc and Enter, a
// signal and the end of ctx are [ErrCancelled].
func (u *IO) line(ctx context.Context, label string, echo bool) (string, error) {
	ctx, stop := signal.NotifyContext(ctx, hangups...)
	defer stop()
	read, restore, err := u.reader(echo)
	if err != nil {
		return "", ErrCancelled
	}
	defer restore() // however it ends: the reader cannot be interrupted
	_ = u.write(u.err, u.lines(u.errTTY, label)+" ")
	got := u.await(read)
	select {
	case <-ctx.Done():
		_ = u.write(u.err, "\n")
		return "", ErrCancelled
	case a := <-got:
		u.pending = nil
		if !echo || a.err != nil {
			_ = u.write(u.err, "\n")
		}
		if a.err != nil || strings.Contains(a.line, escapeKey) && strings.Trim(a.line, escapeKey+" ") == "" {
			return "", ErrCancelled
		}
		if !echo {
			return erased(a.line), nil
		}
		return a.line, nil
	}
}

// reader is how to read a line, and how to put the terminal back afterwards.
func (u *IO) reader(echo bool) (read func() (string, error), restore func(), err error) {
	fd := int(u.opt.Stdin.Fd())
	read = func() (string, error) { return readLine(u.in) }
	if !echo {
		restore, err = silence(fd)
		if !errors.Is(err, errors.ErrUnsupported) {
			return read, restore, err
		}
		read = func() (string, error) {
			b, err := term.ReadPassword(fd)
			return string(b), err
		}
	}
	state, err := term.GetState(fd)
	return read, func() { _ = term.Restore(fd, state) }, err
}

// await starts reading a line. A read left behind by a cancelled question
// serves the next one, so that two never compete for the same input.
func (u *IO) await(read func() (string, error)) <-chan answer {
	if u.pending != nil {
		return u.pending
	}
	got := make(chan answer, 1)
	u.pending = got
	go func() {
		line, err := read()
		got <- answer{line, err}
	}()
	return got
}

// erased carries out the ^H in a line: where the terminal erases by another key,
// nobody saw that it did not.
func erased(line string) string {
	for {
		at := strings.IndexByte(line, '\b')
		if at < 0 {
			return line
		}
		_, n := utf8.DecodeLastRuneInString(line[:at])
		line = line[:at-n] + line[at+1:]
	}
}

// maxLine bounds one line of input in bytes.
const maxLine = 64 << 10

// errLongLine is returned for a line of more than [maxLine] bytes.
var errLongLine = errors.New("a line of input is longer than 64 KiB")

// readLine reads one line without its LF or CRLF. The last line may lack one;
// no line at all is [io.EOF].
func readLine(r io.ByteReader) (string, error) {
	var b []byte
	for {
		c, err := r.ReadByte()
		switch {
		case err != nil && len(b) == 0:
			return "", err
		case err != nil && !errors.Is(err, io.EOF):
			return "", err
		case err != nil || c == '\n':
			return strings.TrimSuffix(string(b), "\r"), nil
		case len(b) > maxLine:
			return "", errLongLine
		}
		b = append(b, c)
	}
}

// confirmLine is [IO.Confirm] in lines: the question, every fact and
// consequence, then the word to type.
func (u *IO) confirmLine(ctx context.Context, d Dialog) (Answer, error) {
	u.discardInput()
	u.sayf("%s", d.Title)
	for _, f := range d.Facts {
		u.sayf("%s: %s", f.Label, f.Value)
	}
	for _, e := range d.Extra {
		u.sayf("%s", e)
	}
	for _, w := range d.Warnings {
		u.sayf("Warning: %s", w)
	}
	if len(d.Will) > 0 {
		u.sayf("This will: %s.", strings.Join(cleanAll(d.Will), "; "))
	}
	if len(d.WillNot) > 0 {
		u.sayf("This will not: %s.", strings.Join(cleanAll(d.WillNot), "; "))
	}
	if d.TypeToConfirm == "" {
		d.TypeToConfirm = d.Word
	}
	ask, or := fmt.Sprintf("Type %s to %s", Clean(d.TypeToConfirm), Clean(d.Action)), quoted(d.TypeToConfirm)
	if d.OtherWord != "" {
		ask += fmt.Sprintf(", %s to %s", Clean(d.OtherWord), Clean(d.OtherAction))
		or += " or " + quoted(d.OtherWord)
	}
	for {
		got, err := u.line(ctx, ask+", or press Enter to "+Clean(d.Decline)+":", true)
		switch {
		case err != nil:
			return Declined, err
		case d.typed(got):
			return Agreed, nil
		case d.OtherWord != "" && strings.EqualFold(strings.TrimSpace(got), d.OtherWord):
			return Otherwise, nil
		case strings.TrimSpace(got) == "":
			return Declined, nil
		}
		u.sayf("That was not %s.", or)
	}
}

// selectLine is [IO.Select] in lines: numbered options, then a number.
func (u *IO) selectLine(ctx context.Context, title string, options []Option) (int, error) {
	u.discardInput()
	u.sayf("%s", title)
	for i, o := range options {
		u.sayf("  %d: %s", i+1, strings.TrimRight(o.Label+", "+o.Detail, ", "))
	}
	for {
		got, err := u.line(ctx, fmt.Sprintf("Type a number from 1 to %d, or press Enter to cancel:", len(options)), true)
		if err != nil {
			return 0, err
		}
		got = strings.TrimSpace(got)
		if got == "" {
			return 0, ErrCancelled
		}
		if n, err := strconv.Atoi(got); err == nil && n >= 1 && n <= len(options) {
			return n - 1, nil
		}
		u.sayf("%s is not one of the numbers.", quoted(got))
	}
}

// inputLine is [IO.Input] in lines; a refused answer is asked for again.
func (u *IO) inputLine(ctx context.Context, spec InputSpec) (string, error) {
	u.discardInput()
	if spec.Description != "" {
		u.sayf("%s", spec.Description)
	}
	for {
		got, err := u.line(ctx, spec.label()+":", true)
		if err != nil {
			return "", err
		}
		if err := spec.check(got); err != nil {
			u.sayf("%s", err)
			continue
		}
		return spec.value(got), nil
	}
}

// passwordLine is one password in lines.
func (u *IO) passwordLine(ctx context.Context, spec InputSpec) (string, error) {
	u.discardInput()
	for {
		got, err := u.line(ctx, spec.label()+" (typing is not shown):", false)
		if err != nil {
			return "", err
		}
		if err := spec.check(got); err != nil {
			u.sayf("%s", err)
			continue
		}
		return got, nil
	}
}
