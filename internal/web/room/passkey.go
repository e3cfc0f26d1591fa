package room

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// passkeyRoutes are those of keys that devices of people keep. A browser asks
// for what its device needs, and sends the answer in a form like any other.
func (h *Handler) passkeyRoutes() {
	h.mux.HandleFunc("GET /signin/passkey", h.askPasskey)
	h.mux.HandleFunc("POST /signin/passkey", h.signInByPasskey)
	h.inside("GET /me/passkeys/new", h.offerPasskey)
	h.inside("POST /me/passkeys", h.addPasskey)
	h.inside("POST /me/passkeys/name", h.namePasskey)
	h.inside("POST /me/passkeys/remove", h.removePasskey)
}

// forDevice answers with what a script hands to the device.
func (h *Handler) forDevice(w http.ResponseWriter, r *http.Request, v any, err error) {
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}

func (h *Handler) askPasskey(w http.ResponseWriter, r *http.Request) {
	ask, err := h.access.AskPasskey()
	h.forDevice(w, r, ask, err)
}

func (h *Handler) signInByPasskey(w http.ResponseWriter, r *http.Request) {
	to := r.PostFormValue("to")
	token, err := h.access.SignInByPasskey(r.Context(), []byte(r.PostFormValue("answer")), h.visit(r))
	if err != nil {
		h.again(w, r, h.signInForm(r, "", to), err)
		return
	}
	h.entered(w, r, token, false, to)
}

func (h *Handler) offerPasskey(w http.ResponseWriter, r *http.Request, a *visitor) {
	offer, err := h.access.OfferPasskey(a.Actor)
	h.forDevice(w, r, offer, err)
}

// passkeyRow is a passkey as its person sees it.
type passkeyRow struct {
	access.Passkey
	ID          string
	Added, Used string
}

func (a *visitor) passkeys() (all []passkeyRow) {
	for _, k := range a.User.Passkeys {
		row := passkeyRow{Passkey: k, ID: base64.RawURLEncoding.EncodeToString(k.ID), Added: a.when(k.Added)}
		if !k.Used.IsZero() {
			row.Used = a.when(k.Used)
		}
		all = append(all, row)
	}
	return all
}

func passkeyForm(name string) form {
	f := stopForm()
	f.Fields["name"] = ui.Field{Name: "name", Key: "field.passkey.name", Value: name, Max: 100, Required: true, Hint: "field.passkey.name.hint"}
	return f
}

func (h *Handler) addPasskey(w http.ResponseWriter, r *http.Request, a *visitor) {
	err := h.access.AddPasskey(r.Context(), a.Actor, r.PostFormValue("password"), r.PostFormValue("name"), []byte(r.PostFormValue("answer")))
	h.changedHere(w, r, a, err, "passkey_added", func(p *mePage) *form { return &p.Passkey })
}

// passkeyOf is the one that a form is about.
func passkeyOf(r *http.Request) ([]byte, error) {
	id, err := base64.RawURLEncoding.DecodeString(r.PostFormValue("id"))
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.NothingThere, Field: "passkey"}
	}
	return id, nil
}

func (h *Handler) namePasskey(w http.ResponseWriter, r *http.Request, a *visitor) {
	id, err := passkeyOf(r)
	if err == nil {
		err = h.access.NamePasskey(r.Context(), a.Actor, id, r.PostFormValue("name"))
	}
	h.passkeyChanged(w, r, a, err, "passkey_named")
}

func (h *Handler) removePasskey(w http.ResponseWriter, r *http.Request, a *visitor) {
	id, err := passkeyOf(r)
	if err == nil {
		err = h.access.RemovePasskey(r.Context(), a.Actor, r.PostFormValue("password"), id)
	}
	h.passkeyChanged(w, r, a, err, "passkey_removed")
}

// passkeyChanged ends a change of a passkey that is there; what was wrong stands
// above all of them.
func (h *Handler) passkeyChanged(w http.ResponseWriter, r *http.Request, a *visitor, err error, what string) {
	h.changedHere(w, r, a, err, what, func(p *mePage) *form {
		p.Passkeys.Fields = nil
		return &p.Passkeys.form
	})
}
