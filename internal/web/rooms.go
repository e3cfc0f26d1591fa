package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
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
	DemoSign func(content []byte, person string, of fiscal.XIN) ([]byte, error)
	// NCALayer is where people's own programs for signing answer; "" is where they
	// do everywhere.
	NCALayer string
	// Documents is what the registers did; its Sheet is ours.
	Documents room.Documents
	// Desk is what the operator's staff works at; nil: they have no room.
	Desk room.Desk
	// Archive is where inspectors find clients; nil: they have no room.
	Archive room.Archive
	// Evenings are what became of days that are over; nil: nobody looks at them.
	Evenings room.Evenings
	// Forwarding is how documents go to authorities; nil: nobody looks at it.
	Forwarding room.Forwarding
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
func rooms(cfg Config, front *pages.Handler, operator fiscal.Operator, log *slog.Logger, now func() time.Time) (http.Handler, *room.Handler, error) {
	cfg.Rooms.Documents.Sheet, cfg.Rooms.Documents.Print = front.Sheet, front.Print
	if cfg.Rooms.Documents.Now == nil {
		cfg.Rooms.Documents.Now = now
	}
	h, err := room.New(room.Config{
		Documents: cfg.Rooms.Documents,
		Office:    cfg.Rooms.Office, DemoSign: cfg.Rooms.DemoSign, NCALayer: cfg.Rooms.NCALayer,
		Desk: cfg.Rooms.Desk, Archive: cfg.Rooms.Archive, Evenings: cfg.Rooms.Evenings, Forwarding: cfg.Rooms.Forwarding,
		Address: func(r *http.Request) string { return clientOf(r.Context()).String() },
		Secure:  cfg.Rooms.Secure, NoMail: cfg.Rooms.NoMail, Letters: cfg.Rooms.Letters,
	}, cfg.Rooms.Access, cfg.Rooms.Known, cfg.Rooms.Zone, operator, log)
	if err != nil {
		return nil, nil, err
	}
	tries := cfg
	tries.ChecksPerSecond, tries.ChecksAtOnce = triesPerSecond, triesAtOnce
	limits, knocking := newLimits(tries, now), &knocks{under: map[netip.Addr]int{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && room.Door(r.URL.Path) {
			at := doorKey(clientOf(r.Context()))
			if wait := limits.take(at); wait > 0 {
				h.Refuse(w, r, &fiscal.Error{Reason: fiscal.RateLimited, Err: &ui.RetryError{After: wait}})
				return
			}
			if !knocking.enter(at) {
				h.Refuse(w, r, &fiscal.Error{Reason: fiscal.RateLimited, Err: &ui.RetryError{After: time.Second}})
				return
			}
			defer knocking.leave(at)
		}
		h.ServeHTTP(w, r)
	}), h, nil
}

// knocksAtOnce is how many tries of one address are under way at a time: who
// waits for a hash waits behind that many of each other address, not behind
// all that one of them sends.
const knocksAtOnce = 4

// knocks counts what is under way at the doors. Safe for concurrent use.
type knocks struct {
	mu    sync.Mutex
	under map[netip.Addr]int // guarded by mu; no longer than the requests under way
}

func (k *knocks) enter(a netip.Addr) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.under[a] >= knocksAtOnce {
		return false
	}
	k.under[a]++
	return true
}

func (k *knocks) leave(a netip.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.under[a]--; k.under[a] == 0 {
		delete(k.under, a)
	}
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
