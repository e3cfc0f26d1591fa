package room

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/web/ui"
)

// maxUpload bounds what a form with a signature in it may send, in bytes.
const maxUpload = 1 << 20

// officePaths are the beginnings of the addresses of the office.
var officePaths = []string{"/organization", "/outlets", "/groups", "/registers", "/applications", "/help"}

// officeRoutes are the organization, its outlets and its registers.
func (h *Handler) officeRoutes() {
	if h.cfg.Office == nil {
		return
	}
	h.inside("GET /organization", h.organization)
	h.inside("GET /organization/link", h.linkPage)
	h.inside("GET /organization/contract.txt", h.contractText)
	h.inside("POST /organization/examine", h.examine)
	h.inside("POST /organization/link", h.link)
	if h.cfg.DemoSign != nil {
		h.inside("POST /organization/demo", h.demoSign)
	}
	h.inside("GET /organization/edit", h.organizationForm)
	h.inside("POST /organization/edit", h.setOrganization)
	h.inside("POST /organization/end", h.endContract)
	h.inside("GET /organization/contracts/{id}", h.contract)
	h.inside("GET /organization/contracts/{id}/{part}", h.contractPart)
	h.outletRoutes()
	h.registerRoutes()
}

// officeSections are those of the office as the actor may use it.
func (h *Handler) officeSections(a *visitor) (all []ui.Section) {
	if h.cfg.Office == nil || h.atTheDesk(a) {
		return nil
	}
	if a.May(access.SeeStatus) {
		all = append(all, ui.Section{Key: "room.registers", Icon: "cash-register", URL: "/registers"},
			ui.Section{Key: "room.outlets", Icon: "building-store", URL: "/outlets", Rest: true})
	}
	if a.May(access.EditRegisters) || a.May(access.SeeDocuments) {
		all = append(all, ui.Section{Key: "room.applications", Icon: "file-text", URL: "/applications", Rest: true})
	}
	return append(all, ui.Section{Key: "room.organization", Icon: "building", URL: "/organization", Rest: true})
}

// inputs are a form's fields in order.
type inputs struct {
	form
	Order []string
}

func inputsOf(all ...ui.Field) inputs {
	in := inputs{form: form{Fields: make(map[string]ui.Field, len(all))}}
	for _, f := range all {
		in.Fields[f.Name] = f
		in.Order = append(in.Order, f.Name)
	}
	return in
}

// add puts one more at the end.
func (in *inputs) add(f ui.Field) {
	in.Fields[f.Name] = f
	in.Order = append(in.Order, f.Name)
}

// Inputs are the fields as the template walks them.
func (in inputs) Inputs() (all []ui.Field) {
	for _, name := range in.Order {
		all = append(all, in.Fields[name])
	}
	return all
}

// wrong words what is wrong with a form; a signature that is not accepted has
// words of its own.
func (in *inputs) wrong(l *ui.Locale, err error) (int, bool) {
	if r := signature.RefusalOf(err); r != nil {
		key := "signature." + r.Reason.String()
		in.Refusal = l.T(key+".what") + " " + l.T(key+".next")
		return http.StatusUnprocessableEntity, true
	}
	return in.form.wrong(l, err)
}

// organizationPage is an organization as its people see it.
type organizationPage struct {
	registry.Taxpayer
	Papers    []paperRow
	InForce   bool
	MayEdit   bool
	MayApply  bool
	MayPapers bool
}

type paperRow struct {
	registry.Contract
	When string
}

func (h *Handler) organization(w http.ResponseWriter, r *http.Request, a *visitor) {
	if a.Taxpayer == 0 {
		http.Redirect(w, r, ui.Link(r, "/organization/link", nil), http.StatusSeeOther)
		return
	}
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	p := organizationPage{Taxpayer: t, MayEdit: a.May(access.EditOrganization) && len(a.Member.Outlets) == 0,
		MayApply: a.May(access.Apply) && len(a.Member.Outlets) == 0, MayPapers: a.May(access.SeeDocuments)}
	if err == nil && p.MayPapers {
		var all []registry.Contract
		all, err = h.cfg.Office.Contracts(r.Context(), a.Actor)
		for _, c := range all {
			c.By = who(a.locale, c.By)
			p.Papers = append(p.Papers, paperRow{c, a.when(c.At)})
		}
		p.InForce = registry.InForce(all)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "organization.html", "/organization", "room.organization", p)
}

