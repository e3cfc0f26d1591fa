package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

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
		Tags:        []string{"checks"},
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
	l := h.cfg.Locales[ui.Negotiate(in.Lang, in.Accept, language)]
	values, err := in.values()
	if err != nil {
		return nil, h.fault(err, l, Prefix+"/check")
	}
	q, err := cabinet.ParseQuery(values)
	if err != nil {
		return nil, h.fault(err, l, Prefix+"/check")
	}
	result, err := h.cfg.Checker.Check(ctx, q)
	if err != nil {
		return nil, h.fault(err, l, Prefix+"/check")
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
		out.Receipt = newReceipt(l, result.Found, &h.cfg.Operator)
		if result.Found.Canceled != nil {
			out.Message = l.T("verdict.canceled.title")
		}
	}
	return out
}
