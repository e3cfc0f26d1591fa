package ui

import (
	"net/http"
	"strings"
)

// policy lets a page use what we serve ourselves and nothing else: no inline
// script, style or handler, no frame, no other host.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// roomPolicy also lets a room's stylesheet hold the small pictures of its
// components, and a page speak to other origins and have scripts from them.
func roomPolicy(connect, scripts string) string {
	p := strings.Replace(policy, "img-src 'self'", "img-src 'self' data:", 1)
	if connect != "" {
		p = strings.Replace(p, "connect-src 'self'", "connect-src 'self' "+connect, 1)
	}
	if scripts != "" {
		p = strings.Replace(p, "script-src 'self'", "script-src 'self' "+scripts, 1)
	}
	return p
}

// Secure adds the headers that every answer of ours has, and refuses requests
// of other sites that would change something.
//
// Addresses of the check hold what proves a purchase, so they go to no other
// site (Referrer-Policy) and answers are kept by no cache unless they say so.
func Secure(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	}))
}
