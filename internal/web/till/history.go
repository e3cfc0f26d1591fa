package till

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) historyRoutes() {
	h.open(unlocked, "GET /history", h.history)
	h.open(unlocked, "GET /document/{id}", h.document)
}

// historyPage is a page of what the register made.
type historyPage struct {
	Kinds    []choice
	Shift    string
	From, To string // days
	Wrong    map[string]string
	Filtered bool
	Days     []day
	Next     string // the page behind
}

// day holds the documents of one.
type day struct {
	Date      string
	Documents []historyRow
}

type historyRow struct {
	till.Document
	Title string
	Clock string
	Minus bool // money goes out of the drawer
}

// history serves GET /history?kind=&shift=&from=&to=&before=.
//
// Source: requirements E-151 to E-153.
func (h *Handler) history(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.current(r.Context(), r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	l, asked := g.locale, r.URL.Query()
	p := historyPage{Shift: asked.Get("shift"), From: asked.Get("from"), To: asked.Get("to"), Wrong: map[string]string{}}
	q := till.HistoryQuery{Kind: till.Kind(asked.Get("kind"))}
	if p.Shift != "" {
		n, err := strconv.ParseUint(p.Shift, 10, 32)
		if err != nil || n == 0 {
			p.Wrong["shift"] = l.T("till.history.shift.wrong")
		}
		q.Shift = uint32(n)
	}
	day := func(name string, text *string, end fiscal.WallTime) fiscal.WallTime {
		if *text == "" {
			return 0
		}
		t, err := time.Parse(time.DateOnly, *text)
		if err != nil {
			p.Wrong[name], *text = l.T("till.history.day.wrong"), "" // the field of a day holds nothing else
			return 0
		}
		return fiscal.WallIn(t, time.UTC) + end
	}
	q.From, q.To = day("from", &p.From, 0), day("to", &p.To, 24*3600-1)
	if q.From != 0 && q.To != 0 && q.To < q.From {
		p.Wrong["to"] = l.T("till.history.to.before")
	}
	q.Before, _ = strconv.ParseInt(asked.Get("before"), 10, 64) // what is no number is the first page
	link := func(set, to string) string {
		v := url.Values{}
		for _, name := range []string{"kind", "shift", "from", "to"} {
			if s := asked.Get(name); s != "" {
				v.Set(name, s)
			}
		}
		v.Del(set)
		if to != "" {
			v.Set(set, to)
		}
		return "/history?" + v.Encode()
	}
	for _, k := range []struct {
		kind till.Kind
		key  string
	}{{"", "till.history.all"}, {till.KindReceipt, "till.history.receipts"}, {till.KindX, "report.x"}, {till.KindZ, "report.z"}, {till.KindMove, "till.history.moves"}} {
		p.Kinds = append(p.Kinds, choice{link("kind", string(k.kind)), l.T(k.key), q.Kind == k.kind})
	}
	p.Filtered = len(p.Wrong) > 0 || p.Shift != "" || p.From != "" || p.To != "" || q.Kind != ""
	status := http.StatusOK
	if len(p.Wrong) > 0 {
		status = http.StatusUnprocessableEntity
	} else {
		all, more, err := h.till.History(r.Context(), g.Seat, at.ID, q)
		if err != nil {
			h.fail(w, r, g, err)
			return
		}
		p.Days = days(l, all)
		if more {
			p.Next = link("before", strconv.FormatInt(all[len(all)-1].ID, 10))
		}
	}
	h.show(w, r, g, status, "history.html", page{Page: ui.Page{Title: l.T("till.tab.history")}, Tab: "history", Register: &at}, p)
}

// days gathers documents, the latest first, by the day they were made.
func days(l *ui.Locale, all []till.Document) (list []day) {
	for i := range all {
		d := &all[i]
		date := d.Made.UTC().Format("02.01.2006")
		if len(list) == 0 || list[len(list)-1].Date != date {
			list = append(list, day{Date: date})
		}
		row := historyRow{Document: *d, Title: titleOf(l, d), Clock: d.Made.UTC().Format("15:04")}
		for _, op := range []fiscal.Op{fiscal.OpSaleReturn, fiscal.OpPurchase, fiscal.OpCashOut} {
			row.Minus = row.Minus || d.Op == op.String()
		}
		last := &list[len(list)-1]
		last.Documents = append(last.Documents, row)
	}
	return list
}

// titleOf words what a document is.
func titleOf(l *ui.Locale, d *till.Document) string {
	switch d.Kind {
	case till.KindX:
		return l.T("report.x")
	case till.KindZ:
		return l.T("report.z")
	}
	return l.T("did." + d.Op)
}
