// Package journal keeps what was said: immutable entries in partitions, two
// hash chains over them, group commit, and their verification.
//
// An entry is written once and never changes. A partition is a gapless sequence
// of entries with one chain; a register lives in one partition, and its own
// entries form a second chain that proves its history alone.
//
// Left to others: what an entry means (fiscal, protocol/*), how it reaches the
// disk (store/*), who reads it afterwards (cabinet, delivery, proof).
package journal
