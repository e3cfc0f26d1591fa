package gost

import (
	"errors"
	"math/big"
	"slices"
)

// PublicKey is a point of a curve, known to be of the curve's order. It is
// never changed, so all may verify with it at once.
type PublicKey struct {
	Curve *Curve
	x, y  *big.Int
}

// ErrPoint is bytes that are no public key: the wrong length, no point of the
// curve, or a point of a smaller order.
var ErrPoint = errors.New("not a point of the curve")

// ParsePublicKey reads a key as certificates carry it: both coordinates, each
// with the lowest byte first. The error is ErrPoint.
// Source: RFC 9215 §4.3.
func ParsePublicKey(c *Curve, b []byte) (*PublicKey, error) {
	if len(b) != 2*c.size {
		return nil, ErrPoint
	}
	k := &PublicKey{c, little(b[:c.size]), little(b[c.size:])}
	if k.x.Cmp(c.p) >= 0 || k.y.Cmp(c.p) >= 0 || !c.holds(k.x, k.y) {
		return nil, ErrPoint
	}
	if !c.whole && c.combine(c.q, affine(k.x, k.y), nil, nil).z.Sign() != 0 {
		return nil, ErrPoint
	}
	return k, nil
}

// Verify reports whether r and s are a signature over a hash, given as the
// bytes that the hashes of this package return. Source: RFC 7091 §6.2.
func (k *PublicKey) Verify(digest []byte, r, s *big.Int) bool {
	c := k.Curve
	for _, n := range []*big.Int{r, s} {
		if n.Sign() <= 0 || n.Cmp(c.q) >= 0 {
			return false
		}
	}
	e := little(digest)
	if e.Mod(e, c.q).Sign() == 0 {
		e.SetInt64(1)
	}
	v := new(big.Int).ModInverse(e, c.q)
	z1 := new(big.Int).Mul(s, v)
	z1.Mod(z1, c.q)
	z2 := new(big.Int).Mul(r, v)
	z2.Neg(z2).Mod(z2, c.q)
	o := c.combine(z1, affine(c.x, c.y), z2, affine(k.x, k.y))
	if !c.adder().affine(o) {
		return false
	}
	return o.x.Mod(o.x, c.q).Cmp(r) == 0
}

// little reads a number with the lowest byte first.
func little(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}
