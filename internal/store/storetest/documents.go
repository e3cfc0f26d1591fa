package storetest

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
	"openofd/internal/journal"
)

// day is a shop's day in the journal.
type day struct {
	*world
	follower *cabinet.Follower
	asks     *cabinet.Questions
	first    *till
	second   *till // in another outlet
	entries  []journal.Entry
}

// opened reads what the tests write as a request: a cashier and goods by lines.
func opened(rec fiscal.Record) (fiscal.Document, error) {
	d := fiscal.Document{Record: rec}
	lines := strings.Split(string(rec.Request), "\n")
	switch rec.Kind {
	case fiscal.DocReceipt:
		d.Receipt = &fiscal.Receipt{Op: rec.Op, Total: rec.Total, Cashier: fiscal.Cashier{Code: 7, Name: lines[0]}}
		for _, name := range lines[1:] {
			d.Receipt.Items = append(d.Receipt.Items, fiscal.Item{Kind: fiscal.ItemGoods, Name: name})
		}
	case fiscal.DocCashMove:
		d.Move = &fiscal.CashMove{Op: rec.Op, Sum: rec.Total, Cashier: fiscal.Cashier{Name: lines[0]}}
	}
	return d, nil
}

func newDay(w *world) *day {
	d := &day{world: w, follower: cabinet.NewFollower(w, opened), asks: cabinet.NewQuestions(w.Shelf(), opened)}
	d.first = w.till("1")
	other := w.outlet
	other.ID, other.Title = 0, fiscal.Text{RU: "Бутик"}
	w.must(w.AddOutlet(w.Context(), &other))
	was := w.outlet
	w.outlet = other
	d.second = w.till("2")
	w.outlet = was
	return d
}

// made is a record of a kind, with what its document says.
func (r *till) made(kind fiscal.DocumentKind, op fiscal.Op, total fiscal.Money, flags fiscal.Flags, text string) fiscal.Record {
	rec := r.record()
	rec.Kind, rec.Op, rec.Total, rec.Cash, rec.Cashless, rec.Flags = kind, op, total, total, 0, flags
	rec.FiscalSign = uint64(900_000_000_000) + uint64(r.place.Register)*100 + uint64(r.last+1)
	rec.Request = []byte(text)
	return rec
}

func (d *day) sell(r *till, records ...fiscal.Record) {
	d.Helper()
	d.entries = append(d.entries, entriesOf(d.append(r.commit(records...)))...)
}

// trade makes a day in which all happens that lists know.
func (d *day) trade() {
	a, b := d.first, d.second
	d.sell(a, a.made(fiscal.DocCashMove, fiscal.OpCashIn, 500_000, 0, "Айгүл"))
	d.sell(a, a.made(fiscal.DocReceipt, fiscal.OpSale, 177_750, 0, "Айгүл\nМолоко «Родина» 3,2 %\nНан"))
	d.sell(b, b.made(fiscal.DocReceipt, fiscal.OpSale, 99_900, 0, "Дана\nШоколад молочный"))
	d.sell(a, a.made(fiscal.DocReceipt, fiscal.OpSale, 40_000, fiscal.FlagReplay, "Айгүл\nСыр"))
	d.sell(a, a.made(fiscal.DocReceipt, fiscal.OpSaleReturn, 10_000, fiscal.FlagReplay|fiscal.FlagParentMissing, "Айгүл\nСыр"))
	d.sell(a, a.made(fiscal.DocReceipt, fiscal.OpSale, 55_500, 0, "Айгүл\nКофе"))
	cancel := a.made(fiscal.DocCancel, fiscal.OpSale, 55_500, 0, "")
	cancel.Refers = a.last
	d.sell(a, cancel)
	d.sell(a, a.made(fiscal.DocShiftClose, fiscal.OpNone, 0, 0, ""))
}

// follow gives the follower the entries by pages of so many.
func (d *day) follow(size int) {
	d.Helper()
	for from := 0; from < len(d.entries); from += size {
		page := d.entries[from:min(from+size, len(d.entries))]
		m := follow.Move{ID: cabinet.FollowerID(), Partition: d.partition, From: journal.Seq(from), To: journal.Seq(from + len(page)), At: d.clock}
		all, err := d.Scan(d.Context(), d.partition, m.From+1, len(page))
		d.must(err)
		d.must(d.follower.Apply(d.Context(), m, all))
	}
}

// as is the scope of a person of the owner, limited to outlets.
func (d *day) as(role access.Role, right access.Right, outlets ...fiscal.OutletID) (cabinet.Scope, error) {
	return cabinet.ScopeOf(&access.Actor{
		User: access.User{ID: 5}, Taxpayer: d.owner.ID,
		Member: access.Member{User: 5, Taxpayer: d.owner.ID, Role: role, Outlets: outlets},
	}, right)
}

