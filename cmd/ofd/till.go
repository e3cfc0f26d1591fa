package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"openofd/internal/access"
	"openofd/internal/config"
	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/mail"
	"openofd/internal/observe"
	"openofd/internal/till"
	webtill "openofd/internal/web/till"
)

// tillCmd is `ofd till`: a software cash register for many sellers, who open it
// on their phones. It is a client of an operator and of nothing else.
type tillCmd struct {
	config.Till `embed:"" envprefix:"OFD_TILL_"`
	Log         observeLog `embed:"" prefix:"log-"`
}

// Help is shown by --help below the flags.
func (tillCmd) Help() string {
	return `Sellers sign in by a code from a letter, so a mail server is needed: write server
and from under [mail] in ofd.toml. Beside an operator of your own:

  ofd serve
  ofd till --operator localhost:7777 --operator-url http://localhost:8080

A browser installs the page and uses the camera only over TLS, or on this very
machine.`
}

// tillOpen is what is said when the door is open.
type tillOpen struct {
	Site     string `json:"site"`
	Address  string `json:"address"`
	Ops      string `json:"ops,omitempty"`
	Operator string `json:"operator"`
	Data     string `json:"data"`
}

// Run is the command. It serves until SIGINT or SIGTERM, then finishes what is
// under way; what waits for the operator is durable.
func (c *tillCmd) Run(con *console) (err error) {
	log, err := observe.NewLogger(con.talk, observe.LogConfig{Level: c.Log.Level})
	if err != nil {
		return err
	}
	s := settings{File: *con.file, Log: log}
	if s.Mail.Server == "" {
		log.Warn("no mail server is set, so nobody can sign in; write server and from under [mail] in ofd.toml")
	}
	way, err := sender(&s)
	if err != nil {
		return err
	}
	self := s.Operator.At(c.OperatorURL)
	mailer, err := mail.New(way, self, c.OperatorURL.URL, log, time.Now)
	if err != nil {
		return err
	}
	defer mailer.Close()
	t, err := startTill(con.ctx, &c.Till, self, mailer, till.Options{}, log)
	if err != nil {
		return err
	}
	open := tillOpen{t.site, t.ln.Addr().String(), addr(t.opsLn), c.Operator, c.Data}
	err = con.result(open, func(out io.Writer) {
		ops := ""
		if open.Ops != "" {
			ops = "http://" + open.Ops + "/metrics"
		}
		facts(out, "till", open.Site, "operator", open.Operator, "data", open.Data, "metrics and health", ops)
	})
	if err != nil {
		return errors.Join(err, t.stop())
	}
	select {
	case err = <-t.failed:
	case <-con.ctx.Done():
		log.Info("stopping")
	}
	return errors.Join(err, t.stop())
}

// tillServer is a running till.
type tillServer struct {
	*till.Till
	site string

	ln, opsLn net.Listener
	web       *http.Server
	ops       *observe.Ops
	closeOps  context.CancelFunc
	doors     sync.WaitGroup
	failed    chan error // a door that ended by itself
}

// keptFor is how long a till keeps a register's connection to the operator for
// the next receipt. It is shorter than what a firewall forgets and than the time
// after which operators close: a receipt that goes out on a dead connection waits
// in vain and becomes an autonomous one.
const keptFor = 20 * time.Second

// startTill opens a till and its doors.
func startTill(ctx context.Context, c *config.Till, self fiscal.Operator, mailer access.Mailer, o till.Options, log *slog.Logger) (t *tillServer, err error) {
	if _, _, err := net.SplitHostPort(c.Operator); err != nil {
		return nil, withHint(fmt.Errorf("--operator: %w", err), "Give host and port, like localhost:7777")
	}
	t = &tillServer{failed: make(chan error, 2)}
	if t.ln, err = tillListen(c); err != nil {
		return nil, err
	}
	if c.OpsAddr.HostPort != "" {
		if t.opsLn, err = net.Listen("tcp", c.OpsAddr.HostPort); err != nil {
			return nil, errors.Join(withHint(err, "Give --ops-addr another address, or off"), t.ln.Close())
		}
	}
	closeAll := func(err error) error {
		err = errors.Join(err, t.ln.Close())
		if t.opsLn != nil {
			err = errors.Join(err, t.opsLn.Close())
		}
		return err
	}
	link := kkm.LinkConfig{Addr: c.Operator, Keep: true, Idle: keptFor}
	if c.OperatorTLS {
		link.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.Till, err = till.Open(ctx, till.Config{
		Path: filepath.Join(c.Data, "till.db"), Mailer: mailer, Link: func() kkm.Exchanger { return kkm.NewLink(link) },
		Check: c.OperatorURL.URL, Now: time.Now, Rand: rand.Reader, Log: log, Options: o,
	})
	if err != nil {
		return nil, closeAll(err)
	}
	h, err := webtill.New(webtill.Config{Operator: self, Site: c.OperatorURL.URL, Secure: c.Secure || c.TLSCert != "", Zone: almaty}, t.Till, log)
	if err != nil {
		return nil, errors.Join(closeAll(err), t.Close())
	}
	t.site = localSite(t.ln)
	if c.TLSCert != "" {
		t.site = "https" + t.site[len("http"):]
	}
	t.web = &http.Server{
		Handler: h, ReadHeaderTimeout: headWithin, ReadTimeout: wholeWithin, WriteTimeout: wholeWithin, IdleTimeout: idleFor,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	metrics := observe.NewRegistry()
	metrics.MustRegister(newTillMetrics(t.Till))
	t.ops = observe.NewOps(metrics, observe.Check{Name: "store", Run: t.Ready})
	t.serve(log)
	return t, nil
}

// serve lets sellers in.
func (t *tillServer) serve(log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.Background())
	t.closeOps = cancel
	t.doors.Go(func() {
		if err := t.web.Serve(t.ln); !errors.Is(err, http.ErrServerClosed) {
			t.failed <- fmt.Errorf("the till's door: %w", err)
		}
	})
	if t.opsLn == nil {
		return
	}
	t.doors.Go(func() {
		if err := t.ops.Serve(ctx, t.opsLn, log); err != nil {
			t.failed <- err
		}
	})
}

// stop lets end what has begun, and closes the till.
func (t *tillServer) stop() error {
	t.ops.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	err := t.web.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, t.web.Close())
	}
	err = errors.Join(err, t.Close())
	t.closeOps()
	t.doors.Wait()
	return err
}

// tillListen opens the door.
func tillListen(c *config.Till) (net.Listener, error) {
	if c.Addr.HostPort == "" {
		return nil, withHint(errors.New("--addr off: a till without a door"), "Give an address like :8090")
	}
	var setup *tls.Config
	if c.TLSCert != "" || c.TLSKey != "" {
		read, err := tlsFiles{c.TLSCert, c.TLSKey, ""}.read()
		if err != nil {
			return nil, err
		}
		setup = read.config
		setup.NextProtos = []string{"h2", "http/1.1"}
	}
	ln, err := net.Listen("tcp", c.Addr.HostPort)
	if err != nil {
		return nil, withHint(err, "Give --addr another address")
	}
	if setup != nil {
		ln = tls.NewListener(ln, setup)
	}
	return ln, nil
}
