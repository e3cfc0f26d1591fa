package till

import (
	"net/http"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) settingsRoutes() {
	h.open(unlocked, "GET /settings/{register}", h.settingsPage)
	h.open(unlocked, "POST /settings/{register}", h.settings)
	h.open(unlocked, "GET /settings/{register}/token", h.tokenPage)
	h.open(unlocked, "POST /settings/{register}/token", h.token)
}

// fact is a labeled value that is only looked at.
type fact struct{ Key, Value string }

// set is the settings of a register as a page.
type set struct {
	formPage
	Token string // address of the page for a new token
	Facts []fact
}

// settingsForm has the settings as they are.
func (h *Handler) settingsForm(r *till.Register, l *ui.Locale) set {
	s := &r.Settings
	check := func(name, key string, on bool, hint string) ui.Field {
		f := ui.Field{Name: name, Key: key, Type: "checkbox", Hint: hint}
		if on {
			f.Value = "1"
		}
		return f
	}
	limit := ""
	if s.Max > 0 {
		limit = s.Max.String()
	}
	rates := ui.Field{Name: "vat_percent", Key: "till.vat_percent", Value: strconv.FormatUint(uint64(s.VATPercent), 10)}
	for _, p := range h.till.VATRates(r) {
		rates.Choices = append(rates.Choices, ui.FieldChoice{Value: strconv.FormatUint(uint64(p), 10), Text: l.Percent(p)})
	}
	f := &form{Fields: map[string]ui.Field{}}
	for _, one := range []ui.Field{
		{Name: "name", Key: "till.register.name", Value: s.Name, Max: 100, Required: true},
		{Name: "extended", Key: "till.mode", Value: strconv.FormatBool(s.Extended), Choices: []ui.FieldChoice{{Value: "false", Text: l.T("till.mode.simple")}, {Value: "true", Text: l.T("till.mode.extended")}}},
		check("auto_withdraw", "till.auto_withdraw", s.AutoWithdraw, "till.auto_withdraw.hint"),
		check("modifiers", "till.modifiers", s.Modifiers, ""),
		check("buyer", "till.buyer", s.Buyer, "till.buyer.hint"),
		{Name: "max_sum", Key: "till.max", Value: limit, Mode: "decimal", Max: 20, Hint: "till.max.hint"},
		check("vat_payer", "till.vat_payer", s.VATPayer, "till.vat_payer.hint"),
		rates,
		{Name: "vat_series", Key: "till.vat_series", Value: s.VATSeries, Max: 10},
		{Name: "vat_number", Key: "till.vat_number", Value: s.VATNumber, Mode: "numeric", Max: 20},
		{Name: "section", Key: "till.section", Value: s.Section, Max: 20, Hint: "till.section.hint"},
		{Name: "paper", Key: "till.paper", Value: strconv.Itoa(s.Paper), Choices: []ui.FieldChoice{{Value: "80", Text: "80"}, {Value: "58", Text: "58"}}},
		{Name: "printer", Key: "till.printer", Value: s.Printer, Max: 100, Hint: "till.printer.hint"},
		check("drawer", "till.drawer", s.Drawer, "till.drawer.hint"),
	} {
		f.Fields[one.Name] = one
		f.Order = append(f.Order, one.Name)
	}
	action := "/settings/" + strconv.FormatInt(int64(r.ID), 10)
	return set{
		formPage: formPage{form: f, Action: action, Submit: "till.save"}, Token: action + "/token",
		Facts: []fact{
			{"till.id", strconv.FormatInt(int64(r.ID), 10)}, {"till.serial", r.Card.SerialNumber}, {"till.model", r.Card.Model},
			{"till.registration", r.Card.RegistrationNumber}, {"till.company", r.Card.Title.In(l.Lang)}, {"till.bin", string(r.Card.XIN)},
			{"till.outlet", r.Card.OutletTitle.In(l.Lang)}, {"till.address", r.Card.OutletAddress.In(l.Lang)},
		},
	}
}

// maySet is the register that a path names, for who may set something.
func (h *Handler) maySet(w http.ResponseWriter, r *http.Request, g *guest) (till.Register, bool) {
	at, err := h.registerOf(r, g)
	if err == nil && !g.Cashier.May(till.MaySettings) {
		err = &fiscal.Error{Of: fiscal.Denied, Field: string(till.MaySettings)}
	}
	if err != nil {
		h.fail(w, r, g, err)
	}
	return at, err == nil
}

func (h *Handler) showSettings(w http.ResponseWriter, r *http.Request, g *guest, status int, at *till.Register, data set) {
	h.show(w, r, g, status, "settings.html", page{Page: ui.Page{Title: at.Settings.Name}, Back: "/registers"}, data)
}

