package compare

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
)

// TestSeededTotals drops, adds and changes totals of honest books, by register,
// by outlet and of the whole, with operations and without.
//
// Req: P-101
func TestSeededTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		level, told := rapid.SampledFrom([]string{"register", "outlet", "all"}).Draw(t, "level"), rapid.Bool().Draw(t, "operations told")
		var all []Receipt
		for i := range rapid.IntRange(1, 60).Draw(t, "receipts") {
			one := receipt(i, rapid.IntRange(0, 2).Draw(t, "register"), day+fiscal.WallTime(rapid.IntRange(0, 3*secondsOfDay-1).Draw(t, "time")), fiscal.Money(rapid.IntRange(1, 1000).Draw(t, "total")))
			one.Op = rapid.SampledFrom([]fiscal.Op{fiscal.OpSale, fiscal.OpSaleReturn}).Draw(t, "operation")
			if rapid.Bool().Draw(t, "by card") {
				one.Cash, one.Cashless = 0, one.Cash
			}
			one.Canceled = rapid.IntRange(0, 9).Draw(t, "canceled") == 0
			all = append(all, one)
		}
		type key struct {
			name string
			day  fiscal.WallTime
			op   fiscal.Op
		}
		honest, order := map[key]*Row{}, []key{}
		for i := range all {
			one := &all[i]
			if one.Canceled {
				continue
			}
			k, way := key{day: one.Time.Day(), op: one.Op}, fiscal.Money(1)
			switch level {
			case "register":
				k.name = fmt.Sprint(one.Register)
			case "outlet":
				k.name = []string{"", "магазин асем", "Бутик"}[one.Outlet]
			}
			if !told {
				k.op = fiscal.OpNone
				if one.Op.Return() {
					way = -1
				}
			}
			if honest[k] == nil {
				honest[k] = &Row{Time: k.day, Grain: OfDay, Op: k.op, Has: ColTotal | ColCash | ColCashless}
				if level == "register" {
					honest[k].Register = k.name
				} else {
					honest[k].Outlet = k.name
				}
				order = append(order, k)
			}
			honest[k].add(&one.Sums, way)
		}
		var rows []Row
		var want [verdictEnd]int
		names, named := names(), false
		for _, k := range order {
			r := *honest[k]
			v := rapid.SampledFrom([]Verdict{Equal, Extra, Different}).Draw(t, "fate")
			want[v]++
			switch v {
			case Extra:
				continue
			case Different:
				r.Cash++
			case Equal: // in two rows that are added up
				half := r
				half.Sums = Sums{Total: r.Total / 2, Cash: r.Cash / 3}
				r.Total -= half.Total
				r.Cash -= half.Cash
				rows = append(rows, half)
			}
			named = true
			rows = append(rows, r)
		}
		if level != "all" {
			for i := range rapid.IntRange(0, 3).Draw(t, "missing") {
				op := fiscal.OpSale
				if !told {
					op = fiscal.OpNone
				}
				r := Row{Register: fmt.Sprintf("Касса %d", 90+i), Time: day, Grain: OfDay, Op: op, Has: ColTotal, Sums: Sums{Total: 1}}
				if level == "outlet" {
					r.Register, r.Outlet = "", r.Register
				}
				rows = append(rows, r)
				want[Missing]++
				named = true
			}
		}
		if !named {
			return
		}
		got := MatchTotals(rapid.Permutation(rows).Draw(t, "order"), all, names, Options{From: day, Until: day + 2*secondsOfDay, Whole: true})
		if counts(got) != want {
			t.Fatalf("by %s: %v, want %v\nrows %+v\nfindings %+v", level, counts(got), want, rows, got.Findings)
		}
		for _, f := range got.Findings {
			if f.Verdict == Different && f.Differs != ColCash {
				t.Fatalf("%+v differs in %v, want cash", f, f.Differs.Names())
			}
		}
	})
}

// Books that tell no day are of the whole time, and names that nothing answers to
// are told.
func TestTotalsOfAllDays(t *testing.T) {
	all := []Receipt{receipt(0, 0, noon, 1000), receipt(1, 1, noon+secondsOfDay, 500)}
	all[1].Op = fiscal.OpSaleReturn
	got := MatchTotals([]Row{{Has: ColTotal, Sums: Sums{Total: 500}}}, all, names(), Options{From: day, Until: day + secondsOfDay})
	if want := [verdictEnd]int{1}; counts(got) != want || got.Receipts[0].Count != 2 {
		t.Errorf("MatchTotals() = %+v, want one equal total of two receipts", got)
	}
	got = MatchTotals([]Row{{Register: "Касса 9", Has: ColTotal, Sums: Sums{Total: 500}}, {Register: "Зал 0", Has: ColTotal}}, all, names(), Options{From: day, Until: day + secondsOfDay})
	if !slices.Equal(got.Unknown, []string{"Касса 9"}) {
		t.Errorf("unknown are %q, want «Касса 9»", got.Unknown)
	}
}
