package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/pages"
	"openofd/internal/web/room"
	"openofd/internal/web/ui"
)

// Rooms are what people enter who sign in; without Access there are none.
type Rooms struct {
	Access *access.Service
	Known  room.Organizations
	Zone   *time.Location // for who has no organization
	NoMail bool           // letters cannot be sent
	Secure bool           // people reach us over TLS alone
	// Office is where people look after their organization; nil: nowhere.
	Office *registry.Office
	// DemoSign signs for an invented company, in a demo.
	DemoSign func(content []byte, person string) ([]byte, error)
	// Documents is what the registers did; its Sheet is ours.
	Documents room.Documents
	// Letters are those that a sink keeps instead of sending them, for a demo.
	Letters func() []room.Letter
}

// triesPerSecond and triesAtOnce bound what one address may try at the doors of
// the rooms, where each try costs a hash of a password.
const (
	triesPerSecond = 0.2
	triesAtOnce    = 30
)

// rooms serves the rooms, at most so often to one address what changes
// something before anybody is signed in.
func rooms(cfg Config, front *pages.Handler, operator fiscal.Operator, log *slog.Logger, now func() time.Time) (http.Handler, error) {
	cfg.Rooms.Documents.Sheet = front.Sheet
	if cfg.Rooms.Documents.Now == nil {
		cfg.Rooms.Documents.Now = now
	}
	h, err := room.New(room.Config{
		Documents: cfg.Rooms.Documents,
		Office:    cfg.Rooms.Office, DemoSign: cfg.Rooms.DemoSign,
		Address: func(r *http.Request) string { return clientOf(r.Context()).String() },
		Secure:  cfg.Rooms.Secure, NoMail: cfg.Rooms.NoMail, Letters: cfg.Rooms.Letters,
	}, cfg.Rooms.Access, cfg.Rooms.Known, cfg.Rooms.Zone, operator, log)
	if err != nil {
		return nil, err
	}
	tries := cfg
	tries.ChecksPerSecond, tries.ChecksAtOnce = triesPerSecond, triesAtOnce
	limits := newLimits(tries, now)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && room.Door(r.URL.Path) {
			if wait := limits.take(doorKey(clientOf(r.Context()))); wait > 0 {
				h.Refuse(w, r, &fiscal.Error{Reason: fiscal.RateLimited, Err: &ui.RetryError{After: wait}})
				return
			}
		}
		h.ServeHTTP(w, r)
	}), nil
}

// doorKey is an address, of IPv6 the network that one customer has.
func doorKey(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
