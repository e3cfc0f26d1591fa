package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
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

// Handler serves version 1. Safe for concurrent use.
type Handler struct {
	checker  Checker
	operator fiscal.Operator
	locales  ui.Locales
	log      *slog.Logger
	mux      *http.ServeMux
	huma     huma.API
}

// New makes the handler. It does no I/O.
func New(checker Checker, operator fiscal.Operator, locales ui.Locales, log *slog.Logger) *Handler {
	h := &Handler{checker: checker, operator: operator, locales: locales, log: log, mux: http.NewServeMux()}
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schemas.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "OpenOFD",
				Version: "1",
				Description: "What a fiscal data operator tells programs. Amounts and quantities are text with a point. " +
					"Times of registers have no zone. Errors are application/problem+json. " +
					"No key is needed; each address has a generous number of checks, and checks that find nothing cost more of it.",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Components: &huma.Components{Schemas: schemas},
		},
		OpenAPIPath:   Prefix + "/openapi",
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
	}
	config.AllowAdditionalPropertiesByDefault = true // we promise to add fields
	h.huma = humago.New(h.mux, config)
	h.registerCheck()
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.Fail(w, r, &fiscal.Error{Reason: fiscal.NothingThere})
	})
	return h
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// OpenAPI is the description of version 1.
func (h *Handler) OpenAPI() *huma.OpenAPI { return h.huma.OpenAPI() }

// checkInput is a check as a program asks it. All parameters are lenient text:
// what is wrong with one is said by a problem, not by a schema.
type checkInput struct {
	Code      string `query:"i" doc:"Kazakhstan: fiscal sign or autonomous code, in digits. Russia: number of the fiscal document (ФД)." example:"362397639340"`
	Register  string `query:"f" doc:"Kazakhstan, required there: registration number of the register (РНМ)." example:"010101907421"`
	Sum       string `query:"s" doc:"Total. In Russia required; in Kazakhstan optional, compared if given, needed for an autonomous code with a time without seconds." example:"1777.50"`
	Time      string `query:"t" doc:"Time on the receipt, YYYYMMDDTHHMMSS; without seconds, and in Russia always, the minute is compared." example:"20260314T091241"`
	Drive     string `query:"fn" doc:"Russia, required there and nowhere else: number of the fiscal drive (ФН), 16 digits." example:"9999078902001234"`
	Sign      string `query:"fp" doc:"Russia, required there and nowhere else: fiscal sign of the document (ФП)." example:"2952575369"`
	Operation string `query:"n" doc:"Russia, required there: 1 sale, 2 sale return, 3 purchase, 4 purchase return." example:"1"`
	Pasted    string `query:"qr" doc:"The text of a QR code or the address in it, instead of all other parameters but lang."`
	Lang      string `query:"lang" doc:"Language of messages: kk, ru or en. Without it the header Accept-Language chooses." example:"ru"`
	Accept    string `header:"Accept-Language" doc:"Language of messages."`
}

// values are the parameters that were given. That one of Russia's is given at
// all says whose receipt it is.
func (in *checkInput) values() (url.Values, error) {
	if in.Pasted != "" {
		values, ok := cabinet.Pasted(in.Pasted)
		if !ok {
			return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: string(cabinet.ParamPasted)}
		}
		return values, nil
	}
	values := url.Values{}
	for p, v := range map[cabinet.Param]string{
		cabinet.ParamCode: in.Code, cabinet.ParamRegister: in.Register, cabinet.ParamSum: in.Sum, cabinet.ParamTime: in.Time,
		cabinet.ParamDrive: in.Drive, cabinet.ParamSign: in.Sign, cabinet.ParamOperation: in.Operation,
	} {
		if v != "" {
			values.Set(string(p), v)
		}
	}
	return values, nil
}

type checkOutput struct {
	Vary     string `header:"Vary" doc:"What the answer depends on."`
	Language string `header:"Content-Language" doc:"Language of the messages."`
	Body     CheckResult
}

func (h *Handler) registerCheck() {
	op := huma.Operation{
		OperationID: "check",
		Method:      http.MethodGet,
		Path:        Prefix + "/check",
		Summary:     "Is this receipt real?",
		Description: "Looks a receipt up by what its QR code or its paper says: i, f, s and t in Kazakhstan; t, s, fn, i, fp and n in Russia. " +
			"Contents are given only when all of it fits. Whether a register, a drive or a code is unknown cannot be told apart. " +
			"The same at /check and / with Accept: application/json.",
		Responses: map[string]*huma.Response{},
	}
	problem := h.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for status, what := range map[int]string{
		http.StatusBadRequest:          "A parameter is missing or cannot be right.",
		http.StatusTooManyRequests:     "Too many checks from one address; Retry-After says when to go on.",
		http.StatusInternalServerError: "Our own fault.",
		http.StatusServiceUnavailable:  "Something we depend on is down; Retry-After says when to try again.",
	} {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: what,
			Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
		}
	}
	huma.Register(h.huma, op, h.check)
	// Described as required only now: one that is missing is our problem to
	// word, in the reader's language.
	for _, p := range h.huma.OpenAPI().Paths[op.Path].Get.Parameters {
		p.Required = p.In == "query" && (p.Name == string(cabinet.ParamCode) || p.Name == string(cabinet.ParamTime))
	}
}

// check serves GET /api/v1/check.
func (h *Handler) check(ctx context.Context, in *checkInput) (*checkOutput, error) {
	l := h.locales[ui.Negotiate(in.Lang, in.Accept, language)]
	values, err := in.values()
	if err != nil {
		return nil, h.fault(err, l)
	}
	q, err := cabinet.ParseQuery(values)
	if err != nil {
		return nil, h.fault(err, l)
	}
	result, err := h.checker.Check(ctx, q)
	if err != nil {
		return nil, h.fault(err, l)
	}
	return &checkOutput{Vary: "Accept, Accept-Language", Language: l.Lang, Body: h.newCheckResult(l, result)}, nil
}

func (h *Handler) newCheckResult(l *ui.Locale, result cabinet.Result) CheckResult {
	verdict := result.Verdict.String()
	out := CheckResult{Verdict: verdict, Message: l.T("verdict." + verdict + ".title"), LookAgainAfter: wall(result.LookAgain)}
	for _, p := range result.Differs {
		out.Differs = append(out.Differs, string(p))
	}
	if result.Found != nil {
		out.Receipt = newReceipt(l, result.Found, &h.operator)
		if result.Found.Canceled != nil {
			out.Message = l.T("verdict.canceled.title")
		}
	}
	return out
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
	return header
}

// fault words an error, and logs what a person must look at.
func (h *Handler) fault(err error, l *ui.Locale) *fault {
	p := ui.ProblemOf(err, l)
	if p.Status == http.StatusInternalServerError {
		h.log.Error("request failed", "path", Prefix+"/check", "err", err)
	}
	return &fault{language: l.Lang, Problem: Problem{
		Type: "about:blank", Title: p.What, Status: p.Status, Detail: p.Next, Kind: strings.ReplaceAll(p.Kind.String(), " ", "_"),
		Reason: p.Reason.String(), Parameter: p.Field, RetryAfter: p.RetryAfter,
	}}
}

// Fail answers a program with an error.
func (h *Handler) Fail(w http.ResponseWriter, r *http.Request, err error) {
	f := h.fault(err, h.locales.For(r, language))
	for key, values := range f.GetHeaders() {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Type", f.ContentType(""))
	w.WriteHeader(f.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, f.Problem) // the client is gone: nothing to tell it
}
