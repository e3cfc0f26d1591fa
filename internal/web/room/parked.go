package room

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// Forwarding is how documents go to authorities, as the operator's staff sees
// it.
type Forwarding interface {
	// Standings are those of all authorities that anything goes to.
	Standings(ctx context.Context) ([]ForwardingStanding, error)
	// Parked are documents that were put aside for an authority and wait, oldest
	// first, behind an ID.
	Parked(ctx context.Context, authority string, after int64, limit int) ([]delivery.Parked, error)
	// Again sends one once more and tells what became of it. Conflict for one that
	// was forwarded before; Unavailable where the way is not known, or closed.
	Again(ctx context.Context, id int64) (delivery.Parked, error)
}

// ForwardingStanding is how forwarding to an authority stands.
type ForwardingStanding struct {
	Authority string
	Behind    uint64    // entries that were not looked at yet
	Oldest    time.Time // when the first of them came; zero: there is none
	Waiting   int64     // documents that were put aside
	Stuck     string    // why it does not go on; "" it does
}

func (h *Handler) parkedRoutes() {
	if h.cfg.Forwarding == nil {
		return
	}
	h.inside("GET /staff/parked", h.parked)
	h.inside("POST /staff/parked/again", h.parkedAgain)
}

// parkedSections are those of the operator's people.
func (h *Handler) parkedSections(a *visitor) []ui.Section {
	if h.cfg.Forwarding == nil || a.MustStaff() != nil {
		return nil
	}
	return []ui.Section{{Key: "room.parked", Icon: "history", URL: "/staff/parked", Rest: true}}
}

// parkedShown is how many documents one page lists.
const parkedShown = 50

// parkedPage is how forwarding stands, and what was put aside.
type parkedPage struct {
	Standings []standingRow
	Documents []parkedRow
	Refusal   string
	Authority string // whose documents are listed
	Newer     bool
	Older     int64 // where the next page begins, 0 the end
}

type standingRow struct {
	ForwardingStanding
	Since   string
	Trouble string // why it does not go on, in words; "" there are none
}

type parkedRow struct {
	delivery.Parked
	When, TriedWhen string
}

// reasonKeys are those of the words for why a document was put aside.
var reasonKeys = map[delivery.Reason]string{
	delivery.Unreadable: "parked.reason.unreadable", delivery.NoKey: "parked.reason.no_key",
	delivery.Damaged: "parked.reason.damaged", delivery.Refused: "parked.reason.refused",
}

// ReasonKey is that of the words for its reason.
func (r parkedRow) ReasonKey() string { return reasonKeys[r.Reason] }

// AuthorityKey is that of an authority's name.
func (parkedPage) AuthorityKey(name string) string {
	if name == "fns" {
		return "parked.authority.fns"
	}
	return "parked.authority.kgd"
}

func (h *Handler) parked(w http.ResponseWriter, r *http.Request, a *visitor) {
	q := r.URL.Query()
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64) // or from the oldest on
	h.showParked(w, r, a, http.StatusOK, q.Get("authority"), max(after, 0), "")
}

func (h *Handler) showParked(w http.ResponseWriter, r *http.Request, a *visitor, status int, authority string, after int64, refusal string) {
	err := a.MustStaff()
	var standings []ForwardingStanding
	if err == nil {
		standings, err = h.cfg.Forwarding.Standings(r.Context())
	}
	p := parkedPage{Refusal: refusal, Authority: authority, Newer: after > 0}
	for _, s := range standings {
		row := standingRow{ForwardingStanding: s, Trouble: troubled(a.locale, s.Stuck)}
		if !s.Oldest.IsZero() {
			row.Since = a.when(s.Oldest)
		}
		p.Standings = append(p.Standings, row)
		if p.Authority == "" && s.Waiting > 0 { // the first that has any
			p.Authority = s.Authority
		}
	}
	var all []delivery.Parked
	if err == nil && p.Authority != "" {
		all, err = h.cfg.Forwarding.Parked(r.Context(), p.Authority, after, parkedShown+1)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	if len(all) > parkedShown {
		all = all[:parkedShown]
		p.Older = all[len(all)-1].ID
	}
	for _, d := range all {
		row := parkedRow{Parked: d, When: a.when(d.At)}
		if d.Tries > 0 {
			row.TriedWhen = a.when(d.TriedAt)
		}
		p.Documents = append(p.Documents, row)
	}
	h.page(w, r, a, status, "parked.html", "/staff/parked", "room.parked", p)
}

// parkedAgain sends a document once more after it is recorded who wanted it.
func (h *Handler) parkedAgain(w http.ResponseWriter, r *http.Request, a *visitor) {
	authority := r.PostFormValue("authority")
	id, bad := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	err := a.MustStaff()
	if err == nil && bad != nil {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "id"}
	}
	if err == nil {
		err = h.access.Touched(r.Context(), a.Actor, 0, access.ActSentAgain, strconv.FormatInt(id, 10), "")
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p, err := h.cfg.Forwarding.Again(r.Context(), id)
	switch {
	case errors.Is(err, fiscal.Unavailable):
		h.showParked(w, r, a, http.StatusServiceUnavailable, authority, 0, a.locale.T("parked.unavailable"))
	case errors.Is(err, fiscal.Conflict):
		done(w, r, "/staff/parked", "sentagain") // somebody was faster
	case err != nil:
		h.render.Error(w, r, err)
	case p.Settled.IsZero():
		h.showParked(w, r, a, http.StatusConflict, authority, 0, a.locale.T("parked.still", "document", p.Document, "detail", p.Detail))
	default:
		done(w, r, "/staff/parked", "sentagain")
	}
}
