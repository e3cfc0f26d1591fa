package room

import (
	"encoding/json"
	"net/http"
	"time"

	"openofd/internal/fiscal"
)

// reportPage is one day's report.
type reportPage struct {
	reportRow
	Times []outageRow
}

type outageRow struct{ From, Until string }

func (h *Handler) dayReport(w http.ResponseWriter, r *http.Request, a *visitor) {
	err := a.MustStaff()
	var all []DayReport
	if err == nil {
		var day time.Time
		if day, err = time.Parse(time.DateOnly, r.URL.Query().Get("day")); err != nil {
			err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "day"}
		} else {
			all, err = h.cfg.Evenings.Reports(r.Context(), fiscal.WallTime(day.Unix())+1, reportsShown)
		}
		for i := range all {
			if all[i].Day == fiscal.WallTime(day.Unix()) && all[i].Authority == r.URL.Query().Get("authority") {
				p := reportPage{reportRow: a.reportRow(all[i])}
				for _, o := range all[i].Outages {
					p.Times = append(p.Times, outageRow{a.when(o.From), a.when(o.Until)})
				}
				h.page(w, r, a, http.StatusOK, "dayreport.html", "/staff/days", "days.report", p)
				return
			}
		}
	}
	if err == nil {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "day"}
	}
	h.render.Error(w, r, err)
}

// reportColumns are those of the files, in their order.
var reportColumns = []struct {
	key   string
	value func(*DayReport) any
}{
	{"days.day", func(r *DayReport) any { return r.Day.UTC().Format(time.DateOnly) }},
	{"days.authority", func(r *DayReport) any { return r.Authority }},
	{"days.documents", func(r *DayReport) any { return r.Documents }},
	{"days.batches", func(r *DayReport) any { return int64(r.Batches) }},
	{"days.parked", func(r *DayReport) any { return int64(r.Parked) }},
	{"days.waiting", func(r *DayReport) any { return r.Waiting }},
	{"days.behind", func(r *DayReport) any { return r.Behind }},
	{"days.p50", func(r *DayReport) any { return r.P50 }},
	{"days.p90", func(r *DayReport) any { return r.P90 }},
	{"days.p99", func(r *DayReport) any { return r.P99 }},
	{"days.max", func(r *DayReport) any { return r.Max }},
	{"days.outages", func(r *DayReport) any { return int64(len(r.Outages)) }},
	{"days.active", func(r *DayReport) any { return int64(r.Active) }},
	{"days.silent", func(r *DayReport) any { return int64(r.Silent) }},
	{"days.never", func(r *DayReport) any { return int64(r.Never) }},
	{"days.blocked", func(r *DayReport) any { return int64(r.Blocked) }},
	{"days.closed", func(r *DayReport) any { return int64(r.Closed) }},
	{"days.differences", func(r *DayReport) any { return int64(r.Differences) }},
	{"days.open", func(r *DayReport) any { return int64(r.Open) }},
}

// reportPages reads all reports, newest first, and gives each to do.
func (h *Handler) reportPages(r *http.Request, do func(*DayReport) error) error {
	const page = 100
	for before := fiscal.WallTime(0); ; {
		all, err := h.cfg.Evenings.Reports(r.Context(), before, page)
		if err != nil || len(all) == 0 {
			return err
		}
		for i := range all {
			if err := do(&all[i]); err != nil {
				return err
			}
		}
		before = all[len(all)-1].Day
	}
}

// exportReports gives all reports as a list.
func (h *Handler) exportReports(w http.ResponseWriter, r *http.Request, a *visitor, open func(http.ResponseWriter, string) (book, error)) {
	if err := a.MustStaff(); err != nil {
		h.render.Error(w, r, err)
		return
	}
	out, err := open(w, "reports")
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	line := make([]any, len(reportColumns))
	for i, c := range reportColumns {
		line[i] = a.locale.T(c.key)
	}
	err = out.add(line)
	if err == nil {
		err = h.reportPages(r, func(rep *DayReport) error {
			cells := make([]any, len(reportColumns))
			for i, c := range reportColumns {
				cells[i] = c.value(rep)
			}
			return out.add(cells)
		})
	}
	if err == nil {
		err = out.end()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // a list that is cut must not look whole
	}
}

// reportsJSON gives all reports as they were made and handed over.
func (h *Handler) reportsJSON(w http.ResponseWriter, r *http.Request, a *visitor) {
	if err := a.MustStaff(); err != nil {
		h.render.Error(w, r, err)
		return
	}
	all := []json.RawMessage{}
	if err := h.reportPages(r, func(rep *DayReport) error { all = append(all, rep.Content); return nil }); err != nil {
		h.render.Error(w, r, err)
		return
	}
	attach(w, "application/json", "reports.json")
	_ = json.NewEncoder(w).Encode(all) // or the client is gone
}
