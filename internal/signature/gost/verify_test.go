package gost

import (
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestExamples holds verification against the examples of the standard, and
// refuses each of them with one number changed.
func TestExamples(t *testing.T) {
	tests := []struct {
		name          string
		curve         *Curve
		x, y, e, r, s string
	}{
		{"RFC 7091 §7.1", Example256,
			"7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b",
			"26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da",
			"2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5",
			"41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493",
			"01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40"},
		{"RFC 7091 §7.2", Example512,
			"115dc5bc96760c7b48598d8ab9e740d4c4a85a65be33c1815b5c320c854621dd5a515856d13314af69bc5b924c8b4ddff75c45415c1d9dd9dd33612cd530efe1",
			"37c7c90cd40b0f5621dc3ac1b751cfa0e2634fa0503b3d52639f5d7fb72afd61ea199441d943ffe7f0c70a2759a3cdb84c114e1f9339fdf27f35eca93677beec",
			"3754f3cfacc9e0615c4f4a7c4d8dab531b09b6f9c170c533a71d147035b0c5917184ee536593f4414339976c647c5d5a407adedb1d560c4fc6777d2972075b8c",
			"2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd35492558486b20f1c9ec197c90699850260c93bcbcd9c5c3317e19344e173ae36",
			"1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb92a9853bde73e5b4a"},
	}
	for _, tt := range tests {
		key, err := ParsePublicKey(tt.curve, append(reversed(t, tt.x), reversed(t, tt.y)...))
		if err != nil {
			t.Fatalf("%s: ParsePublicKey() = %v", tt.name, err)
		}
		e, r, s := reversed(t, tt.e), number(tt.r), number(tt.s)
		if !key.Verify(e, r, s) {
			t.Errorf("%s: Verify() = false, want true", tt.name)
		}
		one := big.NewInt(1)
		other := slices.Clone(e)
		other[0] ^= 1
		bad := map[string]bool{
			"another hash":    key.Verify(other, r, s),
			"another r":       key.Verify(e, new(big.Int).Add(r, one), s),
			"another s":       key.Verify(e, r, new(big.Int).Add(s, one)),
			"r and s swapped": key.Verify(e, s, r),
			"r is 0":          key.Verify(e, new(big.Int), s),
			"s is 0":          key.Verify(e, r, new(big.Int)),
			"r is q":          key.Verify(e, tt.curve.q, s),
			"s above q":       key.Verify(e, r, new(big.Int).Add(s, tt.curve.q)),
			"r below 0":       key.Verify(e, new(big.Int).Neg(r), s),
		}
		for what, ok := range bad {
			if ok {
				t.Errorf("%s, %s: Verify() = true, want false", tt.name, what)
			}
		}
	}
}

// TestCurves: each base point is on its curve and has the order q, which is
// prime; nothing below p passes for a square that is none.
func TestCurves(t *testing.T) {
	for _, c := range Curves() {
		if !c.holds(c.x, c.y) {
			t.Errorf("%s: the base point is not on the curve", c.Name)
		}
		if c.holds(c.x, new(big.Int).Add(c.y, big.NewInt(1))) {
			t.Errorf("%s: a point beside the curve is held for one of it", c.Name)
		}
		if o := c.combine(c.q, affine(c.x, c.y), nil, nil); o.z.Sign() != 0 {
			t.Errorf("%s: q times the base point is not infinity", c.Name)
		}
		if !c.q.ProbablyPrime(20) || !c.p.ProbablyPrime(20) {
			t.Errorf("%s: p or q is not prime", c.Name)
		}
		if got := (c.p.BitLen() + 7) / 8; got != c.size {
			t.Errorf("%s: p has %d bytes, want %d", c.Name, got, c.size)
		}
	}
}

// TestSignAndVerify: on every curve a signature made by the book verifies, and
// not over another hash, nor by another key.
func TestSignAndVerify(t *testing.T) {
	for _, c := range Curves() {
		t.Run(c.Name, func(t *testing.T) {
			for seed := range uint64(4) {
				dice := rand.New(rand.NewPCG(seed, 0))
				d, key := newKey(t, c, dice)
				digest := make([]byte, c.size)
				for i := range digest {
					digest[i] = byte(dice.Uint32())
				}
				r, s := sign(c, d, digest, dice)
				if !key.Verify(digest, r, s) {
					t.Fatalf("seed %d: Verify(%x, %x, %x) = false, want true", seed, digest, r, s)
				}
				other := slices.Clone(digest)
				other[dice.IntN(c.size)] ^= 1 << dice.IntN(8)
				if key.Verify(other, r, s) {
					t.Fatalf("seed %d: Verify(%x) of the signature over %x = true, want false", seed, other, digest)
				}
				if _, stranger := newKey(t, c, dice); stranger.Verify(digest, r, s) {
					t.Fatalf("seed %d: a key verifies the signature of another", seed)
				}
			}
		})
	}
}

// TestDigestOfZero: a hash that is nothing modulo q counts as one.
func TestDigestOfZero(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	d, key := newKey(t, CryptoProA, dice)
	for _, digest := range [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...), backwards(CryptoProA.q.FillBytes(make([]byte, 32)))} {
		if r, s := sign(CryptoProA, d, digest, dice); !key.Verify(digest, r, s) {
			t.Errorf("Verify(%x) = false, want true", digest)
		}
	}
}

