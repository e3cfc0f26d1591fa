package faultnet

import (
	"errors"
	"net"
	"sync"
	"time"
)

// line is one connection through the proxy.
type line struct {
	proxy  *Proxy
	client net.Conn
	done   chan struct{} // closed by cut

	mu     sync.Mutex
	server net.Conn // nil until joined
	gone   bool

	answers answers
}

// errCut ends the carrying of a connection on purpose.
var errCut = errors.New("cut")

// join adds the server's side, unless the line was cut meanwhile.
func (l *line) join(server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		_ = server.Close()
		return false
	}
	l.server = server
	return true
}

// cut ends both sides. It may be called again.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return
	}
	l.gone = true
	close(l.done)
	_ = l.client.Close()
	if l.server != nil {
		_ = l.server.Close()
	}
}

// up carries from the client to the server, down back. Either ends the line.
func (l *line) up() {
	defer l.cut()
	if l.proxy.postgres {
		_ = l.frontend()
		return
	}
	_ = l.raw(l.server, l.client)
}

func (l *line) down() {
	defer l.cut()
	if l.proxy.postgres {
		_ = l.backend()
		return
	}
	_ = l.raw(l.client, l.server)
}

// bundle is how many bytes travel together at most.
const bundle = 32 << 10

func (l *line) raw(to, from net.Conn) error {
	b := make([]byte, bundle)
	for {
		n, err := from.Read(b)
		if err := l.send(to, b[:n]); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
}

// send writes bytes as the weather allows.
func (l *line) send(to net.Conn, b []byte) error {
	for first := true; len(b) > 0; first = false {
		delay, rate, err := l.weather()
		if err != nil {
			return err
		}
		if first {
			if err := l.sleep(delay); err != nil {
				return err
			}
			if _, _, err = l.weather(); err != nil { // paused during the delay
				return err
			}
		}
		n := len(b)
		if rate > 0 {
			n = min(n, max(1, rate/50))
			if err := l.sleep(time.Duration(n) * time.Second / time.Duration(rate)); err != nil {
				return err
			}
		}
		if _, err := to.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// weather waits while the proxy is paused and tells what else holds.
func (l *line) weather() (delay time.Duration, rate int, err error) {
	for {
		l.proxy.mu.Lock()
		open, delay, rate := l.proxy.open, l.proxy.delay, l.proxy.rate
		l.proxy.mu.Unlock()
		select {
		case <-open:
			return delay, rate, nil
		default:
		}
		select {
		case <-open:
		case <-l.done:
			return 0, 0, errCut
		}
	}
}

func (l *line) sleep(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.done:
		return errCut
	}
}
