package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// clockOff is the way to an authority that tells how far its clock is off.
type clockOff interface {
	Name() string
	ClockOff() time.Duration
}

// watchClocks tells how far the clocks of authorities are from ours.
func (f *forwarding) watchClocks(reg prometheus.Registerer) {
	var all []clockOff
	if f.kgd != nil {
		all = append(all, f.kgd)
	}
	if f.fns != nil {
		all = append(all, f.fns)
	}
	for _, a := range all {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "ofd_authority_clock_offset_seconds", Help: "How far the authority's clock was before ours at its last answer to this process; below zero it was behind.",
			ConstLabels: prometheus.Labels{"authority": a.Name()},
		}, func() float64 { return a.ClockOff().Seconds() }))
	}
}