func (d *day) sums(s *cabinet.Scope, f cabinet.Filter) (sums []fiscal.Money) {
	d.Helper()
	var before *cabinet.Place
	for { // two at a time, as pages come
		all, more, err := d.asks.Documents(d.Context(), s, &f, before, 2)
		d.must(err)
		for i := range all {
			sums = append(sums, all[i].Total)
		}
		if !more {
			return sums
		}
		at := all[len(all)-1].Place()
		before = &at
	}
}

// documents shows that the cabinet's tables tell what the journal does, by every
// question that lists ask, whatever the pages of the follower were.
//
// Req: P-081, P-085
func documents(w *world) {
	d := newDay(w)
	d.trade()
	d.follow(3)
	s, err := d.as(access.Owner, access.SeeRevenue)
	w.must(err)
	receipts := []fiscal.DocumentKind{fiscal.DocReceipt}
	sum := func(v fiscal.Money) *fiscal.Money { return &v }
	began := fiscal.WallTime(morning.Unix())
	for _, c := range []struct {
		name   string
		filter cabinet.Filter
		want   []fiscal.Money
	}{
		{"all", cabinet.Filter{Kinds: receipts}, []fiscal.Money{55_500, 10_000, 40_000, 99_900, 177_750}},
		{"from", cabinet.Filter{Kinds: receipts, From: began + 5}, []fiscal.Money{55_500, 10_000}},
		{"until", cabinet.Filter{Kinds: receipts, Until: began + 3}, []fiscal.Money{177_750}},
		{"register", cabinet.Filter{Kinds: receipts, Register: d.second.place.Register}, []fiscal.Money{99_900}},
		{"outlet", cabinet.Filter{Kinds: receipts, Outlet: d.second.card.Outlet}, []fiscal.Money{99_900}},
		{"shift", cabinet.Filter{Kinds: receipts, Register: d.second.place.Register, Shift: 7}, []fiscal.Money{99_900}},
		{"another shift", cabinet.Filter{Kinds: receipts, Register: d.second.place.Register, Shift: 8}, nil},
		{"returns", cabinet.Filter{Kinds: receipts, Op: fiscal.OpSaleReturn}, []fiscal.Money{10_000}},
		{"sales", cabinet.Filter{Kinds: receipts, Op: fiscal.OpSale}, []fiscal.Money{55_500, 40_000, 99_900, 177_750}},
		{"sum", cabinet.Filter{Kinds: receipts, Least: sum(40_000), Most: sum(99_900)}, []fiscal.Money{55_500, 40_000, 99_900}},
		{"one sum", cabinet.Filter{Kinds: receipts, Least: sum(40_000), Most: sum(40_000)}, []fiscal.Money{40_000}},
		{"sign", cabinet.Filter{Kinds: receipts, Code: fmt.Sprint(d.entries[1].FiscalSign)}, []fiscal.Money{177_750}},
		{"cashier", cabinet.Filter{Kinds: receipts, Cashier: " дана "}, []fiscal.Money{99_900}},
		{"cashier and sum", cabinet.Filter{Kinds: receipts, Cashier: "Айгүл", Least: sum(40_000), Most: sum(40_000)}, []fiscal.Money{40_000}},
		{"cashier and another's sum", cabinet.Filter{Kinds: receipts, Cashier: "Дана", Least: sum(40_000), Most: sum(40_000)}, nil},
		{"goods", cabinet.Filter{Kinds: receipts, Goods: "молок"}, []fiscal.Money{177_750}},
		{"goods, two words", cabinet.Filter{Kinds: receipts, Goods: "МОЛОЧНЫЙ шоко"}, []fiscal.Money{99_900}},
		{"short goods", cabinet.Filter{Kinds: receipts, Goods: "сыр"}, []fiscal.Money{10_000, 40_000}},
		{"no such goods", cabinet.Filter{Kinds: receipts, Goods: "молоток"}, nil},
		{"offline", cabinet.Filter{Kinds: receipts, Offline: true}, []fiscal.Money{10_000, 40_000}},
		{"canceled", cabinet.Filter{Kinds: receipts, Canceled: true}, []fiscal.Money{55_500}},
		{"findings", cabinet.Filter{Findings: true}, []fiscal.Money{10_000}},
		{"moves", cabinet.Filter{Kinds: []fiscal.DocumentKind{fiscal.DocCashMove}}, []fiscal.Money{500_000}},
		{"any: goods", cabinet.Filter{Kinds: receipts, Any: "Кофе"}, []fiscal.Money{55_500}},
		{"any: cashier", cabinet.Filter{Kinds: receipts, Any: "дана"}, []fiscal.Money{99_900}},
		{"any: sum", cabinet.Filter{Kinds: receipts, Any: "1 777,50 ₸"}, []fiscal.Money{177_750}},
		{"any: number", cabinet.Filter{Kinds: receipts, Any: "4"}, []fiscal.Money{10_000}},
		{"any: sign in groups", cabinet.Filter{Kinds: receipts, Any: grouped(d.entries[3].FiscalSign)}, []fiscal.Money{40_000}},
		{"any: day", cabinet.Filter{Kinds: receipts, Any: "14.03.2026"}, []fiscal.Money{55_500, 10_000, 40_000, 99_900, 177_750}},
		{"any: another day", cabinet.Filter{Kinds: receipts, Any: "15.03.2026"}, nil},
		{"any: QR", cabinet.Filter{Kinds: receipts, Any: fmt.Sprintf("https://ofd.example/?i=%d&f=123456789012&s=1777.50&t=%s", d.entries[1].FiscalSign, d.entries[1].DeviceTime.Compact())}, []fiscal.Money{177_750}},
		{"any: QR with another sum", cabinet.Filter{Kinds: receipts, Any: fmt.Sprintf("i=%d&f=123456789012&s=1.00&t=%s", d.entries[1].FiscalSign, d.entries[1].DeviceTime.Compact())}, nil},
	} {
		if got := d.sums(&s, c.filter); !reflect.DeepEqual(got, c.want) {
			w.Errorf("%s: sums %v, want %v", c.name, got, c.want)
		}
	}

	shifts, _, err := d.asks.Shifts(w.Context(), &s, &cabinet.Filter{Register: d.first.place.Register}, nil, 10)
	w.must(err)
	if len(shifts) != 1 {
		w.Fatalf("%d shifts, want one", len(shifts))
	}
	want := cabinet.Tally{Counts: [4]int64{2, 1}, Sums: [4]fiscal.Money{217_750, 10_000}, Cash: 207_750, CashIn: 500_000, Documents: 5, Offline: 2}
	if got := shifts[0]; got.Tally != want || got.Closed == 0 || got.Z != d.first.last || got.Opened != d.entries[0].DeviceTime {
		w.Errorf("the shift is %+v, want %+v, closed by entry %d", got, want, d.first.last)
	}
	today, err := d.asks.Today(w.Context(), &s, began)
	w.must(err)
	if got := today.Total; got.Revenue() != 307_650 || today.Registers != 2 || len(today.Silent) != 0 {
		w.Errorf("the day is %+v, want a revenue of 307650 of two registers", today)
	}
	next, err := d.asks.Today(w.Context(), &s, began.Add(24*time.Hour))
	w.must(err)
	if next.Registers != 0 || len(next.Silent) != 2 {
		w.Errorf("the day after is %+v, want both registers silent", next)
	}
	for _, c := range []struct {
		name string
		now  fiscal.WallTime
		want fiscal.Money
	}{
		{"before the first sale", began - 1, 0},
		{"at the end of the day", began.Day() + 24*60*60 - 1, today.Total.Sums[0]},
	} {
		later, err := d.asks.Today(w.Context(), &s, c.now+7*24*60*60)
		w.must(err)
		if got := later.SoldBefore; got == nil || *got != c.want {
			w.Errorf("a week later, %s: sold by then %v, want %d", c.name, got, c.want)
		}
	}
	if next.SoldBefore != nil {
		w.Errorf("a week before the day after nothing was sold, and it is compared with %d", *next.SoldBefore)
	}
	aways, _, err := d.asks.Aways(w.Context(), &s, &cabinet.Filter{}, nil, 10)
	w.must(err)
	if len(aways) != 1 || aways[0].Documents != 2 || aways[0].From != d.entries[3].DeviceTime || aways[0].Until != d.entries[4].DeviceTime {
		w.Errorf("without a link: %+v, want one period of two documents", aways)
	}
	found, err := d.asks.Open(w.Context(), &s, d.first.place.Register, d.first.last-2)
	w.must(err)
	if found.Document.Total != 55_500 || found.Canceled == nil {
		w.Errorf("the receipt is %+v, want one of 555.00 that was canceled", found)
	}
}

