package till

import (
	"net/http"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) registerRoutes() {
	h.open(unlocked, "GET /registers", h.registers)
	h.open(unlocked, "GET /registers/new", h.newRegisterPage)
	h.open(unlocked, "POST /registers/new", h.newRegister)
	h.open(unlocked, "GET /registers/new/passport.txt", h.passport)
	h.open(unlocked, "GET /registers/connect", h.connectPage)
	h.open(unlocked, "POST /registers/connect", h.connect)
	h.open(unlocked, "POST /registers/{register}/choose", h.choose)
}

// registers lists the account's registers; without one it says how to get one.
func (h *Handler) registers(w http.ResponseWriter, r *http.Request, g *guest) {
	all, err := h.till.Registers(r.Context(), g.Seat)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.show(w, r, g, http.StatusOK, "registers.html", page{Page: ui.Page{Title: g.locale.T("till.registers")}, Back: "/"}, all)
}

func connectForm(r *http.Request, g *guest) formPage {
	return formPage{form: filled(r,
		ui.Field{Name: "id", Key: "till.id", Value: r.URL.Query().Get("id"), Mode: "numeric", Max: 10, Required: true, Hint: "till.id.hint"},
		ui.Field{Name: "token", Key: "till.token", Mode: "numeric", Auto: "off", Max: 10, Required: true, Hint: "till.token.hint"}),
		Action: "/registers/connect", Submit: "till.connect", Intro: g.locale.T("till.connect.intro")}
}

func (h *Handler) connectPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.ask(w, r, g, http.StatusOK, "till.connect", "/registers", connectForm(r, g))
}

// connect takes identifier and token.
//
// Source: requirements E-091 to E-093, E-154 to E-157.
func (h *Handler) connect(w http.ResponseWriter, r *http.Request, g *guest) {
	id, err := strconv.ParseUint(r.PostFormValue("id"), 10, 32)
	if err != nil {
		h.again(w, r, g, "till.connect", "/registers", connectForm(r, g), &fiscal.Error{Reason: fiscal.BadValue, Field: "id"})
		return
	}
	token, err := strconv.ParseUint(r.PostFormValue("token"), 10, 32)
	if err != nil {
		h.again(w, r, g, "till.connect", "/registers", connectForm(r, g), &fiscal.Error{Reason: fiscal.BadValue, Field: "token"})
		return
	}
	if err := h.till.Connect(r.Context(), g.Seat, fiscal.RegisterID(id), uint32(token)); err != nil {
		h.again(w, r, g, "till.connect", "/registers", connectForm(r, g), err)
		return
	}
	h.workAt(w, r, fiscal.RegisterID(id))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// choose has the device work at a register.
func (h *Handler) choose(w http.ResponseWriter, r *http.Request, g *guest) {
	at, err := h.registerOf(r, g)
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.workAt(w, r, at.ID)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (h *Handler) workAt(w http.ResponseWriter, r *http.Request, id fiscal.RegisterID) {
	http.SetCookie(w, &http.Cookie{Name: registerCookie, Value: strconv.FormatInt(int64(id), 10), Path: "/", MaxAge: 180 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.cfg.Secure || r.TLS != nil})
}

// fresh is what a new software register has for a passport.
type fresh struct {
	Serial, Year, Model string
	Text                string // the same to copy and to save
}

func freshOf(r *http.Request, g *guest) fresh {
	q := r.URL.Query()
	f := fresh{Serial: q.Get("serial"), Year: q.Get("year"), Model: till.Model}
	if _, err := strconv.ParseUint(f.Year, 10, 16); err != nil || !till.ValidSerial(f.Serial) {
		return fresh{}
	}
	t := g.locale.T
	f.Text = t("till.model") + ": " + f.Model + "\n" + t("till.serial") + ": " + f.Serial + "\n" + t("till.year") + ": " + f.Year + "\n"
	return f
}

func (h *Handler) newRegisterPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.show(w, r, g, http.StatusOK, "newregister.html", page{Page: ui.Page{Title: g.locale.T("till.register.new")}, Back: "/registers"}, freshOf(r, g))
}

// newRegister makes a serial number, to register it with the operator.
//
// Source: requirements E-066, E-067.
func (h *Handler) newRegister(w http.ResponseWriter, r *http.Request, g *guest) {
	serial, year, err := h.till.NewSerial()
	if err != nil {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/registers/new?serial="+serial+"&year="+strconv.Itoa(year), http.StatusSeeOther)
}

// passport is the data of a new register as a file.
func (h *Handler) passport(w http.ResponseWriter, r *http.Request, g *guest) {
	f := freshOf(r, g)
	if f.Serial == "" {
		h.fail(w, r, g, &fiscal.Error{Reason: fiscal.NothingThere, Field: "register"})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.Serial+`.txt"`)
	_, _ = w.Write([]byte(f.Text)) // the client is gone: nothing to tell it
}
