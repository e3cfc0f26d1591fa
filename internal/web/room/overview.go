package room

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// today are the first figures of the day: what came in, and which registers say
// nothing.
type today struct {
	AsOf      string
	Revenue   bool // the reader may see sums
	Figures   []figure
	Registers int
	Silent    []silent
	More      int // silent ones that are not named
}

// figure is an operation's sum with the receipts behind it.
type figure struct {
	Key   string
	Sum   fiscal.Money
	Count int
	URL   string
	// Change compares with the same part of the same day a week ago: a key and how
	// much; "" when there was nothing.
	Change  string
	Percent int
}

type silent struct{ Name, URL string }

// maxSilent is how many silent registers are named.
const maxSilent = 10

// today sums the day up for whoever may see the state of registers; nil for
// others and before there is an organization.
func (h *Handler) today(r *http.Request, a *visitor) (*today, error) {
	d := h.cfg.Documents
	if d.Questions == nil || !a.May(access.SeeStatus) {
		return nil, nil
	}
	scope, err := cabinet.ScopeOf(a.Actor, access.SeeStatus)
	if err != nil {
		return nil, err
	}
	sums, err := d.Questions.Today(r.Context(), &scope, fiscal.WallIn(d.Now(), a.Zone))
	if err != nil {
		return nil, err
	}
	t := &today{AsOf: h.asOf(r.Context(), a), Revenue: a.May(access.SeeRevenue), Registers: sums.Registers}
	day := sums.Day.UTC().Format(time.DateOnly)
	for op := fiscal.OpSale; op.Settlement() && t.Revenue; op++ {
		i := op.Index()
		if op > fiscal.OpSaleReturn && sums.Total.Counts[i] == 0 && sums.Before.Counts[i] == 0 {
			continue // most shops never buy from people
		}
		f := figure{Key: "did." + op.String(), Sum: sums.Total.Sums[i], Count: int(sums.Total.Counts[i]),
			URL: "/receipts?" + url.Values{paramOp: {op.String()}, paramFrom: {day}, paramUntil: {day}}.Encode()}
		if before := sums.SoldBefore; before != nil && op == fiscal.OpSale {
			f.compare(*before)
		}
		t.Figures = append(t.Figures, f)
	}
	if t.Silent, t.More, err = h.silent(r, a, sums.Silent); err != nil {
		return nil, err
	}
	return t, nil
}

// compare says how a sum stands to an earlier one.
func (f *figure) compare(before fiscal.Money) {
	switch {
	case before <= 0:
		return // nothing to compare with
	case f.Sum == before:
		f.Change = "today.same"
		return
	}
	f.Change, f.Percent = "today.more", int((f.Sum-before)*100/before)
	if f.Sum < before {
		f.Change, f.Percent = "today.less", -f.Percent
	}
}

// maxLooked is how many silent registers are looked at to name some.
const maxLooked = 4 * maxSilent

// silent names registers that say nothing, but for those off the record, and
// counts those that it does not name.
func (h *Handler) silent(r *http.Request, a *visitor, ids []fiscal.RegisterID) (all []silent, more int, err error) {
	for i, id := range ids {
		if len(all) == maxSilent || i == maxLooked {
			return all, len(ids) - i, nil
		}
		one := silent{Name: "№ " + strconv.FormatInt(int64(id), 10)}
		if h.cfg.Office != nil {
			s, err := h.cfg.Office.Register(r.Context(), a.Actor, id)
			switch {
			case errors.Is(err, fiscal.NotFound): // it stands where the reader does not look by now
				continue
			case err != nil:
				return nil, 0, err
			case s.State.Status == fiscal.StatusDeregistered:
				continue
			}
			one.Name, one.URL = a.registerRow(s).Name, "/registers/"+strconv.FormatInt(int64(id), 10)
		}
		all = append(all, one)
	}
	return all, 0, nil
}

// urgent are the registers that need somebody.
type urgent struct {
	Registers []registerRow
	More      []others
}

// others are registers of a standing that are not shown.
type others struct {
	Standing registry.Standing
	Count    int
}

// maxUrgent is how many are shown.
const maxUrgent = 5

// urgent asks which registers need somebody; nil if none does.
func (h *Handler) urgent(r *http.Request, a *visitor) (*urgent, error) {
	if h.cfg.Office == nil || !a.May(access.SeeStatus) {
		return nil, nil
	}
	some, counts, err := h.cfg.Office.Urgent(r.Context(), a.Actor, maxUrgent)
	if err != nil || len(some) == 0 {
		return nil, err
	}
	u := &urgent{}
	for _, s := range some {
		counts[s.Standing]--
		u.Registers = append(u.Registers, a.registerRow(s))
	}
	for _, s := range registry.Standings() {
		if n := counts[s]; n > 0 {
			u.More = append(u.More, others{s, n})
		}
	}
	return u, nil
}