func grouped(n uint64) string {
	s := fmt.Sprint(n)
	return s[:4] + " " + s[4:8] + " " + s[8:]
}

// documentsScoped shows that nobody sees more than they may: another tenant
// nothing, who is limited to an outlet only that.
//
// Req: P-058, O-112
func documentsScoped(w *world) {
	d := newDay(w)
	d.trade()
	d.follow(100)
	for _, c := range []struct {
		role  access.Role
		right access.Right
		ok    bool
	}{
		{access.Owner, access.SeeRevenue, true}, {access.Viewer, access.SeeRevenue, true}, {access.Technician, access.SeeRevenue, false},
		{access.ServiceCenter, access.SeeRevenue, false}, {access.Technician, access.SeeStatus, true}, {"stranger", access.SeeStatus, false},
	} {
		if _, err := d.as(c.role, c.right); (err == nil) != c.ok {
			w.Errorf("scope of %s with %s: error %v, want one: %t", c.role, c.right, err, !c.ok)
		}
	}
	one, err := d.as(access.Manager, access.SeeRevenue, d.second.card.Outlet)
	w.must(err)
	if got := d.sums(&one, cabinet.Filter{}); !reflect.DeepEqual(got, []fiscal.Money{99_900}) {
		w.Errorf("who is limited to an outlet sees %v, want its only receipt", got)
	}
	if got := d.sums(&one, cabinet.Filter{Outlet: d.first.card.Outlet}); got != nil {
		w.Errorf("who is limited to an outlet sees %v in another", got)
	}
	both, err := d.as(access.Manager, access.SeeRevenue, d.second.card.Outlet, d.first.card.Outlet)
	w.must(err)
	if got := d.sums(&both, cabinet.Filter{Kinds: []fiscal.DocumentKind{fiscal.DocReceipt}}); len(got) != 5 {
		w.Errorf("who is limited to both outlets sees %v, want all five receipts", got)
	}
	_, err = d.asks.Open(w.Context(), &one, d.first.place.Register, 2)
	w.wants("a document of another outlet", err, fiscal.NotFound)

	other := w.taxpayer("220540013371")
	stranger, err := cabinet.ScopeOf(&access.Actor{User: access.User{ID: 6}, Taxpayer: other.ID, Member: access.Member{User: 6, Taxpayer: other.ID, Role: access.Owner}}, access.SeeRevenue)
	w.must(err)
	if got := d.sums(&stranger, cabinet.Filter{Code: fmt.Sprint(d.entries[1].FiscalSign)}); got != nil {
		w.Errorf("another tenant sees %v", got)
	}
	for name, err := range map[string]error{
		"open": second(d.asks.Open(w.Context(), &stranger, d.first.place.Register, 2)),
		"card": second(d.asks.Card(w.Context(), &stranger, d.first.place.Register, 1)),
	} {
		w.wants(name+" as another tenant", err, fiscal.NotFound)
	}
	shifts, _, err := d.asks.Shifts(w.Context(), &stranger, &cabinet.Filter{}, nil, 10)
	w.must(err)
	aways, _, err := d.asks.Aways(w.Context(), &stranger, &cabinet.Filter{}, nil, 10)
	w.must(err)
	today, err := d.asks.Today(w.Context(), &stranger, fiscal.WallTime(morning.Unix()))
	w.must(err)
	if len(shifts) > 0 || len(aways) > 0 || today.Registers > 0 {
		w.Errorf("another tenant sees %v, %v, %+v", shifts, aways, today)
	}
	var nobody cabinet.Scope
	_, _, err = d.asks.Documents(w.Context(), &nobody, &cabinet.Filter{}, nil, 10)
	w.wants("documents for a scope that nobody made", err, fiscal.Denied)
}

