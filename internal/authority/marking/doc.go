// Package marking stands in for the marking system: it answers requests about
// marking codes and takes notifications of sales, in the same process, so that
// the channel can be run, shown and tested from the register to the answer. It
// is no client of the real system, which is a certified channel of its own; such
// a client takes its place behind the same port of the door.
//
//	table.go  what is said of which codes, and its file
//	ask.go    a document opened, judged, answered and sealed
//
// What it knows it forgets when the process ends.
//
// Promises: the same notification gets the same answer, byte for byte, and is
// taken into account once; what is remembered is bounded; nothing is answered
// that cannot be opened with the module's keys.
//
// Source: KKT reference §6.12, §10.
package marking
