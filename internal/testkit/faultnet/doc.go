// Package faultnet is a cable between a client and a server that a test can
// damage: cut, refuse, pause, delay, throttle.
//
//	proxy.go    the listener, and what holds for all connections
//	line.go     one connection: bytes carried both ways
//	postgres.go messages of PostgreSQL, and the moment of a COMMIT
//	fate.go     what is to become of a COMMIT
//
// Before PostgreSQL it knows just enough of the protocol to see a COMMIT pass,
// and can cut the connection before the server has it, while it works on it,
// or when it has answered and the client does not know yet.
package faultnet
