package cabinet

import (
	"context"
	"fmt"

	"openofd/internal/fiscal"
)

// pace bounds one search. A walk goes by steps, each one short question to the
// engine, so that nothing long is under way there.
type pace struct {
	first int // documents walked over in the first step; each next is fourfold
	last  int // no step is longer
	most  int // walked over before a person is told how far we came
	few   int // so many of a range of sums are sorted rather than walked to
}

// usual is the pace on a table of tens of millions.
var usual = pace{first: 2_000, last: 32_000, most: 60_000, few: 20_000}

// Hits are what a search found.
type Hits struct {
	Documents []Document
	More      bool
	// Cut is how far the search came when it had walked over so many documents that
	// it stopped; nil: it is whole, as far as it goes.
	Cut *Place
}

// Documents lists what a filter lets through, newest first, behind a place,
// however far it has to look. It reads one more than limit to tell whether there
// are more.
//
// Errors: Denied for a scope that nobody made; Unavailable.
func (q *Questions) Documents(ctx context.Context, s *Scope, f *Filter, before *Place, limit int) (all []Document, more bool, err error) {
	h, err := q.search(ctx, s, f, before, limit, 0)
	return h.Documents, h.More, err
}

// Search is Documents for people who wait: it stops after a bounded walk and
// says how far it came. What it found until there is whole.
func (q *Questions) Search(ctx context.Context, s *Scope, f *Filter, before *Place, limit int) (Hits, error) {
	return q.search(ctx, s, f, before, limit, q.pace.most)
}

func (q *Questions) search(ctx context.Context, s *Scope, f *Filter, before *Place, limit, budget int) (h Hits, err error) {
	limit = min(max(limit, 1), MaxPage)
	scans, err := f.scans(s)
	if err != nil {
		return h, err
	}
	for _, scan := range scans {
		scan.Before, scan.Limit = before, limit+1
		part, cut, err := q.walk(ctx, s.taxpayer, scan, budget)
		if err != nil {
			return h, fmt.Errorf("list documents: %w", err)
		}
		h.Documents = append(h.Documents, part...)
		if cut != nil && (h.Cut == nil || newer(*cut, *h.Cut) < 0) {
			h.Cut = cut
		}
	}
	if len(scans) > 1 {
		h.Documents = newestFirst(h.Documents)
	}
	if h.Cut != nil { // behind it only some of the walks have been
		n := 0
		for n < len(h.Documents) && newer(h.Documents[n].Place(), *h.Cut) <= 0 {
			n++
		}
		h.Documents = h.Documents[:n]
	}
	if len(h.Documents) > limit {
		h.Documents, h.More, h.Cut = h.Documents[:limit], true, nil
	}
	return h, nil
}

// walk makes one scan by steps. cut is how far it came, nil if it is whole.
func (q *Questions) walk(ctx context.Context, t fiscal.TaxpayerID, s Scan, budget int) (all []Document, cut *Place, err error) {
	if s.ranged() {
		n, err := q.shelf.Sums(ctx, t, s, q.pace.few+1)
		if err != nil {
			return nil, nil, err
		}
		s.ByTotal = n <= q.pace.few
	}
	if s.ByTotal || !s.loose() {
		all, err = q.shelf.Documents(ctx, t, s)
		return all, nil, err
	}
	limit := s.Limit
	for step, walked := q.pace.first, 0; ; step = min(4*step, q.pace.last) {
		if s.Floor, err = q.shelf.Floor(ctx, t, s, step); err != nil {
			return nil, nil, err
		}
		s.Limit = limit - len(all)
		part, err := q.shelf.Documents(ctx, t, s)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, part...)
		if walked += step; len(all) >= limit || s.Floor == nil {
			return all, nil, nil
		}
		if budget > 0 && walked >= budget {
			return all, s.Floor, nil
		}
		s.Before = s.Floor
	}
}

// ranged reports whether sums are asked for that may be few.
func (s *Scan) ranged() bool {
	return len(s.Keys) == 0 && s.Register == 0 && (s.Least != nil || s.Most != nil)
}

// loose reports whether a scan may walk over much that it does not let through:
// it asks for more than kinds, times, and one place or one key.
func (s *Scan) loose() bool {
	return s.Op != 0 || s.Least != nil || s.Most != nil || s.Total != nil || len(s.Goods) > 0 || s.Offline || s.Canceled || s.Findings || s.Shift != 0 ||
		len(s.Outlets) > 1 || len(s.Keys) > 1 || len(s.Outlets) > 0 && (len(s.Keys) > 0 || s.Register != 0) || len(s.Keys) > 0 && s.Register != 0
}

// Scans are the walks by which a filter is answered, for the tests of engines:
// none of them may read a table from end to end.
func Scans(s *Scope, f *Filter) ([]Scan, error) { return f.scans(s) }
