package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// askStore bounds what a scrape asks the store.
const askStore = 2 * time.Second

// stateMetrics are read when they are asked for: what the operator stands on,
// and how much of it is in use.
type stateMetrics struct {
	operator *operator
	data     string // folder of the database and the keys

	storeUp, storeSeconds, head             *prometheus.Desc
	underWay, lanes, waiting                *prometheus.Desc
	certificate, notReloaded                *prometheus.Desc
	freeBytes, sizeBytes, dbBytes, walBytes *prometheus.Desc
}

func newStateMetrics(o *operator, data string) *stateMetrics {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &stateMetrics{
		operator: o, data: data,
		storeUp:      desc("ofd_store_up", "Whether the store can take documents; 0 or 1."),
		storeSeconds: desc("ofd_store_check_seconds", "How long the store took to say so."),
		head:         desc("ofd_journal_head_entries", "Entries in the journal, all partitions together."),
		underWay:     desc("ofd_gate_exchanges_under_way", "Exchanges being judged and stored now."),
		lanes:        desc("ofd_intake_lanes", "Registers with an exchange under way."),
		waiting:      desc("ofd_intake_lanes_waiting", "Exchanges that wait for an earlier one of their register."),
		certificate:  desc("ofd_tls_certificate_expiry_timestamp_seconds", "When the certificate of the TLS door expires, or the first of its chain; Unix time."),
		notReloaded:  desc("ofd_tls_reload_failures_total", "Readings of the files of the TLS door that were not taken over."),
		freeBytes:    desc("ofd_data_free_bytes", "Free space where the data folder lies, for us."),
		sizeBytes:    desc("ofd_data_size_bytes", "Size of the file system where the data folder lies."),
		dbBytes:      desc("ofd_data_database_bytes", "Database files in the data folder."),
		walBytes:     desc("ofd_data_wal_bytes", "Write-ahead logs of the database files in the data folder."),
	}
}

// Describe implements prometheus.Collector.
func (m *stateMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.storeUp, m.storeSeconds, m.head, m.underWay, m.lanes, m.waiting,
		m.certificate, m.notReloaded, m.freeBytes, m.sizeBytes, m.dbBytes, m.walBytes,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *stateMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	gauge(m.underWay, float64(m.operator.gate.UnderWay()))
	held, waiting := m.operator.intake.Lanes()
	gauge(m.lanes, float64(held))
	gauge(m.waiting, float64(waiting))
	m.collectStore(gauge)
	m.collectData(gauge)
	if door := m.operator.ports.tls; door != nil {
		gauge(m.certificate, float64(door.now.Load().expires.Unix()))
		ch <- prometheus.MustNewConstMetric(m.notReloaded, prometheus.CounterValue, float64(door.failed.Load()))
	}
}

func (m *stateMetrics) collectStore(gauge func(*prometheus.Desc, float64)) {
	ctx, cancel := context.WithTimeout(context.Background(), askStore)
	defer cancel()
	began := time.Now()
	if err := m.operator.core.ready(ctx); err != nil {
		gauge(m.storeUp, 0)
		return
	}
	gauge(m.storeUp, 1)
	gauge(m.storeSeconds, time.Since(began).Seconds())
	heads, err := m.operator.store.Heads(ctx)
	if err != nil {
		return // the next scrape tells
	}
	var entries uint64
	for _, h := range heads {
		entries += uint64(h.Seq)
	}
	gauge(m.head, float64(entries))
}

// collectData looks at the folder. On a database server its disk is watched
// there; the folder then holds only the keys.
func (m *stateMetrics) collectData(gauge func(*prometheus.Desc, float64)) {
	var disk unix.Statfs_t
	if unix.Statfs(m.data, &disk) == nil {
		gauge(m.freeBytes, float64(disk.Bavail)*float64(disk.Bsize))
		gauge(m.sizeBytes, float64(disk.Blocks)*float64(disk.Bsize))
	}
	files, err := os.ReadDir(m.data)
	if err != nil {
		return
	}
	var db, wal int64
	for _, f := range files {
		switch name := f.Name(); {
		case strings.HasSuffix(name, ".db"):
			db += sizeOf(m.data, f)
		case strings.HasSuffix(name, ".db-wal"):
			wal += sizeOf(m.data, f)
		}
	}
	gauge(m.dbBytes, float64(db))
	gauge(m.walBytes, float64(wal))
}

// sizeOf is 0 for a file that has gone meanwhile.
func sizeOf(dir string, f fs.DirEntry) int64 {
	info, err := os.Stat(filepath.Join(dir, f.Name()))
	if err != nil {
		return 0
	}
	return info.Size()
}
