// Package marking is the way to the marking system, and a stand-in for it: the
// stand-in answers requests about marking codes and takes notifications of
// sales, in the same process, so that the channel can be run, shown and tested
// from the register to the answer. The channel of the real system is certified
// and not public; the client speaks messages of our own, which a gateway to it,
// or the sandbox authority, understands.
//
//	table.go     what is said of which codes, and its file
//	ask.go       a document opened, judged, answered and sealed
//	messages.go  what goes across the network
//	client.go    asks a far end there; fuse.go has it left alone while it is down
//
// What the stand-in knows it forgets when the process ends.
//
// Promises of the stand-in: the same notification gets the same answer, byte for byte, and is
// taken into account once; what is remembered is bounded; nothing is answered
// that cannot be opened with the module's keys.
//
// Source: KKT reference §6.12, §10.
package marking
