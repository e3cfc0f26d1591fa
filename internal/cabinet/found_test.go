package cabinet

import (
	"fmt"
	"testing"

	"openofd/internal/fiscal"
)

func TestFoundTaxes(t *testing.T) {
	vat := func(percent uint32, sum fiscal.Money, included bool) []fiscal.Tax {
		return []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: percent, Sum: sum, Included: included}}
	}
	f := Found{Document: fiscal.Document{Receipt: &fiscal.Receipt{
		Items: []fiscal.Item{
			{Kind: fiscal.ItemGoods, Taxes: vat(12000, 100, true)},
			{Kind: fiscal.ItemGoods, Taxes: vat(16000, 500, true)},
			{Kind: fiscal.ItemGoods, Storno: true, Taxes: vat(16000, 200, true)},
			{Kind: fiscal.ItemDiscount, Taxes: vat(16000, 50, true)},
		},
		Taxes:    vat(16000, 7, false),
		Discount: &fiscal.Modifier{Taxes: vat(12000, 10, true)},
		Markup:   &fiscal.Modifier{Taxes: vat(12000, 1, true)},
	}}}
	const want = "[{100 16000 true 2.50} {100 16000 false 0.07} {100 12000 true 0.91}]"
	if got := fmt.Sprint(f.Taxes()); got != want {
		t.Errorf("Taxes() = %s, want %s", got, want)
	}
}

// Req: T-034, T-135
func TestFoundReceiptNumber(t *testing.T) {
	own := []fiscal.Requisite{{Key: "domain", Value: "taxi"}, {Key: "shift_document_number", Value: "17"}}
	tests := []struct {
		extra, requisites []fiscal.Requisite
		want              string
	}{
		{nil, nil, "42"},
		{own, nil, "17"},
		{nil, own, "17"},
		{own, []fiscal.Requisite{{Key: "printed_document_number", Value: "9001"}}, "9001"},
	}
	for _, tt := range tests {
		f := Found{Document: fiscal.Document{Record: fiscal.Record{Number: 42}, Extra: tt.extra, Receipt: &fiscal.Receipt{Requisites: tt.requisites}}}
		if got := f.ReceiptNumber(); got != tt.want {
			t.Errorf("ReceiptNumber() with %v, %v = %q, want %q", tt.extra, tt.requisites, got, tt.want)
		}
	}
}

func TestFoundLink(t *testing.T) {
	f := Found{
		Card: fiscal.Card{RegistrationNumber: rnm},
		Document: fiscal.Document{Record: fiscal.Record{
			FiscalSign: 500_000_000_002, DeviceNumber: 1001, Total: 177750, DeviceTime: at(2026, 3, 14, 9, 12, 41),
		}},
	}
	const rest = "&f=010101907421&s=1777.50&t=20260314T091241"
	if got, want := f.Link("https://ofd.example/"), "https://ofd.example/?i=500000000002"+rest; got != want {
		t.Errorf("Link() = %s, want %s", got, want)
	}
	f.Document.Flags = fiscal.FlagReplay
	if got, want := f.Link("https://ofd.example"), "https://ofd.example/?i=1001"+rest; got != want {
		t.Errorf("Link() of an autonomous receipt = %s, want %s", got, want)
	}
	f.Document.DeviceNumber = 0 // made offline, but the device gave it no number
	if got, want := f.PrintedCode(), "500000000002"; got != want {
		t.Errorf("PrintedCode() = %s, want %s", got, want)
	}
}

func TestFoundMaskedBuyer(t *testing.T) {
	for xin, want := range map[fiscal.XIN]string{"": "", "123": "•••", "960624350642": "••••••••0642"} {
		f := Found{Document: fiscal.Document{Receipt: &fiscal.Receipt{Buyer: fiscal.Buyer{XIN: xin}}}}
		if got := f.MaskedBuyer(); got != want {
			t.Errorf("MaskedBuyer() of %q = %q, want %q", xin, got, want)
		}
	}
}

// Req: U-15
func TestFoundDiscount(t *testing.T) {
	line := func(kind fiscal.ItemKind, storno bool, cost fiscal.Money) fiscal.Item {
		return fiscal.Item{Kind: kind, Storno: storno, Cost: cost}
	}
	tests := []struct {
		name  string
		whole fiscal.Money // -1: none
		items []fiscal.Item
		want  fiscal.Money // 0: none
	}{
		{"none", -1, nil, 0},
		{"of zero", 0, nil, 0},
		{"on the whole", 500, []fiscal.Item{line(fiscal.ItemGoods, false, 500)}, 500},
		{"repeats the lines", 500, []fiscal.Item{line(fiscal.ItemDiscount, false, 300), line(fiscal.ItemDiscount, false, 200)}, 0},
		{"repeats the lines of a return", 500, []fiscal.Item{line(fiscal.ItemDiscount, true, 500)}, 0},
		{"beside a line", 500, []fiscal.Item{line(fiscal.ItemDiscount, false, 300)}, 500},
	}
	for _, tt := range tests {
		r := &fiscal.Receipt{Items: tt.items}
		if tt.whole >= 0 {
			r.Discount = &fiscal.Modifier{Sum: tt.whole}
		}
		f := Found{Document: fiscal.Document{Receipt: r}}
		var got fiscal.Money
		if m := f.Discount(); m != nil {
			got = m.Sum
		}
		if got != tt.want || f.Markup() != nil {
			t.Errorf("%s: Discount() = %s, Markup() = %v, want %s and none", tt.name, got, f.Markup(), tt.want)
		}
	}
}
