package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// Report is a run beside its ceilings. A ceiling that was not measured is 0,
// and so is its ratio.
type Report struct {
	AcceptedPerSecond float64           `json:"accepted_per_s"`
	P50               float64           `json:"p50_ms"`
	P99               float64           `json:"p99_ms"`
	P999              float64           `json:"p999_ms"`
	Errors            uint64            `json:"errors"`
	Registers         int               `json:"registers"`
	Connections       int               `json:"connections"`
	Engine            string            `json:"engine"` // of the operator; "" when it is not ours to know
	EchoPerSecond     float64           `json:"echo_per_s"`
	StorePerSecond    float64           `json:"store_per_s"`
	RatioEcho         float64           `json:"ratio_echo"`  // accepted to echoed
	RatioStore        float64           `json:"ratio_store"` // accepted to inserted
	Accepted          uint64            `json:"accepted"`
	Seconds           float64           `json:"seconds"`
	Rate              int               `json:"rate,omitempty"` // receipts a second that were due; 0 is as fast as answers come
	Max               float64           `json:"max_ms"`
	ErrorsBy          map[string]uint64 `json:"errors_by,omitempty"`
	RequestBytes      int               `json:"request_bytes"`
	AnswerBytes       int               `json:"answer_bytes"`
	Processor         float64           `json:"cpu_us"`                // of processors for each receipt, of this process
	Batch             float64           `json:"batch,omitempty"`       // commits in an average batch
	Filled            uint64            `json:"filled,omitempty"`      // entries stored before this load
	EmptyPerSecond    float64           `json:"empty_per_s,omitempty"` // accepted by an operator with an empty store, in turn with it
	RatioEmpty        float64           `json:"ratio_empty,omitempty"` // accepted to that
	// Of a load beside idle connections; 0 without any.
	IdleConnections int     `json:"idle_connections,omitempty"`
	IdleTLS         bool    `json:"idle_tls,omitempty"`
	IdleBytes       int64   `json:"bytes_per_idle_connection,omitempty"` // of the operator's resident memory
	IdleOpened      float64 `json:"idle_opened_s,omitempty"`             // what opening them took
	IdleLost        int     `json:"idle_lost,omitempty"`                 // did not answer when the load was over
}

// Ceilings are what the same machine does when nothing is judged or stored.
type Ceilings struct {
	EchoPerSecond  float64
	StorePerSecond float64
	Batch          float64
	Engine         string
	// Filled is how many entries were stored before the load; with an empty store
	// it was EmptyPerSecond.
	Filled         uint64
	EmptyPerSecond float64
}

// NewReport puts a run beside its ceilings.
func NewReport(l *Load, rate int, c Ceilings) Report {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	r := Report{
		AcceptedPerSecond: l.PerSecond(), P50: ms(l.Latency(500)), P99: ms(l.Latency(990)), P999: ms(l.Latency(999)), Max: ms(l.Max()),
		Registers: l.Registers, Connections: l.Connections, Engine: c.Engine,
		EchoPerSecond: c.EchoPerSecond, StorePerSecond: c.StorePerSecond, Batch: c.Batch,
		Accepted: l.Accepted, Seconds: l.Elapsed.Seconds(), Rate: rate, ErrorsBy: l.Errors,
		RequestBytes: l.RequestBytes, AnswerBytes: l.AnswerBytes, Filled: c.Filled, EmptyPerSecond: c.EmptyPerSecond,
	}
	for _, n := range l.Errors {
		r.Errors += n
	}
	if l.Accepted > 0 {
		r.Processor = float64(l.Processor) / float64(time.Microsecond) / float64(l.Accepted)
	}
	if c.EchoPerSecond > 0 {
		r.RatioEcho = r.AcceptedPerSecond / c.EchoPerSecond
	}
	if c.EmptyPerSecond > 0 {
		r.RatioEmpty = r.AcceptedPerSecond / c.EmptyPerSecond
	}
	if c.StorePerSecond > 0 {
		r.RatioStore = r.AcceptedPerSecond / c.StorePerSecond
	}
	return r
}

// Write prints the report for people.
func (r Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(what string, value any, unit string) { fmt.Fprintf(t, "%s\t%v\t\t%s\n", what, value, unit) }
	line("accepted", fmt.Sprintf("%.0f", r.AcceptedPerSecond), "receipts/s")
	for _, q := range []struct {
		name string
		ms   float64
	}{{"p50", r.P50}, {"p99", r.P99}, {"p99.9", r.P999}, {"longest", r.Max}} {
		line(q.name, fmt.Sprintf("%.2f", q.ms), "ms")
	}
	line("errors", r.Errors, "")
	for _, what := range slices.Sorted(maps.Keys(r.ErrorsBy)) {
		line(what, r.ErrorsBy[what], "")
	}
	line("registers", r.Registers, fmt.Sprintf("over %d connections", r.Connections))
	if r.Rate > 0 {
		line("due", r.Rate, "receipts/s")
	}
	line("frames", fmt.Sprintf("%d + %d", r.RequestBytes, r.AnswerBytes), "bytes")
	if r.Batch > 0 {
		line("batch", fmt.Sprintf("%.1f", r.Batch), "receipts on average, "+r.Engine)
	}
	line("processor", fmt.Sprintf("%.1f", r.Processor), "µs for each receipt, in this process")
	if r.Filled > 0 {
		line("empty store", fmt.Sprintf("%.0f", r.EmptyPerSecond), fmt.Sprintf("receipts/s; with %d entries we reach %.1f %%", r.Filled, 100*r.RatioEmpty))
	}
	if r.EchoPerSecond > 0 {
		line("bare echo", fmt.Sprintf("%.0f", r.EchoPerSecond), fmt.Sprintf("exchanges/s; we reach %.1f %%", 100*r.RatioEcho))
	}
	if r.StorePerSecond > 0 {
		line("bare insert", fmt.Sprintf("%.0f", r.StorePerSecond), fmt.Sprintf("rows/s; we reach %.1f %%", 100*r.RatioStore))
	}
	if r.IdleConnections > 0 {
		kind := "plain"
		if r.IdleTLS {
			kind = "TLS"
		}
		line("idle", r.IdleConnections, fmt.Sprintf("connections, %s, opened in %.1f s, %d lost", kind, r.IdleOpened, r.IdleLost))
		line("each", r.IdleBytes, "bytes of resident memory")
	}
	return t.Flush()
}
