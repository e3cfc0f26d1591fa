package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
)

// Config describes a load. Addr and Registers must be set.
type Config struct {
	Addr        string
	TLS         *tls.Config   // nil is plain
	Registers   []Register    // each is used by one connection
	Connections int           // 0 means 64; never more than registers
	Duration    time.Duration // of the measured part; 0 means 10 s
	Warmup      time.Duration // before it, not measured
	// Rate is how many receipts a second are due, from all connections together;
	// 0 sends as fast as answers come. With a rate a latency counts from the
	// moment when the receipt was due, so an operator that stands still is not
	// spared the receipts that came meanwhile.
	Rate int
}

func (c Config) filled() (Config, error) {
	if c.Connections == 0 {
		c.Connections = 64
	}
	if c.Duration == 0 {
		c.Duration = 10 * time.Second
	}
	switch {
	case len(c.Registers) == 0:
		return c, errors.New("bench: no registers")
	case c.Connections < 0 || c.Duration < 0 || c.Warmup < 0 || c.Rate < 0:
		return c, errors.New("bench: connections, durations and rate are not negative")
	}
	c.Connections = min(c.Connections, len(c.Registers))
	return c, nil
}

// Load is what a run has measured.
type Load struct {
	Accepted     uint64            // receipts that were taken, in the measured part
	Elapsed      time.Duration     // of the measured part
	Processor    time.Duration     // that this process used in it, user and system; of an operator in it as well
	Errors       map[string]uint64 // by "code 254", "connection", "answer"
	RequestBytes int               // of a receipt, header included
	AnswerBytes  int
	Registers    int
	Connections  int

	latencies histogram
}

// PerSecond is how many receipts were accepted in a second.
func (l *Load) PerSecond() float64 { return perSecond(l.Accepted, l.Elapsed) }

// Latency is what perThousand of the receipts did not exceed, right to 1/64.
func (l *Load) Latency(perThousand uint64) time.Duration { return l.latencies.quantile(perThousand) }

// Max is the longest latency.
func (l *Load) Max() time.Duration { return l.latencies.max }

// Run puts the load on an operator and measures it. It ends when the time is
// over or ctx does, each connection with its last answer.
//
// Errors: a bad Config, or no connection at all. What goes wrong later is
// counted in Load.Errors.
func Run(ctx context.Context, cfg Config) (*Load, error) {
	cfg, err := cfg.filled()
	if err != nil {
		return nil, err
	}
	clients := make([]*client, cfg.Connections)
	for i := range clients {
		clients[i] = newClient(cfg, i)
	}
	for i, r := range cfg.Registers {
		clients[i%len(clients)].add(r)
	}
	if err := clients[0].connect(ctx); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	start := time.Now()
	measured := start.Add(cfg.Warmup)
	end := measured.Add(cfg.Duration)
	before := make(chan time.Duration, 1)
	begins := time.AfterFunc(time.Until(measured), func() { before <- processor() })
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() { c.work(ctx, start, measured, end) })
	}
	all.Wait()
	after := processor()

	l := &Load{Elapsed: min(time.Since(measured), cfg.Duration), Errors: make(map[string]uint64), Connections: cfg.Connections, Registers: len(cfg.Registers)}
	if !begins.Stop() {
		l.Processor = after - <-before
	}
	for _, c := range clients {
		l.Accepted += c.accepted
		l.latencies.merge(&c.latencies)
		for what, n := range c.errors {
			l.Errors[what] += n
		}
		if c.answerBytes > 0 {
			l.RequestBytes, l.AnswerBytes = c.requestBytes, c.answerBytes
		}
	}
	return l, nil
}

// Add puts another measured part of the same load to this one.
func (l *Load) Add(o *Load) {
	l.Accepted += o.Accepted
	l.Elapsed += o.Elapsed
	l.Processor += o.Processor
	l.latencies.merge(&o.latencies)
	for what, n := range o.Errors {
		l.Errors[what] += n
	}
}

// processor is what this process has used of processors since it began.
func processor() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func perSecond(n uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
