package room

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
)

func (h *Handler) dayRoutes() {
	h.ofClient("GET "+clientPattern+"/days/{register}/{day}", h.inspectDay)
	for form, open := range map[string]opener{"csv": newCSV, "xlsx": newWorkbook} {
		h.ofClient("GET "+clientPattern+"/days/{register}/{day}/"+form, func(w http.ResponseWriter, r *http.Request, a *visitor) {
			p, err := h.dayOfRegister(r, a)
			if err == nil {
				err = h.give(&table{"day", []string{"inspect.summary.what", "inspect.summary.sent", "inspect.summary.now"}, p.rows(a)}, open, w, r, a)
			}
			if err != nil {
				h.render.Error(w, r, err)
			}
		})
	}
}

// dayPage is a register's day: what was handed over of it, beside what the
// journal says now.
type dayPage struct {
	Card           fiscal.Card
	Day, State     string
	Refused        string // why the last one was refused
	Reported       bool   // summaries of this register go to an authority
	Sent           *fiscal.DaySummary
	Now            *fiscal.DaySummary
	Vast           bool // the journal was not counted: what stands there is the tables'
	Facts          []dayFact
	Differs        bool
	History        []sentRow
	Links          []tab
	CSV, XLSX      string
	Base, Register string
}

// dayFact is one number of a day on both sides.
type dayFact struct {
	Key           string
	Sent, Now     any // as cells of files are
	SentURL, URL  string
	SentText      string
	Text          string
	Differs, Wide bool // Wide is for what breaks into lines
}

type sentRow struct {
	Version fiscal.Number
	When    string
	Refused string
}

// inspectDay serves a register's day.
func (h *Handler) inspectDay(w http.ResponseWriter, r *http.Request, a *visitor) {
	p, err := h.dayOfRegister(r, a)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "inspectday.html", "/inspect", "inspect.summary", p)
}

func (h *Handler) dayOfRegister(r *http.Request, a *visitor) (*dayPage, error) {
	scope, l, d, err := h.summaryOf(r, a)
	if err != nil {
		return nil, err
	}
	p := &dayPage{Card: l.Card, Day: dayOf(d.Day.Day), State: summaryState(a.locale, &l.Card, d.Summary, d.Sent), Reported: reported(&l.Card), Base: a.base}
	p.Register = fmt.Sprintf("%s/registers/%d", a.base, d.Register)
	known := d.Summary
	if known == nil {
		known = &fiscal.DaySummary{Register: d.Register, Day: d.Day.Day, Taxpayer: a.client}
	}
	if err := h.sides(r.Context(), &scope, &d, known, p); err != nil {
		return nil, err
	}
	p.facts(a)
	for _, s := range d.Sent {
		p.History = append(p.History, sentRow{s.Version, a.when(s.At), s.Refused})
	}
	if len(d.Sent) > 0 {
		p.Refused = d.Sent[0].Refused
	}
	day := d.Day.Day.UTC().Format(time.DateOnly)
	q := "?" + url.Values{paramFrom: {day}, paramRegister: {strconv.FormatInt(int64(d.Register), 10)}, paramUntil: {day}}.Encode()
	for _, name := range []string{"receipts", "shifts", "reports", "moves", "offline", "findings"} {
		p.Links = append(p.Links, tab{Key: "room." + name, URL: a.base + "/" + name + q})
	}
	at := fmt.Sprintf("%s/days/%d/%s", a.base, d.Register, day)
	p.CSV, p.XLSX = at+"/csv", at+"/xlsx"
	return p, nil
}

// sides counts the day of the journal as it is, and as it was when the last
// summary was handed over.
func (h *Handler) sides(ctx context.Context, scope *cabinet.Scope, d *inspectedDay, known *fiscal.DaySummary, p *dayPage) error {
	now, err := h.cfg.Documents.Questions.Recount(ctx, scope, known, known.Version)
	if errors.Is(err, fiscal.Invalid) || errors.Is(err, fiscal.Retired) {
		p.Vast, now, err = true, *known, nil
	}
	if err != nil {
		return err
	}
	p.Now = &now
	if len(d.Sent) == 0 {
		return nil
	}
	switch sent := d.Sent[0].Version; {
	case sent >= known.Version: // it is what the tables have
		p.Sent = known
	case p.Vast:
	default:
		was, err := h.cfg.Documents.Questions.Recount(ctx, scope, known, sent)
		if err != nil {
			return err
		}
		p.Sent = &was
	}
	return nil
}

