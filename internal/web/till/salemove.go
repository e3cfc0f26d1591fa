package till

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) moveRoutes() {
	h.open(unlocked, "GET /move", h.movePage)
	h.open(unlocked, "POST /move", h.move)
	h.open(unlocked, "GET /x", h.reportPage)
	h.open(unlocked, "POST /x", h.report)
	h.open(unlocked, "GET /z", h.reportPage)
	h.open(unlocked, "POST /z", h.report)
}

// actPage is a page with one act that leaves a document, and what will happen.
type actPage struct {
	*form
	Action, Submit string
	Register       fiscal.RegisterID
	Draft          string // so that two taps leave one document
	Standing       standing
	Facts          []ui.Row // of the shift
	Says           []string // what will happen
	Danger         bool
	Shut           bool // the act is not possible
	Wrong          *wrong
}

// moveOf is the operation of the page: cash in, unless cash out is asked for.
func moveOf(r *http.Request) fiscal.Op {
	if r.FormValue("op") == fiscal.OpCashOut.String() {
		return fiscal.OpCashOut
	}
	return fiscal.OpCashIn
}

func (h *Handler) movePage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.askAnew(w, r, g, h.askMove)
}

// askAnew asks before an act that nobody has begun.
func (h *Handler) askAnew(w http.ResponseWriter, r *http.Request, g *guest, ask func(http.ResponseWriter, *http.Request, *guest, *till.Register, string, error)) {
	at, err := h.current(r.Context(), r, g)
	var draft string
	if err == nil {
		draft, err = h.till.NewDraft()
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	ask(w, r, g, &at, draft, nil)
}

func (h *Handler) askMove(w http.ResponseWriter, r *http.Request, g *guest, at *till.Register, draft string, wrong error) {
	st, err := h.standingOf(r.Context(), g, at)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	op := moveOf(r)
	p := actPage{
		form:   filled(r, ui.Field{Name: "sum", Key: "till.move.sum", Mode: "decimal", Auto: "off", Max: 20, Required: true}),
		Action: "/move?op=" + op.String(), Submit: "till.move.in", Register: at.ID, Draft: draft, Standing: st,
		Facts: []ui.Row{{Key: "report.cash", Value: st.Cash}},
	}
	if op == fiscal.OpCashOut {
		p.Submit = "till.move.out"
	}
	status := h.blameAct(&p, g, at, wrong)
	h.show(w, r, g, status, "act.html", page{Page: ui.Page{Title: g.locale.T("did." + op.String())}, Tab: "sale", Back: "/", Register: at, Scripts: []string{"till/once.js"}}, p)
}

// blameAct puts what is wrong on the page and returns its status.
func (h *Handler) blameAct(p *actPage, g *guest, at *till.Register, err error) int {
	if err == nil {
		return http.StatusOK
	}
	words := h.saleWords(g.locale, at, err)
	if field, ok := p.Fields[words.Field]; ok && p.form != nil && words.Way == "" {
		field.Wrong = words.What
		p.Fields[words.Field] = field
	} else {
		p.Wrong = &words
	}
	if words.Status == http.StatusBadRequest {
		return http.StatusUnprocessableEntity
	}
	return words.Status
}

// move puts cash in, or takes it out.
//
// Source: requirements E-133 to E-136.
func (h *Handler) move(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.acted(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	sum, err := fiscal.ParseMoney(strings.Join(strings.Fields(r.PostFormValue("sum")), ""))
	var made till.Document
	if err == nil {
		made, err = h.till.Move(r.Context(), g.Seat, at.ID, r.PostFormValue("draft"), moveOf(r), sum)
	}
	if err != nil {
		h.askMove(w, r, g, &at, r.PostFormValue("draft"), err)
		return
	}
	h.done(w, r, &made)
}

// acted is the register that a page's form names: the page may have been opened
// before the device went to another one.
func (h *Handler) acted(r *http.Request, g *guest) (till.Register, error) {
	id, err := strconv.ParseInt(r.PostFormValue("register"), 10, 64)
	if err != nil {
		return till.Register{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	return h.till.Register(r.Context(), g.Seat, fiscal.RegisterID(id))
}

func (h *Handler) done(w http.ResponseWriter, r *http.Request, made *till.Document) {
	http.Redirect(w, r, "/document/"+strconv.FormatInt(made.ID, 10), http.StatusSeeOther)
}

// reportPage asks before a report is made, and says what will happen.
//
// Source: requirements E-137 to E-139, E-145, E-148.
func (h *Handler) reportPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.askAnew(w, r, g, h.askReport)
}

func (h *Handler) askReport(w http.ResponseWriter, r *http.Request, g *guest, at *till.Register, draft string, wrong error) {
	s, err := h.till.Standing(r.Context(), g.Seat, at.ID)
	var st standing
	if err == nil {
		st, err = h.standingOf(r.Context(), g, at)
	}
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	l := g.locale
	p := actPage{Action: r.URL.Path, Register: at.ID, Draft: draft, Standing: st, form: &form{}}
	count, revenue := int64(0), fiscal.Money(0)
	for i, t := range s.Counters.Receipts {
		count += t.Count
		revenue += (fiscal.OpSale + fiscal.Op(i)).Inflow() * t.Sum
	}
	if s.Shift.Open {
		p.Facts = []ui.Row{
			{Key: "till.shift.number", Value: s.Shift.Number}, {Key: "till.shift.opened", Value: l.Minute(s.Shift.OpenedAt)},
			{Key: "till.shift.receipts", Value: count}, {Key: "till.shift.revenue", Value: l.Money(revenue)},
		}
	}
	p.Facts = append(p.Facts, ui.Row{Key: "report.cash", Value: st.Cash})
	title := "report.x"
	switch {
	case r.URL.Path == "/x":
		p.Submit, p.Says = "till.x.make", []string{l.T("till.x.clears_nothing"), l.T("till.x.no_document")}
	case !s.Shift.Open:
		title, p.Submit, p.Shut, p.Says = "till.z", "till.z", true, []string{l.T("till.z.no_shift")}
	default:
		title, p.Submit, p.Danger = "till.z", "till.z.make", true
		p.Says = []string{l.T("till.z.closes", "shift", s.Shift.Number), l.T("till.z.once")}
		if at.Settings.AutoWithdraw && s.Counters.Cash > 0 {
			p.Says = append(p.Says, l.T("till.z.withdraws", "cash", st.Cash))
		} else if s.Counters.Cash > 0 {
			p.Says = append(p.Says, l.T("till.z.stays", "cash", st.Cash))
		}
		if s.Waiting > 0 {
			p.Says = append(p.Says, l.T("till.z.waiting", "n", s.Waiting))
		}
	}
	status := h.blameAct(&p, g, at, wrong)
	h.show(w, r, g, status, "act.html", page{Page: ui.Page{Title: l.T(title)}, Tab: "sale", Back: "/", Register: at, Scripts: []string{"till/once.js"}}, p)
}

// report makes an X report, or closes the shift with a Z report.
//
// Source: requirements E-137 to E-149.
func (h *Handler) report(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.acted(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	var made till.Document
	if r.URL.Path == "/x" {
		made, err = h.till.X(r.Context(), g.Seat, at.ID)
	} else {
		made, err = h.till.Z(r.Context(), g.Seat, at.ID, r.PostFormValue("draft"))
	}
	switch {
	case errors.Is(err, fiscal.Unauthenticated) && !errors.Is(err, fiscal.StaleToken):
		h.leave(w, r, "/")
	case err != nil:
		h.askReport(w, r, g, &at, r.PostFormValue("draft"), err)
	default:
		h.done(w, r, &made)
	}
}
