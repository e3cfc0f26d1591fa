package room

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Organization is whose room is entered, as far as every page of it shows.
type Organization struct {
	Title fiscal.Text
	Zone  *time.Location // in which its times are shown
}

// Organizations names them.
type Organizations interface {
	Organization(ctx context.Context, t fiscal.TaxpayerID) (Organization, error)
}

// Config says what is around the rooms.
type Config struct {
	// Address is where a request comes from, proxies considered.
	Address func(*http.Request) string
	// Secure says that people reach us over TLS alone: cookies then never travel
	// in the clear. A connection with TLS tells it too.
	Secure bool
	// NoMail says that letters cannot be sent, so nobody can sign up.
	NoMail bool
	// Office is where people look after their organization; nil: nowhere.
	Office *registry.Office
	// DemoSign lets an authority of a demonstration sign for an invented company,
	// with of "" for a new one;
	// nil: this is none.
	DemoSign func(content []byte, person string, of fiscal.XIN) ([]byte, error)
	// NCALayer is where people's own programs for signing answer; "" is where they
	// do everywhere.
	NCALayer string
	// Documents is what the registers did.
	Documents Documents
	// Desk is what the operator's staff works at; nil: they have no room.
	Desk Desk
	// Archive is where inspectors find clients; nil: they have no room.
	Archive Archive
	// Evenings are what became of days that are over; nil: nobody looks at them.
	Evenings Evenings
	// Forwarding is how documents go to authorities; nil: nobody looks at it.
	Forwarding Forwarding
	// Letters are those that a sink keeps instead of sending them; nil: there is
	// no sink.
	Letters func() []Letter
}

// Handler serves the rooms. Safe for concurrent use.
type Handler struct {
	cfg    Config
	access *access.Service
	known  Organizations
	zone   *time.Location // for who has no organization
	render *ui.Renderer
	mux    *addresses
	// exports are the lists that are given as files, by name.
	exports map[string]exporter
	files   *giving // that are being given
}

// New reads the templates.
func New(cfg Config, service *access.Service, known Organizations, zone *time.Location, operator fiscal.Operator, log *slog.Logger) (*Handler, error) {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	render, err := ui.NewRenderer(files, operator, log)
	if err != nil {
		return nil, err
	}
	h := &Handler{cfg: cfg, access: service, known: known, zone: zone, render: render, mux: &addresses{},
		exports: map[string]exporter{}, files: &giving{under: map[taker]int{}}}
	h.routes()
	return h, nil
}

// routes are the addresses of the rooms. Those with an actor are reached by who
// is signed in; others are sent to sign in and come back.
func (h *Handler) routes() {
	h.mux.HandleFunc("GET /signin", h.signInPage)
	h.mux.HandleFunc("POST /signin", h.signIn)
	h.mux.HandleFunc("GET /signin/second", h.secondPage)
	h.mux.HandleFunc("POST /signin/second", h.second)
	h.mux.HandleFunc("GET /signup", h.signUpPage)
	h.mux.HandleFunc("POST /signup", h.signUp)
	h.mux.HandleFunc("GET /signup/confirm", h.confirmPage)
	h.mux.HandleFunc("POST /signup/confirm", h.confirm)
	h.mux.HandleFunc("GET /forgot", h.forgotPage)
	h.mux.HandleFunc("POST /forgot", h.forgot)
	h.mux.HandleFunc("GET /reset", h.resetPage)
	h.mux.HandleFunc("POST /reset", h.reset)

	if h.cfg.Letters != nil {
		h.mux.HandleFunc("GET /letters", h.letters)
	}

	h.inside("POST /signout", h.signOut)
	h.inside("GET /cabinet", h.overview)
	h.inside("POST /choose", h.choose)
	h.inside("POST /join", h.join)
	h.inside("GET /me", h.me)
	h.inside("POST /me/profile", h.setProfile)
	h.inside("POST /me/password", h.setPassword)
	h.inside("GET /me/totp", h.totpPage)
	h.inside("POST /me/totp", h.startTOTP)
	h.inside("POST /me/totp/stop", h.stopTOTP)
	h.inside("POST /me/sessions/end", h.endSession)
	h.inside("POST /me/sessions/others", h.endOthers)
	h.inside("GET /more", h.more)
	h.inside("GET /people", h.people)
	h.inside("POST /people/invite", h.invite)
	h.inside("POST /people/withdraw", h.withdraw)
	h.inside("POST /people/role", h.setRole)
	h.inside("POST /people/remove", h.remove)
	h.inside("GET /audit", h.audit)
	h.inside("GET /audit.csv", h.auditCSV)
	h.passkeyRoutes()
	h.staffRoutes()
	h.eveningRoutes()
	h.parkedRoutes()
	h.officeRoutes()
	h.documentRoutes()
	h.tableRoutes()
	h.keyRoutes()
	h.inspectRoutes()
}

