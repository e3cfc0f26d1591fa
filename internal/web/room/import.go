package room

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// Outlets and registers are imported from a file in two steps: first it is read
// and every wrong field named, and nothing is stored; then what it says is made,
// so many rows at a time, each for itself.
const (
	maxImport   = 512 << 10 // bytes of a file
	importRows  = 2000
	importChunk = 25 // rows that one request makes
)

func (h *Handler) importRoutes() {
	h.inside("GET /registers/import", h.importForm)
	h.inside("POST /registers/import", h.importFile)
	h.inside("GET /registers/import/template.xlsx", h.importTemplate)
}

// importPage is the form, then what was found in a file, then what was made.
type importPage struct {
	Refusal string
	Columns []string // keys
	Limit   int
	Rows    []importedRow
	Wrong   int    // rows with something wrong
	Content string // what is to be made, as the page carries it
	Made    []madeRow
	From    int // the next row to be made
	Total   int
	Failed  int
	Done    bool
	Tokens  bool // the country's registers have them
}

// importedRow is a row as it was understood.
type importedRow struct {
	importRow
	NewOutlet bool
	Wrong     []finding
}

// madeRow is what became of a row.
type madeRow struct {
	Line     int               `json:"l"`
	Name     string            `json:"n"`
	Register fiscal.RegisterID `json:"r,omitempty"`
	Token    uint32            `json:"t,omitempty"`
	Wrong    string            `json:"w,omitempty"`
}

// carried is what the pages of one import hand on to each other.
type carried struct {
	Rows []importRow `json:"rows"`
	Made []madeRow   `json:"made,omitempty"`
}

func (c *carried) text() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // of our own types
	}
	return base64.StdEncoding.EncodeToString(b)
}

func (h *Handler) importForm(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.showImport(w, r, a, http.StatusOK, importPage{})
}

func (h *Handler) showImport(w http.ResponseWriter, r *http.Request, a *visitor, status int, p importPage) {
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err == nil {
		err = errors.Join(a.Must(access.EditRegisters), a.Must(access.EditOutlets))
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	for _, c := range importColumns(t.Country) {
		p.Columns = append(p.Columns, c.key)
	}
	p.Limit, p.Tokens = importRows, registry.HasTokens(t.Country)
	h.page(w, r, a, status, "import.html", "/registers", "import.title", p)
}

// importTemplate is the file to be filled in.
func (h *Handler) importTemplate(w http.ResponseWriter, r *http.Request, a *visitor) {
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	var titles []string
	for _, c := range importColumns(t.Country) {
		titles = append(titles, a.locale.T(c.key))
	}
	h.blankTable(w, r, "registers.xlsx", titles)
}

// importFile takes a file and says what is in it, or makes the next rows of one
// that was confirmed.
func (h *Handler) importFile(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := errors.Join(a.Must(access.EditRegisters), a.Must(access.EditOutlets)); err != nil {
		h.render.Error(w, r, err)
		return
	}
	if made := r.PostFormValue("content"); made != "" {
		h.importGo(w, r, a, made)
		return
	}
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	rows, err := h.uploaded(r, t.Country)
	if err != nil {
		in := inputsOf()
		status, ok := in.wrong(a.locale, err)
		if !ok {
			h.render.Error(w, r, err)
			return
		}
		h.showImport(w, r, a, status, importPage{Refusal: in.Refusal})
		return
	}
	p := importPage{}
	if p.Rows, err = h.dryRun(r, a, &t, rows); err != nil {
		h.render.Error(w, r, err)
		return
	}
	for i := range p.Rows {
		if len(p.Rows[i].Wrong) > 0 {
			p.Wrong++
		}
	}
	status := http.StatusOK
	if p.Wrong > 0 {
		status = http.StatusUnprocessableEntity
	} else {
		p.Content = (&carried{Rows: rows}).text()
	}
	p.Total = len(rows)
	h.showImport(w, r, a, status, p)
}

// uploaded reads the file that a form brings.
func (h *Handler) uploaded(r *http.Request, c fiscal.Country) ([]importRow, error) {
	if r.MultipartForm == nil || len(r.MultipartForm.File["table"]) == 0 {
		return nil, &fiscal.Error{Reason: fiscal.MissingParameter, Field: "table"}
	}
	head := r.MultipartForm.File["table"][0]
	if head.Size > maxImport {
		return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "table", Msg: "too_large"}
	}
	file, err := head.Open()
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "table", Err: err}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxImport))
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "table", Err: err}
	}
	return parseImport(content, c, h.render.Locales)
}

