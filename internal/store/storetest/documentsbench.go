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
		}
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
		{"sign", cabinet.Filter{Code: fmt.Sprint(100_000_000_000 + uint64(n/3)*7919)}},
		{"cashier", cabinet.Filter{Cashier: "кассир 7", Until: middle}},
		{"goods", cabinet.Filter{Goods: "молоко хлеб"}},
		{"goods of a day", cabinet.Filter{Goods: "кофе", From: middle, Until: middle + 86_400}},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				q.filter.Kinds = []fiscal.DocumentKind{fiscal.DocReceipt}
				if all, _, err := asks.Documents(b.Context(), &s, &q.filter, nil, 50); err != nil || len(all) == 0 {
					b.Fatalf("%d documents, %v", len(all), err)
				}
			}
		})
	}
}
