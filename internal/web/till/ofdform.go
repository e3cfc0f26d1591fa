package till

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

// placeFields are the parts of an address. Larger places are proposed as they
// are typed; which region each is in stands beside.
//
// Source: requirements E-051 to E-056.
func placeFields(g *guest, regions []till.Region, p till.Place) []ui.Field {
	lang := g.locale.Lang
	choices := []ui.FieldChoice{{Value: "", Text: g.locale.T("address.region.choose")}}
	var localities []ui.FieldChoice
	for _, region := range regions {
		choices = append(choices, ui.FieldChoice{Value: region.Code, Text: region.Name.In(lang)})
		for _, l := range region.Localities {
			localities = append(localities, ui.FieldChoice{Value: l.In(lang), Text: region.Name.In(lang)})
		}
	}
	return []ui.Field{
		{Name: "region", Key: "address.region", Value: p.Region, Choices: choices, Required: true},
		{Name: "locality", Key: "address.locality", Value: p.Locality, Choices: localities, Free: true, Max: 64, Required: true, Hint: "address.locality.hint"},
		{Name: "street", Key: "address.street", Value: p.Street, Max: 64, Required: true},
		{Name: "house", Key: "address.house", Value: p.House, Max: 32, Required: true},
		{Name: "flat", Key: "address.flat", Value: p.Flat, Max: 32},
	}
}

func placeOf(r *http.Request) till.Place {
	return till.Place{Region: r.PostFormValue("region"), Locality: r.PostFormValue("locality"), Street: r.PostFormValue("street"), House: r.PostFormValue("house"), Flat: r.PostFormValue("flat")}
}

// ofdForm is a form of the section.
type ofdForm struct {
	formPage
	title string
	g     *guest
}

func (h *Handler) showOFDForm(w http.ResponseWriter, r *http.Request, f ofdForm, err error) {
	status := http.StatusOK
	if err != nil {
		if status = h.blameAll(f.form, f.g.locale, err); status == 0 {
			h.ofdFail(w, r, f.g, err)
			return
		}
	}
	h.ofdShow(w, r, f.g, status, "form.html", f.title, "/ofd", f.formPage)
}

// blameAll puts what the operator told of each field beside it.
func (h *Handler) blameAll(f *form, l *ui.Locale, err error) int {
	var told *till.Told
	if !errors.As(err, &told) || len(told.Fields) == 0 {
		return h.blame(f, l, err)
	}
	for _, one := range told.Fields {
		name := one.Field[strings.LastIndexByte(one.Field, '.')+1:]
		if field, ok := f.Fields[name]; ok {
			field.Wrong = one.Title
			f.Fields[name] = field
		} else {
			f.Refusal = strings.TrimSpace(f.Refusal + " " + one.Title)
		}
	}
	return http.StatusUnprocessableEntity
}

// addressPage asks for the legal address, which a new company needs.
//
// Source: requirements E-043, E-045.
func (h *Handler) addressPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.address(w, r, g, nil)
}

func (h *Handler) setAddress(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.SetAddress(r.Context(), g.Seat, g.locale.Lang, placeOf(r)); err != nil {
		h.address(w, r, g, err)
		return
	}
	h.said(w, r, "address")
}

func (h *Handler) address(w http.ResponseWriter, r *http.Request, g *guest, refused error) {
	company, err := h.till.Company(r.Context(), g.Seat, g.locale.Lang)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	regions, err := h.till.Regions(r.Context(), g.Seat, g.locale.Lang)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	intro := company.Title.In(g.locale.Lang)
	if r.URL.Query().Get("new") != "" {
		intro = g.locale.T("till.ofd.address.new", "title", intro)
	}
	h.showOFDForm(w, r, ofdForm{formPage{form: filled(r, placeFields(g, regions, company.Address)...), Action: "/ofd/address", Submit: "till.save", Intro: intro}, "till.ofd.address", g}, refused)
}

func (h *Handler) outletPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.outlet(w, r, g, nil)
}

