package gost

import (
	"encoding/binary"
	"hash"
	"math/bits"
)

// BlockSize is the block of Streebog in bytes.
const BlockSize = 64

// block is 512 bits; the first word is the lowest.
type block [8]uint64

// streebog is a hash under way. The standard numbers bits from the right, so
// every string of bytes is a number with its lowest byte first.
type streebog struct {
	size   int // of the result, in bytes
	h      block
	n      block // bits hashed so far
	sigma  block // sum of all blocks
	buf    [BlockSize]byte
	filled int
}

// New256 returns Streebog with a result of 32 bytes.
func New256() hash.Hash { return newStreebog(32) }

// New512 returns Streebog with a result of 64 bytes.
func New512() hash.Hash { return newStreebog(64) }

func newStreebog(size int) *streebog {
	d := &streebog{size: size}
	d.Reset()
	return d
}

func (d *streebog) Size() int      { return d.size }
func (d *streebog) BlockSize() int { return BlockSize }

// Reset begins anew. Source: RFC 6986 §5.
func (d *streebog) Reset() {
	*d = streebog{size: d.size}
	if d.size == 32 {
		for i := range d.h {
			d.h[i] = 0x0101010101010101
		}
	}
}

func (d *streebog) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		took := copy(d.buf[d.filled:], p)
		d.filled, p = d.filled+took, p[took:]
		if d.filled == BlockSize {
			d.take(8 * BlockSize)
		}
	}
	return n, nil
}

// take compresses the buffer, of which so many bits are the message.
func (d *streebog) take(size uint64) {
	m := load(&d.buf)
	compress(&d.h, &d.n, &m)
	add(&d.n, &block{size})
	add(&d.sigma, &m)
	d.filled = 0
}

// Sum appends the hash of what was written; more may be written afterwards.
func (d *streebog) Sum(b []byte) []byte {
	end := *d
	clear(end.buf[end.filled:])
	end.buf[end.filled] = 1
	end.take(8 * uint64(end.filled))
	compress(&end.h, &block{}, &end.n)
	compress(&end.h, &block{}, &end.sigma)
	var out [BlockSize]byte
	for i, word := range end.h {
		binary.LittleEndian.PutUint64(out[8*i:], word)
	}
	return append(b, out[BlockSize-d.size:]...)
}

// compress is the function g: h becomes E(LPS(h xor n), m) xor h xor m.
// Source: RFC 6986 §8.
func compress(h, n, m *block) {
	key := transform(h, n)
	state := *m
	for i := range rounds {
		state = transform(&key, &state)
		key = transform(&key, &rounds[i])
	}
	for i := range h {
		h[i] ^= key[i] ^ state[i] ^ m[i]
	}
}

// transform is LPS of a xor b: bytes are substituted, transposed, and each
// word multiplied by the matrix.
func transform(a, b *block) (out block) {
	var x block
	for j := range x {
		x[j] = a[j] ^ b[j]
	}
	for i := range out {
		at := 8 * i
		out[i] = lps[0][byte(x[0]>>at)] ^ lps[1][byte(x[1]>>at)] ^ lps[2][byte(x[2]>>at)] ^ lps[3][byte(x[3]>>at)] ^
			lps[4][byte(x[4]>>at)] ^ lps[5][byte(x[5]>>at)] ^ lps[6][byte(x[6]>>at)] ^ lps[7][byte(x[7]>>at)]
	}
	return out
}

// lps joins the three steps of the transformation: lps[j][x] is what the byte
// x at place j of a transposed word adds to the word's product.
var lps = func() (t [8][256]uint64) {
	for j := range t {
		for x := range t[j] {
			for bit := range 8 {
				if pi[x]>>bit&1 == 1 {
					t[j][x] ^= linear[63-8*j-bit]
				}
			}
		}
	}
	return t
}()

// add adds modulo 2^512.
func add(a, b *block) {
	var carry uint64
	for i := range a {
		a[i], carry = bits.Add64(a[i], b[i], carry)
	}
}

func load(b *[BlockSize]byte) (m block) {
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return m
}
