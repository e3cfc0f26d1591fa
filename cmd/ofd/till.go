package main

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"

	"openofd/internal/config"
	"openofd/internal/device/kkm"
	"openofd/internal/mail"
	"openofd/internal/observe"
	"openofd/internal/till"
	webtill "openofd/internal/web/till"
)

// tillCmd is `ofd till`: a software cash register for many sellers, who open it
// on their phones. It is a client of an operator and of nothing else.
type tillCmd struct {
	Data        string      `type:"path" default:"till-data" placeholder:"DIR" help:"Folder of its database."`
	Addr        config.Addr `default:":8090" help:"Where sellers open it."`
	TLSCert     string      `name:"tls-cert" type:"path" placeholder:"FILE" help:"Certificate chain, PEM; with it and its key all is over TLS."`
	TLSKey      string      `name:"tls-key" type:"path" placeholder:"FILE" help:"Private key of that certificate, PEM."`
	Operator    string      `default:"localhost:7777" placeholder:"HOST:PORT" help:"Where the operator takes what registers send."`
	OperatorTLS bool        `name:"operator-tls" help:"Speak TLS with the operator."`
	OperatorURL config.Site `name:"operator-url" default:"http://localhost:8080" help:"The operator's site: where buyers check receipts."`
	Log         observeLog  `embed:"" prefix:"log-"`
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

// Run is the command.
func (c *tillCmd) Run(con *console) (err error) {
	log, err := observe.NewLogger(con.talk, observe.LogConfig{Level: c.Log.Level})
	if err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.Operator); err != nil {
		return withHint(fmt.Errorf("--operator: %w", err), "Give host and port, like localhost:7777")
	}
	if c.Addr.HostPort == "" {
		return withHint(errors.New("--addr off: a till without a door"), "Give an address like :8090")
	}
	s := settings{File: *con.file, Log: log}
	way, err := sender(&s)
	if err != nil {
		return err
	}
	if s.Mail.Server == "" {
		log.Warn("no mail server is set, so nobody can sign in; write server and from under [mail] in ofd.toml")
	}
	self := s.Operator.At(c.OperatorURL)
	mailer, err := mail.New(way, self, c.OperatorURL.URL, log, time.Now)
	if err != nil {
		return err
	}
	defer mailer.Close()
	link := kkm.LinkConfig{Addr: c.Operator}
	if c.OperatorTLS {
		link.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	shop, err := till.Open(con.ctx, till.Config{
		Path: filepath.Join(c.Data, "till.db"), Mailer: mailer, Link: func() kkm.Exchanger { return kkm.NewLink(link) },
		Check: c.OperatorURL.URL, Now: time.Now, Rand: rand.Reader, Log: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.Close()) }()
	h, err := webtill.New(webtill.Config{Operator: self, Site: c.OperatorURL.URL, Zone: almaty}, shop, log)
	if err != nil {
		return err
	}
	ln, err := c.listen()
	if err != nil {
		return err
	}
	site := "http://" + strings.Replace(ln.Addr().String(), "[::]", "localhost", 1)
	if c.TLSCert != "" {
		site = "https" + strings.TrimPrefix(site, "http")
	}
	err = con.result(struct {
		Site     string `json:"site"`
		Address  string `json:"address"`
		Operator string `json:"operator"`
		Data     string `json:"data"`
	}{site, ln.Addr().String(), c.Operator, c.Data}, func(out io.Writer) {
		facts(out, "till", site, "operator", c.Operator, "data", c.Data)
	})
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return serveAuthority(con.ctx, h, ln, log)
}

// listen opens the door.
func (c *tillCmd) listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", c.Addr.HostPort)
	if err != nil {
		return nil, withHint(err, "Give --addr another address")
	}
	if c.TLSCert == "" && c.TLSKey == "" {
		return ln, nil
	}
	read, err := tlsFiles{c.TLSCert, c.TLSKey, ""}.read()
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	read.config.NextProtos = []string{"h2", "http/1.1"}
	return tls.NewListener(ln, read.config), nil
}
