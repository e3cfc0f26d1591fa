//go:build unix

package gate

import (
	"io"
	"net"
	"syscall"
)

// findRaw finds the descriptor behind a plain connection. Behind TLS there is
// nothing to read directly.
func (c *conn) findRaw() {
	t, ok := c.Conn.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := t.SyscallConn(); err == nil {
		c.raw, c.fill = raw, c.fillDirectly
	}
}

// fillDirectly reads what is there into a room. Only while nothing is there
// does it say false, and then it has no room: the runtime waits and asks again.
func (c *conn) fillDirectly(fd uintptr) bool {
	c.takeRoom()
	for {
		n, err := syscall.Read(int(fd), c.room[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			c.giveRoom()
			return false
		case n > 0:
			c.n, c.fault = n, nil
			return true
		case err == nil:
			err = io.EOF
		}
		c.giveRoom()
		c.fault = err
		return true
	}
}
