package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"openofd/internal/cabinet"
	"openofd/internal/config"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/gate"
	"openofd/internal/journal"
	"openofd/internal/mail"
	"openofd/internal/observe"
	wire "openofd/internal/protocol/kkt"
	"openofd/internal/web"
)

// settings are what an operator is made of: what `ofd serve` can be told, and
// what tests put in the place of the machine's own. The zero values of the
// latter are the real things.
type settings struct {
	config.File
	Log     *slog.Logger
	Metrics *prometheus.Registry
	Now     func() time.Time
	Rand    io.Reader                         // safe for concurrent use
	Journal func(journal.Store) journal.Store // see coreConfig
	// FarMarking is the marking system in the place of the one that File names.
	FarMarking gate.MarkingSystem
	Letters    *mail.Sink // keeps letters instead of sending them; nil: there is none
	// DemoSign signs for invented companies, in a demo; nil: nobody does.
	DemoSign func(content []byte, person string, of fiscal.XIN) ([]byte, error)
	Courier  delivery.CourierConfig // how often applications are carried
}

// operator is a running operator. Its addresses are those really listened on,
// "" for a closed door.
type operator struct {
	*core
	KKMAddr, KKMTLSAddr, KKTAddr, HTTPAddr, OpsAddr string
	Site                                            string // where buyers check receipts

	log       *slog.Logger
	gate      *gate.Gate
	web       *http.Server
	ops       *observe.Ops
	closeOps  context.CancelFunc
	followers followers
	rooms     rooms
	ports     doors // what is listened on; SIGHUP rereads the files of the TLS door
	doors     sync.WaitGroup
	failed    chan error // a door that ended by itself
}

// The parts of the 10 s in which an operator stops.
const (
	drainTime = 8 * time.Second // for exchanges and pages under way
	doorCount = 5
)

// startOperator builds and starts an operator:
//
//  1. all doors are bound, so that a port in use leaves nothing half started;
//     who connects waits;
//  2. the core: store (which migrates and takes the folder), keys, committer,
//     intake;
//  3. the doors begin to serve.
//
// stop goes the other way: readiness fails, gate, web and followers finish what
// is under way, then the core, the ops door last. ctx bounds the start alone.
func startOperator(ctx context.Context, s settings) (*operator, error) {
	s.fill()
	o := &operator{log: s.Log, failed: make(chan error, doorCount)}
	d := &o.ports
	if err := checkRussia(&s.File); err != nil {
		return nil, err
	}
	if err := d.bind(&s.File); err != nil {
		return nil, err
	}
	o.KKMAddr, o.KKMTLSAddr, o.KKTAddr, o.HTTPAddr, o.OpsAddr = addr(d.kkm), addr(d.kkmTLS), addr(d.kkt), addr(d.http), addr(d.ops)
	o.Site = s.Site.URL
	if o.Site == "" {
		o.Site = localSite(d.http)
	}
	if err := o.build(ctx, &s); err != nil {
		d.close()
		return nil, err
	}
	s.Metrics.MustRegister(newStateMetrics(o, s.Data))
	o.open(d)
	return o, nil
}

