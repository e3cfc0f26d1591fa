package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web/ui"
)

// Problem is an error. Source: RFC 9457.
type Problem struct {
	Type       string         `json:"type" doc:"Always about:blank; reason tells problems apart."`
	Title      string         `json:"title" doc:"What happened, in the language asked for."`
	Status     int            `json:"status" doc:"The HTTP status."`
	Detail     string         `json:"detail" doc:"What to do next, in the language asked for."`
	Kind       string         `json:"kind" enum:"internal,invalid,unauthenticated,denied,not_found,conflict,overloaded,unavailable,corrupt" doc:"What the caller can do."`
	Reason     string         `json:"reason" doc:"What is wrong: a stable name, none if only the kind is known. Of a signature that is not accepted, why." example:"missing_parameter"`
	Parameter  string         `json:"parameter,omitempty" doc:"The parameter or field it is about; with denied the right that is missing." example:"t"`
	Fields     []FieldProblem `json:"fields,omitempty" nullable:"false" doc:"Every field that is wrong, where there may be several."`
	RetryAfter int            `json:"retry_after,omitempty" doc:"Seconds after which the same request may succeed; also in the header Retry-After."`
}

// FieldProblem is what is wrong with one field.
type FieldProblem struct {
	Field  string `json:"field" doc:"Its name; of a part of something, with a point between." example:"address.region"`
	Reason string `json:"reason" doc:"A stable name." example:"missing_parameter"`
	Detail string `json:"detail,omitempty" doc:"A stable word that says more." example:"check_digit"`
	Title  string `json:"title" doc:"The same in words, in the language asked for."`
	Only   bool   `json:"only,omitempty" doc:"It keeps nobody from signing: the authority is told of it."`
}

// fault is a Problem on its way through huma.
type fault struct {
	Problem
	language string
}

func (f *fault) Error() string             { return f.Title }
func (f *fault) GetStatus() int            { return f.Status }
func (f *fault) ContentType(string) string { return "application/problem+json" }

func (f *fault) GetHeaders() http.Header {
	header := http.Header{"Content-Language": {f.language}, "Vary": {"Accept, Accept-Language"}}
	if f.RetryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	if f.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="OpenOFD"`)
	}
	return header
}

// fieldNames are the names of fields here where forms call them otherwise.
var fieldNames = map[string]string{"register_name": "name", "group_title": "title", "key_name": "program"}

// fault words an error, and logs what a person must look at.
func (h *Handler) fault(err error, l *ui.Locale, path string) *fault {
	p := ui.ProblemOf(err, l)
	if p.Status == http.StatusInternalServerError {
		h.cfg.Log.Error("request failed", "path", path, "err", err)
	}
	f := &fault{language: l.Lang, Problem: Problem{
		Type: "about:blank", Title: p.What, Status: p.Status, Detail: p.Next, Kind: strings.ReplaceAll(p.Kind.String(), " ", "_"),
		Reason: p.Reason.String(), Parameter: fieldName(p.Field), RetryAfter: p.RetryAfter,
	}}
	var wait *access.Wait
	if errors.As(err, &wait) {
		f.RetryAfter = max(1, int(wait.For.Seconds()))
	}
	if r := signature.RefusalOf(err); r != nil {
		f.Reason, f.Title, f.Detail = r.Reason.String(), l.T("signature."+r.Reason.String()+".what"), l.T("signature."+r.Reason.String()+".next")
	}
	var all registry.FieldErrors
	if errors.As(err, &all) {
		f.Fields = wordFields(l, all)
	}
	return f
}

func fieldName(field string) string {
	if name, ok := fieldNames[field]; ok {
		return name
	}
	return field
}

// wordFields words findings of the control.
func wordFields(l *ui.Locale, all []registry.FieldError) []FieldProblem {
	out := make([]FieldProblem, 0, len(all))
	for _, e := range all {
		out = append(out, FieldProblem{Field: fieldName(e.Field), Reason: e.Reason.String(), Detail: e.Detail, Only: e.Only,
			Title: l.FieldWrong(&fiscal.Error{Reason: e.Reason, Field: e.Field, Msg: e.Detail})})
	}
	return out
}

// Fail answers a program with an error.
func (h *Handler) Fail(w http.ResponseWriter, r *http.Request, err error) {
	h.fail(w, h.fault(err, h.cfg.Locales.For(r, language), r.URL.Path))
}

func (h *Handler) fail(w http.ResponseWriter, f *fault) {
	for key, values := range f.GetHeaders() {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", f.ContentType(""))
	w.WriteHeader(f.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, f.Problem) // the client is gone: nothing to tell it
}

// wordRefusal makes a Problem of ours of what was refused before a handler of
// ours saw it: a body or a parameter of the wrong form.
func (h *Handler) wordRefusal(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	u := ctx.URL()
	l := h.cfg.Locales[ui.Negotiate(u.Query().Get("lang"), ctx.Header("Accept-Language"), language)]
	err := &fiscal.Error{Reason: fiscal.BadForm, Field: "body"}
	var fields []FieldProblem
	for _, d := range m.Errors {
		one := FieldProblem{Reason: fiscal.BadValue.String()}
		_, one.Field, _ = strings.Cut(d.Location, ".")
		if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
			name, _, _ = strings.Cut(name, " ")
			one.Field, one.Reason = strings.Trim(one.Field+"."+name, "."), fiscal.MissingParameter.String()
		}
		if one.Field == "" {
			continue // the body as a whole
		}
		one.Title = l.FieldWrong(&fiscal.Error{Reason: fiscal.ParseReason(one.Reason), Field: one.Field})
		fields = append(fields, one)
	}
	if len(fields) > 0 {
		err = &fiscal.Error{Reason: fiscal.ParseReason(fields[0].Reason), Field: fields[0].Field}
	}
	if m.Status >= http.StatusInternalServerError {
		err = &fiscal.Error{Of: fiscal.Internal, Msg: m.Detail}
	}
	f := h.fault(err, l, u.Path)
	f.Status, f.Fields = m.Status, fields
	for key, values := range f.GetHeaders() {
		ctx.SetHeader(key, values[0])
	}
	return f.Problem, nil
}

// asError is the error of ours in an error.
func asError(err error) *fiscal.Error {
	var e *fiscal.Error
	if errors.As(err, &e) {
		return e
	}
	return &fiscal.Error{Of: fiscal.Internal, Err: err}
}
