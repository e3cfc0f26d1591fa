package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// clockState is what the kernel knows of its clock from whoever disciplines it,
// an NTP daemon most likely.
type clockState struct {
	synchronized bool
	offset       time.Duration // still to be corrected
	maxError     time.Duration
}

// clockMetrics tell whether this machine's clock can be trusted: the day a
// document is counted in, tokens and fiscal signs follow it.
type clockMetrics struct{ synchronized, offset, maxError *prometheus.Desc }

func newClockMetrics() clockMetrics {
	return clockMetrics{
		synchronized: prometheus.NewDesc("ofd_clock_synchronized", "Whether the kernel holds the machine's clock for synchronized; 0 or 1.", nil, nil),
		offset:       prometheus.NewDesc("ofd_clock_offset_seconds", "What the kernel still has to correct of the clock.", nil, nil),
		maxError:     prometheus.NewDesc("ofd_clock_max_error_seconds", "By how much the clock can be wrong, as the kernel reckons.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m clockMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.synchronized
	ch <- m.offset
	ch <- m.maxError
}

// Collect implements prometheus.Collector.
func (m clockMetrics) Collect(ch chan<- prometheus.Metric) {
	c, ok := readClock()
	if !ok {
		return
	}
	synchronized := 0.0
	if c.synchronized {
		synchronized = 1
	}
	ch <- prometheus.MustNewConstMetric(m.synchronized, prometheus.GaugeValue, synchronized)
	ch <- prometheus.MustNewConstMetric(m.offset, prometheus.GaugeValue, c.offset.Seconds())
	ch <- prometheus.MustNewConstMetric(m.maxError, prometheus.GaugeValue, c.maxError.Seconds())
}
