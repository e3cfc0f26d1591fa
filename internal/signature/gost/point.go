package gost

import "math/big"

// point is (X/Z², Y/Z³), or infinity where Z is zero. Its numbers are its own
// and are written over.
type point struct{ x, y, z *big.Int }

func affine(x, y *big.Int) *point {
	return &point{new(big.Int).Set(x), new(big.Int).Set(y), big.NewInt(1)}
}

func infinity() *point { return &point{new(big.Int), new(big.Int), new(big.Int)} }

// field computes modulo p; each method leaves its result in out, which may be
// one of the arguments.
type field struct {
	p *big.Int
	q *big.Int // scratch for the quotient
	t *big.Int // scratch for the product
}

func (c *Curve) field() *field { return &field{c.p, new(big.Int), new(big.Int)} }

func (f *field) mul(out, a, b *big.Int) *big.Int {
	f.t.Mul(a, b)
	f.q.QuoRem(f.t, f.p, out)
	return out
}

func (f *field) add(out, a, b *big.Int) *big.Int {
	if out.Add(a, b); out.Cmp(f.p) >= 0 {
		out.Sub(out, f.p)
	}
	return out
}

func (f *field) sub(out, a, b *big.Int) *big.Int {
	if out.Sub(a, b); out.Sign() < 0 {
		out.Add(out, f.p)
	}
	return out
}

// adder adds and doubles points of one curve; it belongs to one computation.
type adder struct {
	*field
	curve *Curve
	n     [6]*big.Int // scratch
}

func (c *Curve) adder() *adder {
	a := &adder{field: c.field(), curve: c}
	for i := range a.n {
		a.n[i] = new(big.Int)
	}
	return a
}

// double replaces a point by twice the point.
func (f *adder) double(o *point) {
	if o.z.Sign() == 0 {
		return
	}
	yy, s, m, t := f.n[0], f.n[1], f.n[2], f.n[3]
	f.mul(yy, o.y, o.y)
	f.mul(s, o.x, yy)
	f.add(s, s, s)
	f.add(s, s, s) // S = 4XY²
	f.mul(m, o.z, o.z)
	f.mul(m, m, m)
	f.mul(m, m, f.curve.a)
	f.mul(t, o.x, o.x)
	f.add(m, m, t)
	f.add(t, t, t)
	f.add(m, m, t) // M = 3X² + aZ⁴
	f.mul(o.z, o.y, o.z)
	f.add(o.z, o.z, o.z)
	f.mul(o.x, m, m)
	f.sub(o.x, o.x, s)
	f.sub(o.x, o.x, s)
	f.sub(s, s, o.x)
	f.mul(o.y, m, s)
	f.mul(yy, yy, yy)
	for range 3 {
		f.add(yy, yy, yy)
	}
	f.sub(o.y, o.y, yy)
}

// plus adds a point whose Z is one.
func (f *adder) plus(o, other *point) {
	if o.z.Sign() == 0 {
		o.x.Set(other.x)
		o.y.Set(other.y)
		o.z.Set(other.z)
		return
	}
	zz, h, r, hh, hhh, v := f.n[0], f.n[1], f.n[2], f.n[3], f.n[4], f.n[5]
	f.mul(zz, o.z, o.z)
	f.mul(h, other.x, zz)
	f.sub(h, h, o.x)
	f.mul(r, zz, o.z)
	f.mul(r, other.y, r)
	f.sub(r, r, o.y)
	if h.Sign() == 0 {
		if r.Sign() == 0 {
			f.double(o)
		} else { // a point and its opposite
			o.z.SetInt64(0)
		}
		return
	}
	f.mul(hh, h, h)
	f.mul(hhh, hh, h)
	f.mul(v, o.x, hh)
	f.mul(o.z, o.z, h)
	f.mul(o.x, r, r)
	f.sub(o.x, o.x, hhh)
	f.sub(o.x, o.x, v)
	f.sub(o.x, o.x, v)
	f.sub(v, v, o.x)
	f.mul(v, v, r)
	f.mul(hhh, hhh, o.y)
	f.sub(o.y, v, hhh)
}

// affine gives a point the form with Z one; ok is false for infinity.
func (f *adder) affine(o *point) (ok bool) {
	if o.z.Sign() == 0 {
		return false
	}
	inv := new(big.Int).ModInverse(o.z, f.p)
	zz := f.mul(new(big.Int), inv, inv)
	f.mul(o.x, o.x, zz)
	f.mul(o.y, o.y, f.mul(zz, zz, inv))
	o.z.SetInt64(1)
	return true
}

// combine is m·M + n·N in one walk over the bits of both numbers. Each point
// has Z one; N may be nil.
func (c *Curve) combine(m *big.Int, mp *point, n *big.Int, np *point) *point {
	f := c.adder()
	sum := mp // both at once, where both bits are set
	both := false
	bits := m.BitLen()
	if np != nil {
		sum = affine(mp.x, mp.y)
		f.plus(sum, np)
		both = f.affine(sum)
		bits = max(bits, n.BitLen())
	}
	o := infinity()
	for i := bits - 1; i >= 0; i-- {
		f.double(o)
		first, second := m.Bit(i) == 1, np != nil && n.Bit(i) == 1
		switch {
		case first && second && both:
			f.plus(o, sum)
		case first && second: // the points are opposite: nothing to add
		case first:
			f.plus(o, mp)
		case second:
			f.plus(o, np)
		}
	}
	return o
}