// Paths are the beginnings of the addresses that are ours.
func Paths() []string {
	return append([]string{"/letters", "/audit.csv", "/signin", "/signup", "/forgot", "/reset", "/signout", "/cabinet", "/choose", "/join", "/me", "/more", "/people", "/audit"}, slices.Concat(officePaths, documentPaths, staffPaths, keyPaths, inspectPaths)...)
}

// Ours reports whether an address is one of a room.
func Ours(path string) bool {
	return slices.ContainsFunc(Paths(), func(p string) bool {
		rest, ok := strings.CutPrefix(path, p)
		return ok && (rest == "" || rest[0] == '/')
	})
}

// Door reports whether an address is one before anybody is signed in.
func Door(path string) bool {
	return Ours(path) && slices.ContainsFunc([]string{"/signin", "/signup", "/forgot", "/reset"}, func(p string) bool { return strings.HasPrefix(path, p) })
}

// Refuse answers with an error.
func (h *Handler) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	h.render.Error(w, r, err)
}

// maxForm bounds what a form may send, in bytes.
const maxForm = 64 << 10

// ServeHTTP serves an address that is ours.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && !bringsFile(r.URL.Path) {
		limit, parse := int64(maxForm), r.ParseForm
		if strings.HasPrefix(r.URL.Path, "/organization/") || strings.HasPrefix(r.URL.Path, "/applications/") || r.URL.Path == "/registers/import" || r.URL.Path == certificatePath { // a file comes with it
			limit = maxUpload
			if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
				parse = func() error { return r.ParseMultipartForm(maxUpload) }
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if err := parse(); err != nil {
			h.render.Error(w, r, &fiscal.Error{Reason: fiscal.BadForm, Field: "form"})
			return
		}
	}
	if _, pattern := h.mux.Handler(r); pattern == "" {
		h.render.Error(w, r, &fiscal.Error{Reason: fiscal.NothingThere})
		return
	}
	h.mux.ServeHTTP(w, r)
}

// visitor is a request of somebody who is signed in.
type visitor struct {
	*access.Actor
	Organization
	locale *ui.Locale
	// client is whose data an inspector reads, 0 for who reads their own
	// organization's, and base where the addresses of these begin.
	client fiscal.TaxpayerID
	base   string
}

// when words one of our own times.
func (a *visitor) when(t time.Time) string { return a.locale.Moment(t, a.Zone) }

// inside serves a page to who is signed in.
func (h *Handler) inside(pattern string, do func(http.ResponseWriter, *http.Request, *visitor)) {
	h.mux.HandleFunc(pattern, h.signedIn(do))
}

// signedIn is a page for who is signed in; others are sent to the door.
func (h *Handler) signedIn(do func(http.ResponseWriter, *http.Request, *visitor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := tokenOf(r)
		if token == "" {
			h.toSignIn(w, r)
			return
		}
		a, err := h.access.Resume(r.Context(), token, h.visit(r))
		if errors.Is(err, fiscal.Unauthenticated) {
			h.forget(w)
			h.toSignIn(w, r)
			return
		}
		if err != nil {
			h.render.Error(w, r, err)
			return
		}
		if strays(&a, r.URL.Path) {
			if r.Method == http.MethodGet && r.URL.Path == "/cabinet" {
				http.Redirect(w, r, "/inspect", http.StatusSeeOther)
				return
			}
			h.render.Error(w, r, &fiscal.Error{Of: fiscal.Denied, Field: "inspector"})
			return
		}
		if waits(&a, r.URL.Path) {
			done(w, r, "/me", "staff_second")
			return
		}
		lang := ui.Negotiate(r.URL.Query().Get("lang"), "", ui.Negotiate(a.User.Language, r.Header.Get("Accept-Language"), ui.Languages()[0]))
		v := &visitor{Actor: &a, Organization: Organization{Zone: h.zone}, locale: h.render.Locales[lang]}
		if a.Taxpayer != 0 {
			if v.Organization, err = h.known.Organization(r.Context(), a.Taxpayer); err != nil {
				h.render.Error(w, r, err)
				return
			}
		}
		do(w, r, v)
	}
}

