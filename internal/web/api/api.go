package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// Prefix is where version 1 lives.
const Prefix = "/api/v1"

// language is what a program gets that does not ask for another.
const language = "en"

// Checker answers whether a receipt is real; cabinet.Checker is one.
type Checker interface {
	Check(ctx context.Context, q cabinet.Query) (cabinet.Result, error)
}

// Export streams a list of the cabinet as a file. An error comes before the
// first byte.
type Export func(w http.ResponseWriter, r *http.Request, a *access.Actor, l *ui.Locale, list, form string) error

// Config says what stands behind the API. What is nil is not offered.
type Config struct {
	Checker  Checker
	Operator fiscal.Operator
	Locales  ui.Locales
	Log      *slog.Logger

	Access    *access.Service // nil: there are no keys, and only the check is offered
	Office    *registry.Office
	Questions *cabinet.Questions
	Comparer  *compare.Comparer
	Export    Export
	// Address is where a request comes from, proxies considered.
	Address func(*http.Request) string
	Now     func() time.Time

	PerSecond float64 // calls that a key can go on with; 0 means 10
	AtOnce    int     // calls that a key can make at once; 0 means 100
}

// Handler serves version 1. Safe for concurrent use.
type Handler struct {
	cfg      Config
	mux      *http.ServeMux
	huma     huma.API
	keys     *gauge // calls by key
	knocks   *gauge // wrong keys by address
	links    *gauge // calls without a key by address
	changing [64]sync.Mutex
}

// How many wrong keys one address may try.
const (
	knocksPerSecond = 0.5
	knocksAtOnce    = 30
)

// New makes the handler. It does no I/O.
func New(cfg Config) *Handler {
	if cfg.PerSecond <= 0 {
		cfg.PerSecond = 10
	}
	if cfg.AtOnce <= 0 {
		cfg.AtOnce = 100
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Address == nil {
		cfg.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	h := &Handler{cfg: cfg, mux: http.NewServeMux(), keys: newGauge(cfg.PerSecond, cfg.AtOnce, cfg.Now), knocks: newGauge(knocksPerSecond, knocksAtOnce, cfg.Now), links: newGauge(linksPerSecond, linksAtOnce, cfg.Now)}
	schemas := huma.NewMapRegistry("#/components/schemas/", schemaName)
	schemas.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "OpenOFD", Version: "1", Description: h.description(), License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}},
			Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
				keyScheme: {Type: "http", Scheme: "bearer", BearerFormat: "ofd_…", Description: "A key that a person made on the page Keys of the cabinet."},
			}},
		},
		OpenAPIPath:   Prefix + "/openapi",
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{h.wordRefusal},
	}
	config.AllowAdditionalPropertiesByDefault = true // we promise to add fields
	h.huma = humago.New(h.mux, config)
	h.registerCheck()
	if cfg.Access != nil {
		h.registerKey()
		h.registerPeople()
	}
	if cfg.Access != nil && cfg.Office != nil {
		h.registerOrganization()
		h.registerLinks()
		h.registerOutlets()
		h.registerRegions()
		h.registerRegisters()
		h.registerApplications()
		h.registerNomenclature()
	}
	if cfg.Access != nil && cfg.Questions != nil {
		h.registerLists()
		h.registerDocuments()
	}
	if cfg.Access != nil && cfg.Comparer != nil {
		h.registerCompare()
	}
	h.mux.HandleFunc("/", h.nothing)
	return h
}

// schemaName is the name of a type: List of Outlet is OutletList.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if of, ok := strings.CutPrefix(name, "List"); ok && of != "" {
		return of + "List"
	}
	return name
}

// keyScheme names in the description how a key is shown.
const keyScheme = "key"

func (h *Handler) description() string {
	text := "What a fiscal data operator tells programs. Amounts and quantities are text with a point. " +
		"Times of registers have no zone. Errors are application/problem+json, in the language of Accept-Language. " +
		"A check needs no key; each address has a generous number of them, and checks that find nothing cost more of it."
	if h.cfg.Access == nil {
		return text
	}
	return text + " All else needs a key of the cabinet: Authorization: Bearer ofd_…. It acts for who made it, within its own rights, which each " +
		"operation names; what a key may not see is not there (404). Lists have items and next, the value of after for the next page. " +
		"RateLimit-Limit, -Remaining and -Reset say how many calls the key has left; beyond them the answer is 429 with Retry-After. " +
		"A POST with an Idempotency-Key is done once in 24 hours, and a repetition gets the same answer. " +
		"What can be changed has an ETag; a PUT with If-Match is refused with 412 if somebody else was faster."
}

// ServeHTTP serves an address below /api/.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if open(r.URL.Path) || h.cfg.Access == nil {
		h.mux.ServeHTTP(w, r)
		return
	}
	if h.cfg.Office != nil && linking(r.URL.Path) {
		h.withoutKey(w, r)
		return
	}
	h.withKey(w, r)
}

// Changes reports whether a request is for what a key may change.
func (h *Handler) Changes(r *http.Request) bool {
	return h.cfg.Access != nil && strings.HasPrefix(r.URL.Path, Prefix+"/") && !open(r.URL.Path) && slices.Contains(methods, r.Method)
}

// open reports whether an address needs no key.
func open(path string) bool {
	return path == Prefix+"/check" || strings.HasPrefix(path, Prefix+"/openapi")
}

// methods are those that addresses may have.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}

// nothing answers where there is no such address, or not by this method.
func (h *Handler) nothing(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, m := range methods {
		other := *r
		other.Method = m
		if _, pattern := h.mux.Handler(&other); pattern != "/" && pattern != "" {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) == 0 || slices.Contains(allowed, r.Method) {
		h.Fail(w, r, &fiscal.Error{Reason: fiscal.NothingThere})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	h.Fail(w, r, &fiscal.Error{Reason: fiscal.UnsupportedCommand})
}

// OpenAPI is the description of version 1.
func (h *Handler) OpenAPI() *huma.OpenAPI { return h.huma.OpenAPI() }
