package storetest

import (
	"fmt"
	"slices"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

// searches shows the parts by which the cabinet walks: floors that do not heed
// what a walk lets through, and sums counted up to a bound.
//
// Req: P-081
func searches(w *world) {
	d := newDay(w)
	d.trade()
	d.follow(100)
	s, err := d.as(access.Owner, access.SeeRevenue)
	w.must(err)
	all, _, err := d.asks.Documents(w.Context(), &s, &cabinet.Filter{}, nil, 100)
	w.must(err)
	if len(all) != 8 {
		w.Fatalf("%d documents, want 8", len(all))
	}
	shelf, least, most := w.Shelf(), fiscal.Money(40_000), fiscal.Money(99_900)
	mine := func(keep func(cabinet.Document) bool) []cabinet.Document {
		return slices.DeleteFunc(slices.Clone(all), func(d cabinet.Document) bool { return !keep(d) })
	}
	at := all[2].Place()
	for name, c := range map[string]struct {
		scan cabinet.Scan
		over []cabinet.Document
	}{
		"all":        {cabinet.Scan{Goods: []string{"нет"}}, all},
		"register":   {cabinet.Scan{Register: d.second.place.Register}, mine(func(x cabinet.Document) bool { return x.Register == d.second.place.Register })},
		"one outlet": {cabinet.Scan{Outlets: []fiscal.OutletID{d.second.card.Outlet}}, mine(func(x cabinet.Document) bool { return x.Outlet == d.second.card.Outlet })},
		"a key":      {cabinet.Scan{Keys: []cabinet.Key{cabinet.CanceledKey()}, Register: 99}, mine(func(x cabinet.Document) bool { return x.Canceled })},
		"behind":     {cabinet.Scan{Before: &at}, all[3:]},
		"times":      {cabinet.Scan{From: all[4].Time, Until: all[1].Time}, all[2:5]},
	} {
		for n := 1; n <= len(c.over)+1; n++ {
			floor, err := shelf.Floor(w.Context(), d.owner.ID, c.scan, n)
			w.must(err)
			if n > len(c.over) {
				if floor != nil {
					w.Errorf("%s: place %d is %v, want none", name, n, floor)
				}
				continue
			}
			if want := c.over[n-1].Place(); floor == nil || *floor != want {
				w.Errorf("%s: place %d is %v, want %v", name, n, floor, want)
				continue
			}
			upTo := cabinet.Scan{Floor: floor, Limit: 100}
			if got, err := shelf.Documents(w.Context(), d.owner.ID, upTo); err != nil || len(got) == 0 || got[len(got)-1].Place() != *floor {
				w.Errorf("%s: down to place %d come %d documents, %v", name, n, len(got), err)
			}
		}
	}
	few := cabinet.Scan{Least: &least, Most: &most, ByTotal: true, Limit: 2, Kinds: []fiscal.DocumentKind{fiscal.DocReceipt}}
	for n, want := range map[int]int{2: 2, 100: 4} { // the cancellation has a sum too
		if got, err := shelf.Sums(w.Context(), d.owner.ID, few, n); err != nil || got != want {
			w.Errorf("%d sums up to %d, want %d (%v)", got, n, want, err)
		}
	}
	sorted, err := shelf.Documents(w.Context(), d.owner.ID, few)
	w.must(err)
	if len(sorted) != 2 || sorted[0].Total != 55_500 || sorted[1].Total != 40_000 {
		w.Errorf("by sum came %+v, want 55500 and 40000", sorted)
	}
	other := w.taxpayer("870000000005").ID
	if n, err := shelf.Sums(w.Context(), other, few, 10); err != nil || n != 0 {
		w.Errorf("another counts %d sums, %v", n, err)
	}
	if floor, err := shelf.Floor(w.Context(), other, cabinet.Scan{}, 1); err != nil || floor != nil {
		w.Errorf("another sees the place %v, %v", floor, err)
	}
}

// Plans gives every walk by which the cabinet answers a filter with any two of
// its fields set, by name: none of them may read a table from end to end.
func Plans() (map[string]cabinet.Scan, error) {
	sum, one := fiscal.Money(500), fiscal.Money(100)
	fields := []struct {
		name string
		set  func(*cabinet.Filter)
	}{
		{"none", func(*cabinet.Filter) {}},
		{"times", func(f *cabinet.Filter) { f.From, f.Until = 1_700_000_000, 1_800_000_000 }},
		{"receipts", func(f *cabinet.Filter) { f.Kinds = []fiscal.DocumentKind{fiscal.DocReceipt} }},
		{"reports", func(f *cabinet.Filter) { f.Kinds = []fiscal.DocumentKind{fiscal.DocShiftClose, fiscal.DocReport} }},
		{"moves", func(f *cabinet.Filter) { f.Kinds = []fiscal.DocumentKind{fiscal.DocCashMove} }},
		{"returns", func(f *cabinet.Filter) { f.Op = fiscal.OpSaleReturn }},
		{"sales", func(f *cabinet.Filter) { f.Op = fiscal.OpSale }},
		{"outlet", func(f *cabinet.Filter) { f.Outlet = 3 }},
		{"register", func(f *cabinet.Filter) { f.Register = 200_007 }},
		{"shift", func(f *cabinet.Filter) { f.Register, f.Shift = 200_007, 4 }},
		{"sums", func(f *cabinet.Filter) { f.Least, f.Most = &one, &sum }},
		{"least", func(f *cabinet.Filter) { f.Least = &one }},
		{"one sum", func(f *cabinet.Filter) { f.Least, f.Most = &sum, &sum }},
		{"cashier", func(f *cabinet.Filter) { f.Cashier = "Айгүл" }},
		{"goods", func(f *cabinet.Filter) { f.Goods = "молоко хлеб" }},
		{"a letter", func(f *cabinet.Filter) { f.Goods = "ә" }},
		{"code", func(f *cabinet.Filter) { f.Code = "362397639340" }},
		{"offline", func(f *cabinet.Filter) { f.Offline = true }},
		{"canceled", func(f *cabinet.Filter) { f.Canceled = true }},
		{"findings", func(f *cabinet.Filter) { f.Findings = true }},
		{"any sum", func(f *cabinet.Filter) { f.Any = "1777,50" }},
		{"any number", func(f *cabinet.Filter) { f.Any = "17" }},
		{"any day", func(f *cabinet.Filter) { f.Any = "14.03.2026" }},
		{"any words", func(f *cabinet.Filter) { f.Any = "сүт нан" }},
	}
	all := map[string]cabinet.Scan{}
	for people, outlets := range map[string][]fiscal.OutletID{"": nil, ", of two outlets": {3, 4}, ", of many": manyOutlets()} {
		s, err := cabinet.ScopeOf(&access.Actor{User: access.User{ID: 1}, Taxpayer: 1, Member: access.Member{User: 1, Taxpayer: 1, Role: access.Owner, Outlets: outlets}}, access.SeeRevenue)
		if err != nil {
			return nil, err
		}
		for i := range fields {
			for j := i; j < len(fields); j++ {
				var f cabinet.Filter
				fields[i].set(&f)
				fields[j].set(&f)
				scans, err := cabinet.Scans(&s, &f)
				if err != nil {
					return nil, err
				}
				for n, scan := range scans {
					scan.Limit = 51
					name := fmt.Sprintf("%s and %s%s, walk %d", fields[i].name, fields[j].name, people, n)
					all[name] = scan
					scan.Before, scan.Floor = &cabinet.Place{Time: 1_750_000_000, Seq: 7}, &cabinet.Place{Time: 1_740_000_000, Seq: 5}
					all[name+", a later step"] = scan
				}
			}
		}
	}
	return all, nil
}

func manyOutlets() (all []fiscal.OutletID) {
	for o := range fiscal.OutletID(30) {
		all = append(all, o+1)
	}
	return all
}