// facts puts the two sides beside each other.
func (p *dayPage) facts(a *visitor) {
	add := func(key string, of func(*fiscal.DaySummary) any) *dayFact {
		f := dayFact{Key: key, Sent: "", Now: of(p.Now)}
		if p.Sent != nil {
			f.Sent = of(p.Sent)
			f.Differs = f.Sent != f.Now
			f.SentText, _ = shown(a.locale, f.Sent)
		}
		f.Text, _ = shown(a.locale, f.Now)
		p.Differs = p.Differs || f.Differs
		p.Facts = append(p.Facts, f)
		return &p.Facts[len(p.Facts)-1]
	}
	edge := func(key string, of func(*fiscal.DaySummary) fiscal.Edge) {
		f := add(key, func(s *fiscal.DaySummary) any { return int64(of(s).Number) })
		link := func(s *fiscal.DaySummary, url, text *string) {
			if s == nil || of(s).Number == 0 {
				*text = "—"
				return
			}
			*url = a.base + documentLink(&cabinet.Document{Register: s.Register, Number: of(s).Number})
			*text = fmt.Sprintf("№ %d, %s", of(s).Number, a.locale.Time(of(s).Time))
		}
		link(p.Sent, &f.SentURL, &f.SentText)
		link(p.Now, &f.URL, &f.Text)
	}
	add("inspect.summary.version", func(s *fiscal.DaySummary) any { return int64(s.Version) })
	add("column.documents", func(s *fiscal.DaySummary) any { return s.Documents })
	add("inspect.offline", func(s *fiscal.DaySummary) any { return s.Offline })
	add("inspect.summary.shifts", func(s *fiscal.DaySummary) any { return s.Shifts })
	for op := fiscal.OpSale; op <= fiscal.OpCashOut; op++ {
		p.tally(add, op)
	}
	add("inspect.cash", func(s *fiscal.DaySummary) any { return s.Cash })
	add("inspect.cashless", func(s *fiscal.DaySummary) any { return s.Cashless })
	add("inspect.summary.other", func(s *fiscal.DaySummary) any { return s.Other })
	add("inspect.summary.tax", func(s *fiscal.DaySummary) any { return taxOf(s) })
	add("inspect.summary.opening", func(s *fiscal.DaySummary) any { return s.Opening })
	add("inspect.summary.drawer", func(s *fiscal.DaySummary) any { return s.Drawer })
	edge("inspect.summary.first", func(s *fiscal.DaySummary) fiscal.Edge { return s.First })
	edge("inspect.summary.last", func(s *fiscal.DaySummary) fiscal.Edge { return s.Last })
	add("inspect.summary.hash", func(s *fiscal.DaySummary) any {
		if s.Last.Number == 0 {
			return "—"
		}
		return hex.EncodeToString(s.Hash[:])
	}).Wide = true
}

// tally adds how many documents of an operation there are, and their sum, unless
// neither side has any.
func (p *dayPage) tally(add func(string, func(*fiscal.DaySummary) any) *dayFact, op fiscal.Op) {
	of := func(s *fiscal.DaySummary) fiscal.Tally {
		if op.Settlement() {
			return s.Receipts[op.Index()]
		}
		return s.Moves[op.Index()]
	}
	if of(p.Now) == (fiscal.Tally{}) && (p.Sent == nil || of(p.Sent) == (fiscal.Tally{})) {
		return
	}
	counts := [...]string{
		"inspect.summary.count.sale", "inspect.summary.count.sale_return", "inspect.summary.count.purchase", "inspect.summary.count.purchase_return",
		"inspect.summary.count.cash_in", "inspect.summary.count.cash_out",
	}
	add(counts[op-fiscal.OpSale], func(s *fiscal.DaySummary) any { return of(s).Count })
	add("did."+op.String(), func(s *fiscal.DaySummary) any { return of(s).Sum })
}

// taxOf is the tax of sales less that of their returns, of all rates.
func taxOf(s *fiscal.DaySummary) (sum fiscal.Money) {
	for i := range s.Taxes {
		sum += s.Taxes[i].Ops[fiscal.OpSale.Index()].Tax - s.Taxes[i].Ops[fiscal.OpSaleReturn.Index()].Tax
	}
	return sum
}

// rows are the facts as a file.
func (p *dayPage) rows(a *visitor) func(context.Context, *visitor, url.Values, func(...any) error) error {
	return func(_ context.Context, _ *visitor, _ url.Values, put func(...any) error) error {
		head := [][]any{{a.locale.T("inspect.day"), p.Day, ""}, {a.locale.T("inspect.register"), int64(p.Card.Register), p.Card.RegistrationNumber}, {a.locale.T("inspect.summary"), p.State, p.Refused}}
		for _, row := range head {
			if err := put(row...); err != nil {
				return err
			}
		}
		for _, f := range p.Facts {
			if err := put(a.locale.T(f.Key), f.Sent, f.Now); err != nil {
				return err
			}
		}
		return nil
	}
}

// StateIcon is a picture beside the words of the state.
func (p *dayPage) StateIcon() string {
	switch {
	case p.Refused != "":
		return "alert-triangle"
	case p.Sent != nil && !p.Differs:
		return "check"
	}
	return "clock-hour-4"
}
