package faultnet

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Proxy carries connections to a target. Its methods are safe for concurrent
// use.
type Proxy struct {
	listener net.Listener
	postgres bool
	working  sync.WaitGroup

	mu       sync.Mutex
	target   string
	lines    map[*line]struct{}
	closed   bool
	refuses  bool
	open     chan struct{} // closed while bytes flow
	delay    time.Duration
	rate     int // bytes a second each way; 0 is no limit
	fate     func(n int) Fate
	commits  int
	injected int
}

// New makes a proxy to host:port on a port of its own. It carries any bytes.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	return start(t, target, false)
}

// Postgres makes a proxy before a PostgreSQL server, which sees COMMITs pass.
// It refuses encryption, through which nobody could look.
func Postgres(t testing.TB, target string) *Proxy {
	t.Helper()
	return start(t, target, true)
}

func start(t testing.TB, target string, postgres bool) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		listener: l, postgres: postgres, target: target, lines: map[*line]struct{}{}, open: make(chan struct{}),
		fate: func(int) Fate { return Fate{} },
	}
	close(p.open)
	p.working.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
	p.working.Wait()
}

// Addr is where clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// URL leads a database's address through the proxy.
func (p *Proxy) URL(database string) string {
	u, err := url.Parse(database)
	if err != nil {
		panic("faultnet: " + err.Error())
	}
	u.Host = p.Addr()
	return u.String()
}

// Point leads new connections to another target.
func (p *Proxy) Point(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Cut ends all connections now.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.lines {
		l.cut()
	}
}

// Refuse resets whoever connects from now on; those inside stay.
func (p *Proxy) Refuse() { p.set(func() { p.refuses = true }) }

// Admit ends Refuse.
func (p *Proxy) Admit() { p.set(func() { p.refuses = false }) }

// Pause stops the bytes both ways; connections stay, and nobody learns why.
func (p *Proxy) Pause() {
	p.set(func() {
		select {
		case <-p.open:
			p.open = make(chan struct{})
		default: // paused already
		}
	})
}

// Resume ends Pause.
func (p *Proxy) Resume() {
	p.set(func() {
		select {
		case <-p.open:
		default:
			close(p.open)
		}
	})
}

// Delay holds every bundle of bytes back for d, each way; 0 ends it.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// Throttle carries so many bytes a second, each connection and way; 0 ends it.
func (p *Proxy) Throttle(rate int) { p.set(func() { p.rate = rate }) }

// AtCommit decides the fate of each COMMIT, numbered from 1 over all
// connections; nil lets all pass.
func (p *Proxy) AtCommit(fate func(n int) Fate) {
	if fate == nil {
		fate = func(int) Fate { return Fate{} }
	}
	p.set(func() { p.fate = fate })
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// Commits is how many COMMITs came by.
func (p *Proxy) Commits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.commits
}

// Injected is how many COMMITs came to harm.
func (p *Proxy) Injected() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.injected
}

// Connections is how many connections are open.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

// commit numbers a COMMIT and decides its fate.
func (p *Proxy) commit() Fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commits++
	return p.fate(p.commits)
}

func (p *Proxy) harmed() { p.set(func() { p.injected++ }) }

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.working.Go(func() { p.carry(client) })
	}
}

// carry serves one connection to its end.
func (p *Proxy) carry(client net.Conn) {
	l := &line{proxy: p, client: client, done: make(chan struct{})}
	p.mu.Lock()
	refuses, target := p.refuses, p.target
	if !p.closed {
		p.lines[l] = struct{}{}
	}
	closed := p.closed
	p.mu.Unlock()
	defer func() {
		l.cut()
		p.set(func() { delete(p.lines, l) })
	}()
	if refuses || closed {
		reset(client)
		return
	}
	server, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		reset(client)
		return
	}
	if !l.join(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(l.up)
	both.Go(l.down)
	both.Wait()
}

// reset has the client see a reset connection instead of a quiet end.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
