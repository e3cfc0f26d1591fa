package sandbox

import (
	"embed"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// view is what every screen is made of.
type view struct {
	Heading, Lead, Warning, Refusal string
	Tabs                            []tab
	Search                          *search
	Blocks                          []block
	Next                            *tab
}

type tab struct {
	Text, URL string
	Current   bool
}

type search struct {
	Action, Name, Value, Label, Type string
	Hidden                           []ui.Row
}

// block is a card of a screen; what is empty is not shown.
type block struct {
	Title   string
	Figures []figure
	Facts   []fact
	Table   *table
	Empty   string
	Forms   []form
	Text    string
}

type figure struct{ Label, Value, Note string }

type fact struct{ Label, Value string }

type table struct {
	Columns []column
	Rows    [][]cell
}

type column struct {
	Text string
	Num  bool
}

// cell is text, a link, or a button that sends something.
type cell struct {
	Text, URL, Action string
	Of                string // what the button is about, for who does not see the row
	Hidden            []ui.Row
}

type form struct {
	Title, Action, Submit, Ask string
	Danger                     bool
	Hidden                     []ui.Row
	Fields                     []ui.Field
}

// visitor is who looks at a screen.
type visitor struct {
	*ui.Locale
	zone *time.Location
	done string
}

// when words an instant in microseconds since 1970.
func (v *visitor) when(micros int64) string {
	if micros == 0 {
		return ""
	}
	return v.Moment(time.UnixMicro(micros), v.zone)
}

// number words a whole number.
func (v *visitor) number(n int64) string {
	return v.Quantity(fiscal.Quantity(n) * fiscal.OneUnit)
}

// lag words milliseconds, in the unit that fits.
func (v *visitor) lag(millis int64) string {
	const second, minute, hour, day = 1000, 60_000, 3_600_000, 86_400_000
	key, unit := "authority.seconds", int64(second)
	switch n := max(millis, -millis); {
	case n >= 2*day:
		key, unit = "authority.days", day
	case n >= 2*hour:
		key, unit = "authority.hours", hour
	case n >= 2*minute:
		key, unit = "authority.minutes", minute
	}
	tenths := fiscal.Quantity(millis*10/unit) * fiscal.OneUnit / 10
	return v.T(key, "n", v.Quantity(tenths))
}

// columns makes heads of keys; "" is a head without words.
func (v *visitor) columns(keys ...string) (all []column) {
	for _, key := range keys {
		c := column{}
		if key != "" {
			c.Text = v.T(key)
		}
		all = append(all, c)
	}
	return all
}

// numeric says which of some columns are of numbers.
func numeric(all []column, which ...int) []column {
	for _, i := range which {
		all[i].Num = true
	}
	return all
}

func texts(all ...string) (row []cell) {
	for _, t := range all {
		row = append(row, cell{Text: t})
	}
	return row
}

// maxForm bounds what a form may send, in bytes.
const maxForm = 64 << 10

// pages serves the screens.
func (s *Server) pages() (http.Handler, error) {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	s.render, err = ui.NewRenderer(files, fiscal.Operator{Title: fiscal.Text{KK: "Оқу-жаттығу органы", RU: "Учебный орган", EN: "Sandbox authority"}}, s.cfg.Log)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(ui.AssetPath, s.render.Assets)
	mux.HandleFunc("GET /signin", s.signInPage)
	mux.HandleFunc("POST /signin", s.signIn)
	inside := func(pattern string, do func(http.ResponseWriter, *http.Request, *visitor) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.inside(w, r, do) })
	}
	inside("GET /{$}", s.overviewPage)
	inside("GET /cabinet", func(w http.ResponseWriter, r *http.Request, _ *visitor) error {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	})
	inside("GET /applications", s.applicationsPage)
	inside("GET /applications/{number}", s.applicationPage)
	inside("POST /applications/{number}", s.decideForm)
	inside("GET /registers", s.registersPage)
	inside("POST /known", s.knownForm)
	inside("POST /known/remove", s.knownRemove)
	inside("GET /documents", s.documentsPage)
	inside("GET /summaries", s.summariesPage)
	mux.HandleFunc("GET /faults", s.getFaults)
	inside("POST /faults/remove", s.faultRemove)
	inside("GET /me", s.mePage)
	mux.HandleFunc("POST /signout", s.signOut)
	mux.HandleFunc("POST /faults", s.postFault)
	mux.HandleFunc("DELETE /faults/{id}", s.deleteFault)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.render.Error(w, r, notThere("")) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		mux.ServeHTTP(w, r)
	}), nil
}

