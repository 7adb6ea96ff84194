package ui

import (
	"bufio"
	"os"
	"sync"

	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"
)

// Format is how answers are written.
type Format string

// The formats of -o. Text is a table or card on a terminal and tab-separated
// in a pipe; the others are for machines and never depend on the terminal.
const (
	FormatText  Format = "text"
	FormatJSON  Format = "json"
	FormatJSONL Format = "jsonl"
	FormatCSV   Format = "csv"
)

// Options says which streams an [IO] uses and how it talks on them. Nil
// streams are the process's own, a nil Getenv is [os.Getenv], an empty Color
// is "auto" and an empty Format is [FormatText].
type Options struct {
	Stdin, Stdout, Stderr *os.File
	Getenv                func(string) string
	Color                 string // auto, always or never
	NoInput               bool   // never ask
	Accessible            bool   // line prompts, no redraw
	NoAltScreen           bool   // secrets are shown in the flow
	Format                Format
}

// IO is the terminal, pipe or file a command talks to. It is safe for use by
// several goroutines, except that one question is asked at a time.
type IO struct {
	opt                   Options
	inTTY, outTTY, errTTY bool
	accessible, dumb      bool
	pane                  *Pane // instead of the terminal, or nil

	in      *bufio.Reader
	pending <-chan answer // a line being read for a question since cancelled

	mu       sync.Mutex // guards the rest and keeps lines whole
	out, err *colorprofile.Writer
	outErr   error
	warnings []string
	step     string    // of an enrolment in lines, before what is shown next
	bar      *Progress // drawn on the last line of standard error
}

// New returns an IO over o. It reads the environment once and writes nothing.
func New(o Options) *IO {
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Format == "" {
		o.Format = FormatText
	}
	u := &IO{opt: o, in: bufio.NewReader(o.Stdin)}
	u.inTTY = term.IsTerminal(int(o.Stdin.Fd()))
	u.outTTY = term.IsTerminal(int(o.Stdout.Fd()))
	u.errTTY = term.IsTerminal(int(o.Stderr.Fd()))
	u.dumb = o.Getenv("TERM") == "dumb"
	u.accessible = accessible(o)
	enableANSI(o.Stdout)
	enableANSI(o.Stderr)
	u.out = &colorprofile.Writer{Forward: o.Stdout, Profile: profile(o, u.outTTY)}
	u.err = &colorprofile.Writer{Forward: o.Stderr, Profile: profile(o, u.errTTY)}
	return u
}

// accessible reports whether the person asked for line prompts. ACCESSIBLE is
// the variable other terminal programs share; "0" and "false" switch it off.
func accessible(o Options) bool {
	if o.Accessible || o.Getenv("TERM") == "dumb" {
		return true
	}
	v := o.Getenv("ACCESSIBLE")
	return v != "" && v != "0" && v != "false"
}

// CanPrompt reports whether a question can be asked: standard input and
// standard error are terminals and input was not switched off.
func (u *IO) CanPrompt() bool { return u.inTTY && u.errTTY && !u.opt.NoInput }

// InTerminal reports whether standard input is a terminal.
func (u *IO) InTerminal() bool { return u.inTTY }

// OutTerminal reports whether standard output is a terminal.
func (u *IO) OutTerminal() bool { return u.outTTY }

// ErrTerminal reports whether standard error is a terminal.
func (u *IO) ErrTerminal() bool { return u.errTTY }

// Accessible reports whether questions are asked as plain lines: asked for by
// option or ACCESSIBLE (not 0 or false), or because the terminal is dumb.
func (u *IO) Accessible() bool { return u.accessible }

// Machine reports whether answers are for a program: json, jsonl or csv.
func (u *IO) Machine() bool { return u.opt.Format != FormatText }

// Format returns how answers are written.
func (u *IO) Format() Format { return u.opt.Format }

// quiet reports whether standard error is reserved for one error object.
func (u *IO) quiet() bool {
	return u.opt.Format == FormatJSON || u.opt.Format == FormatJSONL
}

// Size returns the width and height in cells of the terminal that people read,
// or 80×24 when there is none.
func (u *IO) Size() (width, height int) {
	if u.pane != nil {
		return u.pane.size()
	}
	return sizeOf(u.opt.Stdout, u.opt.Stderr)
}

// sizeOf returns the size of the first of files that is a terminal with one.
func sizeOf(files ...*os.File) (width, height int) {
	for _, f := range files {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}
