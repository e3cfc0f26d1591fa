package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/web/api"
	"openofd/internal/web/pages"
	"openofd/internal/web/room"
	"openofd/internal/web/ui"
)

// Checker answers whether a receipt is real; cabinet.Checker is one.
type Checker interface {
	Check(ctx context.Context, q cabinet.Query) (cabinet.Result, error)
}

// New makes the door. operator.Site should be set: it stands in links and QR
// codes. An error is a fault of the embedded files.
func New(cfg Config, checker Checker, operator fiscal.Operator, log *slog.Logger, now func() time.Time) (http.Handler, error) {
	cfg = cfg.withDefaults()
	limited := &limitedChecker{checker: checker, limits: newLimits(cfg, now), missCost: cfg.MissCost, timeout: cfg.CheckTimeout}
	front, err := pages.New(limited, cfg.Rooms.Access != nil, operator, log)
	if err != nil {
		return nil, err
	}
	render := front.Renderer()
	offer := api.Config{Checker: limited, Operator: operator, Locales: render.Locales, Log: log, Now: now,
		Address: func(r *http.Request) string { return clientOf(r.Context()).String() }, PerSecond: cfg.CallsPerSecond, AtOnce: cfg.CallsAtOnce}
	var inside http.Handler
	if cfg.Rooms.Access != nil {
		if q := cfg.Rooms.Documents.Questions; q != nil {
			cfg.Rooms.Documents.Comparer = compare.New(q)
		}
		served, handler, err := rooms(cfg, front, operator, log, now)
		if err != nil {
			return nil, err
		}
		inside = served
		offer.Access, offer.Office, offer.Questions, offer.Export = cfg.Rooms.Access, cfg.Rooms.Office, cfg.Rooms.Documents.Questions, handler.Export
		offer.Comparer = cfg.Rooms.Documents.Comparer
	}
	programs := api.New(offer)
	reference, err := api.NewReference(programs, operator, log)
	if err != nil {
		return nil, err
	}

	mux := http.NewServeMux()
	mux.Handle(ui.AssetPath, render.Assets)
	mux.Handle("/api/", programs)
	mux.Handle("/api", reference)
	mux.HandleFunc("/check", func(w http.ResponseWriter, r *http.Request) {
		if wantsJSON(r) {
			serveAs(programs, api.Prefix+"/check", w, r)
			return
		}
		front.Check(w, r)
	})
	mux.HandleFunc(pages.PDFPath, front.CheckPDF)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !pages.Asks(r):
			front.Front(w, r)
		case wantsJSON(r):
			serveAs(programs, api.Prefix+"/check", w, r)
		default:
			front.Check(w, r)
		}
	})
	if inside != nil {
		for _, path := range room.Paths() {
			mux.Handle(path, inside)
			mux.Handle(path+"/", inside)
		}
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		render.Error(w, r, &fiscal.Error{Reason: fiscal.NothingThere})
	})
	return ui.Secure(reading(programs, render, withClient(cfg.TrustedProxies, mux))), nil
}

// reading refuses what is not a read: nothing but rooms and the API for who
// shows a key changes anything.
func reading(programs *api.Handler, render *ui.Renderer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || room.Ours(r.URL.Path) || programs.Changes(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", "GET, HEAD")
		err := &fiscal.Error{Reason: fiscal.UnsupportedCommand}
		if strings.HasPrefix(r.URL.Path, "/api/") || wantsJSON(r) {
			programs.Fail(w, r, err)
			return
		}
		render.Error(w, r, err)
	})
}

// serveAs lets another handler answer under the address it knows.
func serveAs(h http.Handler, path string, w http.ResponseWriter, r *http.Request) {
	u := *r.URL
	u.Path, u.RawPath = path, ""
	other := r.Clone(r.Context())
	other.URL = &u
	h.ServeHTTP(w, other)
}

// wantsJSON reports whether a client asks for JSON and not for a page. What
// browsers send names text/html.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// limitedChecker lets each address ask so often and no more. A check that
// finds the receipt costs one; any other costs more, so that those who try
// codes out stand still long before those who scan receipts.
type limitedChecker struct {
	checker  Checker
	limits   *limits
	missCost int
	timeout  time.Duration
}

func (c *limitedChecker) Check(ctx context.Context, q cabinet.Query) (cabinet.Result, error) {
	address := clientOf(ctx)
	if wait := c.limits.take(address); wait > 0 {
		return cabinet.Result{}, &fiscal.Error{Reason: fiscal.RateLimited, Err: &ui.RetryError{After: wait}}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	result, err := c.checker.Check(ctx, q)
	if err == nil && result.Verdict != cabinet.Genuine {
		c.limits.charge(address, c.missCost-1)
	}
	return result, err
}
