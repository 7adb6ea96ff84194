package ui

import (
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Pane is the part of a full-screen program in which a command talks: what the
// command says is kept as lines, and what it asks is shown by the program.
type Pane struct {
	News chan struct{} // something was said or asked since

	mu            sync.Mutex // guards the rest
	width, height int
	said          []said
	asked         *Asked
	closed        bool
}

// said is one line: of the answer, or of the talk around it.
type said struct {
	line   string
	answer bool
}

// NewPane returns an empty pane of that size.
func NewPane(width, height int) *Pane {
	return &Pane{News: make(chan struct{}, 1), width: width, height: height}
}

// In returns an IO whose answers, talk and questions go to the pane.
func (u *IO) In(p *Pane) *IO {
	in := &IO{opt: u.opt, inTTY: true, outTTY: true, errTTY: true, pane: p, in: u.in}
	in.out = &colorprofile.Writer{Forward: paneWriter{p, true}, Profile: colorprofile.ANSI}
	in.err = &colorprofile.Writer{Forward: paneWriter{p, false}, Profile: colorprofile.ANSI}
	return in
}

// Resize changes the size; a question is told by its [Asked.Update].
func (p *Pane) Resize(width, height int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.width, p.height = width, height
}

func (p *Pane) size() (width, height int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.width, p.height
}

// Lines is what was said so far, wrapped to the pane: everything, or the answer
// alone.
func (p *Pane) Lines(answer bool) (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.said {
		if s.answer || !answer {
			lines = append(lines, wrapTo(s.line, p.width)...)
		}
	}
	return lines
}

// Repeat gives the answer that was given on the pane on u.
func (p *Pane) Repeat(u *IO) {
	for _, line := range p.Lines(true) {
		u.print(u.out, line)
	}
}

// Asked is the question that is open, or nil.
func (p *Pane) Asked() *Asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// news tells the program around the pane to look.
func (p *Pane) news() {
	select {
	case p.News <- struct{}{}:
	default:
	}
}

// settling is how long keys that were read before a question may still be on
// their way when it opens.
const settling = 50 * time.Millisecond

// ask shows a question until it is over. What was typed before is thrown away:
// nobody may have agreed to a question they had not seen.
func (p *Pane) ask(u *IO, m ending) {
	u.discardInput()
	time.Sleep(settling)
	u.discardInput()
	a := &Asked{m: m, ended: make(chan struct{})}
	if !p.set(a) {
		return
	}
	<-a.ended
	p.set(nil)
}

// set opens or takes away a question, unless nobody is there any more.
func (p *Pane) set(a *Asked) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.asked = a
	p.news()
	return true
}

// Close leaves the open question, and each that would follow. The program around
// the pane has ended.
func (p *Pane) Close() {
	p.mu.Lock()
	a := p.asked
	p.closed = true
	p.mu.Unlock()
	if a != nil {
		a.Update(Leave{})
	}
}

// Asked is a question on a pane. Only the program around it calls its methods.
type Asked struct {
	m     ending
	ended chan struct{}
}

// Init returns the command that the question begins with.
func (a *Asked) Init() tea.Cmd { return a.m.Init() }

// Update passes a message to the question, which may end it.
func (a *Asked) Update(msg tea.Msg) tea.Cmd {
	if a.Ended() {
		return nil
	}
	_, cmd := a.m.Update(msg)
	if a.m.over() { // its command would end the program
		close(a.ended)
		return nil
	}
	return cmd
}

// Ended reports whether the question is over.
func (a *Asked) Ended() bool {
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}

// Lines draws the question.
func (a *Asked) Lines() []string { return strings.Split(a.m.View().Content, "\n") }

// paneWriter keeps what is written as lines of a pane.
type paneWriter struct {
	p      *Pane
	answer bool
}

// Write implements [io.Writer]; every write is of whole lines.
func (w paneWriter) Write(b []byte) (int, error) {
	w.p.mu.Lock()
	for line := range strings.Lines(string(b)) {
		w.p.said = append(w.p.said, said{strings.TrimSuffix(line, "\n"), w.answer})
	}
	w.p.mu.Unlock()
	w.p.news()
	return len(b), nil
}
