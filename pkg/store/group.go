package store

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// group lets the writers of one process share transactions. There is one baton.
// Who has it runs its function on its own goroutine, inside a savepoint of the
// transaction under way, and hands both on to the next in the queue; the last
// one commits for all, and only then is anybody answered who depends on it.
// The writers of the next transaction gather while one is being committed, so a
// lone writer waits for nobody.
type group struct {
	store *Store

	mu    sync.Mutex // guards the two that follow
	taken bool       // somebody has the baton
	queue []*writer  // who waits for it, in order

	// The rest is for whoever has the baton.
	open  *shared // the transaction under way; nil between two
	*line         // the one that writes; nil until then
}

// writer is one who waits for the baton.
type writer struct {
	turn  chan struct{} // closed when the baton is handed over
	alone bool          // wants a transaction of its own
}

// shared is a transaction that several writers share.
type shared struct {
	last    *Tx // the log's head as the members left it
	began   time.Time
	unlock  func()
	members int  // whose changes are in it
	alone   bool // nobody may join
	lost    bool // the database took all of it back
	memo    memo
	tail    tail
	done    chan struct{} // closed when it has ended, with err
	err     error
}

// How many writers share a transaction at most, and how long one stays open for
// others to join.
const (
	groupMost = 512
	groupOpen = 20 * time.Millisecond
)

var (
	errNotAlone = errors.New("this takes a transaction of its own")
	errLost     = errors.New("the transaction was taken back by the database")
)

// Alone makes sure that nobody else's changes are in the transaction, before or
// after: what it sees is committed, and its end is its own. Who has effects
// outside the store that depend on what is committed, or takes long, calls it
// first and returns its error as it is; the function is then run again, alone.
func (tx *Tx) Alone() error {
	if tx.shared == nil || tx.shared.alone {
		return nil
	}
	tx.failed = errNotAlone
	return errNotAlone
}

// update is [Store.Update] for a group.
func (g *group) update(ctx context.Context, fn func(*Tx) error) error {
	alone := false
	return retry(ctx, func() (again bool, err error) {
		again, err = g.join(ctx, alone, fn)
		if errors.Is(err, errNotAlone) || errors.Is(err, errLost) {
			alone = true // where nobody else's trouble is this one's
			again, err = g.join(ctx, alone, fn)
		}
		return again, err
	})
}

// join runs fn as a member of a transaction and waits until that has ended, if
// what fn did or saw depends on it. again is as in [Store.run].
func (g *group) join(ctx context.Context, alone bool, fn func(*Tx) error) (again bool, err error) {
	if err := g.take(ctx, alone); err != nil {
		return false, err
	}
	t, again, err := g.member(ctx, alone, fn)
	if t == nil {
		return again, err
	}
	<-t.done
	switch {
	case t.lost || t.err != nil && (err != nil || t.members > 1): // what it did, or saw, has not come to be
		return false, errLost
	case err != nil:
		return again, err
	}
	return g.store.engine.retryable(t.err), g.store.engine.explain(t.err)
}

// take waits for the baton, until ctx ends: then nothing has been done.
func (g *group) take(ctx context.Context, alone bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return nil
	}
	w := &writer{turn: make(chan struct{}), alone: alone}
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	i := slices.Index(g.queue, w)
	if i >= 0 {
		g.queue = slices.Delete(g.queue, i, i+1)
	}
	g.mu.Unlock()
	if i < 0 { // it was handed over at the same moment, perhaps with a transaction to end
		g.pass()
	}
	return ctx.Err()
}

// pass hands the baton on, with the transaction under way if the next in the
// queue may join it. Otherwise that is ended first.
func (g *group) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := g.open; t != nil && len(g.queue) == 0 && !t.closed() {
		// Whoever is on the way here comes first, as a commit takes as long for few
		// as for many; where nobody is, this is no time.
		g.mu.Unlock()
		runtime.Gosched()
		g.mu.Lock()
	}
	if t := g.open; t != nil && (len(g.queue) == 0 || g.queue[0].alone || t.closed()) {
		g.open = nil
		g.mu.Unlock()
		g.end(t)
		g.mu.Lock()
	}
	if len(g.queue) == 0 {
		g.taken = false
		return
	}
	next := g.queue[0]
	g.queue = g.queue[1:]
	close(next.turn)
}

// closed tells that nobody may join any more.
func (t *shared) closed() bool {
	return t.alone || t.lost || t.members >= groupMost || time.Since(t.began) > groupOpen
}