func (h *Handler) settingsPage(w http.ResponseWriter, r *http.Request, g *guest) {
	if at, ok := h.maySet(w, r, g); ok {
		h.showSettings(w, r, g, http.StatusOK, &at, h.settingsForm(&at, g.locale))
	}
}

// settings takes the whole form, or, of a script, the one field that was
// changed: what is wrong with another does not hold it up.
//
// Source: requirements E-094 to E-105.
func (h *Handler) settings(w http.ResponseWriter, r *http.Request, g *guest) {
	at, ok := h.maySet(w, r, g)
	if !ok {
		return
	}
	to := at.Settings
	err := changed(r, &to, r.PostFormValue("only"))
	if err == nil {
		err = h.till.Set(r.Context(), g.Seat, at.ID, to)
	}
	switch {
	case asksJSON(r) && err == nil:
		answer(w, http.StatusOK, struct{}{})
	case asksJSON(r):
		h.fail(w, r, g, err)
	case err == nil:
		http.Redirect(w, r, "/settings/"+r.PathValue("register"), http.StatusSeeOther)
	default:
		data := h.settingsForm(&at, g.locale)
		for name, f := range data.Fields {
			f.Value = r.PostFormValue(name)
			data.Fields[name] = f
		}
		status := h.blame(data.form, g.locale, err)
		if status == 0 {
			h.fail(w, r, g, err)
			return
		}
		h.showSettings(w, r, g, status, &at, data)
	}
}

// changed takes what a form says into settings; only one field of it, unless
// that is "". What is said of VAT is one whole.
func changed(r *http.Request, to *till.Settings, only string) (err error) {
	if strings.HasPrefix(only, "vat_") {
		only = "vat"
	}
	value := r.PostFormValue
	for _, one := range []struct {
		field string
		take  func()
	}{
		{"name", func() { to.Name = value("name") }},
		{"extended", func() { to.Extended = value("extended") == "true" }},
		{"auto_withdraw", func() { to.AutoWithdraw = value("auto_withdraw") != "" }},
		{"modifiers", func() { to.Modifiers = value("modifiers") != "" }},
		{"buyer", func() { to.Buyer = value("buyer") != "" }},
		{"max_sum", func() { to.Max, err = amount(value("max_sum"), "max_sum") }},
		{"vat", func() {
			rate, _ := strconv.ParseUint(value("vat_percent"), 10, 32) // what is no rate is refused with the rest
			to.VATPayer, to.VATPercent = value("vat_payer") != "", uint32(rate)
			to.VATSeries, to.VATNumber = value("vat_series"), value("vat_number")
		}},
		{"section", func() { to.Section = value("section") }},
		{"paper", func() { to.Paper, _ = strconv.Atoi(value("paper")) }},
		{"printer", func() { to.Printer = value("printer") }},
		{"drawer", func() { to.Drawer = value("drawer") != "" }},
	} {
		if only == "" || only == one.field {
			if one.take(); err != nil {
				return err
			}
		}
	}
	return nil
}

// amount reads money as people write it: "1 500,5". "" is nothing.
func amount(s, field string) (fiscal.Money, error) {
	s = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "₸", "", ",", ".").Replace(s)
	if s == "" {
		return 0, nil
	}
	m, err := fiscal.ParseMoney(s)
	if err != nil {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: field, Err: err}
	}
	return m, nil
}

func tokenForm(r *http.Request, g *guest) formPage {
	return formPage{
		form:   filled(r, ui.Field{Name: "token", Key: "till.token", Mode: "numeric", Auto: "off", Max: 10, Required: true, Hint: "till.token.hint"}),
		Action: "/settings/" + r.PathValue("register") + "/token", Submit: "till.save", Intro: g.locale.T("till.token.intro"),
	}
}

func (h *Handler) tokenPage(w http.ResponseWriter, r *http.Request, g *guest) {
	if _, ok := h.maySet(w, r, g); ok {
		h.ask(w, r, g, http.StatusOK, "till.token.new", "/settings/"+r.PathValue("register"), tokenForm(r, g))
	}
}

// token takes a new one for a register that has one.
//
// Source: requirements E-154 to E-157.
func (h *Handler) token(w http.ResponseWriter, r *http.Request, g *guest) {
	at, ok := h.maySet(w, r, g)
	if !ok {
		return
	}
	token, err := strconv.ParseUint(strings.TrimSpace(r.PostFormValue("token")), 10, 32)
	if err != nil {
		err = &fiscal.Error{Reason: fiscal.BadValue, Field: "token"}
	} else {
		err = h.till.Connect(r.Context(), g.Seat, at.ID, uint32(token))
	}
	if err != nil {
		h.again(w, r, g, "till.token.new", "/settings/"+r.PathValue("register"), tokenForm(r, g), err)
		return
	}
	h.workAt(w, r, at.ID)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
