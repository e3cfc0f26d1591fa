package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"openofd/internal/access"
)

// exported are the lists that are given as files, with the right that each asks
// for.
var exported = []struct {
	name  string
	right access.Right
}{{"receipts", access.SeeRevenue}, {"shifts", access.SeeRevenue}, {"reports", access.SeeRevenue}, {"moves", access.SeeRevenue}, {"offline", access.SeeStatus}, {"findings", access.SeeStatus}}

// forms are those of files.
var forms = map[string]string{
	"csv":  "text/csv; charset=utf-8",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// exportIn are the filters of a list that is given as a file.
type exportIn struct {
	From     string `query:"from" doc:"As in the list of the same name; so are the other parameters."`
	Until    string `query:"until"`
	Outlet   string `query:"outlet"`
	Register string `query:"register"`
	Shift    string `query:"shift"`
	Any      string `query:"q"`
	Op       string `query:"op"`
	Least    string `query:"min"`
	Most     string `query:"max"`
	Code     string `query:"code"`
	Cashier  string `query:"cashier"`
	Goods    string `query:"goods"`
	Mark     string `query:"mark"`
}

// stream is an answer that is written as it is read.
type stream struct{ Body func(huma.Context) }

func (h *Handler) registerExports() {
	if h.cfg.Export == nil {
		return
	}
	for _, one := range exported {
		for _, form := range []string{"csv", "xlsx"} {
			op := operation{id: one.name + "-" + form, method: http.MethodGet, path: "/" + one.name + "/" + form, tag: "documents", rights: one.right, kind: forms[form],
				doc: "The whole list, however long, with the columns of the page, in the language asked for."}
			route(h, op, func(_ context.Context, c *caller, _ *exportIn) (*stream, error) {
				if err := c.Must(one.right); err != nil {
					return nil, err
				}
				return &stream{func(ctx huma.Context) {
					r, w := humago.Unwrap(ctx)
					if err := h.cfg.Export(w, r, c.Actor, c.locale, one.name, form); err != nil {
						h.fail(w, h.fault(err, c.locale, r.URL.Path))
					}
				}}, nil
			})
		}
	}
}
