package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/fiscal"
	"openofd/internal/gate"
)

// TestMetrics tells the observers everything they can be told. Every series is
// there from the start, so that a rate can be asked before the first event, and
// nothing makes a new one.
func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	g, j, in := newGateMetrics(reg), newJournalMetrics(reg), newIntakeMetrics(reg)
	before := series(t, reg)

	for code := range 300 {
		for _, p := range gate.Protocols() {
			g.Answered(p, uint16(code), time.Millisecond)
		}
	}
	for _, c := range gate.Causes() {
		g.Opened()
		g.Closed(c)
	}
	for _, c := range []gate.Cause{gate.CauseFull, gate.CauseAddressFull, gate.CauseDrain} {
		g.TurnedAway(c)
	}
	for _, l := range gate.Limits() {
		g.Limited(l)
	}
	j.BatchDone(3, 900, time.Millisecond, nil)
	j.BatchDone(3, 900, time.Millisecond, errors.New("disk full"))
	j.QueueDepth(7)
	for _, r := range append(fiscal.Reasons(), fiscal.NoReason) {
		in.Judged(time.Millisecond, r, r == fiscal.NoReason)
	}
	for _, k := range fiscal.Kinds() {
		in.Failed(k)
	}
	in.Loaded(true)
	in.Loaded(false)
	in.JudgedAgain()
	in.RefusedLost(2)

	after := series(t, reg)
	for name, n := range after {
		if before[name] != n {
			t.Errorf("%s has %d series, had %d at the start", name, n, before[name])
		}
	}
	for _, name := range []string{
		"ofd_gate_answers_total", "ofd_gate_connections", "ofd_gate_closed_total", "ofd_gate_exchange_seconds",
		"ofd_journal_commit_seconds", "ofd_journal_batch_entries", "ofd_journal_queue_depth", "ofd_intake_refused_total",
	} {
		if after[name] == 0 {
			t.Errorf("there is no %s", name)
		}
	}
	if got, want := after["ofd_gate_closed_total"], len(gate.Causes()); got != want {
		t.Errorf("%d causes are counted, there are %d", got, want)
	}
	if got, want := after["ofd_intake_refused_total"], len(fiscal.Reasons()); got != want {
		t.Errorf("%d reasons are counted, there are %d", got, want)
	}
	for _, p := range gate.Protocols() {
		if !slices.IsSorted(results[p]) || len(results[p]) == 0 {
			t.Errorf("the result codes of %s are not in order: %v", p, results[p])
		}
	}
}

// series counts the series of each metric.
func series(t *testing.T, reg *prometheus.Registry) map[string]int {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := make(map[string]int)
	for _, m := range all {
		n[m.GetName()] = len(m.GetMetric())
	}
	return n
}