func (s *settings) fill() {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Metrics == nil {
		s.Metrics = observe.NewRegistry()
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Rand == nil {
		s.Rand = rand.Reader
	}
}

// build makes the core and what stands behind each door.
func (o *operator) build(ctx context.Context, s *settings) (err error) {
	self := s.Operator.At(config.Site{URL: o.Site})
	o.core, err = startCore(ctx, coreConfig{
		Dir: s.Data, DB: s.DB.URL, KeyFile: s.KeyFile, Serve: true, Cache: int64(s.Cache), Operator: self, KKM: s.KKM, KKT: s.KKT, Service: s.Service, Crypto: s.KKTCrypto,
		Log: s.Log, Metrics: s.Metrics, Now: s.Now, Rand: s.Rand, Journal: o.noticing(s.Journal),
	})
	if err != nil {
		return err
	}
	far, err := s.markingSystem(o.module)
	if err != nil {
		return errors.Join(err, o.core.stop())
	}
	o.gate = gate.New(gate.Config{
		MaxConnections: s.Limits.Connections, MaxPerAddress: s.Limits.PerAddress, MaxExchanges: s.Limits.Exchanges.N,
		AddressFrames: s.Limits.AddressFramesPerSecond.N, RegisterFrames: s.Limits.RegisterFramesPerSecond.N,
		MaxFrame: int(s.KKM.MaxSize), Idle: time.Duration(s.KKM.IdleTimeout),
		KKT: gate.KKTConfig{Module: o.module, Marking: far},
	}, o.intake, s.Log, newGateMetrics(s.Metrics), s.Now)

	checker := cabinet.NewChecker(cabinet.CheckConfig{}, o.store.public, signs{o.ring}, o.read, s.Now)
	var inside web.Rooms
	if s.Does(config.PartWeb) {
		if inside, err = o.openRooms(s, self); err != nil {
			return errors.Join(err, o.core.stop())
		}
	}
	pages, err := web.New(web.Config{
		Rooms:          inside,
		TrustedProxies: prefixes(s.TrustedProxies), ChecksPerSecond: float64(s.Limits.CheckPerMinute) / 60,
	}, checker, self, s.Log, s.Now)
	if err != nil {
		return errors.Join(fmt.Errorf("build the pages: %w", err), o.core.stop())
	}
	o.web = web.NewServer(pages, s.Log)
	if err := o.startFollowers(s); err != nil {
		return errors.Join(fmt.Errorf("start the followers: %w", err), o.core.stop())
	}
	checks := []observe.Check{{Name: "store", Run: o.core.ready}}
	if len(o.followers.runners) > 0 {
		checks = append(checks, o.followersCheck())
	}
	o.ops = observe.NewOps(s.Metrics, checks...)
	return nil
}

// open lets peers in.
func (o *operator) open(d *doors) {
	ctx, cancel := context.WithCancel(context.Background())
	o.closeOps = cancel
	serve := func(door string, ln net.Listener, run func(net.Listener) error) {
		if ln == nil {
			return
		}
		o.log.Info("listening", "door", door, "addr", ln.Addr().String())
		o.doors.Go(func() {
			if err := run(ln); err != nil {
				o.failed <- fmt.Errorf("%s door: %w", door, err)
			}
		})
	}
	registers := func(ln net.Listener) error { return o.gate.Serve(context.Background(), ln) }
	serve("kkm", d.kkm, registers)
	serve("kkm-tls", d.kkmTLS, registers)
	if d.kkt != nil {
		if status, err := o.module.KeyStatus(ctx, wire.DriveNumber{}); err != nil {
			o.log.Error("the crypto module does not answer", "err", err)
		} else {
			o.log.Warn("no certified crypto module: real fiscal drives cannot be answered", "module", status.Module)
		}
	}
	serve("kkt", d.kkt, func(ln net.Listener) error { return o.gate.ServeKKT(context.Background(), ln) })
	serve("http", d.http, func(ln net.Listener) error {
		if err := o.web.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	serve("ops", d.ops, func(ln net.Listener) error { return o.ops.Serve(ctx, ln, o.log) })
}

// stop ends the operator within 10 s; what could not be finished is told in
// the error.
func (o *operator) stop() error {
	o.ops.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var gateErr, webErr error
	var under sync.WaitGroup
	under.Go(func() { gateErr = o.gate.Drain(ctx) })
	under.Go(func() {
		if webErr = o.web.Shutdown(ctx); webErr != nil {
			o.web.Close()
		}
	})
	under.Go(o.followers.stop)
	under.Go(o.rooms.close)
	under.Wait()
	coreErr := o.core.stop()
	o.closeOps()
	o.doors.Wait()
	return errors.Join(gateErr, webErr, coreErr)
}
