package pages

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// Check serves GET /check?i=&f=&s=&t=, the address in QR codes. What cannot be
// a check gets the form back, with what was typed and what is wrong with it.
// Source: order 135 items 5.10 and 17.
func (h *Handler) Check(w http.ResponseWriter, r *http.Request) {
	l := h.render.Locale(r)
	q, err := cabinet.ParseQuery(r.URL.Query())
	if err != nil {
		status := http.StatusBadRequest
		if !Asks(r) { // the bare address: nothing was typed, so nothing is wrong
			status, err = http.StatusOK, nil
		}
		h.render.Render(w, r, status, "check.html", l.T("form.heading"), check{Form: newForm(l, r, err)})
		return
	}
	result, err := h.checker.Check(r.Context(), q)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	page, err := h.newCheck(l, r, result)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.render.Render(w, r, http.StatusOK, "check.html", l.T("verdict."+page.Verdict+".title"), page)
}

// check is what the page of the check shows. Without a Verdict it is the form.
type check struct {
	Verdict string // names shape, color and words
	Text    string
	Next    string
	Form    form
	Home    string
	Receipt *receipt
}

func (h *Handler) newCheck(l *ui.Locale, r *http.Request, result cabinet.Result) (check, error) {
	page := check{Verdict: result.Verdict.String(), Home: ui.Link(r, "/", nil)}
	if result.Verdict == cabinet.Genuine {
		page.Text = l.T("verdict.genuine.text")
		if c := result.Found.Canceled; c != nil {
			page.Verdict = "canceled"
			page.Text = l.T("verdict.canceled.text", "when", l.Date(c.Time))
		}
		var err error
		page.Receipt, err = h.newReceipt(l, r, result.Found)
		return page, err
	}
	var names []string
	for _, p := range result.Differs {
		names = append(names, l.T("param."+string(p)))
	}
	page.Text = l.T("verdict."+page.Verdict+".text", "fields", strings.Join(names, ", "), "when", l.Date(result.LookAgain))
	page.Next = l.T("verdict." + page.Verdict + ".next")
	page.Form = newForm(l, r, nil)
	for i := range page.Form.Fields {
		if f := &page.Form.Fields[i]; slices.Contains(result.Differs, cabinet.Param(f.Name)) {
			f.Wrong = l.T("form.differs")
		}
	}
	return page, nil
}

// receipt is a found receipt as its page shows it.
type receipt struct {
	*cabinet.Found
	Operator fiscal.Operator
	Link     string
	JSON     string
	QR       ui.QR
	Zone     *time.Location
	Lines    []line
}

// line is an item with its place among the goods; what changes an earlier line
// has none.
type line struct {
	*fiscal.Item
	Place  int
	Signed fiscal.Money // cost as it enters the total
}

func (h *Handler) newReceipt(l *ui.Locale, r *http.Request, found *cabinet.Found) (*receipt, error) {
	link := found.Link(h.operator.Site)
	if h.operator.Site == "" { // an installation that was not told its own address
		link = found.Link("http://" + r.Host)
	}
	qr, err := ui.NewQR(link)
	if err != nil {
		return nil, errors.Join(errors.New("draw the QR code"), err)
	}
	rc := &receipt{
		Found: found, Operator: h.operator, Link: link, QR: qr, Zone: found.Card.Location(),
		JSON: "/api/v1/check?" + found.Query() + "&lang=" + l.Lang,
	}
	items := found.Document.Receipt.Items
	for i := range items {
		it := line{Item: &items[i], Signed: items[i].Direction() * items[i].Cost}
		if it.Kind == fiscal.ItemGoods && !it.Storno {
			it.Place = 1
			for _, before := range rc.Lines {
				it.Place = max(it.Place, before.Place+1)
			}
		}
		rc.Lines = append(rc.Lines, it)
	}
	return rc, nil
}
