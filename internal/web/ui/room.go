package ui

import (
	"bytes"
	"net/http"
	"strconv"

	"openofd/internal/fiscal"
)

// Section is a place in a room's navigation.
type Section struct {
	Key     string // of the words
	Icon    string
	URL     string
	Current bool
	Rest    bool // not on the bar of a phone: it is behind More
	More    bool // only on the bar of a phone
}

// Frame is what stands around a room's page.
type Frame struct {
	Locale       *Locale
	Person       string // who is signed in; "" nobody
	Organization string
	Sections     []Section
	Ground       string // on which an inspector looks, "" none
	Done         string // key of the words for what was just done, "" nothing
	// Connect and Scripts are origins beside ours that the page may speak to and
	// have scripts from: programs for signing on the reader's own computer.
	Connect, Scripts string
}

// roomPage is what the layout of rooms shows.
type roomPage struct {
	Page
	Frame
}

// Field is one input of a form.
type Field struct {
	Name, Key string // of the input; of the label's words
	Type      string // "" text
	Value     string
	Mode      string // inputmode
	Auto      string // autocomplete
	Hint      string // key, "" none
	Wrong     string // what is wrong with it, in words; "" nothing
	Max       int
	Required  bool
	ReadOnly  bool
	Choices   []FieldChoice // what may be chosen; with Free only proposed
	Free      bool
}

// FieldChoice is one of what an input lets choose.
type FieldChoice struct {
	Value, Text string
}

// Room answers with a page of a room.
func (rd *Renderer) Room(w http.ResponseWriter, r *http.Request, status int, name, title string, f Frame, data any) {
	l := f.Locale
	page := roomPage{Page: Page{Lang: l.Lang, Title: title, Private: true, Operator: rd.operator, Name: rd.OperatorName(l), Data: data}, Frame: f}
	for _, lang := range Languages() {
		q := r.URL.Query()
		q.Set("lang", lang)
		page.Languages = append(page.Languages, Choice{lang, rd.Locales[lang].T("lang.name"), "?" + q.Encode(), lang == l.Lang})
	}
	w.Header().Set("Content-Security-Policy", roomPolicy(f.Connect, f.Scripts))
	rd.Answer(w, l.Lang, "room.html", name, status, page)
}

// Answer writes a page in one of our layouts. What cannot be rendered is our own
// fault and is answered as such.
func (rd *Renderer) Answer(w http.ResponseWriter, lang, layout, name string, status int, page any) {
	var b bytes.Buffer
	if err := rd.sets[lang][name].ExecuteTemplate(&b, layout, page); err != nil {
		rd.log.Error("page not rendered", "page", name, "err", err)
		http.Error(w, rd.Locales[lang].T("kind.internal.what"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client is gone: nothing to tell it
}

// FieldWrong words what is wrong with a field of a form: the words of the field
// and the reason, else those of the reason, which every door has.
func (l *Locale) FieldWrong(e *fiscal.Error) string {
	for _, key := range []string{"wrong." + e.Field + "." + e.Msg, "wrong." + e.Field + "." + e.Reason.String(), "wrong." + e.Reason.String(), "reason." + e.Reason.String() + ".what"} {
		if l.Has(key) {
			return l.T(key)
		}
	}
	return ProblemOf(e, l).What
}
