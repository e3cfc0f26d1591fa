package room

import (
	"fmt"
	"net/http"

	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// clientPattern is where the addresses of a client's data begin; see clientBase.
const clientPattern = "/inspect/clients/{taxpayer}"

// inspectedRoutes are the pages of a client, the same as its own people see.
func (h *Handler) inspectedRoutes() {
	if h.cfg.Documents.Questions == nil {
		return
	}
	h.ofClient("GET "+clientPattern, h.inspectClient)
	h.ofClient("GET "+clientPattern+"/registers/{register}", h.inspectRegister)
	inspectList(h, receipts())
	inspectList(h, shifts())
	inspectList(h, reports())
	inspectList(h, moves())
	inspectList(h, aways())
	inspectList(h, findings())
	inspectList(h, h.daysOf())
	h.dayRoutes()
	h.ofClient("GET "+clientPattern+"/shifts/{register}/{shift}", h.shift)
	h.ofClient("GET "+clientPattern+"/documents/{register}/{number}", h.document)
	h.ofClient("GET "+clientPattern+"/documents/{register}/{number}/json", h.documentJSON)
}

// ofClient serves a page of a client's data to inspectors. Without a ground it
// sends them to open one.
func (h *Handler) ofClient(pattern string, do func(http.ResponseWriter, *http.Request, *visitor)) {
	h.inspecting(pattern, func(w http.ResponseWriter, r *http.Request, a *visitor) {
		t, ok := number[fiscal.TaxpayerID](r.PathValue("taxpayer"))
		if !ok {
			h.render.Error(w, r, &fiscal.Error{Reason: fiscal.NothingThere, Field: "organization"})
			return
		}
		if a.Inspection == nil {
			http.Redirect(w, r, "/inspect", http.StatusSeeOther)
			return
		}
		if !a.Inspection.Covers(t) {
			h.render.Error(w, r, &fiscal.Error{Of: fiscal.Denied, Field: "inspection"})
			return
		}
		a.client, a.base = t, clientBase(t)
		var err error
		if a.Organization, err = h.known.Organization(r.Context(), t); err != nil {
			h.render.Error(w, r, err)
			return
		}
		do(w, r, a)
	})
}

// inspectList adds the addresses of a list of a client's.
func inspectList[T any](h *Handler, list listing[T]) {
	h.ofClient("GET "+clientPattern+"/"+list.name, func(w http.ResponseWriter, r *http.Request, a *visitor) { showList(h, &list, w, r, a) })
	for form, open := range map[string]opener{"csv": newCSV, "xlsx": newWorkbook} {
		h.ofClient("GET "+clientPattern+"/"+list.name+"/"+form, func(w http.ResponseWriter, r *http.Request, a *visitor) {
			if err := exportList(h, &list, w, r, a, open); err != nil {
				h.render.Error(w, r, err)
			}
		})
	}
}

// inspectTabs are the pages of a client, side by side.
func inspectTabs(a *visitor, at string) []tab {
	all := []tab{{"inspect.client", a.base, at == ""}}
	for _, name := range []string{"days", "shifts", "receipts", "reports", "moves", "offline", "findings"} {
		key := "room." + name
		if name == "days" {
			key = "inspect.days"
		}
		all = append(all, tab{key, a.base + "/" + name, name == at})
	}
	return all
}

// clientPage is a client: its outlets, and their registers.
type clientPage struct {
	Client  registry.Taxpayer
	Tabs    []tab
	Outlets []outletBranch
	Next    string // where the registers go on, "" there are no more
	Base    string
	Lang    string
}

// outletBranch is an outlet with registers.
type outletBranch struct {
	Title, Address string
	Registers      []registerBranch
}

type registerBranch struct {
	Card                   fiscal.Card
	Status                 string // key
	Contact                string
	URL, Shifts, Documents string
}

// registersShown is how many registers stand on a page of a client.
const registersShown = 200

func (h *Handler) inspectClient(w http.ResponseWriter, r *http.Request, a *visitor) {
	_, err := h.inspected(r, a)
	p := clientPage{Tabs: inspectTabs(a, ""), Base: a.base, Lang: a.locale.Lang}
	if err == nil {
		p.Client, err = h.cfg.Archive.Client(r.Context(), a.client)
	}
	after, _ := number[fiscal.RegisterID](r.URL.Query().Get("after"))
	var all []registry.Listed
	if err == nil {
		all, err = h.cfg.Archive.Registers(r.Context(), a.client, after, registersShown+1)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if len(all) > registersShown {
		all = all[:registersShown]
		p.Next = fmt.Sprintf("%s?after=%d", a.base, all[len(all)-1].Card.Register)
	}
	at := map[fiscal.OutletID]int{}
	for i := range all {
		c := &all[i].Card
		k, ok := at[c.Outlet]
		if !ok {
			k = len(p.Outlets)
			at[c.Outlet] = k
			p.Outlets = append(p.Outlets, outletBranch{Title: c.OutletTitle.In(a.locale.Lang), Address: c.OutletAddress.In(a.locale.Lang)})
		}
		b := registerBranch{Card: *c, Status: lookPage{}.StatusKey(all[i].State.Status),
			URL: fmt.Sprintf("%s/registers/%d", a.base, c.Register), Shifts: fmt.Sprintf("%s/shifts?register=%d", a.base, c.Register), Documents: fmt.Sprintf("%s/receipts?register=%d", a.base, c.Register)}
		if all[i].LastContact != nil {
			b.Contact = a.locale.Moment(all[i].LastContact.At, c.Location())
		}
		p.Outlets[k].Registers = append(p.Outlets[k].Registers, b)
	}
	h.page(w, r, a, http.StatusOK, "inspectclient.html", "/inspect", "inspect.client", p)
}

// inspectedRegister is a register: what is said of it, every version of that,
// and its last shifts.
type inspectedRegister struct {
	Seen    registry.Listed
	Tabs    []tab
	Status  string // key
	Since   string // of a block
	Contact string
	Cards   []cardVersion
	Older   string // versions, "" there are no more
	Shifts  []shiftBranch
	Base    string
	Lang    string
}

type cardVersion struct {
	fiscal.Card
	From string
}

type shiftBranch struct {
	cabinet.Shift
	Opened, Closed string
	URL, Receipts  string
}

// Bounds of a register's page.
const (
	versionsShown = 25
	shiftsShown   = 20
)

func (h *Handler) inspectRegister(w http.ResponseWriter, r *http.Request, a *visitor) {
	scope, err := h.inspected(r, a)
	id, ok := number[fiscal.RegisterID](r.PathValue("register"))
	p := inspectedRegister{Tabs: inspectTabs(a, ""), Base: a.base, Lang: a.locale.Lang}
	if err == nil {
		p.Seen, err = h.cfg.Archive.Register(r.Context(), id)
	}
	if err == nil && (!ok || p.Seen.Card.Taxpayer != a.client) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"}
	}
	if err == nil {
		err = h.versions(r, a, &scope, &p)
	}
	var shifts []cabinet.Shift
	if err == nil {
		shifts, _, err = h.cfg.Documents.Questions.Shifts(r.Context(), &scope, &cabinet.Filter{Register: id}, nil, shiftsShown)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	zone := p.Seen.Card.Location()
	if p.Status = (lookPage{}).StatusKey(p.Seen.State.Status); p.Seen.State.Status == fiscal.StatusBlocked {
		p.Since = a.locale.Moment(p.Seen.State.Block.Since, zone)
	}
	if p.Seen.LastContact != nil {
		p.Contact = a.locale.Moment(p.Seen.LastContact.At, zone)
	}
	for _, s := range shifts {
		b := shiftBranch{Shift: s, Opened: a.locale.Minute(s.Opened), URL: fmt.Sprintf("%s/shifts/%d/%d", a.base, id, s.Number), Receipts: fmt.Sprintf("%s/receipts?register=%d&shift=%d", a.base, id, s.Number)}
		if s.Closed != 0 {
			b.Closed = a.locale.Minute(s.Closed)
		}
		p.Shifts = append(p.Shifts, b)
	}
	h.page(w, r, a, http.StatusOK, "inspectregister.html", "/inspect", "inspect.register", p)
}

// versions reads the versions of a register's card, the newest first.
func (h *Handler) versions(r *http.Request, a *visitor, scope *cabinet.Scope, p *inspectedRegister) error {
	last := p.Seen.Card.Version
	if before, ok := number[uint32](r.URL.Query().Get("version")); ok && before <= last {
		last = before - 1
	}
	for v := last; v > 0; v-- {
		if len(p.Cards) == versionsShown {
			p.Older = fmt.Sprintf("%s/registers/%d?version=%d", a.base, p.Seen.Card.Register, v+1)
			break
		}
		c, err := h.cfg.Documents.Questions.Card(r.Context(), scope, p.Seen.Card.Register, v)
		if err != nil {
			return fmt.Errorf("read version %d of the card of register %d: %w", v, p.Seen.Card.Register, err)
		}
		p.Cards = append(p.Cards, cardVersion{c, a.locale.Moment(c.Since, c.Location())})
	}
	return nil
}
