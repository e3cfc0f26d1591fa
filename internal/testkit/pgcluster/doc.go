// Package pgcluster starts real PostgreSQL clusters for tests and breaks them
// on purpose: killed, stopped, frozen, failed over to a standby.
//
// A cluster runs as an unprivileged user of the system in a folder of its own,
// listens on 127.0.0.1 and on a socket in that folder, and lets everybody in.
// It ends with the test that started it, and with the test's process whatever
// kills that: a small shell beside the cluster holds the other end of a pipe.
//
// Binaries are looked for in OFD_PG_BIN, in PATH and where Debian and the
// sources put them; a test without them fails and names the package. Only
// Linux has the /proc by which the processes of a cluster are found.
package pgcluster