// dryRun holds every row against what an application of its register would be
// held against, and against the other rows.
func (h *Handler) dryRun(r *http.Request, a *visitor, t *registry.Taxpayer, rows []importRow) ([]importedRow, error) {
	outlets, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err != nil {
		return nil, err
	}
	known := map[string]fiscal.RegisterID{}
	for after := ""; ; {
		page, err := h.cfg.Office.Registers(r.Context(), a.Actor, registry.RegisterQuery{Limit: 200, After: after})
		if err != nil {
			return nil, err
		}
		for i := range page.Registers {
			c := &page.Registers[i].Card
			known[strings.ToLower(c.Model+"\n"+c.SerialNumber)] = c.Register
		}
		if after = page.Next; after == "" {
			break
		}
	}
	all := make([]importedRow, 0, len(rows))
	for _, row := range rows {
		one := importedRow{importRow: row}
		f := row.form(t)
		at := outletNamed(outlets, row.Outlet)
		if at == nil {
			one.NewOutlet = true
			fresh := registry.Outlet{ID: fiscal.OutletID(-1 - len(outlets)), Taxpayer: t.ID, Title: fiscal.Text{RU: row.Outlet}, Where: row.Where, Address: row.Where.Text(t.Country)}
			outlets = append(outlets, fresh)
			at = &fresh
		} else if at.ID < 0 {
			one.NewOutlet = true
		}
		f.Outlet, f.OutletTitle, f.OutletAddress, f.Where = at.ID, at.Title, at.Address, at.Where
		g := registry.Grounds{Taxpayer: t, Outlets: outlets, Card: &fiscal.Card{Country: t.Country, XIN: t.XIN, Provisional: true}, Model: h.cfg.Office.Model(t.Country, f.Model), Now: h.now()}
		wrong := slices.DeleteFunc(registry.Blocking(registry.Control(registry.Enrol, &f, &g)), func(e registry.FieldError) bool {
			return e.Field == "legal_address" || e.Field == "title" // of the organization, not of a row
		})
		key := strings.ToLower(f.Model + "\n" + f.SerialNumber)
		if _, twice := known[key]; twice && f.SerialNumber != "" {
			wrong = append(wrong, registry.FieldError{Field: "serial_number", Reason: fiscal.AlreadyThere})
		}
		known[key] = -1
		one.Wrong = a.findings(wrong)
		all = append(all, one)
	}
	return all, nil
}

// outletNamed is the outlet with a title, as people write titles.
func outletNamed(all []registry.Outlet, title string) *registry.Outlet {
	for i := range all {
		if strings.EqualFold(all[i].Title.In("ru"), title) || all[i].Title.KK != "" && strings.EqualFold(all[i].Title.KK, title) {
			return &all[i]
		}
	}
	return nil
}

// importGo makes the next rows and shows how far it got.
func (h *Handler) importGo(w http.ResponseWriter, r *http.Request, a *visitor, content string) {
	b, err := base64.StdEncoding.DecodeString(content)
	var c carried
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || len(c.Rows) > importRows || len(c.Made) > len(c.Rows) {
		h.render.Error(w, r, &fiscal.Error{Reason: fiscal.BadForm, Field: "content"})
		return
	}
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	for range min(importChunk, len(c.Rows)-len(c.Made)) {
		row := &c.Rows[len(c.Made)]
		made, err := h.importOne(r, a, &t, row)
		if err != nil {
			in := inputsOf()
			if _, ok := in.wrong(a.locale, err); !ok {
				h.render.Error(w, r, err)
				return
			}
			made.Wrong = in.Refusal
		}
		c.Made = append(c.Made, made)
	}
	p := importPage{From: len(c.Made), Total: len(c.Rows), Made: c.Made, Done: len(c.Made) == len(c.Rows), Content: c.text()}
	for i := range p.Made {
		if p.Made[i].Wrong != "" {
			p.Failed++
		}
	}
	h.showImport(w, r, a, http.StatusOK, p)
}

// importOne makes the outlet of a row, if it is not there, its register, and the
// draft of its application.
func (h *Handler) importOne(r *http.Request, a *visitor, t *registry.Taxpayer, row *importRow) (madeRow, error) {
	made := madeRow{Line: row.Line, Name: row.Name}
	outlets, err := h.cfg.Office.Outlets(r.Context(), a.Actor)
	if err != nil {
		return made, err
	}
	at := outletNamed(outlets, row.Outlet)
	if at == nil {
		at = &registry.Outlet{Title: fiscal.Text{RU: row.Outlet}, Where: row.Where, Zone: registry.ZoneOf(t.Country)}
		if err := h.cfg.Office.PutOutlet(r.Context(), a.Actor, at); err != nil {
			return made, err
		}
	}
	f := row.form(t)
	f.Outlet, f.OutletTitle, f.OutletAddress, f.Where = at.ID, at.Title, at.Address, at.Where
	added, err := h.cfg.Office.AddRegister(r.Context(), a.Actor, registry.AddedRegister{Outlet: at.ID, Name: f.Name, Model: f.Model, SerialNumber: f.SerialNumber, Year: f.ManufactureYear, Drive: f.Drive})
	if err != nil {
		return made, err
	}
	made.Register, made.Token = added.Card.Register, added.Token
	_, err = h.enrol(r.Context(), a, made.Register, &f)
	return made, err
}
