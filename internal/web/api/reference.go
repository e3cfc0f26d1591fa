package api

import (
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

//go:embed templates/*.html
var templates embed.FS

// Reference is the description of the API as a page for people. Names of fields
// are what they are; the rest is in the reader's language.
type Reference struct {
	render *ui.Renderer
	keys   bool
	tags   []taggedOps
}

// taggedOps are the operations of one part of the API.
type taggedOps struct {
	Tag string
	Ops []describedOp
}

// describedOp is an operation as the page shows it.
type describedOp struct {
	ID, Method, Path string
	Steps            []string // of the path: a narrow page breaks it between them
	Words            string   // key
	Form             string   // of a file, "" none
	Rights           []string
	Either           []string
	Open             bool // needs no key
	Params           []describedField
	Body, Answer     []describedField
	Kinds            []string // content types of an answer that is no JSON
}

// describedField is a parameter or a field. Depth is how far it is inside of
// others.
type describedField struct {
	Name, Type string
	Needed     bool
	Depth      int
	Choices    string
}

// tags are the parts of the API in the order of the page.
var tags = []string{"key", "checks", "links", "organization", "outlets", "registers", "nomenclature", "applications", "documents", "people"}

// NewReference describes what a handler offers.
func NewReference(h *Handler, operator fiscal.Operator, log *slog.Logger) (*Reference, error) {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	ref := &Reference{keys: h.cfg.Access != nil}
	if ref.render, err = ui.NewRenderer(files, operator, log); err != nil {
		return nil, err
	}
	doc := h.OpenAPI()
	d := describer{doc.Components.Schemas}
	for _, tag := range tags {
		part := taggedOps{Tag: tag}
		for path, item := range doc.Paths {
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
				if op != nil && op.Tags[0] == tag {
					part.Ops = append(part.Ops, d.op(path, op))
				}
			}
		}
		slices.SortFunc(part.Ops, func(a, b describedOp) int {
			if a.Path != b.Path {
				return strings.Compare(a.Path, b.Path)
			}
			return slices.Index(methods, a.Method) - slices.Index(methods, b.Method)
		})
		if len(part.Ops) > 0 {
			ref.tags = append(ref.tags, part)
		}
	}
	return ref, nil
}

// ServeHTTP serves GET /api.
func (ref *Reference) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := ref.render.Locale(r)
	ref.render.Render(w, r, http.StatusOK, "reference.html", l.T("api.title"), struct {
		Keys   bool
		Tags   []taggedOps
		Prefix string
	}{ref.keys, ref.tags, Prefix})
}

type describer struct{ schemas huma.Registry }

func (d describer) op(path string, op *huma.Operation) describedOp {
	out := describedOp{ID: op.OperationID, Method: op.Method, Path: path, Steps: strings.SplitAfter(path, "/"), Words: "api.op." + op.OperationID, Open: len(op.Security) == 0}
	if list, form, ok := strings.Cut(op.OperationID, "-"); ok && forms[form] != "" {
		out.Words, out.Form = "api.op."+list, strings.ToUpper(form)
	}
	for _, name := range extension(op, "x-rights") {
		out.Rights = append(out.Rights, "right."+name)
	}
	for _, name := range extension(op, "x-either-right") {
		out.Either = append(out.Either, "right."+name)
	}
	for _, p := range op.Parameters {
		if p.In == "header" && p.Name == "Accept-Language" {
			continue
		}
		out.Params = append(out.Params, describedField{p.Name, d.kind(p.Schema), p.Required, 0, choices(p.Schema)})
	}
	if op.RequestBody != nil {
		for _, m := range op.RequestBody.Content {
			out.Body = d.fields(nil, m.Schema, 0)
		}
	}
	for status, res := range op.Responses {
		if !strings.HasPrefix(status, "2") {
			continue
		}
		for kind, m := range res.Content {
			if fields := d.fields(nil, m.Schema, 0); len(fields) > 0 {
				out.Answer = fields
			} else {
				out.Kinds = append(out.Kinds, kind)
			}
		}
	}
	return out
}

func extension(op *huma.Operation, name string) []string {
	names, _ := op.Extensions[name].([]string)
	return names
}

// maxDepth ends what contains itself.
const maxDepth = 4

// fields walks the fields of a schema, in the order of their names in Go.
func (d describer) fields(all []describedField, s *huma.Schema, depth int) []describedField {
	if s = d.resolved(s); s == nil || depth > maxDepth {
		return all
	}
	if s.Type == huma.TypeArray {
		return d.fields(all, s.Items, depth)
	}
	names := make([]string, 0, len(s.Properties))
	for name := range s.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p := s.Properties[name]
		all = append(all, describedField{name, d.kind(p), slices.Contains(s.Required, name), depth, choices(d.resolved(p))})
		if inner := d.resolved(p); inner != s {
			all = d.fields(all, inner, depth+1)
		}
	}
	return all
}

func (d describer) resolved(s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" {
		return d.schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// kind is a type as readers of JSON know it.
func (d describer) kind(s *huma.Schema) string {
	if s = d.resolved(s); s == nil {
		return ""
	}
	switch {
	case s.Type == huma.TypeArray:
		return d.kind(s.Items) + "[]"
	case s.Format == "date-time":
		return "date-time"
	case s.ContentEncoding == "base64":
		return "base64"
	}
	return s.Type
}

// choices are the values of an enumeration.
func choices(s *huma.Schema) string {
	if s == nil || len(s.Enum) == 0 || len(s.Enum) > 12 {
		return ""
	}
	var all []string
	for _, v := range s.Enum {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}
