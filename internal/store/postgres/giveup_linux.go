package postgres

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// giveUp bounds how long what was sent may stay unacknowledged. It ends the wait
// for a COMMIT whose server is gone before our own patience does.
func giveUp(network, _ string, c syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheard.Milliseconds()))
	}); e != nil {
		return e
	}
	return err
}
