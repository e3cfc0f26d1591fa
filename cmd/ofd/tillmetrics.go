package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/till"
)

// tillMetrics tells how much a till has, counted when it is asked.
type tillMetrics struct {
	till  *till.Till
	gauge map[*prometheus.Desc]func(*till.Figures) int64
	made  *prometheus.Desc
}

func newTillMetrics(t *till.Till) *tillMetrics {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &tillMetrics{
		till: t, made: desc("ofd_till_documents_total", "Documents that registers of the till have made."),
		gauge: map[*prometheus.Desc]func(*till.Figures) int64{
			desc("ofd_till_accounts", "Sellers."):                                                      func(f *till.Figures) int64 { return f.Accounts },
			desc("ofd_till_registers", "Registers connected."):                                         func(f *till.Figures) int64 { return f.Registers },
			desc("ofd_till_waiting_documents", "Documents that wait for their operator."):              func(f *till.Figures) int64 { return f.Waiting },
			desc("ofd_till_waiting_registers", "Registers with documents that wait for the operator."): func(f *till.Figures) int64 { return f.Stuck },
		},
	}
}

// Describe implements prometheus.Collector.
func (m *tillMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- m.made
	for d := range m.gauge {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *tillMetrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	f, err := m.till.Figures(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(m.made, err)
		return
	}
	to <- prometheus.MustNewConstMetric(m.made, prometheus.CounterValue, float64(f.Documents))
	for d, value := range m.gauge {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value(&f)))
	}
}
