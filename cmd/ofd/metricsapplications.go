package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// applicationMetrics is the Observer of couriers, and tells at each scrape what
// is open, whichever node carries it.
type applicationMetrics struct {
	store     delivery.CourierStore
	now       func() time.Time
	submitted map[string]map[delivery.Outcome]prometheus.Counter
	decided   map[string]map[bool]prometheus.Counter
	open      *prometheus.Desc
	overdue   *prometheus.Desc
}

func newApplicationMetrics(reg prometheus.Registerer, store delivery.CourierStore, now func() time.Time) *applicationMetrics {
	submitted := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ofd_applications_submitted_total", Help: "Tries of this process to hand an application to the authority, by what became of them."}, []string{"authority", "outcome"})
	decided := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ofd_applications_decided_total", Help: "Decisions of the authority that this process wrote down."}, []string{"authority", "decision"})
	reg.MustRegister(submitted, decided)
	m := &applicationMetrics{
		store: store, now: now, submitted: make(map[string]map[delivery.Outcome]prometheus.Counter), decided: make(map[string]map[bool]prometheus.Counter),
		open:    prometheus.NewDesc("ofd_applications_open", "Applications that are not over; registered are those whose register does not have the decision yet.", []string{"country", "status"}, nil),
		overdue: prometheus.NewDesc("ofd_applications_overdue", "Signed applications on which the authority should have decided by now.", []string{"country"}, nil),
	}
	for _, a := range authorities {
		m.submitted[a] = make(map[delivery.Outcome]prometheus.Counter)
		for _, o := range delivery.Outcomes() {
			m.submitted[a][o] = submitted.WithLabelValues(a, string(o))
		}
		m.decided[a] = map[bool]prometheus.Counter{true: decided.WithLabelValues(a, "registered"), false: decided.WithLabelValues(a, "refused")}
	}
	reg.MustRegister(m)
	return m
}

// Submitted implements delivery.CourierObserver.
func (m *applicationMetrics) Submitted(authority string, o delivery.Outcome) {
	m.submitted[authority][o].Inc()
}

// Decided implements delivery.CourierObserver.
func (m *applicationMetrics) Decided(authority string, granted bool) {
	m.decided[authority][granted].Inc()
}

// Describe implements prometheus.Collector.
func (m *applicationMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.open
	ch <- m.overdue
}

// Collect implements prometheus.Collector. What the store does not tell is left
// out: an alert on its absence is the store's own.
func (m *applicationMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askStore)
	defer cancel()
	now := m.now()
	for _, country := range []fiscal.Country{fiscal.Kazakhstan, fiscal.Russia} {
		counts, err := m.store.CountApplications(ctx, string(country), now.Add(-registry.DecisionTerm(country, now)))
		if err != nil {
			continue
		}
		for _, s := range []registry.ApplicationStatus{registry.Draft, registry.Sent, registry.Waiting, registry.Granted} {
			ch <- prometheus.MustNewConstMetric(m.open, prometheus.GaugeValue, float64(counts.Open[s]), string(country), string(s))
		}
		ch <- prometheus.MustNewConstMetric(m.overdue, prometheus.GaugeValue, float64(counts.Overdue), string(country))
	}
}
