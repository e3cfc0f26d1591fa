//go:build !linux

package postgres

import "syscall"

// giveUp is left to the keepalives where the system has no such option.
func giveUp(string, string, syscall.RawConn) error { return nil }
