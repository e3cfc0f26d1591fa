package room

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/web/ui"
)

// Evenings are what became of the days that are over: how they compare with what
// authorities count, and the reports on how data were transmitted.
type Evenings interface {
	// Comparisons lists them, newest first, before an ID; 0 is from the newest on.
	Comparisons(ctx context.Context, before int64, limit int) ([]Comparison, error)
	// Comparison is one with its differences; NotFound.
	Comparison(ctx context.Context, id int64) (Comparison, error)
	// Compare begins to compare a day, and does not wait for its end. Conflict
	// while one is under way; Unavailable where no authority is known.
	Compare(ctx context.Context, day fiscal.WallTime, by string) error
	// Comparing is the day that is being compared; 0 none.
	Comparing() fiscal.WallTime
	// Reports lists them, the newest day first, before a day; 0 is from the newest
	// on.
	Reports(ctx context.Context, before fiscal.WallTime, limit int) ([]DayReport, error)
	// RefusedSummaries lists daily summaries that the authority refused and that
	// stand so, the newest day first, before one; a Day of 0 is from the newest on.
	RefusedSummaries(ctx context.Context, before fiscal.DayOf, limit int) ([]delivery.SentSummary, error)
	// SummaryAgain hands the summary of a register's day over once more. NotFound if
	// none of it was handed over; Unavailable where the authority is not known, or
	// does not answer.
	SummaryAgain(ctx context.Context, of fiscal.DayOf) (delivery.SentSummary, error)
}

// Comparison is one comparison of a day.
type Comparison struct {
	ID                              int64
	Authority                       string
	Day                             fiscal.WallTime
	Began                           time.Time
	By                              string // "" the timetable
	Registers                       int
	Documents                       int64
	Differences, Open, Resent, More int // More are not listed
	Failure                         string
	Found                           []Difference
}

// Difference is a register's day of which the two sides have different words.
type Difference struct {
	Register                   fiscal.RegisterID
	Kind                       string // missing_there, missing_here, count, sum, hash
	OurDocuments, ItsDocuments int64
	OurSum, ItsSum             fiscal.Money // of sales less their returns
	OurLast, ItsLast           fiscal.Number
	Resent                     int
	Settled                    bool
	Detail                     string
}

// DayReport is how data were transmitted on a day.
type DayReport struct {
	Authority                              string
	Day                                    fiscal.WallTime
	Made, Sent                             time.Time // Sent is zero: not yet
	Documents, Waiting, Behind             int64
	Batches, Parked                        int
	P50, P90, P99, Max                     int64 // seconds
	Outages                                []Outage
	Active, Blocked, Silent, Never, Closed int // registers
	Compared                               bool
	Differences, Open                      int
	Content                                json.RawMessage // as it was made
}

// Outage is a time in which documents waited for too long.
type Outage struct{ From, Until time.Time }

func (h *Handler) eveningRoutes() {
	if h.cfg.Evenings == nil {
		return
	}
	h.inside("GET /staff/days", h.days)
	h.inside("POST /staff/days", h.compareDay)
	h.inside("GET /staff/days/summaries", h.refusedSummaries)
	h.inside("POST /staff/days/summaries", h.summaryAgain)
	h.inside("GET /staff/days/comparison", h.comparison)
	h.inside("GET /staff/days/report", h.dayReport)
	h.inside("GET /staff/days/reports.csv", func(w http.ResponseWriter, r *http.Request, a *visitor) { h.exportReports(w, r, a, newCSV) })
	h.inside("GET /staff/days/reports.xlsx", func(w http.ResponseWriter, r *http.Request, a *visitor) { h.exportReports(w, r, a, newWorkbook) })
	h.inside("GET /staff/days/reports.json", h.reportsJSON)
}

// eveningSections are those of the operator's people.
func (h *Handler) eveningSections(a *visitor) []ui.Section {
	if h.cfg.Evenings == nil || a.MustStaff() != nil {
		return nil
	}
	return []ui.Section{{Key: "room.days", Icon: "history", URL: "/staff/days", Rest: true}}
}

// Bounds of what one page shows.
const (
	comparisonsShown = 20
	reportsShown     = 14
)

// daysPage is the state of the days that are over.
type daysPage struct {
	form
	Comparisons []comparisonRow
	Older       int64 // where the next page begins, 0 the end
	Newest      bool
	Reports     []reportRow
	Comparing   string // a day
	Refused     int    // summaries, refusedShown at most
}

type comparisonRow struct {
	Comparison
	Date, When string
}

// StateKey is that of the words for how it ended.
func (c comparisonRow) StateKey() string {
	switch {
	case c.Failure != "":
		return "days.state.failed"
	case c.Open > 0:
		return "days.state.open"
	case c.Differences > 0:
		return "days.state.settled"
	}
	return "days.state.agree"
}

// AuthorityKey is that of an authority's words.
func (c Comparison) AuthorityKey() string { return authorityKey(c.Authority) }

// AuthorityKey is that of an authority's words.
func (r DayReport) AuthorityKey() string { return authorityKey(r.Authority) }

