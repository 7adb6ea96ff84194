package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// How many connections there are at the most; how long one is kept, so that one
// that was moved from a lost server to another finds its way back; how long a
// server that lets in no more is not asked again; and how often it is where there
// is no connection at all, one of which may just be on its way.
const (
	maxConns   = 12
	maxConnAge = 30 * time.Minute
	crowdedFor = 5 * time.Second
	fullTries  = 10
	fullPause  = 50 * time.Millisecond
)

func (e *pgEngine) connect(bool) (*sql.DB, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pool == nil {
		// No round trip to see whether a connection lives: begin finds out.
		e.pool = stdlib.OpenDB(*e.config, stdlib.OptionAfterConnect(e.connected),
			stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
		e.pool.SetMaxOpenConns(maxConns)
		e.pool.SetMaxIdleConns(maxConns)
		e.pool.SetConnMaxLifetime(maxConnAge)
	}
	return e.pool, nil
}

// makeDo has those who want a connection wait for the ones in use, if there are
// any: where the server is full, a request that waits its turn is better than one
// that fails. It is not for commands, which may have the other one themselves.
func (e *pgEngine) makeDo() bool {
	have := int(e.inUse.Load())
	if have == 0 {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pool.SetMaxOpenConns(have)
	if e.crowded == nil {
		e.crowded = time.AfterFunc(crowdedFor, func() {
			e.pool.SetMaxOpenConns(maxConns)
			e.pool.SetMaxIdleConns(maxConns)
		})
	}
	e.crowded.Reset(crowdedFor)
	return true
}

// leave turns away from a server that has become a standby: none of the
// connections that lie idle may be used again, nor the one in hand.
func (e *pgEngine) leave(conn *sql.Conn, raw *sql.Tx) {
	if e.hosts < 2 {
		return
	}
	_ = raw.Rollback()
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	e.pool.SetMaxIdleConns(-1)
	e.pool.SetMaxIdleConns(maxConns)
}
