package httpapi

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// What one server bears. They are far beyond an organisation's use and far
// below a machine's.
const (
	maxConnections = 4096
	maxOfOne       = 1024
	maxHeader      = 32 << 10 // bytes
	headerTimeout  = 5 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = 2 * time.Minute
	idleTimeout    = 2 * time.Minute
	signinBurst    = 200 // requests without a token from one source
	signinRate     = 20  // and then in a second
	maxSources     = 10_000
)

// connections are those of a server, on all its listeners.
type connections struct {
	slots chan struct{} // those taken; one of them by whoever waits in Accept
	open  atomic.Int64
	mu    sync.Mutex // guards of
	of    map[string]int
	most  int // of one source
}

func newConnections(all, ofOne int) *connections {
	return &connections{slots: make(chan struct{}, all), of: map[string]int{}, most: ofOne}
}

// enter tells whether there may be one more of a source.
func (n *connections) enter(source string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of[source] >= n.most {
		return false
	}
	n.of[source]++
	n.open.Add(1)
	return true
}

func (n *connections) leave(source string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open.Add(-1)
	if n.of[source]--; n.of[source] == 0 {
		delete(n.of, source)
	}
}

// limited is a listener that opens no more connections than there are slots;
// others wait in the kernel's queue. What one source opens beyond its share is
// closed at once: it would keep out everybody else.
type limited struct {
	net.Listener
	*connections
	done chan struct{}
	once sync.Once
}

func limitConnections(l net.Listener, n *connections) *limited {
	return &limited{Listener: l, connections: n, done: make(chan struct{})}
}

// Accept waits for a free slot and a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.slots
			return nil, err
		}
		source := paceOf(c.RemoteAddr().String())
		if l.enter(source) {
			return &slotted{Conn: c, free: sync.OnceFunc(func() { l.leave(source); <-l.slots })}, nil
		}
		_ = c.Close()
	}
}

// Close closes the listener; connections stay.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// slotted is a connection that takes up a slot.
type slotted struct {
	net.Conn
	free func()
}

func (c *slotted) Close() error {
	defer c.free()
	return c.Conn.Close()
}

// NetConn is the connection below.
func (c *slotted) NetConn() net.Conn { return c.Conn }

// sources limits what comes from each source without a token. The least lately
// seen is forgotten when there are too many of them.
type sources struct {
	mu    sync.Mutex // guards all below
	known map[string]*list.Element
	order *list.List // of *source, the last seen first
}

type source struct {
	name  string
	limit *rate.Limiter
}

func newSources() *sources { return &sources{known: map[string]*list.Element{}, order: list.New()} }

// allow tells whether one more request from there may pass now.
func (s *sources) allow(name string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.known[name]
	if !ok {
		if s.order.Len() >= maxSources {
			oldest := s.order.Back()
			delete(s.known, s.order.Remove(oldest).(*source).name)
		}
		e = s.order.PushFront(&source{name, rate.NewLimiter(signinRate, signinBurst)})
		s.known[name] = e
	}
	s.order.MoveToFront(e)
	return e.Value.(*source).limit.AllowN(now, 1)
}

// paceOf is what counts as one source: an IPv4 address, or the /64 that a
// host on IPv6 can choose its addresses from; whoever is not on a network is
// one source.
func paceOf(remoteAddr string) string {
	at, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return ""
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is6() {
		prefix, _ := ip.Prefix(64) // fails for a length that IPv6 has not
		return prefix.String()
	}
	return ip.String()
}