// linkPage offers the contract and takes its signature.
type linkPage struct {
	inputs
	Offer    registry.Offer
	Text     string
	CanLink  bool
	Demo     bool
	Linked   *registry.Linked // whom the signature names; nil: none was given
	Owner    *signature.Owner
	File     string // the signature, base64
	Download string
	Signing  signing
}

func (h *Handler) linkPage(w http.ResponseWriter, r *http.Request, a *visitor) {
	offer, err := h.cfg.Office.Offer(a.Actor, a.locale.Lang, "")
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.showLink(w, r, a, http.StatusOK, linkPage{Offer: offer, inputs: inputsOf()})
}

func (h *Handler) showLink(w http.ResponseWriter, r *http.Request, a *visitor, status int, p linkPage) {
	p.Text, p.CanLink, p.Demo = string(p.Offer.Content), h.cfg.Office.CanLink(), h.cfg.DemoSign != nil
	p.Download = "/organization/contract.txt?" + url.Values{"date": {p.Offer.Date}, "language": {p.Offer.Language}}.Encode()
	p.Signing = h.signing("", signing{Title: "link.step2", Submit: "link.examine", Content: p.Download, Action: "/organization/examine", Disabled: !p.CanLink,
		Hidden: []ui.Row{{Key: "date", Value: p.Offer.Date}, {Key: "language", Value: p.Offer.Language}}})
	title := "link.title"
	if p.Linked != nil {
		title = "link.confirm"
	}
	h.signingPage(w, r, a, status, "link.html", "/organization", title, &p.Signing, p)
}

// contractText gives the exact bytes that are to be signed.
func (h *Handler) contractText(w http.ResponseWriter, r *http.Request, a *visitor) {
	offer, err := h.cfg.Office.Offer(a.Actor, ui.Negotiate(r.FormValue("language"), "", a.locale.Lang), r.FormValue("date"))
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	give(w, "contract-"+offer.Date+".txt", "text/plain; charset=utf-8", offer.Content)
}

// give answers with a file.
func give(w http.ResponseWriter, name, kind string, content []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // the client is gone: nothing to tell it
}

// pending is the offer that a form is about, with its page.
func (h *Handler) pending(w http.ResponseWriter, r *http.Request, a *visitor) (p linkPage, ok bool) {
	offer, err := h.cfg.Office.Offer(a.Actor, ui.Negotiate(r.PostFormValue("language"), "", a.locale.Lang), r.PostFormValue("date"))
	if err != nil { // it was open for days: the contract of today
		offer, again := h.cfg.Office.Offer(a.Actor, a.locale.Lang, "")
		p = linkPage{Offer: offer, inputs: inputsOf()}
		status, formed := p.wrong(a.locale, err)
		if again != nil || !formed {
			h.render.Error(w, r, errors.Join(err, again))
			return p, false
		}
		h.showLink(w, r, a, status, p)
		return p, false
	}
	return linkPage{Offer: offer, inputs: inputsOf()}, true
}

// examine shows whom an uploaded signature names.
func (h *Handler) examine(w http.ResponseWriter, r *http.Request, a *visitor) {
	p, ok := h.pending(w, r, a)
	if !ok {
		return
	}
	file, err := signatureOf(r)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.showOwner(w, r, a, p, file)
}

// showOwner asks whether it is the right key, or says why it is not accepted.
func (h *Handler) showOwner(w http.ResponseWriter, r *http.Request, a *visitor, p linkPage, file []byte) {
	linked, err := h.cfg.Office.Examine(r.Context(), p.Offer, file)
	if err != nil {
		status, ok := p.wrong(a.locale, err)
		if !ok {
			h.render.Error(w, r, err)
			return
		}
		h.showLink(w, r, a, status, p)
		return
	}
	p.Linked, p.Owner, p.File = &linked, &linked.Verdict.Owner, base64.StdEncoding.EncodeToString(file)
	h.showLink(w, r, a, http.StatusOK, p)
}

// demoSign lets a demonstration's authority sign for an invented company.
func (h *Handler) demoSign(w http.ResponseWriter, r *http.Request, a *visitor) {
	p, ok := h.pending(w, r, a)
	if !ok {
		return
	}
	file, err := h.cfg.DemoSign(p.Offer.Content, a.User.Name, "")
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.showOwner(w, r, a, p, file)
}