// toSignIn sends to the door and, after it, back to what was asked for.
func (h *Handler) toSignIn(w http.ResponseWriter, r *http.Request) {
	back := url.Values{}
	if r.Method == http.MethodGet && r.URL.Path != "/cabinet" {
		back.Set("to", r.URL.RequestURI())
	}
	http.Redirect(w, r, ui.Link(r, "/signin", back), http.StatusSeeOther)
}

// local is an address within our rooms, "/cabinet" for any other.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !Ours(u.Path) || strings.HasPrefix(to, "//") || strings.Contains(to, "\\") {
		return "/cabinet"
	}
	return to
}

func (h *Handler) visit(r *http.Request) access.Visit {
	return access.Visit{Address: h.cfg.Address(r), Agent: r.UserAgent()}
}

// sections are the navigation as the actor may use it. What a phone's bar has no
// place for is behind More.
func (h *Handler) sections(a *visitor, at string) []ui.Section {
	if a.User.Inspector != nil {
		return inspectSections(a, at)
	}
	all := []ui.Section{{Key: "room.overview", Icon: "home", URL: "/cabinet"}}
	all = append(all, h.documentSections(a)...)
	all = append(all, h.officeSections(a)...)
	all = append(all, h.staffSections(a)...)
	all = append(all, h.eveningSections(a)...)
	all = append(all, h.parkedSections(a)...)
	all = append(all, h.inspectorSections(a)...)
	if a.May(access.ManageUsers) {
		all = append(all, ui.Section{Key: "room.people", Icon: "users", URL: "/people", Rest: true})
	}
	if a.May(access.ManageKeys) {
		all = append(all, ui.Section{Key: "room.keys", Icon: "key", URL: "/keys", Rest: true})
	}
	if a.May(access.SeeAudit) {
		all = append(all, ui.Section{Key: "room.audit", Icon: "history", URL: "/audit", Rest: true})
	}
	all = append(all, ui.Section{Key: "room.me", Icon: "settings", URL: "/me"}, ui.Section{Key: "room.more", Icon: "dots", URL: "/more", More: true})
	for i := range all {
		all[i].Current = all[i].URL == at
	}
	return all
}

// page answers with a page of a room. at is its section.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, a *visitor, status int, name, at, title string, data any) {
	h.render.Room(w, r, status, name, a.locale.T(title), h.frame(r, a, at), data)
}

// frame is what stands around a page. at is its section.
func (h *Handler) frame(r *http.Request, a *visitor, at string) ui.Frame {
	f := ui.Frame{Locale: a.locale, Person: a.User.Name, Sections: h.sections(a, at), Organization: a.Title.In(a.locale.Lang)}
	if done := "done." + r.URL.Query().Get("done"); a.locale.Has(done) {
		f.Done = done
	}
	if a.Inspection != nil {
		f.Ground = a.Inspection.Ground()
	}
	return f
}

// outside answers with a page for who is not signed in.
func (h *Handler) outside(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) {
	l := h.render.Locale(r)
	f := ui.Frame{Locale: l}
	if done := "done." + r.URL.Query().Get("done"); l.Has(done) {
		f.Done = done
	}
	h.render.Room(w, r, status, name, l.T(title), f, data)
}

// done sends to a page that says so.
func done(w http.ResponseWriter, r *http.Request, to, what string) {
	http.Redirect(w, r, to+"?done="+what, http.StatusSeeOther)
}

// form is what a page shows again when something was wrong with it.
type form struct {
	Fields  map[string]ui.Field
	Refusal string // what is wrong with all of it
}

// wrong puts an error where it belongs: beside its field, or above the form.
// False for an error that no form can help against.
func (f *form) wrong(l *ui.Locale, err error) (status int, ok bool) {
	var e *fiscal.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	p := ui.ProblemOf(err, l)
	switch e.Kind() {
	case fiscal.Internal, fiscal.Corrupt:
		return 0, false
	}
	words := l.FieldWrong(e)
	var wait *access.Wait
	if errors.As(err, &wait) {
		words = l.T("wrong.wait", "n", int(wait.For.Minutes())+1)
	}
	if field, ok := f.Fields[e.Field]; ok {
		field.Wrong = words
		f.Fields[e.Field] = field
	} else {
		f.Refusal = words
	}
	if p.Status == http.StatusBadRequest || p.Status == http.StatusUnauthorized {
		p.Status = http.StatusUnprocessableEntity
	}
	return p.Status, true
}
