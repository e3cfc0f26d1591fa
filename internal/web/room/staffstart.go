package room

import (
	"net/http"

	"openofd/internal/web/ui"
)

// queue is work that waits for the operator's staff.
type queue struct {
	Key   string // of the words for what waits
	Icon  string
	URL   string
	Count int
	// Late says that some of it waits for longer than it should.
	Late bool
}

// Settled reports whether nothing waits.
func (q queue) Settled() bool { return q.Count == 0 }

// staffStart is where the day of one of the staff begins who has no organization
// of their own: with what waits for them.
func (h *Handler) staffStart(w http.ResponseWriter, r *http.Request, a *visitor) {
	queues, err := h.queues(r)
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	h.page(w, r, a, http.StatusOK, "staffstart.html", "/cabinet", "room.overview", staffStartPage{a.User.Name, h.cfg.Desk != nil, queues})
}

type staffStartPage struct {
	Name   string
	Desk   bool
	Queues []queue
}

// countedDays is in how many of the last comparisons differences are counted.
const countedDays = 100

func (h *Handler) queues(r *http.Request) (all []queue, err error) {
	if h.cfg.Desk != nil {
		open, err := h.cfg.Desk.Applications(r.Context())
		if err != nil {
			return nil, err
		}
		q := queue{Key: "staff.applications", Icon: "file-text", URL: "/staff/applications", Count: len(open)}
		for i := range open {
			q.Late = q.Late || open[i].Overdue(h.now())
		}
		all = append(all, q)
	}
	if h.cfg.Forwarding != nil {
		standings, err := h.cfg.Forwarding.Standings(r.Context())
		if err != nil {
			return nil, err
		}
		q := queue{Key: "staff.queue.parked", Icon: "mail", URL: "/staff/parked"}
		for _, s := range standings {
			q.Count += int(s.Waiting)
		}
		all = append(all, q)
	}
	if h.cfg.Evenings != nil {
		days, err := h.cfg.Evenings.Comparisons(r.Context(), 0, countedDays)
		if err != nil {
			return nil, err
		}
		q := queue{Key: "staff.queue.days", Icon: "calendar-stats", URL: "/staff/days"}
		for i := range days {
			if days[i].Open > 0 {
				q.Count++
			}
		}
		all = append(all, q)
	}
	return all, nil
}

// atTheDesk reports whether somebody is of the operator's staff and in no
// organization.
func (h *Handler) atTheDesk(a *visitor) bool { return a.Taxpayer == 0 && a.MustStaff() == nil }

// deskSections are what waits, in the navigation of the staff.
func (h *Handler) deskSections() []ui.Section {
	return []ui.Section{{Key: "room.staff", Icon: "search", URL: "/staff"}, {Key: "staff.applications", Icon: "file-text", URL: "/staff/applications", Rest: true}}
}
