package fiscal

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// TestDaySummaryTakesBack shows that a receipt taken back leaves no sum behind,
// whatever came before and after it, and that a stored summary reads back.
//
// Req: O-111
func TestDaySummaryTakesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		document := rapid.Custom(func(t *rapid.T) Document {
			op := Op(rapid.IntRange(int(OpSale), int(OpPurchaseReturn)).Draw(t, "op"))
			cash, card, mobile := Money(rapid.Int64Range(0, 1e9).Draw(t, "cash")), Money(rapid.Int64Range(0, 1e9).Draw(t, "card")), Money(rapid.Int64Range(0, 1e9).Draw(t, "mobile"))
			total := cash + card + mobile
			return Document{
				Record: Record{Kind: DocReceipt, Op: op, Total: total, Cash: cash, Cashless: card + mobile, DeviceTime: 86400*20000 + 5, Taxpayer: 3, CardVersion: 2},
				Receipt: &Receipt{
					Op: op, Total: total, Payments: []Payment{{Kind: PayCash, Sum: cash}, {Kind: PayCard, Sum: card}, {Kind: PayMobile, Sum: mobile}},
					Taxes: []Tax{{Kind: KindVAT, Percent: rapid.SampledFrom([]uint32{0, 12_000, 16_000}).Draw(t, "rate"), Sum: total / 8}},
				},
			}
		})
		s := DaySummary{Day: 86400 * 20000, Register: 200_001}
		var n Number
		count := func() Document {
			d := document.Draw(t, "document")
			n++
			d.Number = n
			s.Count(&d, [32]byte{byte(n)})
			return d
		}
		for range rapid.IntRange(0, 5).Draw(t, "before") {
			count()
		}
		before := s.Clone()
		d := count()
		s.TakeBack(&d, n+1)
		got, want := s.Clone(), before
		got.Documents, got.First, got.Last, got.Hash, got.Version, got.CardVersion, got.Taxpayer = want.Documents, want.First, want.Last, want.Hash, want.Version, want.CardVersion, want.Taxpayer
		if len(got.Taxes) > len(want.Taxes) { // a rate of which nothing is left
			for i, x := range got.Taxes {
				if x.Ops == [OpSettlements]TaxedTally{} && (i >= len(want.Taxes) || want.Taxes[i].Percent != x.Percent) {
					got.Taxes = append(got.Taxes[:i:i], got.Taxes[i+1:]...)
					break
				}
			}
		}
		if len(got.Taxes) == 0 {
			got.Taxes = want.Taxes
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("after a receipt was taken back\n%+v, want\n%+v", got, want)
		}
		if s.Version != n+1 || s.Documents != before.Documents+1 {
			t.Fatalf("summary %+v, want version %d and one document more than %d", s, n+1, before.Documents)
		}
		stored := s.Append(nil)
		back, err := ParseDaySummary(stored)
		back.Day, back.Register = s.Day, s.Register
		if err != nil || !reflect.DeepEqual(back, s) {
			t.Fatalf("read back %+v, %v, want %+v", back, err, s)
		}
	})
}

// FuzzParseDaySummary shows that whatever is read writes the same bytes again.
func FuzzParseDaySummary(f *testing.F) {
	s := DaySummary{Version: 7, Documents: 3, Taxes: []TaxTally{{Kind: KindVAT, Percent: 16_000}}, Drawer: -5}
	f.Add(s.Append(nil))
	f.Add([]byte{})
	f.Add([]byte{summaryFormat})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseDaySummary(b)
		if err != nil {
			return
		}
		if again := s.Append(nil); string(again) != string(b) {
			t.Errorf("ParseDaySummary(%x) writes %x again", b, again)
		}
	})
}
