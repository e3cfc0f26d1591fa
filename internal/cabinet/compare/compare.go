package compare

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

// Bounds of one comparison: some hundred megabytes, and seconds.
const (
	MaxRows     = 100_000 // of the books
	MaxReceipts = 200_000 // of the registers
	MaxTaxed    = 20_000  // receipts that are opened for their taxes
)

// How many comparisons are under way at once.
const (
	atOnce      = 4 // on a node
	atOnceOfOne = 1 // of one organization
)

// Books are what a seller holds against the registers.
type Books struct {
	Rows   []Row
	Totals bool // they are totals of places, days and operations
}

// Comparer compares books with what the cabinet knows. Safe for concurrent use.
type Comparer struct {
	questions *cabinet.Questions

	mu    sync.Mutex
	under map[fiscal.TaxpayerID]int // guarded by mu; no zeros
	all   int                       // guarded by mu
}

// New makes a Comparer. It does no I/O.
func New(q *cabinet.Questions) *Comparer {
	return &Comparer{questions: q, under: map[fiscal.TaxpayerID]int{}}
}

// Compare compares books with the receipts of a scope. It keeps nothing of them.
//
// Errors: Denied for a scope that nobody made; RateLimited with the Field
// "compare" while another comparison is under way; BadValue with the Field "rows"
// (Msg "empty", "too_many"), "from" (days are missing, "no_days"), "until" (days
// in the wrong order or too many, "too_long"), "period" (more than MaxReceipts,
// "too_many") or "tax" (more than MaxTaxed, "too_many"); Unavailable.
func (c *Comparer) Compare(ctx context.Context, s *cabinet.Scope, b Books, o Options) (*Result, error) {
	if s.Taxpayer() == 0 {
		return nil, &fiscal.Error{Of: fiscal.Denied, Field: "organization", Msg: "nobody asks"}
	}
	switch {
	case len(b.Rows) == 0:
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "rows", Msg: "empty"}
	case len(b.Rows) > MaxRows:
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "rows", Msg: "too_many"}
	}
	end, err := c.begin(s.Taxpayer())
	if err != nil {
		return nil, err
	}
	defer end()
	if err := o.days(b.Rows); err != nil {
		return nil, err
	}
	rows, outside := make([]Row, 0, len(b.Rows)), 0
	for i := range b.Rows {
		if b.Rows[i].Grain != NoTime && !o.within(b.Rows[i].Time) {
			outside++
			continue
		}
		rows = append(rows, b.Rows[i])
	}
	all, names, err := c.receipts(ctx, s, &o, b.Totals)
	if err != nil {
		return nil, err
	}
	match := Match
	if b.Totals {
		match = MatchTotals
	}
	r := match(rows, all, names, o)
	r.Outside = outside
	if !b.Totals {
		err = c.taxes(ctx, s, r)
	}
	return r, err
}

// begin counts one more comparison, until end is called.
func (c *Comparer) begin(t fiscal.TaxpayerID) (end func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under[t] >= atOnceOfOne || c.all >= atOnce {
		return nil, &fiscal.Error{Reason: fiscal.RateLimited, Field: "compare"}
	}
	c.under[t]++
	c.all++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all--
		if c.under[t]--; c.under[t] == 0 {
			delete(c.under, t)
		}
	}, nil
}

// days are those of the books, where no others are asked for.
func (o *Options) days(rows []Row) error {
	first, last := fiscal.WallTime(math.MaxInt64), fiscal.WallTime(0)
	for i := range rows {
		if r := &rows[i]; r.Grain != NoTime {
			first, last = min(first, r.Time.Day()), max(last, r.Time.Day())
		}
	}
	if o.From == 0 {
		o.From = first
	}
	if o.Until == 0 {
		o.Until = max(last, o.From)
	}
	switch {
	case o.From == math.MaxInt64:
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "from", Msg: "no_days"}
	case o.Until < o.From, o.Until-o.From >= cabinet.MaxDays*secondsOfDay:
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "until", Msg: "too_long"}
	}
	o.From, o.Until = o.From.Day(), o.Until.Day()
	return nil
}