func authorityKey(name string) string {
	if name == "fns" {
		return "days.authority.fns"
	}
	return "days.authority.kgd"
}

// KindKey is that of the words for what differs.
func (d Difference) KindKey() string {
	switch d.Kind {
	case "missing_there":
		return "days.kind.missing_there"
	case "missing_here":
		return "days.kind.missing_here"
	case "sum":
		return "days.kind.sum"
	case "hash":
		return "days.kind.hash"
	}
	return "days.kind.count"
}

type reportRow struct {
	DayReport
	Date, MadeAt, SentAt string
}

// dayOf is a day as all our languages print it.
func dayOf(day fiscal.WallTime) string { return day.UTC().Format("02.01.2006") }

func (a *visitor) comparisonRow(c Comparison) comparisonRow {
	return comparisonRow{c, dayOf(c.Day), a.when(c.Began)}
}

func (a *visitor) reportRow(r DayReport) reportRow {
	row := reportRow{DayReport: r, Date: dayOf(r.Day), MadeAt: a.when(r.Made)}
	if !r.Sent.IsZero() {
		row.SentAt = a.when(r.Sent)
	}
	return row
}

func dayForm(day string) form {
	return form{Fields: map[string]ui.Field{"day": {Name: "day", Key: "days.day", Type: "date", Value: day, Required: true, Hint: "days.day.hint"}}}
}

func (h *Handler) days(w http.ResponseWriter, r *http.Request, a *visitor) {
	h.showDays(w, r, a, http.StatusOK, dayForm(fiscal.WallIn(h.cfg.Documents.Now().AddDate(0, 0, -1), h.zone).UTC().Format(time.DateOnly)))
}

func (h *Handler) showDays(w http.ResponseWriter, r *http.Request, a *visitor, status int, f form) {
	if err := a.MustStaff(); err != nil {
		h.render.Error(w, r, err)
		return
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // or from the newest on
	p := daysPage{form: f, Newest: before == 0}
	all, err := h.cfg.Evenings.Comparisons(r.Context(), max(before, 0), comparisonsShown+1)
	if err == nil && len(all) > comparisonsShown {
		all = all[:comparisonsShown]
		p.Older = all[len(all)-1].ID
	}
	var reports []DayReport
	if err == nil {
		reports, err = h.cfg.Evenings.Reports(r.Context(), 0, reportsShown)
	}
	var refused []delivery.SentSummary
	if err == nil {
		refused, err = h.cfg.Evenings.RefusedSummaries(r.Context(), fiscal.DayOf{}, refusedShown)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p.Refused = len(refused)
	for i := range all {
		p.Comparisons = append(p.Comparisons, a.comparisonRow(all[i]))
	}
	for i := range reports {
		p.Reports = append(p.Reports, a.reportRow(reports[i]))
	}
	if day := h.cfg.Evenings.Comparing(); day != 0 {
		p.Comparing = dayOf(day)
	}
	h.page(w, r, a, status, "days.html", "/staff/days", "room.days", p)
}

// compareDay begins a comparison after it is recorded who asked for it.
func (h *Handler) compareDay(w http.ResponseWriter, r *http.Request, a *visitor) {
	text := r.PostFormValue("day")
	err := a.MustStaff()
	var day time.Time
	if err == nil {
		if day, err = time.Parse(time.DateOnly, text); err != nil {
			err = &fiscal.Error{Reason: fiscal.BadValue, Field: "day"}
		}
	}
	if err == nil {
		err = h.access.Touched(r.Context(), a.Actor, 0, access.ActCompared, text, "")
	}
	if err == nil {
		err = h.cfg.Evenings.Compare(r.Context(), fiscal.WallTime(day.Unix()), a.User.Email)
	}
	if err != nil {
		f := dayForm(text)
		if status, ok := f.wrong(a.locale, err); ok && a.MustStaff() == nil {
			h.showDays(w, r, a, status, f)
			return
		}
		h.render.Error(w, r, err)
		return
	}
	done(w, r, "/staff/days", "comparing")
}

// comparisonPage is one comparison with its differences.
type comparisonPage struct {
	comparisonRow
	Rows []differenceRow
}

type differenceRow struct {
	Difference
	Ours, Theirs string // sums
}

func (h *Handler) comparison(w http.ResponseWriter, r *http.Request, a *visitor) {
	id, _ := strconv.ParseInt(r.URL.Query().Get("id"), 10, 64) // 0 is none
	err := a.MustStaff()
	var c Comparison
	if err == nil {
		c, err = h.cfg.Evenings.Comparison(r.Context(), id)
	}
	if err != nil {
		h.render.Error(w, r, err)
		return
	}
	p := comparisonPage{comparisonRow: a.comparisonRow(c)}
	for _, d := range c.Found {
		p.Rows = append(p.Rows, differenceRow{d, a.locale.Amount(d.OurSum), a.locale.Amount(d.ItsSum)})
	}
	h.page(w, r, a, http.StatusOK, "comparison.html", "/staff/days", "days.comparison", p)
}
