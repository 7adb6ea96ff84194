package service

import (
	"context"
	"runtime"
	"sync"

	"github.com/logiqc/logiqc/pkg/logiqc"
	"github.com/logiqc/logiqc/pkg/store"
)

// lookups find out whose sessions and tokens were shown. Those that are shown
// while others are being looked up share the next transaction: it begins after
// each of them was shown, so what was revoked by then is refused.
type lookups struct {
	turn chan struct{} // holds a token for each transaction under way

	mu   sync.Mutex // guards next, and found of it
	next *lookup    // gathers; nil when nobody waits
}

// lookupsAtOnce is how many transactions look up at the same time: one that is
// slow does not hold up everybody.
const lookupsAtOnce = 2

func newLookups() *lookups { return &lookups{turn: make(chan struct{}, lookupsAtOnce)} }

// bearer is a session or a token as it is looked up.
type bearer struct {
	prefix string
	hash   [32]byte
}

// lookup is one transaction in which bearers are looked up.
type lookup struct {
	found map[bearer]holder // complete when done is closed
	err   error             // of all
	done  chan struct{}
}

// holder is who has a bearer, without where they are.
type holder struct {
	actor logiqc.Actor
	stale bool // its use has not been noted for long
	err   error
}

// holder looks a bearer up.
func (l *lookups) holder(ctx context.Context, s *store.Store, b bearer) (holder, error) {
	l.mu.Lock()
	mine, first := l.next, l.next == nil
	if first {
		mine = &lookup{found: map[bearer]holder{}, done: make(chan struct{}), err: logiqc.Internal}
		l.next = mine
	}
	mine.found[b] = holder{}
	l.mu.Unlock()
	if first {
		l.run(ctx, s, mine)
	}
	select {
	case <-mine.done:
	case <-ctx.Done():
		return holder{}, ctx.Err()
	}
	if mine.err != nil {
		return holder{}, mine.err
	}
	h := mine.found[b]
	return h, h.err
}

// run looks up all that have gathered when its turn comes, for others too: so
// it goes on when ctx ends.
func (l *lookups) run(ctx context.Context, s *store.Store, mine *lookup) {
	defer close(mine.done) // also after a panic, with the error that is there
	runtime.Gosched()      // for those who are about to ask as well; nobody is waited for
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	l.mu.Lock()
	l.next = nil
	l.mu.Unlock()
	mine.err = s.View(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		for b := range mine.found {
			h := holderOf(tx, b)
			if h.err != nil && logiqc.AsError(h.err).Code != logiqc.Unauthenticated {
				return h.err
			}
			mine.found[b] = h
		}
		return nil
	})
}

func holderOf(tx *store.Tx, b bearer) (h holder) {
	var used logiqc.Time
	if b.prefix == tokenPrefix {
		var t store.Token
		if t, h.err = tx.TokenByHash(b.hash); h.err == nil {
			used = t.LastUsedAt
			h.actor, h.err = tokenActor(tx.Now(), t, logiqc.Source{})
		}
	} else {
		var s store.Session
		if s, h.err = tx.SessionByHash(b.hash); h.err == nil {
			used = s.LastUsedAt
			h.actor, h.err = sessionActor(s, logiqc.Source{})
		}
	}
	if h.err != nil {
		h.err = unknownBearer(h.err)
	}
	h.stale = tx.Now().Sub(used) > touchEvery
	return h
}
