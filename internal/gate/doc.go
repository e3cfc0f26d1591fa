// Package gate is the TCP door: it lets registers in, reads one frame after
// another, has each exchange accepted and writes the answer back.
//
// The loop (gate.go, conn.go) knows connections, limits and deadlines; a
// protocol is one session function on it (kkm.go, kkt.go). What a request means is
// judged behind the Acceptor.
//
// Promises: an idle connection holds a goroutine and a few hundred bytes, no
// buffer; the length that a peer merely claims never decides how much is
// allocated; every read and write has a deadline; an answer leaves with one
// Write; a panic while one exchange is judged costs that connection alone; an
// exchange under way is finished before the door closes.
//
// Source: KKM 2.0.2 §2.2, §5.1; KKM reference §1 and §2; KKT reference §2.
package gate
