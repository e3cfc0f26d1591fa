package till

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/till"
	"openofd/internal/web/ui"
)

func (h *Handler) signInRoutes() {
	h.open(anybody, "GET /welcome", h.welcome)
	h.open(anybody, "GET /signin", h.signInPage)
	h.open(anybody, "POST /signin", h.sendCode)
	h.open(anybody, "GET /signin/code", h.codePage)
	h.open(anybody, "POST /signin/code", h.signIn)
	h.open(signedIn, "GET /details", h.detailsPage)
	h.open(signedIn, "POST /details", h.details)
	h.open(signedIn, "GET /pin", h.pinPage)
	h.open(signedIn, "POST /pin", h.pin)
	h.open(signedIn, "GET /lock", h.lockPage)
	h.open(signedIn, "POST /lock", h.unlock)
	h.open(signedIn, "POST /signout", h.signOut)
	h.open(unlocked, "POST /leave", h.lock)
}

// formPage is a page that is one form.
type formPage struct {
	*form
	Action, Submit string
	Intro          string // words above the form
	Also           []also // links below
}

type also struct{ URL, Key string }

func (h *Handler) ask(w http.ResponseWriter, r *http.Request, g *guest, status int, title, back string, p formPage) {
	h.show(w, r, g, status, "form.html", page{Page: ui.Page{Title: g.locale.T(title)}, Back: back}, p)
}

// again shows a form with what is wrong, or the error as a page.
func (h *Handler) again(w http.ResponseWriter, r *http.Request, g *guest, title, back string, p formPage, err error) {
	status := h.blame(p.form, g.locale, err)
	if status == 0 {
		h.fail(w, r, g, err)
		return
	}
	h.ask(w, r, g, status, title, back, p)
}

// welcome is the first page of a device: the language is chosen first.
//
// Source: requirements E-024, E-025.
func (h *Handler) welcome(w http.ResponseWriter, r *http.Request, g *guest) {
	if g.Seat != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	var ways []also
	for _, lang := range ui.Languages() {
		ways = append(ways, also{"/signin?lang=" + lang, h.render.Locales[lang].T("lang.name")})
	}
	h.show(w, r, g, http.StatusOK, "welcome.html", page{Page: ui.Page{Title: g.locale.T("till.welcome")}}, ways)
}

func emailForm(r *http.Request) *form {
	return filled(r, ui.Field{Name: "email", Key: "till.email", Type: "email", Mode: "email", Auto: "email", Max: 200, Required: true, Hint: "till.email.hint"})
}

func (h *Handler) signInPage(w http.ResponseWriter, r *http.Request, g *guest) {
	p := formPage{form: emailForm(r), Action: "/signin?lang=" + g.locale.Lang, Submit: "till.next", Intro: g.locale.T("till.signin.intro")}
	if at, err := strconv.ParseInt(r.URL.Query().Get("at"), 10, 64); err == nil {
		device := deviceOf(r.URL.Query().Get("elsewhere"))
		p.Intro = g.locale.T("till.elsewhere", "device", device, "when", g.locale.Moment(time.Unix(at, 0), h.cfg.Zone))
	}
	h.ask(w, r, g, http.StatusOK, "till.signin", "/welcome", p)
}

func (h *Handler) sendCode(w http.ResponseWriter, r *http.Request, g *guest) {
	p := formPage{form: emailForm(r), Action: "/signin?lang=" + g.locale.Lang, Submit: "till.next", Intro: g.locale.T("till.signin.intro")}
	email := r.PostFormValue("email")
	if err := h.till.SendCode(r.Context(), email, g.locale.Lang); err != nil {
		h.again(w, r, g, "till.signin", "/welcome", p, err)
		return
	}
	h.ask(w, r, g, http.StatusOK, "till.code", "/signin", codeForm(r, g, email))
}

func codeForm(r *http.Request, g *guest, email string) formPage {
	return formPage{
		form: filled(r,
			ui.Field{Name: "email", Key: "till.email", Type: "hidden", Value: email},
			ui.Field{Name: "code", Key: "till.code", Mode: "numeric", Auto: "one-time-code", Max: 6, Required: true, Hint: "till.code.hint"}),
		Action: "/signin/code?lang=" + g.locale.Lang, Submit: "till.next", Intro: g.locale.T("till.code.intro", "email", email),
		Also: []also{{"/signin?lang=" + g.locale.Lang, "till.code.again"}},
	}
}

func (h *Handler) codePage(w http.ResponseWriter, r *http.Request, _ *guest) {
	http.Redirect(w, r, "/signin", http.StatusSeeOther) // the code belongs to an address that was typed
}

