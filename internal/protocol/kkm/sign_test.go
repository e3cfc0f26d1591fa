package kkm

import (
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
)

func testKey(b byte) *fiscal.Key {
	k := &fiscal.Key{ID: 1}
	for i := range k.Secret {
		k.Secret[i] = b ^ byte(i)
	}
	return k
}

// The MAC on the stack is the library's.
func TestMac(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := testKey(rapid.Byte().Draw(t, "key"))
		msg := rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "msg")
		h := hmac.New(sha256.New, key.Secret[:])
		h.Write(msg)
		if got := mac(&key.Secret, msg); string(got[:]) != string(h.Sum(nil)) {
			t.Fatalf("mac(%x) = %x, want %x", msg, got, h.Sum(nil))
		}
	})
}

// A sign has 12 digits, leads back to its number, changes with every field and
// comes once per register.
// Req: O-078, T-063, P-003
func TestSign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := testKey(rapid.Byte().Draw(t, "key"))
		d := signed{
			Register: fiscal.RegisterID(rapid.Int64Range(1, 1<<32-1).Draw(t, "register")),
			Number:   fiscal.Number(rapid.Uint64Range(1, 3*signNumbers-1).Draw(t, "number")),
			Time:     fiscal.WallTime(rapid.Int64Range(0, 1<<33).Draw(t, "time")),
			Op:       fiscal.Op(rapid.IntRange(1, 4).Draw(t, "op")),
			Total:    fiscal.Money(rapid.Int64Range(0, 1<<50).Draw(t, "total")),
		}
		s := d.sign(key)
		if s < 100_000_000_000 || s > 999_999_999_999 {
			t.Fatalf("sign %d has not 12 digits", s)
		}
		if n := SignNumbers(key, d.Register, s); !slices.Contains(n, d.Number) {
			t.Fatalf("SignNumbers(%d) = %d, want %d among them", s, n, d.Number)
		}
		next := d
		next.Number++
		if next.sign(key) == s {
			t.Fatalf("entries %d and %d have one sign", d.Number, next.Number)
		}
	})
}

// One changed field changes the sign, but for one chance in 100,000 each.
// Req: O-078
func TestSignDependsOnEveryField(t *testing.T) {
	key := testKey(7)
	same := [4]int{}
	const tries = 2000
	for i := range tries {
		d := signed{Register: 200145, Number: fiscal.Number(i + 1), Time: 1773458000, Op: fiscal.OpSale, Total: 1777_50}
		s := d.sign(key)
		for j, e := range [4]signed{
			{d.Register + 1, d.Number, d.Time, d.Op, d.Total}, {d.Register, d.Number, d.Time + 1, d.Op, d.Total},
			{d.Register, d.Number, d.Time, fiscal.OpSaleReturn, d.Total}, {d.Register, d.Number, d.Time, d.Op, d.Total + 1},
		} {
			if e.sign(key) == s {
				same[j]++
			}
		}
	}
	for j, n := range same {
		if n > 3 {
			t.Errorf("field %d: %d of %d changes kept the sign", j, n, tries)
		}
	}
}

// Published vectors: whoever implements the sign again can compare.
func TestSignVectors(t *testing.T) {
	key := testKey(0)
	for _, c := range []struct {
		d    signed
		want uint64
	}{
		{signed{200145, 1, 1773458000, fiscal.OpSale, 1777_50}, 228175986366},
		{signed{200145, 2, 1773458000, fiscal.OpSale, 1777_50}, 388680828981},
		{signed{305512, 8_999_999, 1893456000, fiscal.OpPurchaseReturn, 0}, 245420152774},
	} {
		if got := c.d.sign(key); got != c.want {
			t.Errorf("sign(%+v) = %d, want %d", c.d, got, c.want)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	key := testKey(3)
	b.ReportAllocs()
	for i := range b.N {
		d := signed{200145, fiscal.Number(i + 1), 1773458000, fiscal.OpSale, 1777_50}
		d.sign(key)
	}
}
