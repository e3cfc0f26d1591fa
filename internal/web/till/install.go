package till

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"openofd/internal/web/ui"
)

// installRoutes are what makes the till an application of a phone: its name and
// pictures, and a part of it that is there without a network.
//
// Source: requirements E-016, E-017, E-023.
func (h *Handler) installRoutes() {
	h.open(anybody, "GET /manifest.webmanifest", h.manifest)
	h.open(anybody, "GET /offline", h.offline)
	h.mux.HandleFunc("GET /sw.js", h.worker())
}

func (h *Handler) manifest(w http.ResponseWriter, r *http.Request, g *guest) {
	type picture struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose,omitempty"`
	}
	l := g.locale
	if asked, ok := h.render.Locales[r.URL.Query().Get("lang")]; ok {
		l = asked // it is fetched without cookies
	}
	png := func(name, sizes, purpose string) picture {
		return picture{h.render.Assets.Path("till/" + name), sizes, "image/png", purpose}
	}
	w.Header().Set("Content-Type", "application/manifest+json")
	w.Header().Set("Cache-Control", "max-age=3600") // each page names it, and browsers ask for it each time
	_ = json.NewEncoder(w).Encode(map[string]any{   // the client is gone: nothing to tell it
		"id": "/", "start_url": "/", "scope": "/", "display": "standalone", "orientation": "any",
		"lang": l.Lang, "name": l.T("till.title") + " · " + h.render.OperatorName(l), "short_name": l.T("till.title"),
		"description": l.T("till.description"), "theme_color": "#0b61b8", "background_color": "#eef1f5", "categories": []string{"business", "finance"},
		"icons": []picture{png("icon-192.png", "192x192", ""), png("icon-512.png", "512x512", ""), png("icon-full-512.png", "512x512", "maskable")},
	})
}

// worker answers with the script that keeps the till on a device. Whenever an
// asset changes it is another one, so browsers take the new assets.
func (h *Handler) worker() http.HandlerFunc {
	keep := append(h.render.Assets.Below("till", "font"), h.render.Assets.Path("icon.svg"))
	sum := sha256.Sum256([]byte(strings.Join(keep, "\n")))
	list, _ := json.Marshal(keep) // strings alone
	script := fmt.Sprintf("self.VERSION = %q;\nself.KEEP = %s;\nimportScripts(%q);\n", hex.EncodeToString(sum[:8]), list, h.render.Assets.Path("till/sw.js"))
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write([]byte(script)) // the client is gone: nothing to tell it
	}
}

// offline is the page of a device that has no network.
func (h *Handler) offline(w http.ResponseWriter, r *http.Request, g *guest) {
	h.show(w, r, &guest{locale: g.locale}, http.StatusOK, "offline.html", page{Page: ui.Page{Title: g.locale.T("till.offline")}}, nil)
}
