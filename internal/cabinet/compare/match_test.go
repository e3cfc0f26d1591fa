package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
)

// noon is that of 14 March 2026.
const noon fiscal.WallTime = 1_773_489_600

var day = noon.Day()

// names are those of three registers, the first two at one outlet.
func names() *Names {
	n := &Names{}
	for i := range 3 {
		n.Add(&fiscal.Card{
			Register: fiscal.RegisterID(200_001 + i), RegistrationNumber: fmt.Sprintf("01010190742%d", i), SerialNumber: fmt.Sprintf("SWK%04d", i), Name: fmt.Sprintf("Зал %d", i),
			Outlet: fiscal.OutletID(1 + i/2), OutletTitle: fiscal.Text{RU: []string{"Магазин «Асем»", "Бутик"}[i/2]},
		})
	}
	return n
}

func receipt(i int, register int, at fiscal.WallTime, total fiscal.Money) Receipt {
	return Receipt{
		Register: fiscal.RegisterID(200_001 + register), Entry: fiscal.Number(i + 1), Outlet: fiscal.OutletID(1 + register/2), Time: at, Op: fiscal.OpSale, Sign: 812_345_678_000 + uint64(i),
		Printed: uint64(i + 1), Sums: Sums{Total: total, Cash: total}, Cashier: "Айгүл", Count: 1,
	}
}

// row is what honest books say of a receipt.
func row(r *Receipt) Row {
	return Row{
		Register: fmt.Sprintf("Зал %d", r.Register-200_001), Time: r.Time, Grain: OfSecond, Op: r.Op, Sign: r.Sign, Number: r.Printed, Has: ColTotal | ColCash | ColCashless,
		Sums: r.Sums, Cashier: r.Cashier,
	}
}

func whole() Options { return Options{From: day, Until: day} }

