package ui

import (
	"io"
	"strings"
)

// Answerf writes one line (or several, by newlines in the format) of the
// answer to standard output. Arguments are cleaned as by [Sprintf].
func (u *IO) Answerf(format string, args ...any) {
	u.print(u.out, u.lines(u.outTTY, Sprintf(format, args...).s))
}

// lines breaks text between words where it goes to a terminal.
func (u *IO) lines(tty bool, text string) string {
	if !tty {
		return unglued(text)
	}
	width, _ := u.Size()
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = fit(line, width)
	}
	return strings.Join(lines, "\n")
}

// Notef writes talk to standard error; nothing with a JSON format.
func (u *IO) Notef(format string, args ...any) {
	if !u.quiet() {
		u.print(u.err, u.lines(u.errTTY, Sprintf(format, args...).s))
	}
}

// Hintf writes a next step to standard error as "logiqc: hint: …"; nothing
// with a JSON format.
func (u *IO) Hintf(format string, args ...any) {
	if !u.quiet() {
		u.print(u.err, "logiqc: hint: "+Sprintf(format, args...).s)
	}
}

// Warnf keeps a warning for [IO.Warnings] and, except with a JSON format,
// writes it to standard error as "logiqc: warning: …".
func (u *IO) Warnf(format string, args ...any) {
	w := Sprintf(format, args...)
	u.mu.Lock()
	u.warnings = append(u.warnings, w.plain())
	u.mu.Unlock()
	if !u.quiet() {
		u.print(u.err, u.lines(u.errTTY, "logiqc: "+Yellow("warning:").s+" "+w.s))
	}
}

// Warnings returns what [IO.Warnf] was given so far, unstyled, never nil; JSON
// results carry it as "warnings".
func (u *IO) Warnings() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]string{}, u.warnings...)
}

// Error writes the one error of a failed command to standard error: in text
// "logiqc: error: …" and, unless hint is empty, "logiqc: hint: …"; with a JSON
// format one line {"error":{"code":…,"message":…,"hint":…}}. Newlines in
// message are kept in text, so that a finding may have lines below it.
func (u *IO) Error(code, message, hint string) {
	if u.quiet() {
		var e struct {
			Error struct {
				Code    string `json:"code"`
				Message string `json:"message"`
				Hint    string `json:"hint"`
			} `json:"error"`
		}
		e.Error.Code, e.Error.Message, e.Error.Hint = code, message, hint
		if line, err := marshal(e); err == nil {
			u.print(u.opt.Stderr, line)
		}
		return
	}
	u.print(u.err, u.lines(u.errTTY, "logiqc: "+Red("error:").s+" "+cleanLines(message)))
	if hint != "" {
		u.print(u.err, u.lines(u.errTTY, "logiqc: hint: "+cleanLines(hint)))
	}
}

// print writes s as lines of their own.
func (u *IO) print(w io.Writer, s string) { _ = u.write(w, strings.TrimSuffix(s, "\n")+"\n") }

// write is the only way out: one write at a time, with a progress bar taken
// away first. Text goes to the colouring writers, which drop what the stream
// may not show; machine formats go to the files as they are. A closed standard error has nowhere to complain, so callers of
// talk ignore the error and writers of answers return it.
func (u *IO) write(w io.Writer, s string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.bar != nil {
		u.bar.erase()
	}
	_, err := io.WriteString(w, s)
	if err != nil && u.outErr == nil && (w == u.out || w == u.opt.Stdout) {
		u.outErr = err
	}
	return err
}

// OutErr returns the first error of writing to standard output, if any: a
// command whose answer was lost has failed, whatever it did.
func (u *IO) OutErr() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.outErr
}
