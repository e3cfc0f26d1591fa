package pages

import (
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// asking is how a page asks for a check: a pasted text, or the lines of a
// receipt of each country that is served.
type asking struct {
	Paste field
	Forms []form
	Lang  string // asked for in the address, to be kept
}

// Single reports whether there is one country and nothing to choose.
func (a asking) Single() bool { return len(a.Forms) == 1 }

// form is the form of one country's receipts with what was typed into it.
type form struct {
	Country fiscal.Country
	Fields  []field
	Wrongs  []field // those that keep the check from being made
	Lang    string
}

// field is one line of a form.
type field struct {
	ID, Name string
	Key      string // of its words
	Mark     int    // its number in the picture of a receipt
	Mode     string // of a phone's keyboard
	Value    string
	Wrong    string // what is wrong with it, in words
	Options  []option
}

// option is a value to choose.
type option struct {
	Value, Text string
	Chosen      bool
}

// paperTime is a time as receipts print it.
func paperTime(l *ui.Locale, t fiscal.WallTime, minute bool) string {
	s := strings.ReplaceAll(l.Time(t), "\u00a0", " ")
	if minute {
		s = strings.TrimSuffix(s, ":00")
	}
	return s
}

// newAsking is everything that can be asked. err is what is wrong with the
// pasted text, nil if nothing is.
func (h *Handler) newAsking(l *ui.Locale, r *http.Request, err error) asking {
	a := asking{Lang: r.URL.Query().Get("lang"), Paste: field{
		ID: "field-qr", Name: string(cabinet.ParamPasted), Key: "form.paste", Value: r.URL.Query().Get(string(cabinet.ParamPasted)),
	}}
	a.Paste.Wrong = wrong(l, "", a.Paste.Name, err)
	for _, country := range h.countries() {
		a.Forms = append(a.Forms, newForm(l, r, country, nil))
	}
	return a
}

// again is the one form that what was typed belongs to.
func again(l *ui.Locale, r *http.Request, country fiscal.Country, err error) asking {
	f := newForm(l, r, country, err)
	return asking{Forms: []form{f}, Lang: f.Lang}
}

// countries are those whose receipts come here, as far as the operator says.
func (h *Handler) countries() []fiscal.Country {
	switch {
	case h.operator.INN == "":
		return []fiscal.Country{fiscal.Kazakhstan}
	case h.operator.BIN == "":
		return []fiscal.Country{fiscal.Russia}
	}
	return []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia}
}

// lines are the fields of a country's form, in the order of paper.
func lines(country fiscal.Country) []field {
	if country == fiscal.Russia {
		return []field{
			{Name: string(cabinet.ParamTime), Key: "form.ru.time"},
			{Name: string(cabinet.ParamOperation), Key: "form.ru.operation"},
			{Name: string(cabinet.ParamSum), Key: "form.ru.sum", Mode: "decimal"},
			{Name: string(cabinet.ParamDrive), Key: "form.ru.drive", Mode: "numeric"},
			{Name: string(cabinet.ParamNumber), Key: "form.ru.number", Mode: "numeric"},
			{Name: string(cabinet.ParamSign), Key: "form.ru.sign", Mode: "numeric"},
		}
	}
	return []field{
		{Name: string(cabinet.ParamCode), Key: "form.code", Mode: "numeric"},
		{Name: string(cabinet.ParamRegister), Key: "form.register", Mode: "numeric"},
		{Name: string(cabinet.ParamTime), Key: "form.time"},
		{Name: string(cabinet.ParamSum), Key: "form.sum", Mode: "decimal"},
	}
}

// newForm fills a form with what the address holds. err is what ParseQuery
// said of it, nil if nothing is wrong.
func newForm(l *ui.Locale, r *http.Request, country fiscal.Country, err error) form {
	q := r.URL.Query()
	f := form{Country: country, Lang: q.Get("lang")}
	prefix := "field-"
	if country == fiscal.Russia {
		prefix = "field-ru-"
	}
	for i, in := range lines(country) {
		in.ID, in.Mark, in.Value = prefix+in.Name, i+1, q.Get(in.Name)
		in.Wrong = wrong(l, country, in.Name, err)
		if t, minute, ok := cabinet.ParseTime(in.Value); ok && in.Name == string(cabinet.ParamTime) {
			in.Value = paperTime(l, t, minute) // as it stands on paper, to be compared
		}
		if in.Name == string(cabinet.ParamOperation) {
			in.Options = operations(l, in.Value)
		}
		if in.Wrong != "" {
			f.Wrongs = append(f.Wrongs, in)
		}
		f.Fields = append(f.Fields, in)
	}
	return f
}

// operations are the kinds of settlement by their numbers.
func operations(l *ui.Locale, chosen string) []option {
	var all []option
	for n := 1; n <= fiscal.OpSettlements; n++ {
		v := strconv.Itoa(n)
		all = append(all, option{Value: v, Text: l.T("requisite.operationType." + v), Chosen: v == chosen})
	}
	return all
}

// wrong words what ParseQuery said of a field.
func wrong(l *ui.Locale, country fiscal.Country, name string, err error) string {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			if words := wrong(l, country, name, err); words != "" {
				return words
			}
		}
	}
	e, ok := err.(*fiscal.Error)
	switch {
	case !ok || e.Field != name:
		return ""
	case e.Reason == fiscal.MissingParameter && name == string(cabinet.ParamSum) && country == fiscal.Kazakhstan:
		return l.T("form.error.s.needed")
	case e.Reason == fiscal.MissingParameter:
		return l.T("form.error.missing")
	}
	return inCountry(l, "form.error", country, "."+name)
}

// inCountry words a key that may have words of its own for a country.
func inCountry(l *ui.Locale, key string, country fiscal.Country, rest string, args ...any) string {
	if own := key + "." + string(country) + rest; l.Has(own) {
		return l.T(own, args...)
	}
	return l.T(key+rest, args...)
}