// link makes the person the owner of the organization whose key signed.
func (h *Handler) link(w http.ResponseWriter, r *http.Request, a *visitor) {
	p, ok := h.pending(w, r, a)
	if !ok {
		return
	}
	file, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.PostFormValue("file")))
	if err != nil {
		h.render.Error(w, r, &fiscal.Error{Reason: fiscal.BadForm, Field: "file"})
		return
	}
	linked, err := h.cfg.Office.Link(r.Context(), a.Actor, p.Offer, file)
	if err != nil {
		status, ok := p.wrong(a.locale, err)
		if !ok {
			h.render.Error(w, r, err)
			return
		}
		h.showLink(w, r, a, status, p)
		return
	}
	if linked.Known {
		done(w, r, "/organization", "linked")
		return
	}
	done(w, r, "/outlets/new", "founded")
}

// organizationInputs is the form of an organization.
func organizationInputs(l *ui.Locale, t *registry.Taxpayer) inputs {
	vat := ""
	if t.VATPercent != 0 {
		vat = percentText(t.VATPercent)
	}
	all := []ui.Field{
		{Name: "title", Key: "organization.title", Value: t.Title.RU, Max: 255, Required: true, Auto: "organization"},
		{Name: "title_kk", Key: "organization.title.kk", Value: t.Title.KK, Max: 255},
	}
	all = append(all, addressFields(l, t.Country, &t.Where)...)
	return inputsOf(append(all,
		ui.Field{Name: "vat_percent", Key: "organization.vat", Value: vat, Mode: "decimal", Max: 6, Hint: "organization.vat.hint"},
		ui.Field{Name: "vat_certificate", Key: "organization.vat_certificate", Value: t.VATCertificate, Max: 64},
		ui.Field{Name: "oked", Key: "organization.oked", Value: t.OKED, Max: 64, Mode: "numeric", Hint: "organization.oked.hint"},
	)...)
}

// addressFields are the parts of an address. Villages are typed; larger places
// are proposed.
func addressFields(l *ui.Locale, c fiscal.Country, where *registry.Address) []ui.Field {
	regions := []ui.FieldChoice{{Value: "", Text: l.T("address.region.choose")}}
	var localities []ui.FieldChoice
	for _, r := range registry.Regions(c) {
		regions = append(regions, ui.FieldChoice{Value: r.Code, Text: r.Name.In(l.Lang)})
		for _, one := range r.Localities {
			name := one.RU
			if l.Lang == "kk" {
				name = one.KK
			}
			localities = append(localities, ui.FieldChoice{Value: name, Text: r.Name.In(l.Lang)})
		}
	}
	return []ui.Field{
		{Name: "region", Key: "address.region", Value: where.Region, Choices: regions, Required: true},
		{Name: "locality", Key: "address.locality", Value: where.Locality, Choices: localities, Free: true, Max: 64, Required: true, Hint: "address.locality.hint"},
		{Name: "street", Key: "address.street", Value: where.Street, Max: 64, Required: true},
		{Name: "house", Key: "address.house", Value: where.House, Max: 32, Required: true},
		{Name: "flat", Key: "address.flat", Value: where.Flat, Max: 32},
	}
}

func addressOf(r *http.Request) registry.Address {
	return registry.Address{Region: r.PostFormValue("region"), Locality: r.PostFormValue("locality"), Street: r.PostFormValue("street"),
		House: r.PostFormValue("house"), Flat: r.PostFormValue("flat")}
}

// percentText writes thousandths of a percent as people do.
func percentText(p uint32) string {
	s := strconv.FormatUint(uint64(p/1000), 10)
	if rest := p % 1000; rest != 0 {
		s += "," + strings.TrimRight(strconv.FormatUint(uint64(1000+rest), 10)[1:], "0")
	}
	return s
}

// percentOf reads what people write: 12, 12,5, 12.5 %; "" is 0.
func percentOf(s string) (uint32, error) {
	s = strings.ReplaceAll(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%")), ",", ".")
	if s == "" {
		return 0, nil
	}
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole+(part + "000")[:3], 10, 32)
	if err != nil || len(part) > 3 || whole == "" {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: "vat_percent"}
	}
	return uint32(n), nil
}

