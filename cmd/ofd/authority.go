package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"openofd/internal/authority/marking"
	"openofd/internal/authority/sandbox"
	"openofd/internal/config"
	"openofd/internal/observe"
	"openofd/internal/protocol/kkt"
)

// authorityCmd is `ofd authority`: the far end of operators of both countries, to
// rehearse with. It is a server of its own and needs no operator beside it.
type authorityCmd struct {
	Data         string         `type:"path" default:"authority-data" placeholder:"DIR" help:"Folder of its database."`
	Addr         config.Addr    `default:":7790" help:"Where operators send, and where its screens are."`
	TLSCert      string         `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificate chain, PEM; with it and its key all is over TLS."`
	TLSKey       string         `name:"tls-key" type:"path" placeholder:"FILE" help:"Private key of that certificate, PEM."`
	ClientCA     string         `name:"client-ca" type:"path" placeholder:"FILE" help:"Operators must show a certificate of these authorities, whose common name is theirs."`
	Decide       string         `enum:"auto,person" default:"auto" help:"Who decides on applications: auto, the rules; person, people on its screens."`
	DecideAfter  time.Duration  `default:"15s" help:"How long an application waits for the rules."`
	Known        string         `type:"path" placeholder:"FILE" help:"Taxpayers and models to put on record; without any, all are."`
	Marking      config.Marking `default:"table" placeholder:"table[:FILE]" help:"What is said of marked goods: table, every code is good, or what FILE says of them; none."`
	PasswordFile string         `type:"path" placeholder:"FILE" help:"The password of its staff, the first line; without it one is made at the first start and shown once."`
	Log          observeLog     `embed:"" prefix:"log-"`
}

// observeLog is how much is said.
type observeLog struct {
	Level slog.Level `default:"info" help:"debug, info, warn or error."`
}

// Run is the command.
func (c *authorityCmd) Run(con *console) (err error) {
	log, err := observe.NewLogger(con.talk, observe.LogConfig{Level: c.Log.Level})
	if err != nil {
		return err
	}
	cfg, err := c.config(con)
	if err != nil {
		return err
	}
	cfg.Log = log
	ln, err := c.listen()
	if err != nil {
		return err
	}
	s, err := sandbox.Open(con.ctx, cfg)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := c.welcome(con, s, ln); err != nil {
		return errors.Join(err, ln.Close())
	}
	return serveAuthority(con.ctx, s.Handler(), ln, log)
}

// config reads the files that the flags name.
func (c *authorityCmd) config(con *console) (cfg sandbox.Config, err error) {
	cfg = sandbox.Config{Dir: c.Data, Certificates: c.ClientCA != "", DecideAfter: c.DecideAfter, ByPerson: c.Decide == "person"}
	if c.DecideAfter <= 0 {
		cfg.DecideAfter = -1 // at once
	}
	if c.Known != "" {
		text, err := os.ReadFile(c.Known)
		if err != nil {
			return cfg, fmt.Errorf("--known: %w", err)
		}
		if cfg.Known, err = sandbox.ParseKnown(c.Known, text); err != nil {
			return cfg, fmt.Errorf("--known: %w", err)
		}
	}
	if c.PasswordFile != "" {
		if cfg.Password, err = (&secret{PasswordFile: c.PasswordFile}).read(con); err != nil {
			return cfg, err
		}
	}
	switch {
	case c.Marking.URL != "":
		return cfg, withHint(errors.New("--marking: the authority answers for marked goods itself"), "Give table, table:FILE or none")
	case c.Marking.Name != "":
		var rows []marking.Row
		if c.Marking.File != "" {
			text, err := os.ReadFile(c.Marking.File)
			if err != nil {
				return cfg, fmt.Errorf("--marking: %w", err)
			}
			if rows, err = marking.ParseRows(c.Marking.File, text); err != nil {
				return cfg, fmt.Errorf("--marking: %w", err)
			}
		}
		cfg.Marking = marking.New(kkt.NewSIM1(kkt.SIM1TestKey()), rows, time.Now)
	}
	return cfg, nil
}

// listen opens the door.
func (c *authorityCmd) listen() (net.Listener, error) {
	if c.Addr.HostPort == "" {
		return nil, withHint(errors.New("--addr off: an authority without a door"), "Give an address like :7790")
	}
	var setup *tls.Config
	switch {
	case c.TLSCert != "" || c.TLSKey != "":
		read, err := tlsFiles{c.TLSCert, c.TLSKey, c.ClientCA}.read()
		if err != nil {
			return nil, err
		}
		setup = read.config
		setup.NextProtos = []string{"h2", "http/1.1"}
		if c.ClientCA != "" { // the screens are for people, who have none
			setup.ClientAuth = tls.VerifyClientCertIfGiven
		}
	case c.ClientCA != "":
		return nil, withHint(errors.New("--client-ca: certificates are shown over TLS alone"), "Give --tls-cert and --tls-key")
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

// welcomed is what is said when the door is open.
type welcomed struct {
	Address  string `json:"address"`
	Site     string `json:"site"`
	Password string `json:"password,omitempty"` // the one that was made
}

func (c *authorityCmd) welcome(con *console, s *sandbox.Server, ln net.Listener) error {
	w := welcomed{Address: ln.Addr().String(), Password: s.FirstPassword()}
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	_, port, err := net.SplitHostPort(w.Address)
	if err != nil {
		return err
	}
	w.Site = scheme + "://localhost:" + port
	return con.result(w, func(out io.Writer) {
		fmt.Fprintf(out, "An authority to rehearse with. It is no state authority, and what it grants has no force.\n\n")
		shown := w.Password
		if shown != "" {
			shown += "   (shown this once)"
		}
		facts(out, "screens", w.Site, "password", shown, "data", c.Data,
			"operators", fmt.Sprintf("ofd serve --kgd-url %s --fns-url %s --marking %s", w.Site, w.Site, w.Site))
	})
}

// Deadlines of the door: requests of operators have one of their own.
const (
	headWithin  = 10 * time.Second
	wholeWithin = 2 * time.Minute
	answerIn    = 10 * time.Minute // faults may be slow
	idleFor     = 3 * time.Minute
	drainFor    = 15 * time.Second
)

// serveAuthority serves until ctx ends, and then lets end what has begun.
func serveAuthority(ctx context.Context, h http.Handler, ln net.Listener, log *slog.Logger) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: headWithin, ReadTimeout: wholeWithin, WriteTimeout: answerIn, IdleTimeout: idleFor,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("the door of the authority: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	err := srv.Shutdown(last)
	if err != nil {
		err = errors.Join(err, srv.Close())
	}
	<-done
	return err
}