func TestMatch(t *testing.T) {
	all := []Receipt{receipt(0, 0, noon, 100_000), receipt(1, 0, noon+300, 100_000), receipt(2, 1, noon+600, 250_000), receipt(3, 2, noon+900, 70_000)}
	all[3].Op = fiscal.OpSaleReturn
	rows := func(change func(rows []Row) []Row) []Row {
		var honest []Row
		for i := range all {
			honest = append(honest, row(&all[i]))
			honest[i].Line = i + 2
		}
		return change(honest)
	}
	tests := []struct {
		name string
		rows []Row
		o    Options
		want [4]int // equal, missing, extra, different
		cols Column // of all differences
	}{
		{"honest books", rows(func(r []Row) []Row { return r }), whole(), [4]int{4, 0, 0, 0}, 0},
		{"nothing but signs", rows(func(r []Row) []Row {
			for i := range r {
				r[i] = Row{Sign: r[i].Sign, Op: r[i].Op}
			}
			return r
		}), whole(), [4]int{4, 0, 0, 0}, 0},
		{"nothing but time and sum, without seconds", rows(func(r []Row) []Row {
			for i := range r {
				r[i] = Row{Time: r[i].Time - 37, Grain: OfMinute, Op: r[i].Op, Has: ColTotal, Sums: Sums{Total: r[i].Total}}
			}
			return r
		}), whole(), [4]int{4, 0, 0, 0}, 0},
		{"nothing but day and sum", rows(func(r []Row) []Row {
			for i := range r {
				r[i] = Row{Time: day, Grain: OfDay, Op: r[i].Op, Has: ColTotal, Sums: Sums{Total: r[i].Total}}
			}
			return r
		}), whole(), [4]int{4, 0, 0, 0}, 0},
		{"the number of the day, no register", rows(func(r []Row) []Row {
			for i := range r {
				r[i] = Row{Time: day, Grain: OfDay, Op: r[i].Op, Number: r[i].Number, Has: ColTotal, Sums: Sums{Total: r[i].Total}}
			}
			return r
		}), whole(), [4]int{4, 0, 0, 0}, 0},
		{"one is missing here", rows(func(r []Row) []Row {
			return append(r, Row{Sign: 1, Time: noon, Grain: OfSecond, Has: ColTotal, Sums: Sums{Total: 1}})
		}), whole(), [4]int{4, 1, 0, 0}, 0},
		{"one is extra here", rows(func(r []Row) []Row { return r[1:] }), whole(), [4]int{3, 0, 1, 0}, 0},
		{"a sum differs", rows(func(r []Row) []Row { r[2].Total++; return r }), whole(), [4]int{3, 0, 0, 1}, ColTotal},
		{"card and not cash", rows(func(r []Row) []Row { r[2].Cash, r[2].Cashless = 0, 250_000; return r }), whole(), [4]int{3, 0, 0, 1}, ColCash | ColCashless},
		{"another cashier", rows(func(r []Row) []Row { r[2].Cashier = "Берік"; return r }), whole(), [4]int{3, 0, 0, 1}, ColCashier},
		{"a clock that is an hour off", rows(func(r []Row) []Row { r[2].Time += 3600; return r }), whole(), [4]int{3, 0, 0, 1}, ColTime},
		{"within the tolerance", rows(func(r []Row) []Row { r[2].Time += 599; return r }), whole(), [4]int{4, 0, 0, 0}, 0},
		{"another operation", rows(func(r []Row) []Row { r[2].Op = fiscal.OpSaleReturn; return r }), whole(), [4]int{3, 0, 0, 1}, ColOperation},
		{"another register", rows(func(r []Row) []Row { r[2].Register = "Зал 2"; return r }), whole(), [4]int{3, 0, 0, 1}, ColRegister},
		{"a wrong sign, the same time and sum", rows(func(r []Row) []Row { r[2].Sign, r[2].Number = 5, 0; return r }), whole(), [4]int{3, 0, 0, 1}, ColSign},
		{"twice in the books", rows(func(r []Row) []Row { return append([]Row{r[2]}, r...) }), whole(), [4]int{4, 1, 0, 0}, 0},
		{"the slip comes before its twin", rows(func(r []Row) []Row { slip := r[2]; slip.Total++; return append([]Row{slip}, r...) }), whole(), [4]int{4, 1, 0, 0}, 0},
		{"a sum that differs, known by register and second", rows(func(r []Row) []Row {
			r[2] = Row{Register: "SWK0001", Time: r[2].Time, Grain: OfSecond, Op: r[2].Op, Has: ColTotal, Sums: Sums{Total: 7}}
			return r
		}), whole(), [4]int{3, 0, 0, 1}, ColTotal},
		{"only registers that are named", rows(func(r []Row) []Row { return r[:2] }), whole(), [4]int{2, 0, 0, 0}, 0},
		{"all registers", rows(func(r []Row) []Row { return r[:2] }), Options{From: day, Until: day, Whole: true}, [4]int{2, 0, 2, 0}, 0},
		{"a register that nobody knows", rows(func(r []Row) []Row { r[2].Register, r[2].Sign, r[2].Number = "Касса 9", 0, 0; return r }), whole(), [4]int{3, 1, 0, 0}, 0},
		{"zeros that a spreadsheet lost", rows(func(r []Row) []Row { r[0].Register = "10101907420"; return r }), whole(), [4]int{4, 0, 0, 0}, 0},
	}
	for _, tt := range tests {
		got := Match(tt.rows, all, names(), tt.o)
		var cols Column
		for _, f := range got.Findings {
			cols |= f.Differs
		}
		var count [4]int
		for v := range count {
			count[v] = got.Figures[v].Count
		}
		if count != tt.want || cols != tt.cols {
			t.Errorf("%s: equal, missing, extra, different = %v in %v, want %v in %v", tt.name, count, cols.Names(), tt.want, tt.cols.Names())
		}
	}
	if got := Match(tests[15].rows, all, names(), whole()); !slices.ContainsFunc(got.Findings, func(f Finding) bool { return f.Twice && f.Verdict == Missing }) {
		t.Errorf("%s: %+v does not say so", tests[15].name, got.Findings)
	}
}

