package kgd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

var update = flag.Bool("update", false, "write the golden files again")

// shop is a registry of one register with two versions of its card.
type shop struct{ asked int }

func (s *shop) Card(_ context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error) {
	s.asked++
	c := fiscal.Card{Register: r, Version: version, Country: fiscal.Kazakhstan, XIN: "960624350642", RegistrationNumber: "600123456789"}
	switch {
	case r == 200_146:
		c.Country = fiscal.Russia
	case r != 200_145:
		return c, &fiscal.Error{Reason: fiscal.NothingThere}
	case version == 1:
		c.RegistrationNumber, c.Provisional = "990000200145", true
	}
	return c, nil
}

// entry is an entry of the register, changed.
func entry(number fiscal.Number, kind fiscal.DocumentKind, change func(*fiscal.Record)) delivery.Entry {
	r := &fiscal.Record{
		Register: 200_145, Number: number, CardVersion: 2, Format: "kkm/203", Kind: kind,
		DeviceTime: 1_773_479_561, ReceivedAt: time.Date(2026, 3, 14, 4, 12, 42, 120_000_000, time.UTC), Shift: 7,
	}
	if change != nil {
		change(r)
	}
	return delivery.Entry{Record: r, Hash: [32]byte{0xAB, 31: byte(number)}}
}

// opened are the documents in the entries of entries().
func opened(rec *fiscal.Record) (fiscal.Document, error) {
	d := fiscal.Document{Record: *rec}
	vat := func(sum fiscal.Money) []fiscal.Tax {
		return []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16_000, Sum: sum, Included: true}}
	}
	switch rec.Number {
	case 1, 2, 9:
		kinds := map[fiscal.Number]fiscal.ActKind{1: fiscal.ActRegister, 2: fiscal.ActToken, 9: fiscal.ActBlock}
		d.Act = &fiscal.Act{Kind: kinds[rec.Number], By: "admin@example.kz"}
		if rec.Number == 9 {
			d.Act.Text = "долг"
		}
	case 3:
		d.Move = &fiscal.CashMove{Op: rec.Op, Sum: rec.Total, Cashier: fiscal.Cashier{Code: 1, Name: "Әсел Ғабит"}}
	case 4:
		d.Receipt = &fiscal.Receipt{
			Op: fiscal.OpSale, Cashier: fiscal.Cashier{Code: 1}, Total: 177_750, Taken: 200_000, ChangeDue: 22_250,
			Items: []fiscal.Item{
				{Kind: fiscal.ItemGoods, Name: "Нан \"Тоқаш\" <ақ>\t", Section: "1", Quantity: 2_500_000, Unit: "166", Price: 50_000, Cost: 125_000, Taxes: vat(17_241), Barcode: "4870001234567", NTIN: "0123"},
				{Kind: fiscal.ItemGoods, Name: "Сүт", Quantity: 1_000_000, Price: 70_000, Cost: 70_000, Taxes: vat(9_655), ExciseStamps: []string{"01048\x1d93"}},
				{Kind: fiscal.ItemGoods, Storno: true, Name: "Сүт", Quantity: 1_000_000, Price: 7_250, Cost: 7_250, Taxes: vat(1_000)},
				{Kind: fiscal.ItemDiscount, Cost: 10_000, Taxes: vat(1_379)},
			},
			Payments: []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 100_000}, {Kind: fiscal.PayMobile, Sum: 77_750}},
			Discount: &fiscal.Modifier{Sum: 10_000, Taxes: vat(1_379)}, Buyer: fiscal.Buyer{XIN: "850101300123", Email: "me@example.kz", Phone: "+7700"},
		}
	case 5:
		d.Receipt = &fiscal.Receipt{
			Op: fiscal.OpSaleReturn, Total: 5_000, Payments: []fiscal.Payment{{Kind: fiscal.PayCard, Sum: 5_000}}, Taxes: vat(690), Markup: &fiscal.Modifier{Sum: 100},
			Parent: &fiscal.ParentReceipt{FiscalSign: "123456789012", Time: 1_773_479_000, RegistrationNumber: "600123456789", Total: 177_750},
		}
	case 7, 8:
		c := fiscal.Counters{Cash: 177_750, Revenue: 172_750}
		c.GrandTotals[0], c.Receipts[0] = 177_750, fiscal.ReceiptTally{Ever: 1, Count: 1, Sum: 177_750, Discount: 10_000, Change: 22_250}
		c.Receipts[0].Payments[fiscal.PayCash.Index()] = fiscal.Tally{Count: 1, Sum: 100_000}
		c.Moves[0] = fiscal.MoveTally{Ever: 1, Count: 1, Sum: 100_000}
		c.Taxes = []fiscal.TaxTally{{Kind: fiscal.KindVAT, Percent: 16_000, Ops: [4]fiscal.TaxedTally{{Turnover: 177_750, Tax: 24_517}}}}
		d.Report = &fiscal.Report{Kind: fiscal.ReportX, Time: rec.DeviceTime, Shift: fiscal.Shift{Number: 7, OpenedAt: rec.DeviceTime - 3600}, Counters: c}
		if rec.Number == 8 {
			d.Report.Kind = fiscal.ReportZ
		}
	case 12:
		return d, &fiscal.Error{Of: fiscal.Corrupt, Msg: "cut"}
	}
	return d, nil
}

