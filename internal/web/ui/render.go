package ui

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"openofd/internal/fiscal"
)

//go:embed templates/*.html
var layoutFiles embed.FS

// Renderer makes pages of templates, one set for each language. Safe for
// concurrent use.
type Renderer struct {
	Locales  Locales
	Assets   *Assets
	operator fiscal.Operator
	log      *slog.Logger
	sets     map[string]map[string]*template.Template // by language and file name
}

// NewRenderer reads our layout and the pages, each of which is a file of pages
// that defines "main".
func NewRenderer(pages fs.FS, operator fiscal.Operator, log *slog.Logger) (*Renderer, error) {
	rd := &Renderer{operator: operator, log: log, sets: map[string]map[string]*template.Template{}}
	var err error
	if rd.Locales, err = LoadLocales(); err != nil {
		return nil, err
	}
	if rd.Assets, err = LoadAssets(); err != nil {
		return nil, err
	}
	for lang, l := range rd.Locales {
		base, err := template.New("").Funcs(rd.functions(l)).ParseFS(layoutFiles, "templates/*.html")
		if err != nil {
			return nil, fmt.Errorf("read the layout: %w", err)
		}
		labels, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("read the layout: %w", err)
		}
		f := &folder{l: l, assets: rd.Assets, labels: labels, told: map[string]string{}}
		if err := f.fold(base); err != nil {
			return nil, fmt.Errorf("words of the layout: %w", err)
		}
		rd.sets[lang] = map[string]*template.Template{"error.html": base}
		names, err := fs.Glob(pages, "*.html")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			set, err := base.Clone()
			if err == nil {
				_, err = set.ParseFS(pages, name)
			}
			if err == nil {
				err = f.fold(set)
			}
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			rd.sets[lang][name] = set
		}
	}
	return rd, nil
}

// functions are what templates of one language may call.
func (rd *Renderer) functions(l *Locale) template.FuncMap {
	return template.FuncMap{
		"T":        l.T,
		"also":     func(key string, args ...any) []Also { return rd.Locales.Also(l, key, args...) },
		"texts":    l.Texts,
		"asset":    rd.Assets.Path,
		"alsoru":   func(key string) []Also { return rd.Locales.alsoIn(l, []string{"ru"}, key) },
		"money":    l.Money,
		"rubles":   l.Rubles,
		"minute":   l.Minute,
		"amount":   l.Amount,
		"quantity": l.Quantity,
		"percent":  l.Percent,
		"time":     l.Time,
		"date":     l.Date,
		"moment":   l.Moment,
		"unit":     l.Unit,
		"worded":   l.Requisites,
		"digits":   Digits,
		"lang":     func() string { return l.Lang },
		"row":      func(key string, value any) Row { return Row{Key: key, Value: value} },
		"taxkey":   TaxKey,
		"icon":     Icon,
	}
}

// TaxKey is the key of the words for a tax.
func TaxKey(kind uint32, included bool) string {
	key := "tax.other"
	if kind == fiscal.KindVAT {
		key = "tax.vat"
	}
	if included {
		return key + ".included"
	}
	return key + ".added"
}

// Row is a labeled value.
type Row struct {
	Key   string // of the label
	Value any
}

// Page is what the layout shows around a page's own part.
type Page struct {
	Lang      string
	Title     string
	Private   bool // not for search engines
	Operator  fiscal.Operator
	Name      string // of the operator
	Home      string
	Languages []Choice
	Data      any // what "main" gets
}

// Choice is a language and the same page in it.
type Choice struct {
	Lang, Name, URL string
	Current         bool
}

// Render answers with a page. What cannot be rendered is our own fault and is
// answered as such.
func (rd *Renderer) Render(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) {
	l := rd.Locale(r)
	page := Page{
		Lang: l.Lang, Title: title, Private: name != "front.html", Operator: rd.operator,
		Name: rd.OperatorName(l), Home: Link(r, "/", nil), Data: data,
	}
	for _, lang := range Languages() {
		q := r.URL.Query()
		q.Set("lang", lang)
		page.Languages = append(page.Languages, Choice{lang, rd.Locales[lang].T("lang.name"), "?" + q.Encode(), lang == l.Lang})
	}
	h := w.Header()
	h.Add("Vary", "Accept-Language")
	if page.Private {
		h.Set("X-Robots-Tag", "noindex")
	}
	rd.Answer(w, l.Lang, "layout.html", name, status, page)
}

// Error answers with a page that words an error.
func (rd *Renderer) Error(w http.ResponseWriter, r *http.Request, err error) {
	l := rd.Locale(r)
	p := ProblemOf(err, l)
	if p.Status == http.StatusInternalServerError {
		rd.log.Error("request failed", "path", r.URL.Path, "err", err)
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	rd.Render(w, r, p.Status, "error.html", l.T("error.heading"), p)
}

// Locale is the language of a page.
func (rd *Renderer) Locale(r *http.Request) *Locale { return rd.Locales.For(r, Languages()[0]) }

// OperatorName is the operator's name in the reader's language.
func (rd *Renderer) OperatorName(l *Locale) string {
	if name := rd.operator.Title.In(l.Lang); name != "" {
		return name
	}
	return l.T("operator.unnamed")
}

// Link is an address of ours that keeps the language somebody asked for.
func Link(r *http.Request, path string, query url.Values) string {
	if lang := r.URL.Query().Get("lang"); lang != "" {
		if query == nil {
			query = url.Values{}
		}
		query.Set("lang", lang)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}
