package room

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"openofd/internal/access"
	"openofd/internal/cabinet"
	"openofd/internal/fiscal"
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
	// Change compares with the same day a week ago: a key and how much; "" when
	// there was nothing.
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
		if before := sums.Before.Sums[i]; before > 0 && op == fiscal.OpSale {
			f.Percent = int((f.Sum - before) / max(before/100, 1))
			f.Change = "today.more"
			if f.Percent < 0 {
				f.Change, f.Percent = "today.less", -f.Percent
			}
		}
		t.Figures = append(t.Figures, f)
	}
	for _, id := range sums.Silent[:min(len(sums.Silent), maxSilent)] {
		one := silent{Name: "№ " + strconv.FormatInt(int64(id), 10)}
		if t.Revenue {
			one.URL = "/receipts?register=" + strconv.FormatInt(int64(id), 10)
		}
		t.Silent = append(t.Silent, one)
	}
	t.More = len(sums.Silent) - len(t.Silent)
	return t, nil
}
