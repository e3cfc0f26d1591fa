package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"openofd/internal/access"
)

// exported are the lists that are given as files.
var exported = []struct {
	id, list string // of the operation; of the cabinet
	tag      string
	rights   access.Right
	either   access.Right
}{
	{id: "receipts", list: "receipts", tag: "documents", rights: access.SeeRevenue},
	{id: "shifts", list: "shifts", tag: "documents", rights: access.SeeRevenue},
	{id: "reports", list: "reports", tag: "documents", rights: access.SeeRevenue},
	{id: "moves", list: "moves", tag: "documents", rights: access.SeeRevenue},
	{id: "offline", list: "offline", tag: "documents", rights: access.SeeStatus},
	{id: "findings", list: "findings", tag: "documents", rights: access.SeeStatus},
	{id: "outlets", list: "outlets", tag: "outlets", rights: access.SeeStatus},
	{id: "registers", list: "registers", tag: "registers", rights: access.SeeStatus},
	{id: "applications", list: "applications", tag: "applications", rights: access.SeeStatus, either: mayReadApplications},
	{id: "members", list: "people", tag: "people", rights: access.ManageUsers},
	{id: "audit", list: "audit", tag: "people", rights: access.SeeAudit},
}

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
	Status   string `query:"status"`
	Group    string `query:"group"`
	Kind     string `query:"kind"`
	Order    string `query:"sort"`
}

// stream is an answer that is written as it is read.
type stream struct{ Body func(huma.Context) }

func (h *Handler) registerExports() {
	if h.cfg.Export == nil {
		return
	}
	for _, one := range exported {
		if h.cfg.Office == nil && slices.Contains([]string{"outlets", "registers", "applications"}, one.tag) {
			continue
		}
		for _, form := range []string{"csv", "xlsx"} {
			op := operation{id: one.id + "-" + form, method: http.MethodGet, path: "/" + one.id + "/" + form, tag: one.tag, rights: one.rights, either: one.either, kind: forms[form],
				doc: "The whole list, however long, with the columns of the page, in the language asked for."}
			route(h, op, func(_ context.Context, c *caller, _ *exportIn) (*stream, error) {
				if err := c.Must(one.rights); err != nil {
					return nil, err
				}
				return &stream{func(ctx huma.Context) {
					r, w := humago.Unwrap(ctx)
					if err := h.cfg.Export(w, r, c.Actor, c.locale, one.list, form); err != nil {
						h.fail(w, h.fault(err, c.locale, r.URL.Path))
					}
				}}, nil
			})
		}
	}
}
