package room

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// nCALayer is where the program answers that signs for people of Kazakhstan, on
// their own computers. Source: its documentation at pki.gov.kz.
const nCALayer = "wss://127.0.0.1:13579"

// cryptoPro are the origins of the extensions that sign with the keys of
// CryptoPro, in Chromium's browsers and in Opera. Source: CryptoPro,
// cadesplugin_api.js.
const cryptoPro = "chrome-extension://iifchhfnnmpdbibifmljnfjhpififfog chrome-extension://epebfcehmdedogndhlcacafjaacknbcm"

// signing is where a page takes a signature: the text that is signed, and the
// form that takes what came of it.
type signing struct {
	Title, Submit string // keys
	Content       string // the address of the exact bytes
	Action        string
	Hidden        []ui.Row
	Disabled      bool
	NCALayer      string // "" not for this text
	CryptoPro     string
}

// Words are the keys of what the page may have to say.
func (signing) Words() []string {
	return []string{"nofile", "notkey", "insecure", "password", "gost", "ncalayer", "cryptopro", "late", "canceled", "nocertificate", "failed"}
}

// signing offers the ways of a country; of both if it is not known yet.
func (h *Handler) signing(c fiscal.Country, s signing) signing {
	if c != fiscal.Russia {
		if s.NCALayer = h.cfg.NCALayer; s.NCALayer == "" {
			s.NCALayer = nCALayer
		}
	}
	if c != fiscal.Kazakhstan {
		s.CryptoPro = cryptoPro
	}
	return s
}

// signingPage answers with a page that takes a signature, and lets it speak to
// what signs on the reader's computer.
func (h *Handler) signingPage(w http.ResponseWriter, r *http.Request, a *visitor, status int, name, at, title string, s *signing, data any) {
	f := h.frame(r, a, at)
	f.Connect, f.Scripts = s.NCALayer, s.CryptoPro
	h.render.Room(w, r, status, name, a.locale.T(title), f, data)
}

// signatureOf is the signature that a form brings: a file, or what a page made.
// nil is none.
func signatureOf(r *http.Request) ([]byte, error) {
	if made := strings.TrimSpace(r.PostFormValue("file")); made != "" {
		content, err := base64.StdEncoding.DecodeString(made)
		if err != nil {
			return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "signature"}
		}
		return content, nil
	}
	if r.MultipartForm == nil || len(r.MultipartForm.File["signature"]) == 0 {
		return nil, nil
	}
	file, err := r.MultipartForm.File["signature"][0].Open()
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "signature", Err: err}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxUpload))
	if err != nil {
		return nil, &fiscal.Error{Reason: fiscal.BadForm, Field: "signature", Err: err}
	}
	return content, nil
}