// A receipt that the register took back is no extra one, and books that have it
// all the same differ. One beside the day is there to be matched, and no extra.
func TestMatchCanceledAndBeside(t *testing.T) {
	all := []Receipt{receipt(0, 0, noon, 1000), receipt(1, 0, noon+60, 2000), receipt(2, 0, day-30, 3000), receipt(3, 0, day-40, 4000)}
	all[0].Canceled, all[1].Canceled = true, true
	late := row(&all[2])
	late.Time, late.Sign, late.Number = day+10, 0, 0
	got := Match([]Row{row(&all[0]), late}, all, names(), whole())
	if want := [verdictEnd]int{1, 0, 0, 1}; counts(got) != want || got.Findings[1].Differs != ColCanceled {
		t.Errorf("Match() = %v, %+v, want %v and a canceled one", counts(got), got.Findings, want)
	}
}

func counts(r *Result) (n [verdictEnd]int) {
	for v := range n {
		n[v] = r.Figures[v].Count
	}
	return n
}

// TestSeeded drops, adds and changes rows of the honest books of a random day and
// finds exactly these, by whatever key the books have.
//
// Req: P-101
func TestSeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "receipts")
		by := rapid.SampledFrom([]Key{BySign, ByNumber, ByTime}).Draw(t, "key")
		var all []Receipt
		used := map[[2]int64]bool{}
		for i := range n {
			register := rapid.IntRange(0, 2).Draw(t, "register")
			at := day + fiscal.WallTime(rapid.IntRange(0, secondsOfDay-1).Draw(t, "time"))
			for used[[2]int64{int64(register), int64(at)}] {
				at = day + (at+1)%secondsOfDay
			}
			used[[2]int64{int64(register), int64(at)}] = true
			one := receipt(i, register, at, fiscal.Money(rapid.IntRange(1, 5).Draw(t, "total"))*100)
			one.Op = rapid.SampledFrom([]fiscal.Op{fiscal.OpSale, fiscal.OpSaleReturn}).Draw(t, "operation")
			all = append(all, one)
		}
		slices.SortStableFunc(all, func(a, b Receipt) int { return cmp.Compare(a.Time, b.Time) })
		var rows []Row
		want := Result{}
		differs := map[uint64]Column{}
		tally := func(v Verdict, op fiscal.Op, books, ours fiscal.Money) {
			want.Figures[v].Count++
			want.Figures[v].Books += op.Inflow() * books
			want.Figures[v].Ours += op.Inflow() * ours
		}
		for i := range all {
			one := &all[i]
			r := row(one)
			if by != BySign {
				r.Sign = 0
			}
			if by == ByTime {
				r.Number = 0
			}
			switch rapid.SampledFrom([]Verdict{Equal, Equal, Extra, Different}).Draw(t, "fate") {
			case Equal:
				tally(Equal, one.Op, one.Total, one.Total)
			case Extra:
				tally(Extra, one.Op, 0, one.Total)
				continue
			case Different:
				col := rapid.SampledFrom([]Column{ColTotal, ColCash, ColCashier, ColTime}).Draw(t, "column")
				if by == ByTime { // another time or sum is another receipt
					col = ColCash
				}
				switch col {
				case ColTotal:
					r.Total += 50
				case ColCash:
					r.Cash, r.Cashless = 0, r.Cash
					col |= ColCashless
				case ColCashier:
					r.Cashier = "Берік"
				case ColTime:
					if by == ByNumber { // numbers are of a day
						r.Cashier, col = "Берік", ColCashier
						break
					}
					r.Time += 601
				}
				differs[one.Sign] = col
				tally(Different, one.Op, r.Total, one.Total)
			}
			rows = append(rows, r)
		}
		for i := range rapid.IntRange(0, 10).Draw(t, "missing") {
			r := Row{Register: "Зал 1", Time: noon, Grain: OfSecond, Op: fiscal.OpSale, Has: ColTotal, Sums: Sums{Total: 700_000 + fiscal.Money(i)}}
			for used[[2]int64{1, int64(r.Time)}] { // the second would name another receipt
				r.Time++
			}
			used[[2]int64{1, int64(r.Time)}] = true
			if by == BySign {
				r.Sign = 99_000_000_000 + uint64(i)
			}
			tally(Missing, r.Op, r.Total, 0)
			rows = append(rows, r)
		}
		rows = rapid.Permutation(rows).Draw(t, "order")
		if len(rows) == 0 {
			return
		}
		o := whole()
		o.Whole = true
		got := Match(rows, all, names(), o)
		if got.Figures != want.Figures {
			t.Fatalf("by %v: %+v, want %+v", by, got.Figures, want.Figures)
		}
		seenRow, seenReceipt := map[int]bool{-1: false}, map[int]bool{-1: false}
		for _, f := range got.Findings {
			if f.Row >= 0 && seenRow[f.Row] || f.Receipt >= 0 && seenReceipt[f.Receipt] {
				t.Fatalf("%+v: row or receipt for the second time", f)
			}
			seenRow[f.Row], seenReceipt[f.Receipt] = true, true
			if f.Verdict == Different && f.Differs != differs[all[f.Receipt].Sign] {
				t.Fatalf("receipt %d differs in %v, want %v", f.Receipt, f.Differs.Names(), differs[all[f.Receipt].Sign].Names())
			}
		}
		var days Figures
		for _, d := range got.Days {
			for _, f := range d.Figures {
				days.Count += f.Count
			}
		}
		if days.Count != len(got.Findings) {
			t.Fatalf("the days count %d findings of %d", days.Count, len(got.Findings))
		}
	})
}

