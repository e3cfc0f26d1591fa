package till

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Config says what is around the till.
type Config struct {
	Operator fiscal.Operator // whose name stands on the pages
	Site     string          // of the operator: where receipts are checked
	Secure   bool            // people reach us over TLS alone
	Zone     *time.Location  // in which the times of sessions are shown
}

// Handler serves the pages. Safe for concurrent use.
type Handler struct {
	cfg    Config
	till   *till.Till
	render *ui.Renderer
	log    *slog.Logger
	mux    *http.ServeMux
	same   map[string]same // by language
}

// New reads the templates.
func New(cfg Config, t *till.Till, log *slog.Logger) (http.Handler, error) {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	render, err := ui.NewRenderer(files, cfg.Operator, log)
	if err != nil {
		return nil, err
	}
	h := &Handler{cfg: cfg, till: t, render: render, log: log, mux: http.NewServeMux(), same: map[string]same{}}
	for lang, l := range render.Locales {
		if h.same[lang], err = sameIn(l); err != nil {
			return nil, err
		}
	}
	h.mux.Handle(ui.AssetPath, render.Assets)
	h.signInRoutes()
	h.registerRoutes()
	h.ofdRoutes()
	h.paperRoutes()
	h.settingsRoutes()
	h.cashierRoutes()
	h.accountRoutes()
	h.goodsRoutes()
	h.installRoutes()
	h.saleRoutes()
	h.moveRoutes()
	h.historyRoutes()
	h.open(anybody, "/", func(w http.ResponseWriter, r *http.Request, g *guest) {
		h.fail(w, r, g, &fiscal.Error{Reason: fiscal.NothingThere})
	})
	return ui.Secure(camera(http.MaxBytesHandler(h.mux, maxBody))), nil
}

// camera lets our own pages read codes of goods with it.
func camera(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=()")
		next.ServeHTTP(w, r)
	})
}

// maxBody bounds what a page may send.
const maxBody = 1 << 20

// guest is who is at the door of a page: a seat, unlocked or not.
type guest struct {
	*till.Seat
	locale *ui.Locale
}

const sessionCookie = "till_session"

// door is how far somebody must have come for a page.
type door uint8

const (
	anybody  door = iota
	signedIn      // the device is
	unlocked      // and a cashier has unlocked it
)

// open serves a page to who has come far enough, and leads others there.
func (h *Handler) open(d door, pattern string, serve func(http.ResponseWriter, *http.Request, *guest)) {
	h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		g := &guest{locale: h.render.Locales.For(r, ui.Languages()[0])}
		seat, err := h.till.Seat(r.Context(), cookie(r, sessionCookie))
		if err == nil {
			g.Seat = seat
			if l, ok := h.render.Locales[seat.Account.Lang]; ok && r.URL.Query().Get("lang") == "" {
				g.locale = l
			}
		}
		var elsewhere *till.Elsewhere
		switch {
		case err != nil && !errors.Is(err, fiscal.Unauthenticated):
			h.fail(w, r, g, err)
		case d == anybody || err == nil && (d == signedIn || g.Cashier.Code != 0):
			serve(w, r, g)
		case errors.As(err, &elsewhere):
			q := url.Values{"lang": {elsewhere.Lang}, "elsewhere": {elsewhere.Device}, "at": {strconv.FormatInt(elsewhere.At.Unix(), 10)}}
			h.leave(w, r, "/signin?"+q.Encode())
		case err != nil:
			h.leave(w, r, "/welcome")
		default:
			h.leave(w, r, "/lock")
		}
	})
}

// leave sends a browser elsewhere; a script is told where.
func (h *Handler) leave(w http.ResponseWriter, r *http.Request, to string) {
	if asksJSON(r) {
		answer(w, http.StatusUnauthorized, map[string]string{"go": to})
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func asksJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// remember gives a browser its secret, which no script sees.
func (h *Handler) remember(w http.ResponseWriter, r *http.Request, secret string) {
	age := 180 * 24 * 3600
	if secret == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: secret, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.cfg.Secure || r.TLS != nil})
}

// registerOf is the register that a path names; NotFound if it is another's.
func (h *Handler) registerOf(r *http.Request, g *guest) (till.Register, error) {
	id, err := strconv.ParseInt(r.PathValue("register"), 10, 64)
	if err != nil {
		return till.Register{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	return h.till.Register(r.Context(), g.Seat, fiscal.RegisterID(id))
}

// current is the register that the device works at: the one its cookie names,
// else the account's first; NotFound if there is none.
func (h *Handler) current(ctx context.Context, r *http.Request, g *guest) (till.Register, error) {
	if id, err := strconv.ParseInt(cookie(r, registerCookie), 10, 64); err == nil {
		if at, err := h.till.Register(ctx, g.Seat, fiscal.RegisterID(id)); err == nil || !errors.Is(err, fiscal.NotFound) {
			return at, err
		}
	}
	all, err := h.till.Registers(ctx, g.Seat)
	if err != nil {
		return till.Register{}, err
	}
	if len(all) == 0 {
		return till.Register{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	return all[0], nil
}

// registerCookie names the register that a device works at.
const registerCookie = "till_register"
