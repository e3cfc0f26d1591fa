// Package kkt is the register's side of the protocol between a cash register
// of Russia and a fiscal data operator: a simulated fiscal drive, and the
// register that sends what the drive has made. The demo, the load generator and
// the tests speak to operators through it, and a maker of registers can read it
// as an example.
//
//	drive.go      the drive: its life, numbers, shifts, what it refuses
//	queue.go      documents and notifications that no answer has settled
//	document.go   what a document is made of
//	counters.go   what a drive counts, and its closing reports state
//	shop.go       ordinary documents of an ordinary shop
//	settle.go     receipts of every kind, completed from what is sold
//	qr.go         the text that leads a buyer to the check
//	marking.go    what the drive knows of marked goods
//	markedsale.go a sale of marked goods: codes asked about, receipt, notification
//	errors.go     a drive's errors, by the numbers that real ones have
//	memory.go     what must survive a power cut, and how it is written down
//	filememory.go the memory as a file
//	link.go       one message and its answer over TCP
//	register.go   drive and link together: make, deliver, ask about marked goods
//
// Promises. A document is durable in the drive's memory before its first byte
// leaves, is repeated byte for byte, strictly in order, and leaves the memory
// only when the drive has taken an answer to it: signed with the keys that
// drive and operator share, for this drive and this number. After 30 days
// without one the drive makes no more documents, only sends; after 30 days
// without an answer to a notification the same holds for marked goods alone.
//
// Signs are those of simulated drives (SIM1), which no real operator takes.
// Left to others: what stands in a document beside the drive's own requisites,
// printing, screens.
//
// Source: KKT reference §2.6, §3.6, §8, §10, §15.
package kkt
