package kkm

import "crypto/sha256"

// mac is HMAC-SHA-256 of a message of at most 64 bytes under a key of 32, made
// on the stack: each receipt takes two of them, and the library's hash
// objects would be garbage each time. Source: RFC 2104.
func mac(key *[32]byte, msg []byte) [32]byte {
	var inner [128]byte
	for i := range 64 {
		inner[i] = 0x36
	}
	for i, k := range key {
		inner[i] ^= k
	}
	n := copy(inner[64:], msg)
	if n < len(msg) {
		panic("kkm: message of the MAC is too long")
	}
	sum := sha256.Sum256(inner[:64+n])
	var outer [96]byte
	for i := range 64 {
		outer[i] = 0x5c
	}
	for i, k := range key {
		outer[i] ^= k
	}
	copy(outer[64:], sum[:])
	return sha256.Sum256(outer[:])
}
