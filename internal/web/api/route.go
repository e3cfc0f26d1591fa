package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// operation describes an address. Its words are those of "api.op." and its ID.
type operation struct {
	id     string
	method string
	path   string // below Prefix
	tag    string
	rights access.Right // that are needed, all of them; 0: any key will do
	either access.Right // of which one is needed besides; 0: none
	open   bool         // needs no key
	status int          // of success; 0: 200, or 204 without a body
	kind   string       // content type of an answer that is no JSON
	doc    string       // what the summary does not say

	sometimes map[int]string // other answers without a body, by status
}

// answer is a body with the mark of its state.
type answer[T any] struct {
	ETag string `header:"ETag" doc:"Of this state, for If-Match."`
	Body T
}

// List is a page of a list.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"The value of after for the next page; left out on the last. A search that is long has pages with fewer items than the limit, or none."`
}

// listOf is an answer with a list.
type listOf[T any] struct{ Body List[T] }

func newList[T any](items []T, next string) *listOf[T] {
	if items == nil {
		items = []T{}
	}
	return &listOf[T]{List[T]{items, next}}
}

// none is an answer without a body.
type none struct{}

// file is an answer that is no JSON.
type file struct {
	Kind string `header:"Content-Type"`
	Name string `header:"Content-Disposition"`
	Body []byte
}

// Paging are the parameters of a list.
type Paging struct {
	After string `query:"after" maxLength:"512" doc:"Where the page before ended: its next."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
}

// Once is the header by which a request is done once.
type Once struct {
	Key string `header:"Idempotency-Key" maxLength:"128" doc:"A name for this request, unique for the key: a repetition within 24 hours is answered as the first was."`
}

// Matching is the header by which a change is made of the state that was seen.
type Matching struct {
	IfMatch string `header:"If-Match" maxLength:"128" doc:"The ETag of the state that is changed; with another the answer is 412."`
}

// route adds an address for who shows a key.
func route[I, O any](h *Handler, op operation, do func(ctx context.Context, c *caller, in *I) (*O, error)) {
	o := huma.Operation{
		OperationID: op.id, Method: op.method, Path: Prefix + op.path, Tags: []string{op.tag}, DefaultStatus: op.status,
		Summary:     h.summary(op.id),
		Description: op.doc, MaxBodyBytes: bodyLimit(op.path) + 1,
		Security:  []map[string][]string{{keyScheme: {}}},
		Responses: map[string]*huma.Response{},
	}
	o.Extensions = map[string]any{"x-rights": rightNames(op.rights)}
	if op.open {
		o.Security = nil
	}
	if op.either != 0 {
		o.Extensions["x-either-right"] = rightNames(op.either)
	}
	if op.kind != "" {
		o.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{op.kind: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	}
	for status, what := range op.sometimes {
		o.Responses[strconv.Itoa(status)] = &huma.Response{Description: what}
	}
	o.Responses["default"] = &huma.Response{
		Description: "A problem.",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}},
	}
	huma.Register(h.huma, o, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callerKey{}).(*caller)
		out, err := do(ctx, c, in)
		if err != nil {
			f := h.fault(err, c.locale, o.Path)
			if f.Status == http.StatusBadRequest {
				f.Status = http.StatusUnprocessableEntity // as is all that breaks the description
				if f.Fields == nil && f.Parameter != "" {
					f.Fields = []FieldProblem{h.fieldProblem(err, c)}
				}
			}
			if err == error(errStale) {
				f.Status = http.StatusPreconditionFailed
			}
			return nil, f
		}
		return out, nil
	})
}

// summary words an operation for the description, which is in English.
func (h *Handler) summary(id string) string {
	l := h.cfg.Locales[language]
	if l == nil {
		return id
	}
	if list, form, ok := strings.Cut(id, "-"); ok && forms[form] != "" {
		return l.T("api.op."+list) + " (" + strings.ToUpper(form) + ")"
	}
	return l.T("api.op." + id)
}

// fieldProblem is the one field that an error is about.
func (h *Handler) fieldProblem(err error, c *caller) FieldProblem {
	e := asError(err)
	return FieldProblem{Field: fieldName(e.Field), Reason: e.Reason.String(), Title: c.locale.FieldWrong(e)}
}

// rightNames are the stable names of rights.
func rightNames(r access.Right) []string {
	names := []string{}
	for _, one := range access.Rights() {
		if r&one != 0 {
			names = append(names, one.String())
		}
	}
	return names
}

// errStale refuses a change of what somebody else has changed meanwhile.
var errStale = &fiscal.Error{Of: fiscal.Conflict, Field: "If-Match", Msg: "somebody else was faster"}

// tagged is a body with its mark.
func tagged[T any](body T) (*answer[T], error) {
	tag, err := etag(body)
	return &answer[T]{tag, body}, err
}

// etag marks a state: it is another when any field is.
func etag(body any) (string, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("mark a state: %w", err)
	}
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:12]) + `"`, nil
}

// unchanged runs do if the state is what the program saw. Changes of one
// organization on this node wait for each other in between; who changes the same
// through a page or another node in the same instant may still be overwritten.
func unchanged[T any](h *Handler, c *caller, in Matching, now func() (T, error), do func() error) error {
	if in.IfMatch == "" || in.IfMatch == "*" {
		return do()
	}
	mu := &h.changing[uint64(c.Taxpayer)%uint64(len(h.changing))]
	mu.Lock()
	defer mu.Unlock()
	state, err := now()
	if err != nil {
		return err
	}
	tag, err := etag(state)
	if err != nil {
		return err
	}
	if !strings.Contains(in.IfMatch, tag) {
		return errStale
	}
	return do()
}