// member runs fn in a savepoint and passes the baton on, also when fn panics. It
// returns the transaction whose end has to be waited for, if any.
func (g *group) member(ctx context.Context, alone bool, fn func(*Tx) error) (wait *shared, again bool, err error) {
	defer g.pass()
	if g.open == nil {
		if g.open, err = g.begin(ctx, alone); err != nil {
			return nil, g.store.engine.retryable(err), g.store.engine.explain(err)
		}
	}
	t := g.open
	tx := g.newTx(ctx, t)
	before, kept := t.tail, false
	defer func() {
		if !kept {
			t.takeBack(g)
			t.tail = before // whether it has been written meanwhile or not
		}
	}()
	if err = t.frame(g, `SAVEPOINT member`); err == nil {
		if err = tx.run(fn); err == nil {
			err = t.frame(g, `RELEASE member`)
		}
	}
	if err == nil {
		kept = true
		t.members++
		t.last = tx
		return t, false, nil
	}
	if t.members > 0 && !errors.Is(err, errNotAlone) {
		wait = t // what it saw may not come to be
	}
	return wait, g.store.engine.retryable(err) || tx.collided, g.store.engine.explain(err)
}

// takeBack undoes what a member did. When the database has undone the whole
// transaction by itself, as it does when the disk is full, all of it is lost.
func (t *shared) takeBack(g *group) {
	t.memo = memo{}
	if t.frame(g, `ROLLBACK TO member`) != nil || t.frame(g, `RELEASE member`) != nil {
		t.lost = true
	}
}

// frame sets or ends a member's savepoint. Who is alone needs none, and what is
// long, such as an import, is better without.
func (t *shared) frame(g *group, statement string) error {
	if t.alone {
		return nil
	}
	return g.exec(statement)
}

func (g *group) newTx(ctx context.Context, t *shared) *Tx {
	tx := g.store.newTx(ctx, g.conn)
	tx.shared, tx.memo, tx.stmts = t, &t.memo, g.stmts
	tx.write, tx.size, tx.root, tx.closed = true, t.last.size, t.last.root, t.last.closed
	return tx
}

// begin begins a transaction, with the lock among processes.
func (g *group) begin(ctx context.Context, alone bool) (*shared, error) {
	unlock, err := g.store.engine.lock(ctx)
	if err != nil {
		return nil, err
	}
	if err = g.connect(ctx); err == nil {
		err = g.exec(`BEGIN IMMEDIATE`)
	}
	if err != nil {
		unlock()
		_ = g.close() // the next one connects anew
		return nil, err
	}
	t := &shared{began: time.Now(), unlock: unlock, alone: alone, done: make(chan struct{})}
	t.last = g.store.newTx(context.WithoutCancel(ctx), g.conn)
	t.last.stmts = g.stmts
	if err := t.last.begin(true); err != nil {
		t.lost = true
		g.end(t)
		return nil, err
	}
	return t, nil
}

// connect takes the connection for good, and its statements with it.
func (g *group) connect(ctx context.Context) error {
	if g.line != nil {
		g.trim()
		return nil
	}
	db, err := g.store.db(true)
	if err != nil {
		return err
	}
	if g.line, err = openLine(ctx, db); err != nil {
		return err
	}
	// What a savepoint keeps of the pages before it is little, and soon thrown
	// away: not worth a file.
	return g.exec(`PRAGMA temp_store = MEMORY`)
}

// end ends a transaction: commits it if there is something in it.
func (g *group) end(t *shared) {
	if t.lost || t.members == 0 {
		_ = g.exec(`ROLLBACK`) // there may be none
	} else if t.err = g.commit(t); t.err != nil {
		_ = g.exec(`ROLLBACK`)
	}
	t.unlock()
	close(t.done)
}

func (g *group) commit(t *shared) error {
	if err := g.newTx(context.Background(), t).writeTail(); err != nil {
		return err
	}
	return g.exec(`COMMIT`)
}

// scrub is [Store.Scrub] for a group.
func (g *group) scrub(ctx context.Context) error {
	if err := g.take(ctx, true); err != nil {
		return err
	}
	defer g.pass()
	unlock, err := g.store.engine.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err = g.connect(ctx); err == nil {
		err = g.store.engine.scrub(ctx, g.conn)
	}
	return g.store.engine.explain(err)
}

// close gives the connection back. Nobody may be writing.
func (g *group) close() error {
	if g.line == nil {
		return nil
	}
	err := g.line.close()
	g.line = nil
	return err
}
