package room

import "net/http"

// The cookies: a session, and half of one while the second factor is owed. They
// are for requests of our own pages alone, and no script sees them.
const (
	sessionCookie = "ofd_session"
	halfCookie    = "ofd_half"
)

// remember gives a browser its token. The cookie ends with the session on the
// server; the browser may drop it earlier.
func (h *Handler) remember(w http.ResponseWriter, r *http.Request, name, token string) {
	maxAge := 30 * 24 * 3600
	if name == halfCookie {
		maxAge = 600
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: h.cfg.Secure || r.TLS != nil,
	})
}

func (h *Handler) forget(w http.ResponseWriter) {
	for _, name := range []string{sessionCookie, halfCookie} {
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
}

func tokenOf(r *http.Request) string { return cookie(r, sessionCookie) }

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
