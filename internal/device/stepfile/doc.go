// Package stepfile keeps the steps of a device in one file that only grows:
// each step is a checked record behind the last one, and is on the disk before
// it counts. When most of the file is history, what still matters is written to
// a new file that takes the old one's name.
//
//	off len field   of a record; integers are little-endian
//	  0   4 length  of the body in bytes
//	  4   4 crc     CRC-32C of the body
//	  8     body    a step as JSON
//
// Promises. A kill or a power cut in the middle of a write can tear the last
// record; it then never counted and is cut off. Damage anywhere else is an
// error, for a document would be lost in silence. The file is readable by its
// owner alone.
//
// Left to others: what a step is and what it does to what it is done to.
package stepfile
