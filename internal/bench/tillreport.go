package bench

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// TillReport is a load on a till and the operator behind it, beside what the
// same machine did in the same run without the till.
type TillReport struct {
	Tills         int               `json:"tills"`
	Engine        string            `json:"engine"` // of the operator
	Due           int               `json:"due_per_s"`
	ShownPerS     float64           `json:"shown_per_s"`
	Receipts      uint64            `json:"receipts"`
	Seconds       float64           `json:"seconds"`
	P50           float64           `json:"p50_ms"` // from the tap that forms it until the receipt is shown
	P99           float64           `json:"p99_ms"`
	P999          float64           `json:"p999_ms"`
	Max           float64           `json:"max_ms"`
	Errors        uint64            `json:"errors"`
	ErrorsBy      map[string]uint64 `json:"errors_by,omitempty"`
	Autonomous    uint64            `json:"autonomous"`         // receipts that were not accepted at once
	Requests      float64           `json:"requests_a_receipt"` // of a browser
	TillCPU       float64           `json:"till_cpu_ms"`        // of processors for each receipt
	OperatorCPU   float64           `json:"operator_cpu_ms"`
	BrowserCPU    float64           `json:"browsers_cpu_ms"`           // of this program, which is all browsers
	OperatorAlone float64           `json:"operator_p99_ms,omitempty"` // of bare registers at the same rate, before
	AloneP50      float64           `json:"operator_p50_ms,omitempty"`
	Syncs         float64           `json:"syncs_per_s,omitempty"` // of the disk, 4 KiB each, one after the other
	RatioAlone    float64           `json:"ratio_p99,omitempty"`   // of p99 to that of the operator alone
	LoadBefore    string            `json:"load_before"`           // averages of the machine, as the kernel has them
	LoadAfter     string            `json:"load_after"`
}

// NewTillReport puts a load beside what was measured before it.
func NewTillReport(l *SellersLoad, rate int, alone *Load, syncs float64) TillReport {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	r := TillReport{
		Tills: l.Registers, Due: cmp.Or(rate, l.Registers), ShownPerS: l.PerSecond(), Receipts: l.Accepted, Seconds: l.Elapsed.Seconds(),
		P50: ms(l.Latency(500)), P99: ms(l.Latency(990)), P999: ms(l.Latency(999)), Max: ms(l.Max()), ErrorsBy: l.Errors, Autonomous: l.Autonomous, Syncs: syncs,
	}
	for _, n := range l.Errors {
		r.Errors += n
	}
	if l.Sales > 0 {
		r.Requests = float64(l.Requests) / float64(l.Sales)
	}
	if alone != nil && alone.Accepted > 0 {
		r.AloneP50, r.OperatorAlone = ms(alone.Latency(500)), ms(alone.Latency(990))
		r.RatioAlone = r.P99 / r.OperatorAlone
	}
	return r
}

// Write prints the report for people.
func (r TillReport) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(what string, value any, unit string) { fmt.Fprintf(t, "%s\t%v\t\t%s\n", what, value, unit) }
	line("shown", fmt.Sprintf("%.0f", r.ShownPerS), fmt.Sprintf("receipts/s of %d due, %d tills", r.Due, r.Tills))
	for _, q := range []struct {
		name string
		ms   float64
	}{{"p50", r.P50}, {"p99", r.P99}, {"p99.9", r.P999}, {"longest", r.Max}} {
		line(q.name, fmt.Sprintf("%.1f", q.ms), "ms")
	}
	line("errors", r.Errors, "")
	for _, what := range slices.Sorted(maps.Keys(r.ErrorsBy)) {
		line(what, r.ErrorsBy[what], "")
	}
	line("autonomous", r.Autonomous, "receipts")
	line("requests", fmt.Sprintf("%.1f", r.Requests), "of a browser for each receipt")
	line("till", fmt.Sprintf("%.2f", r.TillCPU), "ms of processors for each receipt")
	line("operator", fmt.Sprintf("%.2f", r.OperatorCPU), "ms, "+r.Engine)
	line("browsers", fmt.Sprintf("%.2f", r.BrowserCPU), "ms, on the same machine")
	if r.OperatorAlone > 0 {
		line("operator alone", fmt.Sprintf("%.1f", r.OperatorAlone), fmt.Sprintf("ms at p99, p50 %.1f, bare registers at the same rate; the till's p99 is %.1f times it", r.AloneP50, r.RatioAlone))
	}
	if r.Syncs > 0 {
		line("disk", fmt.Sprintf("%.0f", r.Syncs), "syncs/s one after the other")
	}
	line("load", r.LoadBefore, "before; "+r.LoadAfter+" after")
	return t.Flush()
}

// Syncs measures how many writes of 4 KiB a disk makes durable in a second, one
// after the other, in a file of dir that it removes.
func Syncs(dir string, d time.Duration) (perSecond float64, err error) {
	f, err := os.CreateTemp(dir, "syncs")
	if err != nil {
		return 0, fmt.Errorf("measure the disk: %w", err)
	}
	defer func() {
		_ = f.Close()
		err = cmp.Or(err, os.Remove(filepath.Clean(f.Name())))
	}()
	page := make([]byte, 4<<10)
	begin := time.Now()
	for n := 1; ; n++ {
		if _, err := f.Write(page); err != nil {
			return 0, fmt.Errorf("measure the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return 0, fmt.Errorf("measure the disk: %w", err)
		}
		if took := time.Since(begin); took >= d {
			return float64(n) / took.Seconds(), nil
		}
	}
}
