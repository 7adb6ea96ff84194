package ui

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Pace of a progress bar: quick work never shows one, and slow work does not
// flicker.
const (
	barDelay = 500 * time.Millisecond
	barEvery = 100 * time.Millisecond
)

// Progress shows how far a long run has come: on a terminal a bar on the last
// line of standard error, accessible a line for every tenth, and nothing in a
// pipe or with a JSON format. Its methods may be called by several goroutines.
type Progress struct {
	u     *IO
	unit  string
	start time.Time
	stop  func()

	mu          sync.Mutex
	done, total int64
	note        string
	tenth       int64 // last tenth said

	drawn bool // guarded by u.mu
}

// Progress starts showing progress through total units, named by unit in the
// plural ("accounts"). Done must be called.
func (u *IO) Progress(total int64, unit string) *Progress {
	p := &Progress{u: u, unit: Clean(unit), total: total, start: time.Now(), stop: func() {}}
	if !u.errTTY || u.quiet() || u.accessible {
		return p
	}
	u.mu.Lock()
	u.bar = p
	u.mu.Unlock()
	quit, ended := make(chan struct{}), make(chan struct{})
	go p.run(quit, ended)
	p.stop = sync.OnceFunc(func() { close(quit); <-ended })
	return p
}

// Add says that n more units are done.
func (p *Progress) Add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	p.say()
}

// Set says that n units are done in all.
func (p *Progress) Set(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = n
	p.say()
}

// Note sets the words at the end of the line, such as "0 failed".
func (p *Progress) Note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = Clean(s)
}

// Done takes the bar away. It may be called twice.
func (p *Progress) Done() {
	p.stop()
	p.u.mu.Lock()
	defer p.u.mu.Unlock()
	p.erase()
	if p.u.bar == p {
		p.u.bar = nil
	}
}

// say prints the line of accessible mode when another tenth is done.
func (p *Progress) say() {
	if !p.u.accessible || !p.u.errTTY || p.u.quiet() || p.total <= 0 {
		return
	}
	if tenth := 10 * p.done / p.total; tenth > p.tenth {
		p.tenth = tenth
		line := fmt.Sprintf("%d of %d %s done", p.done, p.total, p.unit)
		if p.note != "" {
			line += ", " + p.note
		}
		p.u.print(p.u.err, line+".")
	}
}

// run redraws the bar until quit is closed.
func (p *Progress) run(quit <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	tick := time.NewTicker(barEvery)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case now := <-tick.C:
			if since := now.Sub(p.start); since >= barDelay {
				p.draw(since)
			}
		}
	}
}

// draw replaces the last line of standard error by the bar.
func (p *Progress) draw(since time.Duration) {
	w, _ := sizeOf(p.u.opt.Stderr)
	line := p.line(since, w-1)
	p.u.mu.Lock()
	defer p.u.mu.Unlock()
	p.erase()
	_, _ = p.u.opt.Stderr.WriteString(line)
	p.drawn = true
}

// erase takes the bar away; the caller holds u.mu. These two controls are
// plain ASCII and ECMA-48, so they go to the file and past the colours.
func (p *Progress) erase() {
	if p.drawn {
		_, _ = p.u.opt.Stderr.WriteString("\r\x1b[K")
		p.drawn = false
	}
}

// line is the bar in at most width cells; a narrow window first gets a shorter
// bar and then no rate.
func (p *Progress) line(since time.Duration, width int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	rate := float64(p.done) / since.Seconds()
	count, speed, left := fmt.Sprintf("%d %s", p.done, p.unit), fmt.Sprintf("  %.0f/s", rate), ""
	if p.total > 0 {
		count = fmt.Sprintf("%d/%d", p.done, p.total)
		if rate > 0 && p.done < p.total {
			left = "  " + span(time.Duration(float64(p.total-p.done)/rate*float64(time.Second))) + " left"
		}
	}
	note := ""
	if p.note != "" {
		note = "   " + p.note
	}
	for _, try := range []string{
		p.gauge(20) + count + speed + left + note,
		p.gauge(10) + count + speed + left + note,
		p.gauge(10) + count + left + note,
	} {
		if ansi.StringWidth(try) <= width {
			return try
		}
	}
	return ansi.Truncate(count+left+note, width, "…")
}

// gauge draws the done part in n cells.
func (p *Progress) gauge(n int64) string {
	if p.total <= 0 {
		return ""
	}
	full := min(max(n*p.done/p.total, 0), n)
	return "[" + strings.Repeat("#", int(full)) + strings.Repeat("-", int(n-full)) + "]  "
}

// span is a time to wait, rounded for a person.
func span(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 90*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}
