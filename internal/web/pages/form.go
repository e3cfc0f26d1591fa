package pages

import (
	"net/http"
	"strings"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// form is the form of the check with what was typed into it.
type form struct {
	Fields []field
	Wrongs []field // those that keep the check from being made
	Lang   string  // asked for in the address, to be kept
}

// field is one line of the form.
type field struct {
	Name  string
	Key   string // of its words
	Mark  int    // its number in the picture of a receipt
	Mode  string // of a phone's keyboard
	Value string
	Wrong string // what is wrong with it, in words
}

// paperTime is a time as receipts print it.
func paperTime(l *ui.Locale, t fiscal.WallTime, minute bool) string {
	s := strings.ReplaceAll(l.Time(t), "\u00a0", " ")
	if minute {
		s = strings.TrimSuffix(s, ":00")
	}
	return s
}

// newForm fills the form with what the address holds. err is what ParseQuery
// said of it, nil if nothing is wrong.
func newForm(l *ui.Locale, r *http.Request, err error) form {
	q := r.URL.Query()
	f := form{Lang: q.Get("lang")}
	for i, in := range []field{
		{Name: string(cabinet.ParamCode), Key: "form.code", Mode: "numeric"},
		{Name: string(cabinet.ParamRegister), Key: "form.register", Mode: "numeric"},
		{Name: string(cabinet.ParamTime), Key: "form.time"},
		{Name: string(cabinet.ParamSum), Key: "form.sum", Mode: "decimal"},
	} {
		in.Mark, in.Value = i+1, q.Get(in.Name)
		in.Wrong = wrong(l, in.Name, err)
		if t, minute, ok := cabinet.ParseTime(in.Value); ok && in.Name == string(cabinet.ParamTime) {
			in.Value = paperTime(l, t, minute) // as it stands on paper, to be compared
		}
		if in.Wrong != "" {
			f.Wrongs = append(f.Wrongs, in)
		}
		f.Fields = append(f.Fields, in)
	}
	return f
}

// wrong words what ParseQuery said of a field.
func wrong(l *ui.Locale, name string, err error) string {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			if words := wrong(l, name, err); words != "" {
				return words
			}
		}
	}
	e, ok := err.(*fiscal.Error)
	switch {
	case !ok || e.Field != name:
		return ""
	case e.Reason == fiscal.MissingParameter && name == string(cabinet.ParamSum):
		return l.T("form.error.s.needed")
	case e.Reason == fiscal.MissingParameter:
		return l.T("form.error.missing")
	}
	return l.T("form.error." + name)
}
