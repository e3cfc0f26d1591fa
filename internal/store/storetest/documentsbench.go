package storetest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// BenchDocuments fills the cabinet's tables with receipts of one taxpayer, as
// many as DOCUMENTS says (20,000 without it), and measures the first page of
// each question. The speed of filling is that of the engine alone.
func BenchDocuments(b *testing.B, e Engine, partition fiscal.Partition) {
	n, err := strconv.Atoi(os.Getenv("DOCUMENTS"))
	if err != nil || n <= 0 {
		n = 20_000
	}
	const taxpayer, registers, page = 1, 200, 512
	goods := []string{"молоко", "хлеб", "сыр", "кофе", "шоколад", "чай чёрный", "сахар", "масло сливочное"}
	began := time.Now()
	for from := 0; from < n; from += page {
		var p cabinet.Page
		for i := from; i < min(from+page, n); i++ {
			d := cabinet.Document{
				Taxpayer: taxpayer, Partition: partition, Seq: journal.Seq(i + 1), Time: fiscal.WallTime(1_700_000_000 + i*3), ReceivedAt: morning,
				Register: fiscal.RegisterID(200_001 + i%registers), Number: fiscal.Number(i/registers + 1), CardVersion: 1, Outlet: fiscal.OutletID(i%20 + 1),
				Kind: fiscal.DocReceipt, Op: fiscal.OpSale, Shift: uint32(i/100_000 + 1), FiscalSign: 100_000_000_000 + uint64(i)*7919, Total: fiscal.Money(10_000 + i%5000*100),
				Cashier: fmt.Sprintf("Кассир %d", i%40), Goods: goods[i%8] + "\n" + goods[i/8%8] + "\n" + fmt.Sprintf("товар%d\n", i%1000),
			}
			if i%100 == 0 {
				d.Op = fiscal.OpSaleReturn
			}
			p.Documents = append(p.Documents, d)
			tally := cabinet.Tally{Documents: 1, Counts: [4]int64{1}, Sums: [4]fiscal.Money{d.Total}, Cash: d.Total}
			p.Shifts = append(p.Shifts, cabinet.Shift{ShiftID: cabinet.ShiftID{Register: d.Register, Number: d.Shift}, Taxpayer: taxpayer, Partition: partition,
				Outlet: d.Outlet, CardVersion: 1, Opened: d.Time, Last: d.Time, Tally: tally})
			p.Days = append(p.Days, cabinet.Day{Day: d.Time.Day(), Register: d.Register, Outlet: d.Outlet, Taxpayer: taxpayer, Partition: partition, Tally: tally})
		}
		p.Shifts, p.Days = joined(p.Shifts, p.Days)
		m := follow.Move{ID: cabinet.FollowerID(), Partition: partition, From: journal.Seq(from), To: journal.Seq(min(from+page, n)), At: morning}
		if err := e.KeepPage(b.Context(), m, &p); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d receipts filled, %.0f a second", n, float64(n)/time.Since(began).Seconds())
	asks := cabinet.NewQuestions(e.Shelf(), opened)
	s, err := cabinet.ScopeOf(&access.Actor{User: access.User{ID: 1}, Taxpayer: taxpayer, Member: access.Member{User: 1, Taxpayer: taxpayer, Role: access.Owner}}, access.SeeRevenue)
	if err != nil {
		b.Fatal(err)
	}
	sum := fiscal.Money(20_000)
	middle := fiscal.WallTime(1_700_000_000 + n/2*3)
	high, higher := fiscal.Money(509_800), fiscal.Money(509_900)
	for _, q := range []struct {
		name   string
		filter cabinet.Filter
	}{
		{"all", cabinet.Filter{}},
		{"day", cabinet.Filter{From: middle, Until: middle + 86_400}},
		{"register", cabinet.Filter{Register: 200_007}},
		{"outlet", cabinet.Filter{Outlet: 3, Until: middle}},
		{"returns", cabinet.Filter{Op: fiscal.OpSaleReturn, Until: middle}},
		{"sum", cabinet.Filter{Least: &sum, Most: &sum}},
		{"a range of rare sums", cabinet.Filter{Least: &high, Most: &higher}},
		{"a range of common sums", cabinet.Filter{Least: &sum, Until: middle}},
		{"sign", cabinet.Filter{Code: fmt.Sprint(100_000_000_000 + uint64(n/3)*7919)}},
		{"cashier", cabinet.Filter{Cashier: "кассир 7", Until: middle}},
		{"goods", cabinet.Filter{Goods: "молоко хлеб"}},
		{"rare goods", cabinet.Filter{Goods: "товар777"}},
		{"goods that are not there", cabinet.Filter{Goods: "молоток"}},
		{"goods of a register", cabinet.Filter{Goods: "кофе", Register: 200_007}},
		{"anything", cabinet.Filter{Any: "кассир 7"}},
		{"goods of a day", cabinet.Filter{Goods: "кофе", From: middle, Until: middle + 86_400}},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				q.filter.Kinds = []fiscal.DocumentKind{fiscal.DocReceipt}
				if h, err := asks.Search(b.Context(), &s, &q.filter, nil, 50); err != nil || len(h.Documents) == 0 && q.filter.Goods != "молоток" {
					b.Fatalf("%d documents, %v", len(h.Documents), err)
				}
			}
		})
	}
	for name, ask := range map[string]func(*testing.B) error{
		"shifts": func(b *testing.B) error {
			_, _, err := asks.Shifts(b.Context(), &s, &cabinet.Filter{}, nil, 50)
			return err
		},
		"shifts of a register": func(b *testing.B) error {
			_, _, err := asks.Shifts(b.Context(), &s, &cabinet.Filter{Register: 200_007}, nil, 50)
			return err
		},
		"sums of a day": func(b *testing.B) error {
			_, err := asks.Today(b.Context(), &s, middle)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ask(b); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// joined adds up what is of one shift and of one day, as a page has it.
func joined(shifts []cabinet.Shift, days []cabinet.Day) ([]cabinet.Shift, []cabinet.Day) {
	type dayID struct {
		day      fiscal.WallTime
		register fiscal.RegisterID
		outlet   fiscal.OutletID
	}
	ofShift, ofDay := map[cabinet.ShiftID]int{}, map[dayID]int{}
	var allShifts []cabinet.Shift
	var allDays []cabinet.Day
	for i := range shifts {
		s, d := &shifts[i], &days[i]
		if at, ok := ofShift[s.ShiftID]; ok {
			allShifts[at].Add(&s.Tally)
			allShifts[at].Last = s.Last
		} else {
			ofShift[s.ShiftID] = len(allShifts)
			allShifts = append(allShifts, *s)
		}
		id := dayID{d.Day, d.Register, d.Outlet}
		if at, ok := ofDay[id]; ok {
			allDays[at].Add(&d.Tally)
		} else {
			ofDay[id] = len(allDays)
			allDays = append(allDays, *d)
		}
	}
	return allShifts, allDays
}
