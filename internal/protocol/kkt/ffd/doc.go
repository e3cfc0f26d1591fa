// Package ffd reads, writes and judges the fiscal documents of Russia: the
// tag-length-value documents that a fiscal drive makes in the formats (FFD)
// 1.0, 1.05, 1.1 and 1.2.
//
// One table, in tags1000.go to tags2000.go, says of every tag its name, type,
// length and place; parsing, encoding, the JSON for the tax service, the
// explanation for people, the judgement and docs/ffd-tags.md all follow it.
// Sessions, containers, signs and what needs the register's state (numbers,
// shifts, counters) are left to protocol/kkt.
//
// Promises: nothing here panics on any input or takes memory by a length that
// the input merely claims; a parsed document borrows the bytes and never
// changes them; tags that nobody knows are kept; what was parsed is written as
// the same bytes.
//
// Sources: order ED-7-20/662@ of 14.09.2020 in the editions of ED-7-20/239@,
// ED-7-20/1038@, ED-7-20/236@ and ED-7-20/1050@; for FFD 1.0 order
// MMV-7-20/229@ of 21.03.2017; law 54-FZ.
package ffd
