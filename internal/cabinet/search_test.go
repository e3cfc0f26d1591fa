package cabinet

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// shelfOf answers from a slice, and counts what it walked over.
type shelfOf struct {
	Shelf
	all   []Document // newest first
	asked int
	most  int // documents walked over in one question
}

func (s *shelfOf) walks(q *Scan) (over []Document) {
	for _, d := range s.all {
		at := d.Place()
		switch {
		case len(q.Keys) > 0 && !slices.Contains(d.Keys(), q.Keys[0]), len(q.Keys) == 0 && q.Register != 0 && d.Register != q.Register,
			q.Before != nil && newer(at, *q.Before) <= 0, q.Floor != nil && newer(at, *q.Floor) > 0:
			continue
		}
		over = append(over, d)
	}
	return over
}

func (s *shelfOf) Documents(_ context.Context, _ fiscal.TaxpayerID, q Scan) (found []Document, err error) {
	s.asked++
	over := s.walks(&q)
	for i, d := range over {
		if q.Least != nil && d.Total < *q.Least || q.Most != nil && d.Total > *q.Most || q.Register != 0 && d.Register != q.Register ||
			slices.ContainsFunc(q.Goods, func(w string) bool { return !strings.Contains(d.Goods, w) }) {
			continue
		}
		if found = append(found, d); len(found) == q.Limit {
			over = over[:i+1]
			break
		}
	}
	if !q.ByTotal {
		s.most = max(s.most, len(over))
	}
	return found, nil
}

func (s *shelfOf) Floor(_ context.Context, _ fiscal.TaxpayerID, q Scan, n int) (*Place, error) {
	q.Floor = nil
	if over := s.walks(&q); len(over) >= n {
		at := over[n-1].Place()
		return &at, nil
	}
	return nil, nil
}

func (s *shelfOf) Sums(_ context.Context, _ fiscal.TaxpayerID, q Scan, n int) (count int, err error) {
	for _, d := range s.all {
		if (q.Least == nil || d.Total >= *q.Least) && (q.Most == nil || d.Total <= *q.Most) {
			count++
		}
	}
	return min(count, n), nil
}

// TestSearchIsBounded: a search of what is rare goes by steps and stops with a
// word; going on from there finds all that is there, once.
//
// Req: P-081
func TestSearchIsBounded(t *testing.T) {
	const n = 2000
	shelf := &shelfOf{}
	for i := range n {
		d := Document{Taxpayer: 1, Seq: journal.Seq(n - i), Time: fiscal.WallTime(1_700_000_000 + n - i), Register: 1, Kind: fiscal.DocReceipt, Goods: "шоколад\n", Total: 100}
		if i%500 == 499 {
			d.Goods, d.Total, d.Register = "шоколадница\n", 500_000, 2
		}
		shelf.all = append(shelf.all, d)
	}
	slices.SortFunc(shelf.all, func(a, b Document) int { return cmp.Compare(b.Time, a.Time) })
	q := NewQuestions(shelf, nil)
	q.pace = pace{first: 20, last: 100, most: 300, few: 10}
	s := Scope{taxpayer: 1}
	least := fiscal.Money(200_000)
	for name, c := range map[string]struct {
		filter Filter
		want   int
		cuts   bool
	}{
		"rare goods":                             {Filter{Goods: "шоколадница"}, 4, true},
		"common goods":                           {Filter{Goods: "шоколад"}, n, false},
		"rare sums":                              {Filter{Least: &least}, 4, false}, // sorted, not walked to
		"rare sums of a register, and a cashier": {Filter{Least: &least, Register: 2, Cashier: "x"}, 0, false},
		"nothing":                                {Filter{Goods: "шоколадные"}, 0, true},
		"anything":                               {Filter{Any: "шоколадница"}, 4, true},
	} {
		shelf.most, shelf.asked = 0, 0
		found, cuts := 0, 0
		var before *Place
		seen := map[journal.Seq]bool{}
		for page := 0; ; page++ {
			h, err := q.Search(t.Context(), &s, &c.filter, before, 100)
			if err != nil || page > 200 {
				t.Fatalf("%s: page %d, %v", name, page, err)
			}
			for _, d := range h.Documents {
				if seen[d.Seq] {
					t.Errorf("%s: document %d came twice", name, d.Seq)
				}
				seen[d.Seq] = true
			}
			if found += len(h.Documents); h.Cut != nil {
				before = h.Cut
				cuts++
				continue
			}
			if !h.More {
				break
			}
			at := h.Documents[len(h.Documents)-1].Place()
			before = &at
		}
		if found != c.want || cuts > 0 != c.cuts || shelf.most > q.pace.last {
			t.Errorf("%s: %d found, %d cuts, %d walked over at once; want %d, cut %v, at most %d", name, found, cuts, shelf.most, c.want, c.cuts, q.pace.last)
		}
		all, _, err := q.Documents(t.Context(), &s, &c.filter, nil, MaxPage)
		if err != nil || len(all) != min(c.want, MaxPage) {
			t.Errorf("%s without a bound: %d found, want %d (%v)", name, len(all), min(c.want, MaxPage), err)
		}
	}
}
