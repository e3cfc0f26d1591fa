package till

import (
	"encoding/json"
	"errors"
	"net/http"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

// page is what the layout of the till shows around a page's own part, which is
// Data.
type page struct {
	ui.Page
	Locale   *ui.Locale
	Tab      string // "sale", "history", "ofd"; "" the page is in none
	Back     string // where the way back leads; "" there is none
	In       bool   // somebody has unlocked the device
	Cashier  string
	Register *till.Register // at which the device works
	Scripts  []string       // assets
	Wide     bool           // the page uses the whole width of a desk
}

// show answers with a page in the till's layout.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, g *guest, status int, name string, p page, data any) {
	l := g.locale
	p.Page = ui.Page{Lang: l.Lang, Title: p.Title, Private: true, Operator: h.cfg.Operator, Name: h.render.OperatorName(l), Data: data}
	p.Locale = l
	if g.Seat != nil {
		p.In, p.Cashier = g.Cashier.Code != 0, g.Cashier.Name
	}
	for _, lang := range ui.Languages() {
		p.Languages = append(p.Languages, ui.Choice{Lang: lang, Name: h.render.Locales[lang].T("lang.name"), URL: "?lang=" + lang, Current: lang == l.Lang})
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	h.render.Answer(w, l.Lang, "till.html", name, status, p)
}

// fail answers with a page, or with JSON, that words an error.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, g *guest, err error) {
	if g == nil {
		g = &guest{locale: h.render.Locale(r)}
	}
	words := h.words(g.locale, err)
	if words.Status == http.StatusInternalServerError {
		h.log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	if asksJSON(r) {
		answer(w, words.Status, words)
		return
	}
	h.show(w, r, g, words.Status, "wrong.html", page{Page: ui.Page{Title: g.locale.T("error.heading")}, Back: "/"}, words)
}

// wrong is an error in a reader's words, with the way out.
type wrong struct {
	Status int    `json:"-"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	What   string `json:"what"`
	Next   string `json:"next,omitempty"`
	Way    string `json:"way,omitempty"` // a page that is the way out
	Label  string `json:"label,omitempty"`
}

// words are those that the till has for an error, else those that every door
// has: till.wrong.FIELD.REASON, till.wrong.FIELD, and the reason's.
func (h *Handler) words(l *ui.Locale, err error) wrong {
	p := ui.ProblemOf(err, l)
	out := wrong{Status: p.Status, Code: p.Code(), Field: p.Field, What: p.What, Next: p.Next}
	if p.Status == http.StatusUnauthorized { // the session holds: it is a code or a token that does not
		out.Status = http.StatusUnprocessableEntity
	}
	var told *till.Told
	if errors.As(err, &told) { // the operator has worded it
		out.What, out.Next, out.Field = told.Title, told.Detail, told.Field
		return out
	}
	var e *fiscal.Error
	if !errors.As(err, &e) {
		return out
	}
	for _, key := range []string{"till.wrong." + e.Field + "." + e.Reason.String(), "till.wrong." + e.Field, "till.wrong." + e.Reason.String()} {
		if l.Has(key) {
			out.What, out.Next = l.T(key), ""
			break
		}
	}
	return out
}

// answer gives a script its JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nothing to tell it
}

// form is the inputs of a page and what is wrong with them.
type form struct {
	Fields  map[string]ui.Field
	Order   []string
	Refusal string
}

// filled makes a form of fields, with what was typed in.
func filled(r *http.Request, fields ...ui.Field) *form {
	f := &form{Fields: map[string]ui.Field{}}
	for _, one := range fields {
		if r.Method == http.MethodPost && one.Type != "password" {
			one.Value = r.PostFormValue(one.Name)
		}
		f.Fields[one.Name] = one
		f.Order = append(f.Order, one.Name)
	}
	return f
}

// In lists the fields in their order, for templates.
func (f *form) In() (all []ui.Field) {
	for _, name := range f.Order {
		all = append(all, f.Fields[name])
	}
	return all
}

// blame puts an error's words beside the field it is about, else above the form.
// It returns the status to answer with, 0 if no form can mend the error.
func (h *Handler) blame(f *form, l *ui.Locale, err error) int {
	words := h.words(l, err)
	if words.Status >= http.StatusInternalServerError && !errors.Is(err, fiscal.Unavailable) && !errors.Is(err, fiscal.Overloaded) {
		return 0
	}
	if field, ok := f.Fields[words.Field]; ok {
		field.Wrong = words.What
		f.Fields[words.Field] = field
	} else {
		f.Refusal = words.What
		if words.Next != "" {
			f.Refusal += " " + words.Next
		}
	}
	if words.Status == http.StatusBadRequest {
		return http.StatusUnprocessableEntity
	}
	return words.Status
}
