package till_test

import (
	"errors"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/till"
)

// Goods come from the operator's catalog and from the seller's own hand; they
// are found by the beginning of a word in any case, and by their barcode.
//
// Req: E-119, E-120, E-124
func TestGoods(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	catalog := fiscal.Catalog{Version: 7, Elements: []fiscal.CatalogElement{
		{ID: 1, Group: true, Title: fiscal.Text{RU: "Хлеб"}},
		{ID: 2, Parent: 1, Title: fiscal.Text{RU: "Батон Ёлочка", KK: "Батон"}, Barcode: "4870001", SalePrice: 180_00, Unit: "796"},
		{ID: 3, Parent: 1, Title: fiscal.Text{RU: "Лепёшка", KK: "Таба нан"}, SalePrice: 250_00},
	}}
	if err := s.operator.registry.PutCatalog(ctx, &catalog); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing has changed
		if n, err := s.FetchGoods(ctx, s.seat(), s.id); err != nil || n != 2 {
			t.Fatalf("fetched: %d, %v; want 2 goods", n, err)
		}
	}
	own, err := s.SetGood(ctx, s.seat(), till.Good{Title: fiscal.Text{RU: "Батон свой"}, Barcode: "4870001", Price: 200_00})
	if err != nil || !own.Own() {
		t.Fatalf("own goods: %+v, %v", own, err)
	}
	for _, c := range []struct {
		text string
		want int
	}{{"", 3}, {"бат", 2}, {"ЕЛО", 1}, {"ёло", 1}, {"нан", 1}, {"ан", 0}, {"батон с", 1}, {"%", 0}} {
		if all, err := s.Goods(ctx, s.seat(), c.text, 10); err != nil || len(all) != c.want {
			t.Errorf("%q finds %+v, %v; want %d", c.text, all, err, c.want)
		}
	}
	if g, err := s.GoodBy(ctx, s.seat(), s.id, "4870001"); err != nil || g.ID != own.ID {
		t.Errorf("by its barcode: %+v, %v; want the own ones", g, err)
	}
	if _, err := s.GoodBy(ctx, s.seat(), s.id, "999"); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("a barcode of nobody's: %v", err)
	}
	own.Price = 210_00
	if _, err := s.SetGood(ctx, s.seat(), own); err != nil {
		t.Error(err)
	}
	if g, err := s.Good(ctx, s.seat(), own.ID); err != nil || g.Price != 210_00 || g.Line("kk").Name != "Батон свой" || g.Line("kk").Code != 0 {
		t.Errorf("after a change: %+v, %v", g, err)
	}
	if err := s.RemoveGood(ctx, s.seat(), own.ID); err != nil {
		t.Error(err)
	}
	if g, err := s.GoodBy(ctx, s.seat(), s.id, "4870001"); err != nil || g.ID != 2 || g.Line("ru").Code != 2 {
		t.Errorf("by its barcode, of the catalog: %+v, %v", g, err)
	}
	for _, id := range []int64{2, own.ID} { // the operator's, and what is gone
		if err := s.RemoveGood(ctx, s.seat(), id); !errors.Is(err, fiscal.NotFound) {
			t.Errorf("removing %d: %v, want NotFound", id, err)
		}
	}
	for _, wrong := range []struct {
		field string
		good  till.Good
	}{{"name", till.Good{}}, {"price", till.Good{Title: fiscal.Text{RU: "x"}, Price: -1}}, {"barcode", till.Good{Title: fiscal.Text{RU: "x"}, Barcode: "12x"}}} {
		var e *fiscal.Error
		if _, err := s.SetGood(ctx, s.seat(), wrong.good); !errors.As(err, &e) || e.Field != wrong.field {
			t.Errorf("%+v: %v, want Invalid about %s", wrong.good, err, wrong.field)
		}
	}
}

// The catalog that a seller has asked for once is looked at day by day: what the
// operator publishes later comes by itself. An account that never asked has none.
//
// Req: E-122
func TestGoodsOfTheDay(t *testing.T) {
	s := openShop(t)
	ctx := t.Context()
	publish := func(id uint64, name string) {
		t.Helper()
		c := fiscal.Catalog{Elements: []fiscal.CatalogElement{{ID: id, Title: fiscal.Text{RU: name}, Unit: "166", SalePrice: 100_00}}}
		if err := s.operator.registry.PutCatalog(ctx, &c); err != nil {
			t.Fatal(err)
		}
	}
	publish(1, "Вчерашнее")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.goods = 20 * time.Millisecond // a short day
	s.open()
	if n, err := s.FetchGoods(ctx, s.seat(), s.id); err != nil || n != 1 {
		t.Fatalf("by hand: %d, %v; want 1", n, err)
	}
	publish(2, "Сегодняшнее")
	eventually(t, "what is published comes by itself", func() bool {
		g, err := s.Good(ctx, s.seat(), 2)
		return err == nil && g.Unit == "166"
	})
	if all, err := s.Goods(ctx, s.seat(), "", 10); err != nil || len(all) != 1 {
		t.Errorf("goods afterwards: %+v, %v; want the new one alone", all, err)
	}
}
