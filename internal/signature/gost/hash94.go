package gost

import (
	"encoding/binary"
	"hash"
	"math/bits"
)

// SBox is the substitution of the cipher GOST 28147-89 inside the hash of
// 1994: the first row is for the lowest four bits.
type SBox [8][16]byte

// CryptoPro is the substitution id-GostR3411-94-CryptoProParamSet, which
// Russian certificates use. Source: RFC 4357 §11.2.
var CryptoPro = &SBox{
	{10, 4, 5, 6, 8, 1, 3, 7, 13, 12, 14, 0, 9, 2, 11, 15},
	{5, 15, 4, 0, 2, 13, 11, 9, 1, 7, 6, 3, 12, 14, 10, 8},
	{7, 15, 12, 14, 9, 4, 1, 0, 3, 11, 5, 2, 6, 10, 8, 13},
	{4, 10, 7, 12, 0, 15, 2, 8, 14, 1, 6, 5, 13, 11, 9, 3},
	{7, 6, 4, 11, 9, 12, 2, 10, 1, 8, 0, 14, 15, 13, 3, 5},
	{7, 6, 2, 4, 13, 9, 15, 0, 10, 1, 5, 11, 8, 14, 12, 3},
	{13, 14, 4, 1, 7, 0, 5, 10, 3, 12, 8, 15, 6, 2, 9, 11},
	{1, 3, 10, 9, 5, 11, 4, 15, 8, 6, 7, 14, 13, 0, 2, 12},
}

// Example is the substitution id-GostR3411-94-TestParamSet of the standard's
// own examples, which Kazakhstan's 34.311-95 uses. Source: RFC 4357 §11.2.
var Example = &SBox{
	{4, 10, 9, 2, 13, 8, 0, 14, 6, 11, 1, 12, 7, 15, 5, 3},
	{14, 11, 4, 12, 6, 13, 15, 10, 2, 3, 8, 1, 0, 7, 5, 9},
	{5, 8, 1, 13, 10, 3, 4, 2, 14, 15, 12, 7, 6, 0, 9, 11},
	{7, 13, 10, 1, 0, 8, 9, 15, 14, 4, 6, 12, 11, 2, 5, 3},
	{6, 12, 7, 1, 5, 15, 13, 8, 4, 10, 9, 14, 0, 3, 11, 2},
	{4, 11, 10, 0, 7, 2, 1, 13, 3, 6, 8, 5, 9, 12, 15, 14},
	{13, 11, 4, 1, 3, 15, 5, 9, 0, 10, 14, 7, 6, 8, 2, 12},
	{1, 15, 13, 0, 5, 7, 10, 4, 9, 2, 3, 14, 6, 11, 8, 12},
}

// size94 is both the block and the result of the hash, in bytes.
const size94 = 32

// value is 256 bits; the first word is the lowest.
type value [4]uint64

// hash94 is a hash by GOST R 34.11-94 under way.
type hash94 struct {
	box    *expanded
	h      value
	length value // bits hashed so far; one word is enough in practice
	sigma  value // sum of all blocks
	buf    [size94]byte
	filled int
}

// New94 returns the hash GOST R 34.11-94 with a substitution, starting from
// zeros. Its result is 32 bytes. Source: RFC 5831.
func New94(box *SBox) hash.Hash { return &hash94{box: expand(box)} }

func (d *hash94) Size() int      { return size94 }
func (d *hash94) BlockSize() int { return size94 }
func (d *hash94) Reset()         { *d = hash94{box: d.box} }

func (d *hash94) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		took := copy(d.buf[d.filled:], p)
		d.filled, p = d.filled+took, p[took:]
		if d.filled == size94 {
			d.take(8 * size94)
		}
	}
	return n, nil
}

// take steps over the buffer, of which so many bits are the message.
func (d *hash94) take(size uint64) {
	var m value
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(d.buf[8*i:])
	}
	d.h = d.step(m)
	sum(&d.length, &value{size})
	sum(&d.sigma, &m)
	d.filled = 0
}

// Sum appends the hash of what was written; more may be written afterwards.
func (d *hash94) Sum(b []byte) []byte {
	end := *d
	if end.filled > 0 {
		clear(end.buf[end.filled:])
		end.take(8 * uint64(end.filled))
	}
	end.h = end.step(end.length)
	end.h = end.step(end.sigma)
	for _, word := range end.h {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b
}

// constants of the key generator; only the third is not zero.
// Source: RFC 5831 §5.1.
var c3 = value{0xff00ff00ff00ff00, 0x00ff00ff00ff00ff, 0xff0000ff00ffff00, 0xff00ffff000000ff}

// step is the function of one step: keys from the block and the hash, the
// cipher over the hash, and the mixing. Source: RFC 5831 §5.
func (d *hash94) step(m value) value {
	u, v := d.h, m
	var s value
	for i := range s {
		if i > 0 {
			u = rotate(u)
			if i == 2 {
				u = xor(u, c3)
			}
			v = rotate(rotate(v))
		}
		key := schedule(xor(u, v))
		s[i] = d.box.encrypt(&key, d.h[i])
	}
	w := mix(s, 12)
	w = mix(xor(w, m), 1)
	return mix(xor(w, d.h), 61)
}

// rotate is the transformation A: the words move down by one, and the top one
// becomes the sum of the two lowest.
func rotate(y value) value { return value{y[1], y[2], y[3], y[0] ^ y[1]} }

// schedule is the transformation P, and its result read as the eight keys of
// the cipher.
func schedule(y value) (key [8]uint32) {
	for n := range 32 {
		from := n%4*8 + n/4
		b := uint32(byte(y[from/8] >> (from % 8 * 8)))
		key[n/4] |= b << (n % 4 * 8)
	}
	return key
}

// mix shifts the sixteen words of 16 bits times over.
func mix(y value, times int) value {
	var g [16]uint16
	for i := range g {
		g[i] = uint16(y[i/4] >> (i % 4 * 16))
	}
	for range times {
		top := g[0] ^ g[1] ^ g[2] ^ g[3] ^ g[12] ^ g[15]
		copy(g[:], g[1:])
		g[15] = top
	}
	var out value
	for i, word := range g {
		out[i/4] |= uint64(word) << (i % 4 * 16)
	}
	return out
}

// expanded is a substitution for bytes instead of halves, moved into place and
// rotated by 11 bits.
type expanded [4][256]uint32

func expand(box *SBox) *expanded {
	t := new(expanded)
	for i := range t {
		for x := range t[i] {
			b := box[2*i][x&15] | box[2*i+1][x>>4]<<4
			t[i][x] = bits.RotateLeft32(uint32(b)<<(8*i), 11)
		}
	}
	return t
}

// encrypt is one block of GOST 28147-89 in its simplest mode: the keys three
// times forward and once back.
func (t *expanded) encrypt(key *[8]uint32, in uint64) uint64 {
	lo, hi := uint32(in), uint32(in>>32)
	for round := range 32 {
		k := key[round%8]
		if round >= 24 {
			k = key[31-round]
		}
		x := lo + k
		lo, hi = hi^t[0][byte(x)]^t[1][byte(x>>8)]^t[2][byte(x>>16)]^t[3][byte(x>>24)], lo
	}
	return uint64(lo)<<32 | uint64(hi) // the last round does not exchange the halves
}

func xor(a, b value) value {
	return value{a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]}
}

// sum adds modulo 2^256.
func sum(a, b *value) {
	var carry uint64
	for i := range a {
		a[i], carry = bits.Add64(a[i], b[i], carry)
	}
}