func (h *Handler) signIn(w http.ResponseWriter, r *http.Request, g *guest) {
	email := r.PostFormValue("email")
	secret, fresh, err := h.till.SignIn(r.Context(), email, r.PostFormValue("code"), deviceOf(r.UserAgent()), g.locale.Lang)
	if err != nil {
		h.again(w, r, g, "till.code", "/signin", codeForm(r, g, email), err)
		return
	}
	h.remember(w, r, secret)
	to := "/pin"
	if fresh {
		to = "/details"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func detailsForm(r *http.Request, g *guest) formPage {
	return formPage{form: filled(r,
		ui.Field{Name: "name", Key: "till.name", Value: g.Account.Name, Auto: "name", Max: 100, Required: true},
		ui.Field{Name: "phone", Key: "till.phone", Value: g.Account.Phone, Type: "tel", Mode: "tel", Auto: "tel", Max: 20}),
		Action: "/details", Submit: "till.next", Intro: g.locale.T("till.details.intro")}
}

func (h *Handler) detailsPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.ask(w, r, g, http.StatusOK, "till.details", "", detailsForm(r, g))
}

func (h *Handler) details(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.SetDetails(g.Seat, r.PostFormValue("name"), r.PostFormValue("phone"), g.locale.Lang); err != nil {
		h.again(w, r, g, "till.details", "", detailsForm(r, g), err)
		return
	}
	to := "/account"
	if g.Cashier.Code == 0 {
		to = "/pin"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (h *Handler) pinForm(r *http.Request, g *guest) formPage {
	field := func(name, key string) ui.Field {
		return ui.Field{Name: name, Key: key, Type: "password", Mode: "numeric", Auto: "off", Max: 8, Required: true}
	}
	fields := []ui.Field{field("pin", "till.pin"), field("again", "till.pin.again")}
	if all, err := h.till.Cashiers(r.Context(), g.Seat); err == nil && len(all) > 0 && h.till.NeedsOldPIN(g.Seat) {
		fields = slices.Insert(fields, 0, field("old", "till.pin.old"))
	}
	return formPage{form: filled(r, fields...), Action: "/pin", Submit: "till.save", Intro: g.locale.T("till.pin.intro")}
}

func (h *Handler) pinPage(w http.ResponseWriter, r *http.Request, g *guest) {
	h.ask(w, r, g, http.StatusOK, "till.pin", "", h.pinForm(r, g))
}

func (h *Handler) pin(w http.ResponseWriter, r *http.Request, g *guest) {
	err := h.till.SetPIN(r.Context(), g.Seat, r.PostFormValue("old"), r.PostFormValue("pin"), r.PostFormValue("again"))
	if err != nil {
		h.again(w, r, g, "till.pin", "", h.pinForm(r, g), err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// lockForm asks who is at the register. Somebody without a code makes one.
func (h *Handler) lockForm(w http.ResponseWriter, r *http.Request, g *guest) (formPage, bool) {
	all, err := h.till.Cashiers(r.Context(), g.Seat)
	if err != nil {
		h.fail(w, r, g, err)
		return formPage{}, false
	}
	if len(all) == 0 {
		http.Redirect(w, r, "/pin", http.StatusSeeOther)
		return formPage{}, false
	}
	who := ui.Field{Name: "cashier", Key: "till.cashier", Value: strconv.Itoa(int(till.Owner))}
	for _, c := range all {
		if !c.Disabled {
			who.Choices = append(who.Choices, ui.FieldChoice{Value: strconv.Itoa(int(c.Code)), Text: c.Name})
		}
	}
	if len(who.Choices) == 1 {
		who.Type = "hidden"
	}
	return formPage{
		form:   filled(r, who, ui.Field{Name: "pin", Key: "till.pin", Type: "password", Mode: "numeric", Auto: "off", Max: 8, Required: true}),
		Action: "/lock", Submit: "till.unlock", Also: []also{{"/signin", "till.pin.forgot"}},
	}, true
}

func (h *Handler) lockPage(w http.ResponseWriter, r *http.Request, g *guest) {
	if p, ok := h.lockForm(w, r, g); ok {
		h.ask(w, r, g, http.StatusOK, "till.lock", "", p)
	}
}

func (h *Handler) unlock(w http.ResponseWriter, r *http.Request, g *guest) {
	code, _ := strconv.ParseUint(r.PostFormValue("cashier"), 10, 32)
	if err := h.till.Unlock(r.Context(), g.Seat, uint32(code), r.PostFormValue("pin")); err != nil {
		if p, ok := h.lockForm(w, r, g); ok {
			h.again(w, r, g, "till.lock", "", p, err)
		}
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (h *Handler) lock(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.Lock(g.Seat); err != nil {
		h.fail(w, r, g, err)
		return
	}
	http.Redirect(w, r, "/lock", http.StatusSeeOther)
}

func (h *Handler) signOut(w http.ResponseWriter, r *http.Request, g *guest) {
	if err := h.till.SignOut(g.Seat); err != nil {
		h.fail(w, r, g, err)
		return
	}
	h.remember(w, r, "")
	http.Redirect(w, r, "/welcome", http.StatusSeeOther)
}

// deviceOf names a device by what its browser says of itself.
func deviceOf(agent string) string {
	for _, known := range []string{"iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux"} {
		if strings.Contains(agent, known) {
			return known
		}
	}
	return ""
}