func (h *Handler) organizationForm(w http.ResponseWriter, r *http.Request, a *visitor) {
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err == nil {
		err = a.Must(access.EditOrganization)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.showForm(w, r, a, http.StatusOK, formPage{inputs: organizationInputs(a.locale, &t), Action: "/organization/edit", Back: "/organization", Lead: "organization.edit.lead"}, "/organization", "organization.edit")
}

func (h *Handler) setOrganization(w http.ResponseWriter, r *http.Request, a *visitor) {
	t, err := h.cfg.Office.Organization(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	d := registry.Details{Title: fiscal.Text{RU: r.PostFormValue("title"), KK: r.PostFormValue("title_kk"), EN: t.Title.EN}, Address: addressOf(r),
		OKED: r.PostFormValue("oked"), VATCertificate: r.PostFormValue("vat_certificate")}
	if d.VATPercent, err = percentOf(r.PostFormValue("vat_percent")); err == nil {
		err = h.cfg.Office.SetDetails(r.Context(), a.Actor, d)
	}
	if err == nil {
		h.saved(w, r, a, 0, "/organization")
		return
	}
	t.Title, t.Where, t.OKED, t.VATCertificate = d.Title, d.Address, d.OKED, d.VATCertificate
	p := formPage{inputs: organizationInputs(a.locale, &t), Action: "/organization/edit", Back: "/organization"}
	p.keep(r, "vat_percent")
	h.formAgain(w, r, a, p, err, "/organization", "organization.edit")
}

// formPage is a page that is a form.
type formPage struct {
	inputs
	Title  string // key
	Lead   string // key, "" none
	Action string
	Back   string
}

// keep puts back what was typed into fields that cannot be made of a value.
func (p *formPage) keep(r *http.Request, names ...string) {
	for _, name := range names {
		f := p.Fields[name]
		f.Value = r.PostFormValue(name)
		p.Fields[name] = f
	}
}

func (h *Handler) showForm(w http.ResponseWriter, r *http.Request, a *visitor, status int, p formPage, at, title string) {
	p.Title = title
	h.page(w, r, a, status, "formpage.html", at, title, p)
}

// formAgain shows a form with what was wrong.
func (h *Handler) formAgain(w http.ResponseWriter, r *http.Request, a *visitor, p formPage, err error, at, title string) {
	status, ok := p.wrong(a.locale, err)
	if !ok || errors.Is(err, fiscal.Denied) || errors.Is(err, fiscal.NotFound) {
		h.render.Error(w, r, err)
		return
	}
	h.showForm(w, r, a, status, p, at, title)
}

func (h *Handler) endContract(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.cfg.Office.EndContract(r.Context(), a.Actor); err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/organization", "contract_ended")
}

// paper is a contract as it is printed.
type paper struct {
	registry.Contract
	When, SignedAt string
	Text           string
}

func (h *Handler) paperOf(w http.ResponseWriter, r *http.Request, a *visitor) (registry.Contract, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	var c registry.Contract
	if err != nil {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "contract"}
	} else {
		c, err = h.cfg.Office.Contract(r.Context(), a.Actor, registry.ContractID(id))
	}
	if err != nil {
		h.render.Error(w, r, err)
		return c, false
	}
	return c, true
}

func (h *Handler) contract(w http.ResponseWriter, r *http.Request, a *visitor) {
	c, ok := h.paperOf(w, r, a)
	if !ok {
		return
	}
	c.By = who(a.locale, c.By)
	p := paper{Contract: c, When: a.when(c.At), Text: string(c.Content)}
	if c.Verdict != nil && !c.Verdict.SignedAt.IsZero() {
		p.SignedAt = a.when(c.Verdict.SignedAt)
	}
	h.page(w, r, a, http.StatusOK, "contract.html", "/organization", "contract.title", p)
}

// contractPart gives the bytes of a contract: what was signed, and the file with
// the signature, as it came.
func (h *Handler) contractPart(w http.ResponseWriter, r *http.Request, a *visitor) {
	c, ok := h.paperOf(w, r, a)
	if !ok {
		return
	}
	name := "contract-" + strconv.FormatInt(int64(c.ID), 10)
	switch part := r.PathValue("part"); {
	case part == "pdf":
		h.contractPDF(w, r, a, &c)
	case part == "text" && len(c.Content) > 0:
		give(w, name+".txt", "text/plain; charset=utf-8", c.Content)
	case part == "signature" && len(c.Signature) > 0:
		give(w, name+".p7s", "application/pkcs7-signature", c.Signature)
	default:
		h.render.Error(w, r, &fiscal.Error{Reason: fiscal.NothingThere, Field: "contract"})
	}
}
