package pages

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// Check serves GET /check?i=&f=&s=&t= and /check?t=&s=&fn=&i=&fp=&n=, the
// addresses of QR codes, and /check?qr= with the text of one. What cannot be a
// check gets the form back, with what was typed and what is wrong with it.
// Sources: order 135 items 5.10 and 17, KKT reference §13.
func (h *Handler) Check(w http.ResponseWriter, r *http.Request) {
	l := h.render.Locale(r)
	values := r.URL.Query()
	ask := func(status int, a asking) {
		h.render.Render(w, r, status, "check.html", l.T("form.heading"), check{Ask: a})
	}
	if text := values.Get(string(cabinet.ParamPasted)); text != "" {
		found, ok := cabinet.Pasted(text)
		if !ok {
			ask(http.StatusBadRequest, h.newAsking(l, r, &fiscal.Error{Reason: fiscal.BadValue, Field: string(cabinet.ParamPasted)}))
			return
		}
		// An address that can be kept and handed on.
		http.Redirect(w, r, ui.Link(r, "/check", found), http.StatusSeeOther)
		return
	}
	if !Asks(r) { // the bare address: nothing was typed, so nothing is wrong
		ask(http.StatusOK, h.newAsking(l, r, nil))
		return
	}
	q, err := cabinet.ParseQuery(values)
	if err != nil {
		ask(http.StatusBadRequest, again(l, r, cabinet.CountryOf(values), err))
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
	Ask     asking
	Home    string
	Receipt *receipt // found
	Paper   *paper   // what is more on a receipt of Russia
	NotMine string
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
		page.NotMine = inCountry(l, "notmine.text", result.Found.Country(), "")
		page.Receipt, err = h.newReceipt(l, r, result.Found)
		if err == nil && result.Found.Russian() {
			page.Paper = newPaper(l, page.Receipt)
		}
		return page, err
	}
	country := result.Query.Country
	var names []string
	for _, p := range result.Differs {
		names = append(names, l.T("param."+string(p)))
	}
	if gone := result.Retired; gone != nil {
		page.Verdict = "retired"
		page.Text = l.T("verdict.retired.text", "month", fmt.Sprintf("%02d.%d", gone.Month%100, gone.Month/100), "day", gone.On.UTC().Format("02.01.2006"))
		page.Next = l.T("verdict.retired.next")
	} else {
		page.Text = l.T("verdict."+page.Verdict+".text", "fields", strings.Join(names, ", "), "when", l.Date(result.LookAgain))
		page.Next = inCountry(l, "verdict."+page.Verdict+".next", country, "")
		if result.Old {
			page.Next = l.T("verdict.none.old")
		}
	}
	page.Ask = again(l, r, country, nil)
	fields := page.Ask.Forms[0].Fields
	for i := range fields {
		if f := &fields[i]; slices.Contains(result.Differs, cabinet.Param(f.Name)) {
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
	PDF      string
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

// siteOf is the operator's address; that of an installation that was not told
// its own is the one it was reached at.
func siteOf(site string, r *http.Request) string {
	if site == "" {
		return "http://" + r.Host
	}
	return site
}

func (h *Handler) newReceipt(l *ui.Locale, r *http.Request, found *cabinet.Found) (*receipt, error) {
	site := siteOf(h.operator.Site, r)
	link := found.Link(site)
	qr, err := ui.NewQR(found.QR(site))
	if err != nil {
		return nil, errors.Join(errors.New("draw the QR code"), err)
	}
	rc := &receipt{
		Found: found, Operator: h.operator, Link: link, QR: qr, Zone: found.Card.Location(),
		JSON: "/api/v1/check?" + found.Query() + "&lang=" + l.Lang,
		PDF:  PDFPath + "?" + found.Query() + "&lang=" + l.Lang,
	}
	if found.Russian() {
		return rc, nil // its lines say more
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
