package fiscal

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestCost(t *testing.T) {
	for _, tt := range []struct {
		price Money
		q     Quantity
		want  Money
		err   error
	}{
		{0, 0, 0, nil},
		{250_00, OneUnit, 250_00, nil},
		{150_00, 2_500_000, 375_00, nil},
		{99, 500_000, 50, nil}, // 49.5 is rounded away from zero
		{-99, 500_000, -50, nil},
		{99, -500_000, -50, nil},
		{-99, -500_000, 50, nil},
		{98, 505_000, 49, nil}, // 49.49
		{1, 499_999, 0, nil},
		{1, 1, 0, nil},
		{math.MaxInt64, OneUnit, math.MaxInt64, nil},
		{math.MaxInt64, OneUnit + 1, 0, ErrOverflow},
		{math.MaxInt64, math.MaxInt64, 0, ErrOverflow},
		{math.MinInt64, OneUnit, 0, ErrOverflow},
		{math.MinInt64, 1, -9_223_372_036_855, nil},
	} {
		if got, err := Cost(tt.price, tt.q); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("Cost(%v, %v) = %v, %v; want %v, %v", tt.price, tt.q, got, err, tt.want, tt.err)
		}
	}
}

// divided is a/b rounded half away from zero.
func divided(a, b *big.Int) *big.Int {
	double := new(big.Int).Mul(new(big.Int).Abs(a), big.NewInt(2))
	q := double.Add(double, b).Div(double, new(big.Int).Mul(b, big.NewInt(2)))
	if a.Sign() < 0 {
		q.Neg(q)
	}
	return q
}

func TestCostIsExact(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		price, q := rapid.Int64().Draw(rt, "price"), rapid.Int64().Draw(rt, "quantity")
		want := divided(new(big.Int).Mul(big.NewInt(price), big.NewInt(q)), big.NewInt(int64(OneUnit)))
		got, err := Cost(Money(price), Quantity(q))
		fits := new(big.Int).Abs(want).Cmp(big.NewInt(math.MaxInt64)) <= 0
		if fits && (err != nil || big.NewInt(int64(got)).Cmp(want) != 0) || !fits && !errors.Is(err, ErrOverflow) {
			rt.Fatalf("Cost(%d, %d) = %d, %v; want %v, fits %t", price, q, got, err, want, fits)
		}
	})
}

func TestIncludedTax(t *testing.T) {
	for _, tt := range []struct {
		gross   Money
		percent uint32
		want    Money
	}{
		{1_777_50, 16_000, 245_17}, {1_000_00, 12_000, 107_14}, {112_00, 12_000, 12_00}, {-1_777_50, 16_000, -245_17},
		{0, 16_000, 0}, {100, 0, 0}, {1, 16_000, 0}, {4, 16_000, 1}, {3, 20_000, 1},
	} {
		if got := IncludedTax(tt.gross, tt.percent); got != tt.want {
			t.Errorf("IncludedTax(%v, %d) = %v, want %v", tt.gross, tt.percent, got, tt.want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		gross, percent := rapid.Int64().Draw(rt, "gross"), rapid.Uint32().Draw(rt, "percent")
		want := divided(new(big.Int).Mul(big.NewInt(gross), big.NewInt(int64(percent))), big.NewInt(100_000+int64(percent)))
		if got := IncludedTax(Money(gross), percent); big.NewInt(int64(got)).Cmp(want) != 0 {
			rt.Fatalf("IncludedTax(%d, %d) = %d, want %v", gross, percent, got, want)
		}
	})
}

func TestAdd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		edge := rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1})
		any := rapid.OneOf(rapid.Int64(), edge)
		a, b := any.Draw(rt, "a"), any.Draw(rt, "b")
		want := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		got, err := Add(Money(a), Money(b))
		if want.IsInt64() && (err != nil || int64(got) != want.Int64()) || !want.IsInt64() && !errors.Is(err, ErrOverflow) {
			rt.Fatalf("Add(%d, %d) = %d, %v; want %v", a, b, got, err, want)
		}
	})
}

func TestParseMoney(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Money
		ok   bool
	}{
		{"1777.50", 1_777_50, true}, {"1777.5", 1_777_50, true}, {"1777", 1_777_00, true}, {"1777,50", 1_777_50, true},
		{"0", 0, true}, {"0.05", 5, true}, {"-12.34", -12_34, true}, {"00012", 12_00, true},
		{"90000000000000000.00", MaxMoney, true}, {"92233720368547758.07", math.MaxInt64, true},
		{"92233720368547758.08", 0, false}, {"100000000000000000", 0, false},
		{"", 0, false}, {".", 0, false}, {".5", 0, false}, {"5.", 0, false}, {"1.234", 0, false}, {"1 777", 0, false},
		{"+5", 0, false}, {"--5", 0, false}, {"-", 0, false}, {"1.-5", 0, false}, {"1.2.3", 0, false}, {"1,2.3", 0, false},
		{"1..5", 0, false}, {"1e5", 0, false}, {"0x10", 0, false}, {"1_000", 0, false}, {"٣", 0, false}, {"NaN", 0, false},
	} {
		got, err := ParseMoney(tt.text)
		if got != tt.want || (err == nil) != tt.ok || err != nil && !errors.Is(err, Invalid) {
			t.Errorf("ParseMoney(%q) = %v, %v; want %v, ok %t", tt.text, got, err, tt.want, tt.ok)
		}
	}
}

func TestMoneyText(t *testing.T) {
	for _, tt := range []struct {
		m    Money
		want string
	}{{0, "0.00"}, {5, "0.05"}, {-5, "-0.05"}, {1_777_50, "1777.50"}, {math.MinInt64, "-92233720368547758.08"}} {
		if got := tt.m.String(); got != tt.want {
			t.Errorf("Money(%d) = %q, want %q", int64(tt.m), got, tt.want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := Money(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(rt, "money"))
		b, err := json.Marshal(m)
		if err != nil || b[0] != '"' {
			rt.Fatalf("%d in JSON: %s, %v; want a text", int64(m), b, err)
		}
		var again Money
		if err := json.Unmarshal(b, &again); err != nil || again != m {
			rt.Fatalf("%d comes back from %s as %d, %v", int64(m), b, int64(again), err)
		}
	})
}

func TestQuantityText(t *testing.T) {
	for _, tt := range []struct {
		q    Quantity
		want string
	}{{OneUnit, "1"}, {2_500_000, "2.5"}, {1, "0.000001"}, {-500_000, "-0.5"}, {0, "0"}, {math.MinInt64, "-9223372036854.775808"}} {
		if got := tt.q.String(); got != tt.want {
			t.Errorf("Quantity(%d) = %q, want %q", int64(tt.q), got, tt.want)
		}
	}
	for _, bad := range []string{"", "-", ".", ".5", "1.", "+1", "1.-5", "1.0000001", "1,5", "1 ", "x", "9223372036854.775808", "--1"} {
		var q Quantity
		if err := q.UnmarshalText([]byte(bad)); !errors.Is(err, Invalid) {
			t.Errorf("quantity %q = %v, %v; want a complaint", bad, q, err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		q := Quantity(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(rt, "quantity"))
		b, _ := q.MarshalText()
		var again Quantity
		if err := again.UnmarshalText(b); err != nil || again != q {
			rt.Fatalf("%d comes back from %s as %d, %v", int64(q), b, int64(again), err)
		}
	})
}