// TestNearest holds the heap of neighbors against looking at every pair.
func TestNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(0, 200), 1, 25)
		rows, receipts := times.Draw(t, "rows"), times.Draw(t, "receipts")
		most := fiscal.WallTime(rapid.IntRange(0, 100).Draw(t, "tolerance"))
		order := func(all []int64) (n []int32) {
			for i := range all {
				n = append(n, int32(i))
			}
			return n
		}
		got, apart := map[int32]int32{}, []int64{}
		var n nearest
		n.pair(order(rows), order(receipts), func(i int32) fiscal.WallTime { return fiscal.WallTime(rows[i]) }, func(i int32) fiscal.WallTime { return fiscal.WallTime(receipts[i]) }, most,
			func(row, receipt int32) {
				if _, twice := got[row]; twice {
					t.Fatalf("row %d goes twice", row)
				}
				got[row] = receipt
				apart = append(apart, abs(rows[row]-receipts[receipt]))
			})
		if len(slices.Compact(slices.Sorted(maps.Values(got)))) != len(got) {
			t.Fatalf("a receipt goes twice: %v", got)
		}
		if !slices.IsSorted(apart) {
			t.Fatalf("the distances are %v, want the closest first", apart)
		}
		taken := map[int32]bool{}
		for _, r := range got {
			taken[r] = true
		}
		for i := range rows {
			if _, ok := got[int32(i)]; ok {
				continue
			}
			for j := range receipts {
				if d := abs(rows[i] - receipts[j]); !taken[int32(j)] && fiscal.WallTime(d) <= most {
					t.Fatalf("row at %d and receipt at %d are left, %d apart of %d", rows[i], receipts[j], d, most)
				}
			}
		}
		for i, j := range got { // nobody would rather have had a free one
			for k := range receipts {
				if !taken[int32(k)] && abs(rows[i]-receipts[k]) < abs(rows[i]-receipts[j]) {
					t.Fatalf("row at %d went with %d, %d is free", rows[i], receipts[j], receipts[k])
				}
			}
		}
	})
}

func abs(n int64) int64 { return max(n, -n) }

func BenchmarkMatch(b *testing.B) {
	const n = MaxRows
	all, rows := make([]Receipt, n), make([]Row, n)
	for i := range all {
		all[i] = receipt(i, i%3, day+fiscal.WallTime(i*30), fiscal.Money(1000+i%700*50))
	}
	for _, by := range []Key{BySign, ByNumber, ByTime} {
		b.Run(by.String(), func(b *testing.B) {
			for i := range rows {
				rows[i] = row(&all[i])
				if by != BySign {
					rows[i].Sign = 0
				}
				if by == ByTime {
					rows[i].Number = 0
				}
			}
			o := Options{From: day, Until: day + 40*secondsOfDay}
			b.ReportAllocs()
			for b.Loop() {
				if r := Match(rows, all, names(), o); r.Figures[Equal].Count != n {
					b.Fatalf("%+v", r.Figures)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}
