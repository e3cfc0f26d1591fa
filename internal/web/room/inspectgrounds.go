package room

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"openofd/internal/access"
)

// groundRoutes are the grounds and the looks on them: an inspector's own, and
// everybody's for the operator's staff.
func (h *Handler) groundRoutes() {
	for _, path := range []string{groundsOwn, groundsAll} {
		h.inside("GET "+path, h.grounds)
		h.inside("GET "+path+"/{inspection}", h.ground)
		for form, open := range map[string]opener{"csv": newCSV, "xlsx": newWorkbook} {
			give := func(name string, titles []string, rows func(*http.Request) func(context.Context, *visitor, url.Values, func(...any) error) error) func(http.ResponseWriter, *http.Request, *visitor) {
				return func(w http.ResponseWriter, r *http.Request, a *visitor) {
					if err := h.give(&table{name, titles, rows(r)}, open, w, r, a); err != nil {
						h.render.Error(w, r, err)
					}
				}
			}
			h.inside("GET "+path+"/"+form, give("inspections", groundTitles, h.groundRows))
			h.inside("GET "+path+"/{inspection}/"+form, give("looks", lookTitles, h.lookRows))
		}
	}
	h.inside("GET /staff/inspectors", h.inspectors)
	h.inside("POST /staff/inspectors", h.addInspector)
	h.inside("POST /staff/inspectors/end", h.endInspector)
}

// Where grounds are listed: an inspector's own, and everybody's.
const (
	groundsOwn = "/inspect/grounds"
	groundsAll = "/staff/inspections"
)

// reviewed is whose grounds an address lists: 0 everybody's.
func reviewed(r *http.Request, a *visitor) (access.UserID, string) {
	if len(r.URL.Path) >= len(groundsAll) && r.URL.Path[:len(groundsAll)] == groundsAll {
		return 0, groundsAll
	}
	return a.User.ID, groundsOwn
}

// inspectionRow is a ground as lists show it.
type inspectionRow struct {
	access.Inspection
	When, Until string
	URL         string
}

func (a *visitor) inspectionRow(i *access.Inspection, path string) inspectionRow {
	row := inspectionRow{Inspection: *i, When: a.when(i.Opened), URL: path + "/" + strconv.FormatInt(int64(i.ID), 10)}
	if !i.Closed.IsZero() {
		row.Until = a.when(i.Closed)
	}
	return row
}

type groundsPage struct {
	Rows    []inspectionRow
	Path    string
	Older   access.InspectionID
	Newest  bool
	All     bool // everybody's
	Current access.InspectionID
}

func (h *Handler) grounds(w http.ResponseWriter, r *http.Request, a *visitor) {
	who, path := reviewed(r, a)
	before := access.InspectionID(beforeOf(r))
	all, err := h.access.Inspections(r.Context(), a.Actor, who, before, auditPageSize+1)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := groundsPage{Path: path, Newest: before == 0, All: who == 0}
	if a.Inspection != nil {
		p.Current = a.Inspection.ID
	}
	if len(all) > auditPageSize {
		all = all[:auditPageSize]
		p.Older = all[len(all)-1].ID
	}
	for i := range all {
		p.Rows = append(p.Rows, a.inspectionRow(&all[i], path))
	}
	h.page(w, r, a, http.StatusOK, "inspectgrounds.html", sectionOf(path), "inspect.grounds", p)
}

// sectionOf is the place in the navigation of a list of grounds.
func sectionOf(path string) string {
	if path == groundsAll {
		return "/staff/inspectors"
	}
	return path
}

type lookRow struct {
	access.Look
	When string
}

// Key is that of the words for what was done.
func (l lookRow) Key() string { return "act." + string(l.Act) }

type looksPage struct {
	inspectionRow
	Rows   []lookRow
	Path   string
	Older  uint64
	Newest bool
}

func (h *Handler) ground(w http.ResponseWriter, r *http.Request, a *visitor) {
	_, path := reviewed(r, a)
	id, _ := number[access.InspectionID](r.PathValue("inspection"))
	before := beforeOf(r)
	i, all, err := h.access.Looks(r.Context(), a.Actor, id, before, auditPageSize+1)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := looksPage{inspectionRow: a.inspectionRow(&i, path), Path: path, Newest: before == 0}
	if len(all) > auditPageSize {
		all = all[:auditPageSize]
		p.Older = all[len(all)-1].N
	}
	for _, l := range all {
		p.Rows = append(p.Rows, lookRow{l, a.when(l.At)})
	}
	h.page(w, r, a, http.StatusOK, "inspectlooks.html", sectionOf(path), "inspect.looks", p)
}

var groundTitles = []string{"file.number", "inspect.inspector", "inspect.authority", "inspect.number", "inspect.date", "inspect.reason", "inspect.subject", "inspect.opened", "inspect.closed", "inspect.looks"}

// groundRows are the grounds of a list as a file.
func (h *Handler) groundRows(r *http.Request) func(context.Context, *visitor, url.Values, func(...any) error) error {
	return func(ctx context.Context, a *visitor, _ url.Values, put func(...any) error) error {
		who, _ := reviewed(r, a)
		for before := access.InspectionID(0); ; {
			page, err := h.access.Inspections(ctx, a.Actor, who, before, exportPage)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, i := range page {
				if err := put(int64(i.ID), i.Name+" · "+i.Who, i.Authority, i.Number, i.Date, i.Reason, i.Subject, a.wall(i.Opened), a.wall(i.Closed), int64(i.Looks)); err != nil {
					return err
				}
			}
			before = page[len(page)-1].ID
		}
	}
}

var lookTitles = []string{"file.number", "audit.at", "audit.act", "inspect.taxpayer", "audit.object", "audit.address"}

// lookRows are the looks on a ground as a file.
func (h *Handler) lookRows(r *http.Request) func(context.Context, *visitor, url.Values, func(...any) error) error {
	return func(ctx context.Context, a *visitor, _ url.Values, put func(...any) error) error {
		id, _ := number[access.InspectionID](r.PathValue("inspection"))
		for before := uint64(0); ; {
			_, page, err := h.access.Looks(ctx, a.Actor, id, before, exportPage)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, l := range page {
				taxpayer := any("")
				if l.Taxpayer != 0 {
					t, err := h.cfg.Archive.Client(ctx, l.Taxpayer)
					if err != nil {
						return err
					}
					taxpayer = string(t.XIN)
				}
				if err := put(int64(l.N), a.wall(l.At), a.locale.T(lookRow{Look: l}.Key()), taxpayer, l.Object, l.Address); err != nil {
					return err
				}
			}
			before = page[len(page)-1].N
		}
	}
}
