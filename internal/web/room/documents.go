package room

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/cabinet/compare"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/pdf"
	"openofd/internal/web/ui"
)

// Documents is what stands behind the pages of what the registers did.
type Documents struct {
	Questions *cabinet.Questions // nil: there are no such pages
	// AsOf is when the first document came that the lists lack; zero if they lack
	// none.
	AsOf func(context.Context) (time.Time, error)
	// Outlets lists the places of an organization.
	Outlets func(context.Context, fiscal.TaxpayerID) ([]registry.Outlet, error)
	// Sheet makes of a receipt what the layout's templates "receipt" and "paper"
	// show; the one that does not apply is nil.
	Sheet func(*ui.Locale, *http.Request, *cabinet.Found) (receipt, paper any, err error)
	// Print sets a receipt on paper.
	Print func(*ui.Locale, *http.Request, *cabinet.Found, pdf.Paper) ([]byte, error)
	// Comparer holds a seller's books against the registers; nil: nobody asks.
	Comparer *compare.Comparer
	// Example offers books with mistakes in them, of what the registers did, for a
	// demonstration.
	Example bool
	Now     func() time.Time
}

// documentPaths are the beginnings of the addresses of what the registers did.
var documentPaths = []string{"/receipts", "/shifts", "/reports", "/moves", "/offline", "/findings", "/documents", comparePath}

// documentRoutes are the addresses of what the registers did.
func (h *Handler) documentRoutes() {
	if h.cfg.Documents.Questions == nil {
		return
	}
	serve(h, receipts())
	serve(h, shifts())
	serve(h, reports())
	serve(h, moves())
	serve(h, aways())
	serve(h, findings())
	h.compareRoutes()
	h.inside("GET /shifts/{register}/{shift}", h.shift)
	h.inside("GET /documents/{register}/{number}", h.document)
	h.inside("GET /documents/{register}/{number}/json", h.documentJSON)
}

// documentSections are the places in the navigation that lead to them.
func (h *Handler) documentSections(a *visitor) (all []ui.Section) {
	if h.cfg.Documents.Questions == nil || a.Taxpayer == 0 {
		return nil
	}
	if a.May(access.SeeRevenue) {
		all = []ui.Section{{Key: "room.receipts", Icon: "receipt", URL: "/receipts"}, {Key: "room.shifts", Icon: "calendar-stats", URL: "/shifts", Rest: true}}
		if h.cfg.Documents.Comparer != nil {
			all = append(all, ui.Section{Key: "room.compare", Icon: "file-text", URL: comparePath, Rest: true})
		}
		return all
	}
	if a.May(access.SeeStatus) {
		return []ui.Section{{Key: "room.offline", Icon: "history", URL: "/offline", Rest: true}}
	}
	return nil
}

// tab is one of the lists that stand side by side.
type tab struct {
	Key, URL string
	Current  bool
}

// tabs are the lists that the actor may see beside shifts.
func tabs(a *visitor, at string) (all []tab) {
	if a.client != 0 {
		return inspectTabs(a, at)
	}
	for _, t := range []struct {
		name  string
		right access.Right
	}{{"shifts", access.SeeRevenue}, {"reports", access.SeeRevenue}, {"moves", access.SeeRevenue}, {"offline", access.SeeStatus}, {"findings", access.SeeStatus}} {
		if a.May(t.right) {
			all = append(all, tab{"room." + t.name, "/" + t.name, t.name == at})
		}
	}
	return all
}

// lagShown is from which delay on a page says how old it is.
const lagShown = 5 * time.Second

// asOf words how old a page is, "" if it is fresh. That we cannot tell is worth
// no error: the list itself is there.
func (h *Handler) asOf(ctx context.Context, a *visitor) string {
	if h.cfg.Documents.AsOf == nil {
		return ""
	}
	t, err := h.cfg.Documents.AsOf(ctx)
	if err != nil || t.IsZero() || h.cfg.Documents.Now().Sub(t) < lagShown {
		return ""
	}
	return a.when(t)
}

// registerName is what people call a register.
func registerName(c *fiscal.Card) string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Register != 0:
		return "№ " + strconv.FormatInt(int64(c.Register), 10)
	}
	return ""
}

func number[T ~int64 | ~uint64 | ~uint32](s string) (T, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || int64(T(n)) != n {
		return 0, false
	}
	return T(n), true
}