// addOutlet adds an outlet; the same form sent twice adds one.
//
// Source: requirements E-049 to E-058.
func (h *Handler) addOutlet(w http.ResponseWriter, r *http.Request, g *guest) {
	p, title := placeOf(r), r.PostFormValue("title")
	sum := sha256.Sum256([]byte(strings.Join([]string{r.PostFormValue("once"), title, p.Region, p.Locality, p.Street, p.House, p.Flat}, "\n")))
	if err := h.till.AddOutlet(r.Context(), g.Seat, g.locale.Lang, "outlet-"+hex.EncodeToString(sum[:16]), title, p); err != nil {
		h.outlet(w, r, g, err)
		return
	}
	h.said(w, r, "outlet")
}

func (h *Handler) outlet(w http.ResponseWriter, r *http.Request, g *guest, refused error) {
	regions, err := h.till.Regions(r.Context(), g.Seat, g.locale.Lang)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	once, _, err := h.till.NewSerial() // as good a name of a form as any
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	fields := append([]ui.Field{{Name: "once", Type: "hidden", Value: once}, {Name: "title", Key: "till.ofd.outlet.title", Max: 128, Required: true}}, placeFields(g, regions, till.Place{})...)
	h.showOFDForm(w, r, ofdForm{formPage{form: filled(r, fields...), Action: "/ofd/outlets/new", Submit: "till.ofd.add"}, "till.ofd.outlet.new", g}, refused)
}

// enrolPage shows the data of a new software register: its number is made here,
// and can be copied.
//
// Source: requirements E-059 to E-068.
func (h *Handler) enrolPage(w http.ResponseWriter, r *http.Request, g *guest) {
	serial, year, err := h.till.NewSerial()
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	if given := r.URL.Query().Get("serial"); till.ValidSerial(given) {
		serial = given
	}
	h.enrolForm(w, r, g, serial, year, nil)
}

func (h *Handler) enrolForm(w http.ResponseWriter, r *http.Request, g *guest, serial string, year int, refused error) {
	outlets, err := h.till.Outlets(r.Context(), g.Seat, g.locale.Lang)
	if err != nil {
		h.ofdFail(w, r, g, err)
		return
	}
	if len(outlets) == 0 {
		http.Redirect(w, r, "/ofd/outlets/new", http.StatusSeeOther)
		return
	}
	var choices []ui.FieldChoice
	for _, o := range outlets {
		choices = append(choices, ui.FieldChoice{Value: strconv.FormatInt(o.ID, 10), Text: o.Title.In(g.locale.Lang) + " · " + o.AddressText.In(g.locale.Lang)})
	}
	value := r.URL.Query().Get("outlet")
	fields := []ui.Field{
		{Name: "name", Key: "till.ofd.register.name", Max: 100, Required: true},
		{Name: "model", Key: "till.ofd.model", Value: till.Model, ReadOnly: true},
		{Name: "serial_number", Key: "till.ofd.serial", Value: serial, ReadOnly: true, Hint: "till.ofd.serial.hint"},
		{Name: "manufacture_year", Key: "till.ofd.year", Value: strconv.Itoa(year), ReadOnly: true},
		{Name: "outlet", Key: "till.ofd.outlet", Value: value, Choices: choices, Required: true},
	}
	h.showOFDForm(w, r, ofdForm{formPage{form: filled(r, fields...), Action: "/ofd/registers/new", Submit: "till.ofd.add", Intro: g.locale.T("till.ofd.register.intro")}, "till.ofd.register.new", g}, refused)
}

func (h *Handler) enrol(w http.ResponseWriter, r *http.Request, g *guest) {
	outlet, err := strconv.ParseInt(r.PostFormValue("outlet"), 10, 64)
	year, wrong := strconv.Atoi(r.PostFormValue("manufacture_year"))
	if err = errors.Join(err, wrong); err != nil {
		h.ofdFail(w, r, g, &fiscal.Error{Reason: fiscal.BadValue, Field: "outlet", Err: err})
		return
	}
	serial := r.PostFormValue("serial_number")
	id, err := h.till.Enrol(r.Context(), g.Seat, g.locale.Lang, outlet, strings.TrimSpace(r.PostFormValue("name")), serial, year)
	if err != nil && id == 0 {
		h.enrolForm(w, r, g, serial, year, err)
		return
	}
	// A register that is there without its application has a page that drafts one.
	http.Redirect(w, r, registerPath(id), http.StatusSeeOther)
}

func registerPath(id fiscal.RegisterID) string {
	return "/ofd/registers/" + strconv.FormatInt(int64(id), 10)
}