func second[T any](_ T, err error) error { return err }

// documentsAgain shows that the tables can be dropped and filled again, and are
// then the same.
func documentsAgain(w *world) {
	d := newDay(w)
	d.trade()
	s, err := d.as(access.Owner, access.SeeRevenue)
	w.must(err)
	look := func() string {
		documents, _, err := d.asks.Documents(w.Context(), &s, &cabinet.Filter{}, nil, 100)
		w.must(err)
		shifts, _, err := d.asks.Shifts(w.Context(), &s, &cabinet.Filter{}, nil, 100)
		w.must(err)
		aways, _, err := d.asks.Aways(w.Context(), &s, &cabinet.Filter{}, nil, 100)
		w.must(err)
		return fmt.Sprintf("%+v\n%+v\n%+v", documents, shifts, aways)
	}
	d.follow(1)
	one := look()
	w.must(w.DropCabinet(w.Context()))
	if documents, _, err := d.asks.Documents(w.Context(), &s, &cabinet.Filter{}, nil, 100); err != nil || len(documents) > 0 {
		w.Fatalf("after they were dropped there are %v, %v", documents, err)
	}
	d.follow(100)
	if again := look(); again != one {
		w.Errorf("filled again the tables say\n%s\nwant\n%s", again, one)
	}
	m := follow.Move{ID: cabinet.FollowerID(), Partition: d.partition, From: 0, To: 1, At: d.clock}
	w.wants("a page from elsewhere", w.KeepPage(w.Context(), m, &cabinet.Page{}), follow.ErrMoved)
}