// locale is the language of a screen: asked for in the address and remembered,
// else the browser's.
func (s *Server) locale(w http.ResponseWriter, r *http.Request) *ui.Locale {
	asked := r.URL.Query().Get("lang")
	if s.render.Locales[asked] != nil {
		s.cookie(w, r, langCookie, asked, 365*24*time.Hour)
	} else if c, err := r.Cookie(langCookie); err == nil {
		asked = c.Value
	}
	return s.render.Locales[ui.Negotiate(asked, r.Header.Get("Accept-Language"), ui.Languages()[0])]
}

// inside serves a screen to who is signed in.
func (s *Server) inside(w http.ResponseWriter, r *http.Request, do func(http.ResponseWriter, *http.Request, *visitor) error) {
	if !s.signedIn(r) {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return
	}
	v := &visitor{Locale: s.locale(w, r), zone: s.cfg.Zone}
	if key := "authority.done." + r.URL.Query().Get("done"); v.Has(key) {
		v.done = key
	}
	if err := do(w, r, v); err != nil {
		s.render.Error(w, r, err)
	}
}

// sections are the places of the screens.
func sections(here string) []ui.Section {
	all := []ui.Section{
		{Key: "authority.overview", Icon: "home", URL: "/"},
		{Key: "authority.applications", Icon: "file-text", URL: "/applications"},
		{Key: "authority.documents", Icon: "receipt", URL: "/documents"},
		{Key: "authority.summaries", Icon: "calendar-stats", URL: "/summaries", Rest: true},
		{Key: "authority.registers", Icon: "cash-register", URL: "/registers", Rest: true},
		{Key: "authority.faults", Icon: "alert-triangle", URL: "/faults"},
		{Key: "authority.more", Icon: "dots", URL: "/me", More: true},
	}
	for i := range all {
		all[i].Current = all[i].URL == here
	}
	return all
}

// show answers with a screen.
func (s *Server) show(w http.ResponseWriter, r *http.Request, v *visitor, status int, here string, p view) {
	s.frame(w, r, v, status, "page.html", here, p.Heading, p)
}

func (s *Server) frame(w http.ResponseWriter, r *http.Request, v *visitor, status int, name, here, title string, data any) {
	s.render.Room(w, r, status, name, title, ui.Frame{Locale: v.Locale, Person: v.T("authority.staff"), Sections: sections(here), Done: v.done}, data)
}

// mePage has the languages, the way out, and what a phone's bar has no room for.
func (s *Server) mePage(w http.ResponseWriter, r *http.Request, v *visitor) error {
	p := struct {
		Languages []ui.Choice
		Sections  []ui.Section
	}{}
	for _, lang := range ui.Languages() {
		p.Languages = append(p.Languages, ui.Choice{Lang: lang, Name: s.render.Locales[lang].T("lang.name"), URL: "/me?lang=" + lang, Current: lang == v.Lang})
	}
	for _, one := range sections("/me") {
		if one.Rest {
			p.Sections = append(p.Sections, one)
		}
	}
	s.frame(w, r, v, http.StatusOK, "me.html", "/me", v.T("authority.me"), p)
	return nil
}

// formNumber reads a whole number of a form, 0 where there is none.
func formNumber(r *http.Request, name string) (int, error) {
	text := strings.TrimSpace(r.PostFormValue(name))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: name}
	}
	return n, nil
}
