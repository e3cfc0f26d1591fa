package room

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// keyPaths are the beginnings of the addresses of keys.
var keyPaths = []string{"/keys"}

// keyRoutes are the keys by which programs act for a person.
func (h *Handler) keyRoutes() {
	h.inside("GET /keys", h.keys)
	h.inside("POST /keys", h.makeKey)
	h.inside("POST /keys/end", h.endKey)
}

// keysPage are the keys of an organization, and the form of a new one.
type keysPage struct {
	inputs
	Keys    []keyRow
	Ended   []keyRow
	Rights  []checked // that the actor may give
	Outlets []checked
	Scopes  string // what is wrong with what was chosen
	Token   string // of a key just made, shown this once
	Made    string // its name
}

type keyRow struct {
	access.KeyOf
	Rights []string // keys of words
	Lost   bool     // its maker may no longer do all of it
	Used   string
	Until  string
	Places []string
}

// checked is a box to tick.
type checked struct {
	Value, Text string
	On          bool
}

// keyLives are for how many days a key may be made.
var keyLives = []int{30, 90, 365, 730}

// maxBoxes is how many outlets a form offers to tick.
const maxBoxes = 200

func (h *Handler) keys(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.keysPage(w, r, a, http.StatusOK, keysPage{inputs: keyInputs(a, "", 365)})
}

func keyInputs(a *visitor, name string, days int) inputs {
	life := ui.Field{Name: "days", Key: "keys.life", Value: strconv.Itoa(days)}
	for _, d := range keyLives {
		life.Choices = append(life.Choices, ui.FieldChoice{Value: strconv.Itoa(d), Text: a.locale.T("keys.days", "n", d)})
	}
	return inputsOf(ui.Field{Name: "key_name", Key: "keys.name", Value: name, Max: 64, Required: true, Hint: "keys.name.hint"}, life)
}

func (h *Handler) keysPage(w http.ResponseWriter, r *http.Request, a *visitor, status int, p keysPage) {
	all, err := h.access.APIKeys(r.Context(), a.Actor)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	var outlets []registry.Outlet
	if h.cfg.Office != nil {
		if outlets, err = h.cfg.Office.Outlets(r.Context(), a.Actor); err != nil {
			h.render.Error(w, r, err)
			return
		}
	}
	now := time.Now()
	for _, k := range all {
		row := keyRow{KeyOf: k, Until: a.when(k.Ends), Lost: k.Now != k.Scopes}
		if !k.APIKey.Used.IsZero() {
			row.Used = a.when(k.APIKey.Used)
		}
		for _, one := range access.Rights() {
			if k.Scopes&one != 0 {
				row.Rights = append(row.Rights, "right."+one.String())
			}
		}
		for _, o := range k.Outlets {
			row.Places = append(row.Places, outletName(a.locale, outlets, o))
		}
		if k.Live(now) {
			p.Keys = append(p.Keys, row)
		} else if len(p.Ended) < 20 {
			p.Ended = append(p.Ended, row)
		}
	}
	for _, one := range access.Rights() {
		// A key looks after no keys, so that right is of no use to it.
		if a.May(one) && one != access.ManageKeys {
			p.Rights = append(p.Rights, checked{one.String(), a.locale.T("right." + one.String()), slices.Contains(r.PostForm["scope"], one.String())})
		}
	}
	if len(outlets) > 1 {
		for _, o := range outlets[:min(len(outlets), maxBoxes)] {
			id := strconv.FormatInt(int64(o.ID), 10)
			p.Outlets = append(p.Outlets, checked{id, outletName(a.locale, outlets, o.ID), slices.Contains(r.PostForm["outlet"], id)})
		}
	}
	h.page(w, r, a, status, "keys.html", "/keys", "room.keys", p)
}

func outletName(l *ui.Locale, all []registry.Outlet, id fiscal.OutletID) string {
	for i := range all {
		if name := all[i].Title.In(l.Lang); all[i].ID == id && name != "" {
			return name
		}
	}
	return "№ " + strconv.FormatInt(int64(id), 10)
}

func (h *Handler) makeKey(w http.ResponseWriter, r *http.Request, a *visitor) {
	days := numberOf(r.PostFormValue("days"))
	p := keysPage{inputs: keyInputs(a, r.PostFormValue("key_name"), int(days))}
	in := access.NewKey{Name: r.PostFormValue("key_name"), Ends: time.Now().Add(time.Duration(min(max(days, 0), 10_000)) * 24 * time.Hour)}
	for _, one := range access.Rights() {
		if slices.Contains(r.PostForm["scope"], one.String()) {
			in.Scopes |= one
		}
	}
	for _, id := range r.PostForm["outlet"] {
		in.Outlets = append(in.Outlets, fiscal.OutletID(numberOf(id)))
	}
	token, k, err := h.access.MakeKey(r.Context(), a.Actor, in)
	if err != nil {
		p.Fields["scopes"] = ui.Field{}
		status, ok := p.wrong(a.locale, err)
		if !ok || !a.May(access.ManageKeys) {
			h.render.Error(w, r, err)
			return
		}
		p.Scopes = p.Fields["scopes"].Wrong
		h.keysPage(w, r, a, status, p)
		return
	}
	// Shown in the answer itself: an address to go to would hold the token.
	r.PostForm = nil
	h.keysPage(w, r, a, http.StatusOK, keysPage{inputs: keyInputs(a, "", 365), Token: token, Made: k.Name})
}

func (h *Handler) endKey(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := h.access.EndKey(r.Context(), a.Actor, access.APIKeyID(numberOf(r.PostFormValue("key")))); err != nil {
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/keys", "key_ended")
}