// entries are one of each kind.
func entries() []delivery.Entry {
	act := func(r *fiscal.Record) { r.Format = fiscal.FormatAct }
	sums := func(op fiscal.Op, total fiscal.Money) func(*fiscal.Record) {
		return func(r *fiscal.Record) {
			r.Op, r.Total, r.Cash, r.Tax, r.FiscalSign = op, total, total, 24_517, 98_765_432_109
		}
	}
	return []delivery.Entry{
		entry(1, fiscal.DocAct, func(r *fiscal.Record) { act(r); r.CardVersion = 1 }),
		entry(2, fiscal.DocAct, act),
		entry(3, fiscal.DocCashMove, sums(fiscal.OpCashIn, 100_000)),
		entry(4, fiscal.DocReceipt, sums(fiscal.OpSale, 177_750)),
		entry(5, fiscal.DocReceipt, func(r *fiscal.Record) {
			sums(fiscal.OpSaleReturn, 5_000)(r)
			r.Flags, r.DeviceNumber = fiscal.FlagReplay|fiscal.FlagBuyer, 4_000_000_001
		}),
		entry(6, fiscal.DocCancel, func(r *fiscal.Record) { sums(fiscal.OpSaleReturn, 5_000)(r); r.Refers, r.FiscalSign = 5, 0 }),
		entry(7, fiscal.DocReport, nil),
		entry(8, fiscal.DocShiftClose, nil),
		entry(9, fiscal.DocAct, act),
		entry(10, fiscal.DocNotice, nil),
	}
}

// Each kind of document is worded as it stands in a file that a person read; it
// is what the published messages say, no more and no less, and what is none of
// the authority's business is not there.
//
// Req: O-002, O-110, P-020
func TestWords(t *testing.T) {
	registry := &shop{}
	words := NewWording(opened, registry)
	var got []byte
	published := schema(t).of("document")
	for _, e := range entries() {
		id, line, ok, err := words.Word(t.Context(), []byte("before"), e)
		if err != nil || ok == (e.Number == 2 || e.Number == 10) {
			t.Errorf("Word(entry %d) = %t, %v", e.Number, ok, err)
		}
		if !ok {
			continue
		}
		line, kept := bytes.CutPrefix(line, []byte("before"))
		if !kept || id != IDOf(e.Register, e.Number) || bytes.Count(line, []byte{'\n'}) != 1 || !bytes.HasSuffix(line, []byte("\n")) {
			t.Errorf("entry %d is %q: %q, want one line behind what was there", e.Number, id, line)
		}
		var d Document
		strict := json.NewDecoder(bytes.NewReader(line))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&d); err != nil || d.ID != id || d.Entry != e.Number || !d.Received.Equal(e.ReceivedAt) || d.Time != e.DeviceTime || d.Total != e.Total {
			t.Errorf("entry %d is not read as it was worded: %+v, %v\n%s", e.Number, d, err, line)
		}
		published.check(t, line)
		got = append(got, line...)
	}
	if registry.asked != 2 {
		t.Errorf("the registry was asked %d times, want once for each version of the card", registry.asked)
	}
	for _, secret := range []string{"me@example.kz", "+7700", "admin@"} {
		if bytes.Contains(got, []byte(secret)) {
			t.Errorf("%q is nobody's business there", secret)
		}
	}
	golden := filepath.Join("testdata", "documents.golden")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the lines are\n%s\nwant %s (%v)\n%s", got, golden, err, want)
	}
}

