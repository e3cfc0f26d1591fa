package registry

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"openofd/internal/access"
	"openofd/internal/fiscal"
)

// ApplicationOrder is by what a list of applications is sorted.
type ApplicationOrder string

// The orders. Within a register and a status the newest come first.
const (
	Newest        ApplicationOrder = "newest"
	Oldest        ApplicationOrder = "oldest"
	ByItsRegister ApplicationOrder = "register"
	ByItsStatus   ApplicationOrder = "status"
)

// ApplicationOrders lists them.
func ApplicationOrders() []ApplicationOrder {
	return []ApplicationOrder{Newest, Oldest, ByItsRegister, ByItsStatus}
}

// byNeed are the states as a list by status shows them: first what somebody here
// has to do something about.
var byNeed = []ApplicationStatus{Draft, Refused, Sent, Waiting, Granted, Withdrawn}

// applicationsRead bounds how many are looked at for one page, so that a filter
// that fits nothing ends.
const applicationsRead = 20 * scanPage

// Applications lists those that the actor sees and the query wants, in its
// order, without papers.
//
// Errors: Denied; BadValue with the Field.
// Source: requirements P-054, E-077, E-078, E-081.
func (o *Office) Applications(ctx context.Context, a *access.Actor, q ApplicationQuery) (page ApplicationPage, err error) {
	if err := mayRead(a); err != nil {
		return page, err
	}
	if q.Limit <= 0 || q.Limit > maxRegisters {
		q.Limit = 50
	}
	walks, err := q.walks(a.Taxpayer)
	if err != nil {
		return page, err
	}
	read := 0
	for _, scan := range walks {
		for {
			rows, err := o.store.ApplicationsOf(ctx, scan)
			if err != nil {
				return page, fmt.Errorf("list the applications: %w", err)
			}
			for i := range rows {
				app := &rows[i]
				if !app.wanted(a, &q) {
					continue
				}
				if len(page.Applications) == q.Limit {
					page.Next = q.place(&page.Applications[q.Limit-1])
					return page, nil
				}
				page.Applications = append(page.Applications, *app)
			}
			read += len(rows)
			if len(rows) < scan.Limit {
				break
			}
			last := &rows[len(rows)-1]
			scan.Before, scan.Behind, scan.Limit = last.ID, last.Register, scanPage
			if read >= applicationsRead {
				page.Next = q.place(last)
				return page, nil
			}
		}
	}
	return page, nil
}

// walks are the scans, one behind the other, that a query is answered by.
func (q *ApplicationQuery) walks(t fiscal.TaxpayerID) ([]ApplicationScan, error) {
	for _, part := range []struct {
		field string
		known bool
	}{
		{"kind", q.Kind == "" || slices.Contains(ApplicationKinds(), q.Kind)},
		{"status", q.Status == "" || slices.Contains(ApplicationStatuses(), q.Status)},
		{"sort", q.Order == "" || slices.Contains(ApplicationOrders(), q.Order)},
	} {
		if !part.known {
			return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: part.field}
		}
	}
	first := ApplicationScan{Taxpayer: t, Register: q.Register, Kind: q.Kind, Status: q.Status, Order: q.Order, Limit: q.Limit + 1}
	statuses := byNeed
	if q.Order == ByItsStatus {
		first.Order = Newest
	}
	if q.After != "" {
		within, number, ok := strings.Cut(q.After, ".")
		if !ok {
			within, number = "", q.After
		}
		n, err := strconv.ParseInt(number, 10, 64)
		switch q.Order {
		case ByItsRegister:
			r, wrong := strconv.ParseInt(within, 10, 64)
			ok = wrong == nil && r > 0
			first.Behind = fiscal.RegisterID(r)
		case ByItsStatus:
			at := slices.Index(byNeed, ApplicationStatus(within))
			if ok = at >= 0; ok {
				statuses = byNeed[at:]
			}
		default:
			ok = within == ""
		}
		if err != nil || n <= 0 || !ok {
			return nil, &fiscal.Error{Reason: fiscal.BadValue, Field: "after"}
		}
		first.Before = ApplicationID(n)
	}
	if q.Order != ByItsStatus || q.Status != "" {
		return []ApplicationScan{first}, nil
	}
	var all []ApplicationScan
	for _, s := range statuses {
		first.Status = s
		all = append(all, first)
		first.Before = 0 // the next status from its beginning on
	}
	return all, nil
}

// place is behind an application in the query's order.
func (q *ApplicationQuery) place(a *Application) string {
	id := strconv.FormatInt(int64(a.ID), 10)
	switch q.Order {
	case ByItsRegister:
		return strconv.FormatInt(int64(a.Register), 10) + "." + id
	case ByItsStatus:
		return string(a.Status) + "." + id
	}
	return id
}

func (a *Application) wanted(who *access.Actor, q *ApplicationQuery) bool {
	f := &a.Form
	if !who.Sees(f.Outlet) || q.Outlet != 0 && f.Outlet != q.Outlet {
		return false
	}
	text := strings.ToLower(strings.TrimSpace(q.Text))
	if text == "" {
		return true
	}
	for _, part := range []string{f.Name, f.SerialNumber, f.Model, f.RegistrationNumber, f.Drive, a.Number, a.RegistrationNumber, strconv.FormatInt(int64(a.ID), 10)} {
		if strings.Contains(strings.ToLower(part), text) {
			return true
		}
	}
	return false
}
