package room

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// refusedShown is how many refused summaries one page lists.
const refusedShown = 50

// summariesPage is the summaries that the authority refused.
type summariesPage struct {
	Rows    []refusedRow
	Refusal string
	Newest  bool
	Older   string // the address of the next page, "" the end
}

type refusedRow struct {
	delivery.SentSummary
	Date, When string
	Text       string // the day as forms send it
}

func (h *Handler) refusedSummaries(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.showRefused(w, r, a, http.StatusOK, "")
}

func (h *Handler) showRefused(w http.ResponseWriter, r *http.Request, a *visitor, status int, refusal string) {
	q := r.URL.Query()
	var before fiscal.DayOf
	if day, err := time.Parse(time.DateOnly, q.Get("before")); err == nil {
		before.Day = fiscal.WallTime(day.Unix())
		before.Register, _ = number[fiscal.RegisterID](q.Get("register")) // 0: the day before
	}
	err := a.MustStaff()
	var all []delivery.SentSummary
	if err == nil {
		all, err = h.cfg.Evenings.RefusedSummaries(r.Context(), before, refusedShown+1)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := summariesPage{Refusal: refusal, Newest: before.Day == 0}
	if len(all) > refusedShown {
		all = all[:refusedShown]
		last := &all[refusedShown-1]
		p.Older = fmt.Sprintf("/staff/days/summaries?before=%s&register=%d", last.Day.UTC().Format(time.DateOnly), last.Register)
	}
	for _, s := range all {
		p.Rows = append(p.Rows, refusedRow{s, dayOf(s.Day), a.when(s.At), s.Day.UTC().Format(time.DateOnly)})
	}
	h.page(w, r, a, status, "summaries.html", "/staff/days", "days.refused", p)
}

// summaryAgain hands a summary over once more after it is recorded who wanted
// it.
func (h *Handler) summaryAgain(w http.ResponseWriter, r *http.Request, a *visitor) {
	err := a.MustStaff()
	register, ok := number[fiscal.RegisterID](r.PostFormValue("register"))
	day, bad := time.Parse(time.DateOnly, r.PostFormValue("day"))
	if err == nil && (!ok || bad != nil) {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "summary"}
	}
	if err == nil {
		err = h.access.Touched(r.Context(), a.Actor, 0, access.ActSummaryAgain, fmt.Sprintf("%d/%s", register, r.PostFormValue("day")), "")
	}
	var sent delivery.SentSummary
	if err == nil {
		sent, err = h.cfg.Evenings.SummaryAgain(r.Context(), fiscal.DayOf{Register: register, Day: fiscal.WallTime(day.Unix())})
	}
	switch {
	case errors.Is(err, fiscal.Unavailable):
		h.showRefused(w, r, a, http.StatusServiceUnavailable, a.locale.T("days.refused.unavailable"))
	case err != nil:
		h.render.Error(w, r, err)
	case sent.Refused != "":
		h.showRefused(w, r, a, http.StatusConflict, a.locale.T("days.refused.still", "register", int(register), "day", dayOf(sent.Day), "why", sent.Refused))
	default:
		done(w, r, "/staff/days/summaries", "summary_again")
	}
}
