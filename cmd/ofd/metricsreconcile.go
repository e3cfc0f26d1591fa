package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/authority/kgd"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
)

// eveningMetrics is the Observer of evenings, and tells at each scrape what of
// the last comparisons is open, on whatever node they were made.
type eveningMetrics struct {
	store     delivery.ReconcileStore
	summaries map[string]prometheus.Counter
	failed    map[string]map[string]prometheus.Counter
	open      *prometheus.Desc
	refused   *prometheus.Desc
	compared  *prometheus.Desc
}

func newEveningMetrics(reg prometheus.Registerer, store delivery.ReconcileStore) *eveningMetrics {
	summaries := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ofd_reconcile_summaries_total", Help: "Daily summaries that the authority took from this process."}, []string{"authority"})
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ofd_reconcile_failures_total", Help: "Jobs of the evening that came to no end in this process: summaries, reconcile, report."}, []string{"authority", "job"})
	reg.MustRegister(summaries, failed)
	m := &eveningMetrics{
		store: store, summaries: make(map[string]prometheus.Counter), failed: make(map[string]map[string]prometheus.Counter),
		open:     prometheus.NewDesc("ofd_reconcile_open_differences", "Registers and days of the last week of which the authority counts something else than we do.", []string{"authority"}, nil),
		refused:  prometheus.NewDesc("ofd_reconcile_refused_summaries", "Registers and days whose last daily summary the authority refused.", []string{"authority"}, nil),
		compared: prometheus.NewDesc("ofd_reconcile_compared_timestamp_seconds", "When a day was last compared to its end, in seconds since 1970; 0 if none was.", []string{"authority"}, nil),
	}
	for _, a := range authorities {
		m.summaries[a], m.failed[a] = summaries.WithLabelValues(a), make(map[string]prometheus.Counter)
		for _, job := range delivery.EveningJobs() {
			m.failed[a][job] = failed.WithLabelValues(a, job)
		}
	}
	reg.MustRegister(m)
	return m
}

// SummariesSent implements delivery.EveningObserver.
func (m *eveningMetrics) SummariesSent(authority string, n int) {
	m.summaries[authority].Add(float64(n))
}

// EveningFailed implements delivery.EveningObserver.
func (m *eveningMetrics) EveningFailed(authority, job string) { m.failed[authority][job].Inc() }

// Describe implements prometheus.Collector.
func (m *eveningMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.open
	ch <- m.refused
	ch <- m.compared
}

// lastCompared is how many comparisons are looked at for what is open: a week of
// them, and some made by hand.
const lastCompared = 100

// Collect implements prometheus.Collector. What the store does not tell is
// missing.
func (m *eveningMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askStore)
	defer cancel()
	all, err := m.store.Reconciliations(ctx, kgd.Name, 0, lastCompared)
	if err != nil {
		return
	}
	if refused, err := m.store.CountRefusedSummaries(ctx, kgd.Name); err == nil {
		ch <- prometheus.MustNewConstMetric(m.refused, prometheus.GaugeValue, float64(refused), kgd.Name)
	}
	open, compared := 0, int64(0)
	seen := make(map[fiscal.WallTime]bool)
	for i := range all {
		r := &all[i]
		if r.Failure != "" {
			continue
		}
		compared = max(compared, r.Ended.Unix())
		if !seen[r.Day] && len(seen) < delivery.OpenDays {
			open += r.Open
		}
		seen[r.Day] = true
	}
	ch <- prometheus.MustNewConstMetric(m.open, prometheus.GaugeValue, float64(open), kgd.Name)
	ch <- prometheus.MustNewConstMetric(m.compared, prometheus.GaugeValue, float64(compared), kgd.Name)
}