// What cannot be worded is put aside with its reason, waits, or is another
// authority's.
func TestNoWords(t *testing.T) {
	down := &fiscal.Error{Reason: fiscal.StoreDown}
	for name, tt := range map[string]struct {
		entry delivery.Entry
		cards Cards
		want  error // a Reason of delivery, a Kind, or nil for what is none of its business
	}{
		"unreadable":            {entry(11, fiscal.DocUnreadable, nil), &shop{}, unfit(delivery.Unreadable)},
		"damaged":               {entry(12, fiscal.DocReceipt, nil), &shop{}, unfit(delivery.Damaged)},
		"no card":               {entry(4, fiscal.DocReceipt, func(r *fiscal.Record) { r.Register = 1 }), &shop{}, unfit(delivery.Damaged)},
		"the store is down":     {entry(4, fiscal.DocReceipt, nil), broken{down}, fiscal.Unavailable},
		"an act, the store too": {entry(1, fiscal.DocAct, func(r *fiscal.Record) { r.Format = fiscal.FormatAct }), broken{down}, fiscal.Unavailable},
		"Russia's act":          {entry(1, fiscal.DocAct, func(r *fiscal.Record) { r.Format, r.Register = fiscal.FormatAct, 200_146 }), &shop{}, nil},
		"Russia's receipt":      {entry(4, fiscal.DocReceipt, func(r *fiscal.Record) { r.Format = "kkt/1.2" }), broken{errors.New("asked")}, nil},
	} {
		_, room, ok, err := NewWording(opened, tt.cards).Word(t.Context(), []byte("room"), tt.entry)
		if ok || string(room) != "room" || (tt.want == nil) != (err == nil) {
			t.Errorf("%s: Word = %t, %v, room %q; want %v", name, ok, err, room, tt.want)
		}
		var u *delivery.Unfit
		switch is := errors.As(err, &u); {
		case is != errors.As(tt.want, new(*delivery.Unfit)), is && u.Reason != tt.want.(*delivery.Unfit).Reason, !is && !errors.Is(err, tt.want):
			t.Errorf("%s: error %v, want %v", name, err, tt.want)
		}
	}
}

func unfit(r delivery.Reason) error { return &delivery.Unfit{Reason: r, Err: errors.New("as wanted")} }

// broken is a registry that does not answer.
type broken struct{ err error }

func (b broken) Card(context.Context, fiscal.RegisterID, uint32) (fiscal.Card, error) {
	return fiscal.Card{}, b.err
}

// Any text comes through as JSON has it.
func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		if rapid.Bool().Draw(t, "broken") {
			want += string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		}
		var got string
		b := appendText(nil, want)
		if err := json.Unmarshal(b, &got); err != nil || got != strings.Join(strings.Split(string([]rune(want)), ""), "") || !utf8.Valid(b) {
			t.Fatalf("appendText(%q) = %s, read as %q, %v", want, b, got, err)
		}
	})
}

// The taxes of a receipt are those that the register's counters count.
func TestTaxes(t *testing.T) {
	tax := rapid.Custom(func(t *rapid.T) fiscal.Tax {
		return fiscal.Tax{Kind: rapid.Uint32Range(100, 101).Draw(t, "kind"), Percent: rapid.Uint32Range(0, 2).Draw(t, "percent"), Sum: fiscal.Money(rapid.Int64Range(0, 99).Draw(t, "tax"))}
	})
	some := rapid.SliceOfN(tax, 0, 3)
	item := rapid.Custom(func(t *rapid.T) fiscal.Item {
		return fiscal.Item{Kind: fiscal.ItemKind(rapid.IntRange(1, 3).Draw(t, "kind")), Storno: rapid.Bool().Draw(t, "storno"), Cost: fiscal.Money(rapid.Int64Range(0, 999).Draw(t, "cost")), Taxes: some.Draw(t, "taxes")}
	})
	rapid.Check(t, func(t *rapid.T) {
		r := fiscal.Receipt{Op: fiscal.OpSale, Total: 1000, Items: rapid.SliceOfN(item, 0, 5).Draw(t, "items"), Taxes: some.Draw(t, "taxes")}
		for _, m := range []**fiscal.Modifier{&r.Discount, &r.Markup} {
			if rapid.Bool().Draw(t, "modified") {
				*m = &fiscal.Modifier{Sum: fiscal.Money(rapid.Int64Range(0, 9).Draw(t, "sum")), Taxes: some.Draw(t, "taxes")}
			}
		}
		var c fiscal.Counters
		c.Receipt(&r, false, 1)
		got := taxesOf(&r, nil)
		if len(got) != len(c.Taxes) {
			t.Fatalf("taxesOf(%+v) = %+v, want %+v", r, got, c.Taxes)
		}
		for i, want := range c.Taxes {
			if x := want.Ops[0]; got[i] != (Tax{want.Kind, want.Percent, x.Turnover, x.Tax}) {
				t.Fatalf("taxesOf(%+v) = %+v, want %+v", r, got, c.Taxes)
			}
		}
	})
}

// A receipt is worded without memory of its own but for its ID.
func TestMemory(t *testing.T) {
	words, e := NewWording(func(rec *fiscal.Record) (fiscal.Document, error) {
		return fiscal.Document{Receipt: &fiscal.Receipt{}}, nil
	}, &shop{}), entries()[3]
	doc, err := opened(e.Record)
	if err != nil {
		t.Fatal(err)
	}
	words.read = func(*fiscal.Record) (fiscal.Document, error) { return doc, nil }
	room := make([]byte, 0, 8<<10)
	if n := testing.AllocsPerRun(100, func() { words.Word(t.Context(), room, e) }); n > 3 {
		t.Errorf("a receipt is worded with %v allocations, want at most 3", n)
	}
}

func BenchmarkWord(b *testing.B) {
	words, e := NewWording(opened, &shop{}), entries()[3]
	room := make([]byte, 0, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok, err := words.Word(b.Context(), room, e); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