// TestPoints: what is no key of the curve is refused.
func TestPoints(t *testing.T) {
	size := func(c *Curve, x, y *big.Int) []byte {
		return append(backwards(x.FillBytes(make([]byte, c.size))), backwards(y.FillBytes(make([]byte, c.size)))...)
	}
	for _, c := range Curves() {
		good := size(c, c.x, c.y)
		if _, err := ParsePublicKey(c, good); err != nil {
			t.Errorf("%s: ParsePublicKey(base point) = %v", c.Name, err)
		}
		bad := map[string][]byte{
			"nothing":             nil,
			"a byte short":        good[1:],
			"a byte more":         append(slices.Clone(good), 0),
			"zeros":               make([]byte, 2*c.size),
			"beside the curve":    size(c, c.x, new(big.Int).Add(c.y, big.NewInt(1))),
			"coordinate of p":     size(c, c.p, c.y),
			"coordinates swapped": size(c, c.y, c.x),
		}
		if !c.whole { // add a point of order 2 to the base point: on the curve, of the wrong order
			x, y := mixed(t, c)
			bad["of a larger order"] = size(c, x, y)
		}
		for what, b := range bad {
			if _, err := ParsePublicKey(c, b); !errors.Is(err, ErrPoint) {
				t.Errorf("%s, %s: ParsePublicKey(%x) = %v, want ErrPoint", c.Name, what, b, err)
			}
		}
	}
}

// mixed returns the sum of the base point and the point of order two: a root
// of the cubic with y zero, found by trying points until one of full order.
func mixed(t *testing.T, c *Curve) (x, y *big.Int) {
	t.Helper()
	for n := int64(1); n < 1000; n++ {
		x := big.NewInt(n)
		square := new(big.Int).Mul(x, x)
		square.Add(square, c.a).Mul(square, x).Add(square, c.b).Mod(square, c.p)
		y := new(big.Int).ModSqrt(square, c.p)
		if y != nil && c.combine(c.q, affine(x, y), nil, nil).z.Sign() != 0 {
			return x, y
		}
	}
	t.Fatalf("%s: no point of another order found", c.Name)
	return nil, nil
}

// sign is the other half of the standard, for tests alone: no care is taken to
// keep d secret. Source: RFC 7091 §6.1.
func sign(c *Curve, d *big.Int, digest []byte, dice *rand.Rand) (r, s *big.Int) {
	e := little(digest)
	if e.Mod(e, c.q).Sign() == 0 {
		e.SetInt64(1)
	}
	for {
		k := draw(c, dice)
		o := c.combine(k, affine(c.x, c.y), nil, nil)
		c.adder().affine(o)
		r = o.x.Mod(o.x, c.q)
		s = new(big.Int).Mul(r, d)
		s.Add(s, k.Mul(k, e)).Mod(s, c.q)
		if r.Sign() != 0 && s.Sign() != 0 {
			return r, s
		}
	}
}

func newKey(t interface{ Fatalf(string, ...any) }, c *Curve, dice *rand.Rand) (*big.Int, *PublicKey) {
	d := draw(c, dice)
	o := c.combine(d, affine(c.x, c.y), nil, nil)
	c.adder().affine(o)
	encoded := append(backwards(o.x.FillBytes(make([]byte, c.size))), backwards(o.y.FillBytes(make([]byte, c.size)))...)
	key, err := ParsePublicKey(c, encoded)
	if err != nil {
		t.Fatalf("ParsePublicKey(%x) = %v", encoded, err)
	}
	return d, key
}

func draw(c *Curve, dice *rand.Rand) *big.Int {
	b := make([]byte, c.size+8)
	for i := range b {
		b[i] = byte(dice.Uint32())
	}
	n := new(big.Int).SetBytes(b)
	return n.Mod(n, new(big.Int).Sub(c.q, big.NewInt(1))).Add(n, big.NewInt(1))
}

func backwards(b []byte) []byte {
	slices.Reverse(b)
	return b
}

func reversed(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return backwards(b)
}

// FuzzVerify: whatever the bytes, nothing panics, and what is read as a key is a
// point of the curve.
func FuzzVerify(f *testing.F) {
	for i, c := range Curves() {
		f.Add(uint8(i), append(backwards(c.x.FillBytes(make([]byte, c.size))), backwards(c.y.FillBytes(make([]byte, c.size)))...), []byte{5}, []byte{1}, []byte{2})
	}
	f.Add(uint8(0), make([]byte, 64), make([]byte, 32), []byte{1}, []byte{2})
	f.Add(uint8(4), make([]byte, 64), []byte{}, []byte{}, []byte{0xff})
	f.Fuzz(func(t *testing.T, which uint8, point, digest, r, s []byte) {
		if len(digest) > 64 || len(r) > 128 || len(s) > 128 {
			return
		}
		curves := Curves()
		c := curves[int(which)%len(curves)]
		if key, err := ParsePublicKey(c, point); err == nil {
			if !c.holds(key.x, key.y) {
				t.Fatalf("%s: ParsePublicKey(%x) is beside the curve", c.Name, point)
			}
			key.Verify(digest, new(big.Int).SetBytes(r), new(big.Int).SetBytes(s))
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, c := range []*Curve{CryptoProA, TC26A256, TC26A512, TC26C512} {
		dice := rand.New(rand.NewPCG(3, 4))
		d, key := newKey(b, c, dice)
		digest := make([]byte, c.size)
		digest[0] = 7
		r, s := sign(c, d, digest, dice)
		b.Run(c.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !key.Verify(digest, r, s) {
					b.Fatal("refused")
				}
			}
		})
	}
}
