package main

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/fiscal"
	"openofd/internal/gate"
)

// results are the codes that answers of KKM, and the outcomes that answers of
// KKT can have. Labels come from closed sets: a code beyond these counts as
// "other".
var results = map[gate.Protocol][]uint16{
	gate.KKM:        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 254, 255},
	gate.KKT:        {0, 11, 14},
	gate.KKTMarking: {0, 1, 2},
}

// answers counts the answers of one protocol.
type answers struct {
	by    map[uint16]prometheus.Counter
	other prometheus.Counter
}

// gateMetrics is the gate's Observer.
type gateMetrics struct {
	answers     map[gate.Protocol]answers
	connections prometheus.Gauge
	closed      map[gate.Cause]prometheus.Counter
	away        map[gate.Cause]prometheus.Counter
	limited     map[gate.Limit]prometheus.Counter
	seconds     prometheus.Histogram
}

func newGateMetrics(reg prometheus.Registerer) *gateMetrics {
	told := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ofd_gate_answers_total", Help: "Answers written, by protocol and result code.",
	}, []string{"protocol", "result"})
	closed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ofd_gate_closed_total", Help: "Connections ended that had been let in, by cause.",
	}, []string{"cause"})
	away := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ofd_gate_turned_away_total", Help: "Connections closed at once instead of being let in, by cause.",
	}, []string{"cause"})
	limited := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ofd_gate_limited_total", Help: "Frames not judged because a limit stood against them, by limit.",
	}, []string{"limit"})
	m := &gateMetrics{
		answers: make(map[gate.Protocol]answers),
		closed:  make(map[gate.Cause]prometheus.Counter),
		away:    make(map[gate.Cause]prometheus.Counter),
		limited: make(map[gate.Limit]prometheus.Counter),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ofd_gate_connections", Help: "Connections open now.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ofd_gate_exchange_seconds", Help: "From a frame's header to its answer written.",
			Buckets: seconds(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 4, 10),
		}),
	}
	for _, p := range gate.Protocols() {
		a := answers{make(map[uint16]prometheus.Counter), told.WithLabelValues(string(p), "other")}
		for _, r := range results[p] {
			a.by[r] = told.WithLabelValues(string(p), strconv.Itoa(int(r)))
		}
		m.answers[p] = a
	}
	for _, c := range gate.Causes() {
		m.closed[c] = closed.WithLabelValues(string(c))
	}
	for _, c := range []gate.Cause{gate.CauseFull, gate.CauseAddressFull, gate.CauseDrain} {
		m.away[c] = away.WithLabelValues(string(c))
	}
	for _, l := range gate.Limits() {
		m.limited[l] = limited.WithLabelValues(string(l))
	}
	reg.MustRegister(told, closed, away, limited, m.connections, m.seconds)
	return m
}

func (m *gateMetrics) Opened() { m.connections.Inc() }

func (m *gateMetrics) Closed(c gate.Cause) {
	m.connections.Dec()
	m.closed[c].Inc()
}

func (m *gateMetrics) TurnedAway(c gate.Cause) { m.away[c].Inc() }
func (m *gateMetrics) Limited(l gate.Limit)    { m.limited[l].Inc() }

func (m *gateMetrics) Answered(p gate.Protocol, result uint16, took time.Duration) {
	if c, ok := m.answers[p].by[result]; ok {
		c.Inc()
	} else {
		m.answers[p].other.Inc()
	}
	m.seconds.Observe(took.Seconds())
}

// journalMetrics is the committer's Observer.
type journalMetrics struct {
	seconds prometheus.Histogram
	entries prometheus.Histogram
	depth   prometheus.Gauge
	failed  prometheus.Counter
}

func newJournalMetrics(reg prometheus.Registerer) *journalMetrics {
	m := &journalMetrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ofd_journal_commit_seconds", Help: "Time to make one batch durable.",
			Buckets: seconds(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
		}),
		entries: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ofd_journal_batch_entries", Help: "Entries of one batch.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512},
		}),
		depth: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ofd_journal_queue_depth", Help: "Commits left waiting when the last batch was formed.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ofd_journal_failed_batches_total", Help: "Batches that the store did not take, or of which it did not say whether it did.",
		}),
	}
	reg.MustRegister(m.seconds, m.entries, m.depth, m.failed)
	return m
}

// BatchDone counts one batch.
func (m *journalMetrics) BatchDone(entries, _ int, took time.Duration, err error) {
	if err != nil {
		m.failed.Inc()
		return
	}
	m.seconds.Observe(took.Seconds())
	m.entries.Observe(float64(entries))
}

// QueueDepth is what still waits.
func (m *journalMetrics) QueueDepth(commits int) { m.depth.Set(float64(commits)) }

// intakeMetrics is the intake's Observer.
type intakeMetrics struct {
	refused  map[fiscal.Reason]prometheus.Counter
	failed   map[fiscal.Kind]prometheus.Counter
	replayed prometheus.Counter
	again    prometheus.Counter
	lost     prometheus.Counter
	cached   prometheus.Counter
	loaded   prometheus.Counter
}

func newIntakeMetrics(reg prometheus.Registerer) *intakeMetrics {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ofd_intake_refused_total", Help: "Exchanges that the rules refused, by reason.",
	}, []string{"reason"})
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ofd_intake_failed_total", Help: "Exchanges that got no decision, or whose commit failed, by kind.",
	}, []string{"kind"})
	loads := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ofd_intake_loads_total", Help: "States of registers looked for, by where they were found.",
	}, []string{"from"})
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m := &intakeMetrics{
		refused:  make(map[fiscal.Reason]prometheus.Counter),
		failed:   make(map[fiscal.Kind]prometheus.Counter),
		replayed: counter("ofd_intake_repeated_total", "Repetitions answered with what was answered first."),
		again:    counter("ofd_intake_judged_again_total", "Judgements thrown away because the register had moved on."),
		lost:     counter("ofd_intake_refused_lost_total", "Refused documents that could not be kept."),
		cached:   loads.WithLabelValues("cache"),
		loaded:   loads.WithLabelValues("store"),
	}
	for _, r := range fiscal.Reasons() {
		m.refused[r] = refused.WithLabelValues(r.String())
	}
	for _, k := range fiscal.Kinds() {
		m.failed[k] = failed.WithLabelValues(k.String())
	}
	reg.MustRegister(refused, failed, loads)
	return m
}

func (m *intakeMetrics) Judged(_ time.Duration, r fiscal.Reason, replayed bool) {
	if r != fiscal.NoReason {
		m.refused[r].Inc()
	}
	if replayed {
		m.replayed.Inc()
	}
}

func (m *intakeMetrics) Failed(k fiscal.Kind) { m.failed[k].Inc() }

func (m *intakeMetrics) Loaded(cached bool) {
	if cached {
		m.cached.Inc()
		return
	}
	m.loaded.Inc()
}

func (m *intakeMetrics) JudgedAgain()      { m.again.Inc() }
func (m *intakeMetrics) RefusedLost(n int) { m.lost.Add(float64(n)) }

// seconds names the unit of a histogram's bounds.
func seconds(bounds ...float64) []float64 { return bounds }
