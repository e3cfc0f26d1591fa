package room

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// table is a list that is not of documents, as a file: its titles, and what puts
// its rows, each as wide as the titles. It asks with the actor, so that whoever
// may not see the list gets no file.
type table struct {
	name   string // of its address
	titles []string
	rows   func(ctx context.Context, a *visitor, v url.Values, put func(...any) error) error
}

// tableRoutes are the files of lists that are not of documents.
func (h *Handler) tableRoutes() {
	tables := []table{
		{"people", []string{"people.name", "people.email", "people.role", "people.totp"}, h.peopleRows},
		{"audit", []string{"audit.seq", "audit.at", "audit.who", "audit.act", "audit.object", "audit.detail", "audit.address", "audit.hash"}, h.auditRows},
	}
	if h.cfg.Office != nil {
		tables = append(tables,
			table{"outlets", []string{"file.number", "outlet.title", "file.address", "file.zone"}, h.outletRows},
			table{"registers", []string{"file.number", "register.name", "registers.status", "register.outlet", "file.address", "file.model", "receipt.serial", "receipt.registration", "register.contact"}, h.registerRows},
			table{"applications", []string{"file.number", "file.kind", "registers.status", "file.register", "register.outlet", "file.changed", "file.authority_number"}, h.applicationRows})
	}
	for _, t := range tables {
		export := h.bounded(func(w http.ResponseWriter, r *http.Request, a *visitor, open opener) error {
			return h.give(&t, open, w, r, a)
		})
		for form, open := range map[string]opener{"csv": newCSV, "xlsx": newWorkbook} {
			h.inside("GET /"+t.name+"/"+form, func(w http.ResponseWriter, r *http.Request, a *visitor) {
				if err := export(w, r, a, open); err != nil {
					h.render.Error(w, r, err)
				}
			})
		}
		h.exports[t.name] = export
	}
}

// give streams a table. An error comes before the first byte; one behind it ends
// the connection, for a list that is cut must not look whole.
func (h *Handler) give(t *table, open opener, w http.ResponseWriter, r *http.Request, a *visitor) error {
	var out book
	slow, rows := http.NewResponseController(w), 0
	begin := func() (err error) {
		if out, err = open(w, t.name); err != nil {
			return err
		}
		titles := make([]any, len(t.titles))
		for i, key := range t.titles {
			titles[i] = a.locale.T(key)
		}
		return out.add(titles)
	}
	err := t.rows(r.Context(), a, r.URL.Query(), func(cells ...any) error {
		if out == nil {
			if err := begin(); err != nil {
				return err
			}
		}
		if rows++; rows%exportPage == 0 {
			_ = slow.SetWriteDeadline(time.Now().Add(exportTime)) // a server that cannot keeps its own
		}
		return out.add(cells)
	})
	if err != nil && out == nil {
		return err
	}
	if err == nil && out == nil { // a list of nothing has titles
		err = begin()
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// wall is one of our own times as a table has it.
func (a *visitor) wall(t time.Time) fiscal.WallTime {
	if t.IsZero() {
		return 0
	}
	return fiscal.WallIn(t, a.Zone)
}

func (h *Handler) peopleRows(ctx context.Context, a *visitor, _ url.Values, put func(...any) error) error {
	all, invited, err := h.access.Members(ctx, a.Actor)
	if err != nil {
		return err
	}
	for _, p := range all {
		second := "file.no"
		if p.TOTP {
			second = "file.yes"
		}
		if err := put(p.Name, p.Email, a.locale.T("role."+string(p.Role)), a.locale.T(second)); err != nil {
			return err
		}
	}
	for _, i := range invited {
		if err := put("", i.Email, a.locale.T("role."+string(i.Role)), a.locale.T("file.invited")); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) auditRows(ctx context.Context, a *visitor, _ url.Values, put func(...any) error) error {
	before := uint64(0)
	for {
		page, err := h.access.Audit(ctx, a.Actor, before, exportPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, rec := range page {
			row := a.recordRow(&rec)
			if err := put(int64(rec.Seq), a.wall(rec.At), row.Actor, a.locale.T(row.Key()), row.Thing, row.Told, rec.Address, hex.EncodeToString(rec.Hash[:])); err != nil {
				return err
			}
		}
		before = page[len(page)-1].Seq
	}
}

func (h *Handler) outletRows(ctx context.Context, a *visitor, _ url.Values, put func(...any) error) error {
	all, err := h.cfg.Office.Outlets(ctx, a.Actor)
	if err != nil {
		return err
	}
	for _, o := range all {
		if err := put(int64(o.ID), o.Title.In(a.locale.Lang), o.Address.In(a.locale.Lang), o.Zone); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) registerRows(ctx context.Context, a *visitor, v url.Values, put func(...any) error) error {
	q := registry.RegisterQuery{
		Text: cutText(v.Get("q")), Standing: registry.Standing(v.Get("status")), Outlet: fiscal.OutletID(numberOf(v.Get("outlet"))),
		Group: registry.GroupID(numberOf(v.Get("group"))), Order: registry.ByNumber, Limit: 200,
	}
	for {
		page, err := h.cfg.Office.Registers(ctx, a.Actor, q)
		if err != nil {
			return err
		}
		for i := range page.Registers {
			s := &page.Registers[i]
			c := &s.Card
			heard := fiscal.WallTime(0)
			if s.LastContact != nil {
				heard = fiscal.WallIn(s.LastContact.At, c.Location())
			}
			if err := put(int64(c.Register), c.Name, a.locale.T("standing."+string(s.Standing)), c.OutletTitle.In(a.locale.Lang), c.OutletAddress.In(a.locale.Lang),
				c.Model, c.SerialNumber, c.RegistrationNumber, heard); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

func (h *Handler) applicationRows(ctx context.Context, a *visitor, v url.Values, put func(...any) error) error {
	q := registry.ApplicationQuery{
		Kind: registry.ApplicationKind(v.Get("kind")), Status: registry.ApplicationStatus(v.Get("status")), Text: cutText(v.Get("q")),
		Register: fiscal.RegisterID(numberOf(v.Get("register"))), Outlet: fiscal.OutletID(numberOf(v.Get("outlet"))), Order: registry.ApplicationOrder(v.Get("sort")), Limit: 200,
	}
	for {
		page, err := h.cfg.Office.Applications(ctx, a.Actor, q)
		if err != nil {
			return err
		}
		for i := range page.Applications {
			one := &page.Applications[i]
			if err := put(int64(one.ID), a.locale.T("application.kind."+string(one.Kind)), a.applicationStatus(one), int64(one.Register),
				one.Form.OutletTitle.In(a.locale.Lang), a.wall(one.Changed), one.Number); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// fileOf is the address of a list's file with what the list is filtered by: that
// of its current chip.
func fileOf(chips []standingChip, path, form string) string {
	for _, c := range chips {
		if c.Current {
			return strings.Replace(c.URL, path, path+"/"+form, 1)
		}
	}
	return path + "/" + form
}

// File is the address of the list as a file.
func (p registersPage) File(form string) string { return fileOf(p.Chips, "/registers", form) }

// File is the address of the list as a file.
func (p applicationsPage) File(form string) string { return fileOf(p.Chips, "/applications", form) }
