package kkm_test

import (
	"encoding/json"
	"errors"
	"testing"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
)

// TestReceiptArrives shows that a receipt reaches the operator as it was made,
// in every version that can carry it.
func TestReceiptArrives(t *testing.T) {
	t.Parallel()
	for _, v := range []wire.Version{wire.V124, wire.V125, wire.V200, wire.V201, wire.V202, wire.V203, wire.V204} {
		s := newShop(t, v, new(kkm.Volatile))
		for name, made := range map[string]fiscal.Receipt{"rich": rich(v), "whole": whole(v), "taxi": taxi()} {
			made.Time = fiscal.WallIn(s.clock.now(), s.cfg.Card.Location())
			if _, err := s.Ticket(t.Context(), made); err != nil {
				t.Fatalf("%v %s: %v", v, name, err)
			}
			docs := s.operator.documents()
			doc, err := wire.Read(&docs[len(docs)-1])
			if err != nil {
				t.Fatal(err)
			}
			for i := range made.Items { // what the register adds
				if it := &made.Items[i]; it.Kind == fiscal.ItemGoods && it.Section == "" {
					it.Section = "1"
				} else if it.Kind == fiscal.ItemMarkup && it.Name == "" {
					it.Name = "Наценка"
				}
				if v <= wire.V200 { // what the version does not know
					made.Items[i].Unit = ""
				}
			}
			want, got := indent(t, made), indent(t, doc.Receipt)
			if got != want {
				t.Errorf("%v %s: arrived\n%s\nmade\n%s", v, name, got, want)
			}
		}
	}
}

// whole is a sale with a discount on the whole and one tax on the whole.
func whole(v wire.Version) fiscal.Receipt {
	r := fiscal.Receipt{
		Op: fiscal.OpSale, Cashier: cashier,
		Items:    []fiscal.Item{{Kind: fiscal.ItemGoods, Name: "Шай", Quantity: fiscal.OneUnit, Unit: "796", Price: 100000, Cost: 100000}},
		Payments: []fiscal.Payment{{Kind: fiscal.PayMobile, Sum: 90000}},
		Taxes:    []fiscal.Tax{{Kind: fiscal.KindVAT, Percent: 16000, Sum: 12414, Included: true}},
		Discount: &fiscal.Modifier{Name: "Жеңілдік", Sum: 10000}, Total: 90000,
	}
	if v >= wire.V203 {
		r.Payments[0].Requisites = []fiscal.Requisite{{Key: "qr_type", Value: "static"}, {Key: "qr_id", Value: "77"}}
	}
	return r
}

// taxi is a sale of a trade with a block of its own.
func taxi() fiscal.Receipt {
	return fiscal.Receipt{
		Op: fiscal.OpSale, Cashier: cashier,
		Items:    []fiscal.Item{{Kind: fiscal.ItemGoods, Name: "Жол", Quantity: 7_500_000, Unit: "008", Price: 20000, Cost: 150000}},
		Payments: []fiscal.Payment{{Kind: fiscal.PayCard, Sum: 150000}}, Total: 150000,
		Requisites: []fiscal.Requisite{{Key: "domain", Value: "taxi", Children: []fiscal.Requisite{
			{Key: "car_number", Value: "123ABC02"}, {Key: "is_order", Value: "true"}, {Key: "current_fee", Value: "200.00"}}}},
	}
}