// receipts reads those of the days, and of the tolerance around them, oldest
// first.
func (c *Comparer) receipts(ctx context.Context, s *cabinet.Scope, o *Options, totals bool) ([]Receipt, *Names, error) {
	f := cabinet.Filter{From: o.From, Until: o.Until + secondsOfDay, Kinds: []fiscal.DocumentKind{fiscal.DocReceipt}, Outlet: o.Outlet, Register: o.Register}
	if !totals {
		f.From, f.Until = f.From-o.seconds(), f.Until+o.seconds()
	}
	type version struct {
		register fiscal.RegisterID
		card     uint32
	}
	names, seen, people := &Names{}, map[version]bool{}, map[string]string{}
	var all []Receipt
	for before := (*cabinet.Place)(nil); ; {
		page, more, err := c.questions.Documents(ctx, s, &f, before, cabinet.MaxPage)
		if err != nil {
			return nil, nil, fmt.Errorf("read receipts to compare: %w", err)
		}
		if len(all)+len(page) > MaxReceipts {
			return nil, nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "period", Msg: "too_many"}
		}
		for i := range page {
			d := &page[i]
			if v := (version{d.Register, d.CardVersion}); !seen[v] {
				seen[v] = true
				if card, err := c.questions.Card(ctx, s, d.Register, d.CardVersion); err == nil {
					names.Add(&card)
				} else { // known by its number at least
					names.Add(&fiscal.Card{Register: d.Register})
				}
			}
			if _, ok := people[d.Cashier]; !ok {
				people[d.Cashier] = d.Cashier
			}
			all = append(all, receiptOf(d, people[d.Cashier]))
		}
		if !more {
			break
		}
		at := page[len(page)-1].Place()
		before = &at
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all, names, nil
}

func receiptOf(d *cabinet.Document, cashier string) Receipt {
	r := Receipt{
		Register: d.Register, Entry: d.Number, CardVersion: d.CardVersion, Outlet: d.Outlet, Time: d.Time, Op: d.Op, Sign: d.FiscalSign, Device: d.DeviceNumber,
		Printed: uint64(d.Number), Sums: Sums{Total: d.Total, Cash: d.Cash, Cashless: d.Cashless, Other: d.OtherPaid}, Cashier: cashier,
		Offline: d.Offline(), Canceled: d.Canceled, Count: 1,
	}
	if n, err := strconv.ParseUint(d.Printed, 10, 64); err == nil {
		r.Printed = n
	}
	return r
}

// taxes opens the receipts of rows that tell a tax. One that cannot be opened is
// not held against its row.
func (c *Comparer) taxes(ctx context.Context, s *cabinet.Scope, r *Result) error {
	asked := func(f *Finding) bool { return f.Row >= 0 && f.Receipt >= 0 && r.Rows[f.Row].Has&ColTax != 0 }
	n := 0
	for i := range r.Findings {
		n += b2i(asked(&r.Findings[i]))
	}
	if n > MaxTaxed {
		return &fiscal.Error{Reason: fiscal.BadValue, Field: "tax", Msg: "too_many"}
	}
	if n == 0 {
		return nil
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if !asked(f) {
			continue
		}
		one := &r.Receipts[f.Receipt]
		found, err := c.questions.Open(ctx, s, one.Register, one.Entry)
		if ctx.Err() != nil {
			return fmt.Errorf("read taxes to compare: %w", ctx.Err())
		}
		if err != nil || found.Document.Receipt == nil {
			continue
		}
		for _, line := range found.Taxes() {
			one.Tax += line.Sum
		}
		if one.Tax != r.Rows[f.Row].Tax {
			f.Differs |= ColTax
			f.Verdict = Different
		}
	}
	r.Figures, r.Days = [verdictEnd]Figures{}, nil
	r.close()
	return nil
}

// TryAgain is how long somebody waits before the next try whose comparison was refused
// for another that is under way.
const TryAgain = 5 * time.Second
