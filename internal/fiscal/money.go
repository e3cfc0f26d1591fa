package fiscal

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Money is an amount in minor units of the register's currency: 100 is 1 KZT.
// It travels as bills and coins. Source: KKM 2.0.2 §4.4.
type Money int64

// MaxMoney is the largest amount a document may carry: 9·10^16 units of
// currency, near the end of an int64. Sums go through Add or are bounded by
// MaxCounter.
const MaxMoney Money = 9_000_000_000_000_000_000

// Quantity counts goods in millionths of a unit: 2_500_000 is 2.5 kg. The wires
// carry thousandths (KKM 2.0.2 §3.3.2) or up to six decimals (FFD tag 1023).
type Quantity int64

// OneUnit is the quantity 1.
const OneUnit Quantity = 1_000_000

// ErrOverflow reports a product or sum that does not fit.
var ErrOverflow = errors.New("amount does not fit")

// Cost is price × quantity, rounded half away from zero to a minor unit. The
// product goes through 128 bits. The error is ErrOverflow.
func Cost(price Money, q Quantity) (Money, error) {
	neg := (price < 0) != (q < 0)
	hi, lo := bits.Mul64(abs64(int64(price)), abs64(int64(q)))
	lo, carry := bits.Add64(lo, uint64(OneUnit)/2, 0)
	hi += carry
	if hi >= uint64(OneUnit) {
		return 0, ErrOverflow
	}
	quo, _ := bits.Div64(hi, lo, uint64(OneUnit))
	if quo > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if neg {
		return -Money(quo), nil
	}
	return Money(quo), nil
}

// IncludedTax is the tax contained in a gross amount at a rate in thousandths
// of a percent: gross·p/(100000+p), rounded half up. It serves to notice
// deviations, never to refuse.
func IncludedTax(gross Money, percent uint32) Money {
	hi, lo := bits.Mul64(abs64(int64(gross)), uint64(percent))
	d := 100_000 + uint64(percent)
	lo, carry := bits.Add64(lo, d/2, 0)
	hi += carry
	if hi >= d {
		return 0
	}
	quo, _ := bits.Div64(hi, lo, d)
	if gross < 0 {
		return -Money(quo)
	}
	return Money(quo)
}

// Add returns a+b, or ErrOverflow.
func Add(a, b Money) (Money, error) {
	s := a + b
	if (s > a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return s, nil
}

// Abs is the amount without its sign.
func (m Money) Abs() Money {
	if m < 0 {
		return -m
	}
	return m
}

// String is the amount with a point and two decimals: "1777.50".
func (m Money) String() string { return string(m.Append(nil)) }

// Append appends what String returns.
func (m Money) Append(b []byte) []byte {
	u := abs64(int64(m))
	if m < 0 {
		b = append(b, '-')
	}
	b = strconv.AppendUint(b, u/100, 10)
	return append(b, '.', byte('0'+u/10%10), byte('0'+u%10))
}

// MarshalText gives money to JSON as text, so that no reader makes a float of it.
func (m Money) MarshalText() ([]byte, error) { return m.Append(nil), nil }

// UnmarshalText reads what MarshalText writes.
func (m *Money) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMoney(string(b))
	return err
}

// ParseMoney reads an amount as people and QR codes write it: "1777.50",
// "1777.5", "1777", with a comma for the point. More than two decimals, a sign
// in the middle or anything else is Invalid.
func ParseMoney(s string) (Money, error) {
	bad := func() (Money, error) {
		return 0, &Error{Reason: BadValue, Field: "sum", Msg: fmt.Sprintf("%q is not an amount like 1777.50", s)}
	}
	t, neg := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(strings.Replace(t, ",", ".", 1), ".")
	if point && (len(frac) == 0 || len(frac) > 2) || len(whole) == 0 || len(whole) > 17 {
		return bad()
	}
	for len(frac) < 2 {
		frac += "0"
	}
	u, err := strconv.ParseUint(whole+frac, 10, 63)
	if err != nil {
		return bad()
	}
	if neg {
		return -Money(u), nil
	}
	return Money(u), nil
}

// String is the quantity with as many decimals as it needs: "2.5", "1".
func (q Quantity) String() string {
	u := abs64(int64(q))
	s := strconv.FormatUint(u/uint64(OneUnit), 10)
	if f := u % uint64(OneUnit); f != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%06d", f), "0")
	}
	if q < 0 {
		s = "-" + s
	}
	return s
}

// MarshalText gives a quantity to JSON as text.
func (q Quantity) MarshalText() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalText reads what MarshalText writes. Anything else is Invalid.
func (q *Quantity) UnmarshalText(b []byte) error {
	text, neg := strings.CutPrefix(string(b), "-")
	whole, frac, point := strings.Cut(text, ".")
	if len(frac) > 6 {
		return &Error{Reason: BadValue, Field: "quantity", Msg: fmt.Sprintf("%q has more than six decimals", b)}
	}
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", 6-len(frac)), 10, 63)
	if err != nil || whole == "" || point && frac == "" {
		return &Error{Reason: BadValue, Field: "quantity", Msg: fmt.Sprintf("%q is not a quantity like 2.5", b)}
	}
	*q = Quantity(n)
	if neg {
		*q = -*q
	}
	return nil
}

func abs64(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