func indent(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReceiptDoesNotFit shows what a register refuses to put on the wire rather
// than to tell the operator something else than the buyer.
func TestReceiptDoesNotFit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		v      wire.Version
		change func(*fiscal.Receipt)
		reason fiscal.Reason
	}{
		{"four decimals", wire.V203, func(r *fiscal.Receipt) { r.Items[0].Quantity = 1_234_500 }, fiscal.BadValue},
		{"no quantity", wire.V203, func(r *fiscal.Receipt) { r.Items[0].Quantity = 0 }, fiscal.BadValue},
		{"more than 32 bits", wire.V202, func(r *fiscal.Receipt) { r.Items[0].Quantity = 4_294_968 * fiscal.OneUnit }, fiscal.BadValue},
		{"code beyond 32 bits", wire.V200, func(r *fiscal.Receipt) { r.Items[0].Code = 1 << 32 }, fiscal.BadValue},
		{"two marks before 2.0.3", wire.V202, func(r *fiscal.Receipt) { r.Items[0].ExciseStamps = []string{"a", "b"} }, fiscal.BadValue},
		{"credit after 2.0.0", wire.V201, func(r *fiscal.Receipt) { r.Payments[0].Kind = fiscal.PayCredit }, fiscal.BadValue},
		{"advance", wire.V200, func(r *fiscal.Receipt) { r.Payments[0].Kind = fiscal.PayAdvance }, fiscal.BadValue},
		{"negative line", wire.V203, func(r *fiscal.Receipt) { r.Items[0].Cost = -1 }, fiscal.BadValue},
		{"negative payment", wire.V203, func(r *fiscal.Receipt) { r.Payments[0].Sum = -1 }, fiscal.BadValue},
		{"negative tax", wire.V203, func(r *fiscal.Receipt) { r.Items[0].Taxes = []fiscal.Tax{{Sum: -1}} }, fiscal.BadValue},
		{"negative discount", wire.V203, func(r *fiscal.Receipt) { r.Discount = &fiscal.Modifier{Sum: -1} }, fiscal.BadValue},
		{"negative change", wire.V203, func(r *fiscal.Receipt) { r.ChangeDue = -1 }, fiscal.BadValue},
		{"no settlement", wire.V203, func(r *fiscal.Receipt) { r.Op = fiscal.OpCashIn }, fiscal.BadValue},
		{"unknown trade", wire.V203, func(r *fiscal.Receipt) { r.Requisites = []fiscal.Requisite{{Key: "domain", Value: "space"}} }, fiscal.BadValue},
		{"return without its receipt", wire.V203, func(r *fiscal.Receipt) { r.Op = fiscal.OpSaleReturn }, fiscal.MissingParameter},
	}
	for _, tt := range tests {
		s := newShop(t, tt.v, new(kkm.Volatile))
		r := bread("Нан")
		r.Op, r.Total, r.Taken = fiscal.OpSale, 21500, 21500
		r.Payments = []fiscal.Payment{{Kind: fiscal.PayCash, Sum: 21500}}
		tt.change(&r)
		if slip, err := s.Ticket(t.Context(), r); !errors.Is(err, tt.reason) {
			t.Errorf("%s: %+v, %v, want %v", tt.name, slip, err, tt.reason)
		}
		if n := len(s.operator.received()); n != 0 {
			t.Errorf("%s: %d requests, want none", tt.name, n)
		}
	}
}

// TestNew shows what makes no register.
func TestNew(t *testing.T) {
	t.Parallel()
	good := newShop(t, wire.V203, new(kkm.Volatile))
	tests := []struct {
		name   string
		change func(*kkm.Config)
		want   error
	}{
		{"no ID", func(c *kkm.Config) { c.Card.Register = 0 }, fiscal.BadValue},
		{"ID beyond 32 bits", func(c *kkm.Config) { c.Card.Register = 1 << 32 }, fiscal.BadValue},
		{"another register's memory", func(c *kkm.Config) { c.Card.Register++ }, fiscal.BadValue},
		{"unknown version", func(c *kkm.Config) { c.Version = 300 }, fiscal.UnsupportedVersion},
	}
	for _, tt := range tests {
		cfg := good.cfg
		tt.change(&cfg)
		if _, err := kkm.New(cfg, good.memory, good.link, good.clock.now, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := good.Sell(t.Context(), bread("Нан")); err != nil {
		t.Errorf("the good one: %v", err)
	}
	fresh, err := kkm.New(good.cfg, new(kkm.Volatile), good.link, good.clock.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Sell(t.Context(), bread("Нан")); !errors.Is(err, kkm.ErrNeedsToken) {
		t.Errorf("without a token: %v, want %v", err, kkm.ErrNeedsToken)
	}
	if err := fresh.SetToken(0); !errors.Is(err, fiscal.BadValue) {
		t.Errorf("SetToken(0) = %v, want %v", err, fiscal.BadValue)
	}
}
