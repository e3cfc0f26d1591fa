package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/authority/fns"
	"openofd/internal/authority/kgd"
	"openofd/internal/cabinet"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/follow"
)

// followed are the names of followers, and authorities those of the ones that
// forward.
var (
	followed    = []string{kgd.Name, fns.Name, cabinet.FollowerID().Name}
	authorities = []string{kgd.Name, fns.Name}
)

// followerMetrics is the Observer of followers and of delivery.
type followerMetrics struct {
	entries map[string]prometheus.Counter
	seconds map[string]prometheus.Observer
	failed  map[string]map[fiscal.Kind]prometheus.Counter
	sent    map[string]prometheus.Counter
	lag     map[string]prometheus.Observer
	parked  map[string]map[delivery.Reason]prometheus.Counter
}

func newFollowerMetrics(reg prometheus.Registerer) *followerMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	entries := counter("ofd_follower_entries_total", "Entries that this process followed.", "follower")
	failed := counter("ofd_follower_failed_pages_total", "Pages that this process could not follow, by kind of error.", "follower", "kind")
	sent := counter("ofd_delivery_documents_total", "Documents that the authority took from this process.", "authority")
	parked := counter("ofd_delivery_parked_total", "Documents that this process put aside for a person, by reason.", "authority", "reason")
	pages := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "ofd_follower_page_seconds", Help: "Time to follow one page.",
		Buckets: seconds(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
	}, []string{"follower"})
	lag := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "ofd_delivery_lag_seconds", Help: "From receiving a document to the word of the authority that took it, of the oldest one of each batch.",
		Buckets: seconds(0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 14400, 86400),
	}, []string{"authority"})
	reg.MustRegister(pages, lag)
	m := &followerMetrics{
		entries: make(map[string]prometheus.Counter), seconds: make(map[string]prometheus.Observer), failed: make(map[string]map[fiscal.Kind]prometheus.Counter),
		sent: make(map[string]prometheus.Counter), lag: make(map[string]prometheus.Observer), parked: make(map[string]map[delivery.Reason]prometheus.Counter),
	}
	for _, f := range followed {
		m.entries[f], m.seconds[f], m.failed[f] = entries.WithLabelValues(f), pages.WithLabelValues(f), make(map[fiscal.Kind]prometheus.Counter)
		for _, k := range fiscal.Kinds() {
			m.failed[f][k] = failed.WithLabelValues(f, k.String())
		}
	}
	for _, a := range authorities {
		m.sent[a], m.lag[a], m.parked[a] = sent.WithLabelValues(a), lag.WithLabelValues(a), make(map[delivery.Reason]prometheus.Counter)
		for _, r := range delivery.Reasons() {
			m.parked[a][r] = parked.WithLabelValues(a, string(r))
		}
	}
	return m
}

// Followed implements follow.Observer.
func (m *followerMetrics) Followed(id follow.ID, entries int, took time.Duration) {
	m.entries[id.Name].Add(float64(entries))
	m.seconds[id.Name].Observe(took.Seconds())
}

// Failed implements follow.Observer.
func (m *followerMetrics) Failed(id follow.ID, k fiscal.Kind) { m.failed[id.Name][k].Inc() }

// Sent implements delivery.Observer.
func (m *followerMetrics) Sent(authority string, documents int, oldest time.Duration) {
	m.sent[authority].Add(float64(documents))
	m.lag[authority].Observe(oldest.Seconds())
}

// Parked implements delivery.Observer.
func (m *followerMetrics) Parked(authority string, r delivery.Reason) { m.parked[authority][r].Inc() }

// standingMetrics are asked of the store when they are scraped: how far
// followers are behind, whichever node follows.
type standingMetrics struct {
	store   database
	runners []*follow.Runner
	now     func() time.Time

	lag, oldest, stuck, waiting *prometheus.Desc
}

func newStandingMetrics(store database, runners []*follow.Runner, now func() time.Time) *standingMetrics {
	desc := func(name, help, label string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{label}, nil)
	}
	return &standingMetrics{
		store: store, runners: runners, now: now,
		lag:     desc("ofd_follower_lag_entries", "Entries that the follower has not followed yet, on whatever node.", "follower"),
		oldest:  desc("ofd_follower_lag_seconds", "Age of the oldest of them; 0 if there is none.", "follower"),
		stuck:   desc("ofd_follower_stuck_partitions", "Partitions in which the follower does not get past an entry.", "follower"),
		waiting: desc("ofd_delivery_waiting_documents", "Documents that are put aside and wait for a person.", "authority"),
	}
}

// Describe implements prometheus.Collector.
func (m *standingMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lag, m.oldest, m.stuck, m.waiting} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What the store does not tell is
// missing.
func (m *standingMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askStore)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, label string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, label)
	}
	for _, r := range m.runners {
		id := r.ID()
		s, err := follow.Stands(ctx, m.store, id)
		if err != nil {
			continue
		}
		gauge(m.lag, float64(s.Entries), id.Name)
		gauge(m.oldest, lagOf(&s, m.now()).Seconds(), id.Name)
		gauge(m.stuck, float64(len(s.Stuck())), id.Name)
		if n, err := m.store.CountWaiting(ctx, id.Name); err == nil && id.Facts {
			gauge(m.waiting, float64(n), id.Name)
		}
	}
}

// lagOf is the age of the oldest entry that was not followed.
func lagOf(s *follow.Standing, now time.Time) time.Duration {
	if s.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(s.Oldest), 0)
}
