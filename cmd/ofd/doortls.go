package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"openofd/internal/config"
)

// tlsDoor speaks TLS with who connects, by what its files said when they were
// last read. Connections that are open keep what they agreed on.
//
// Each reading has session tickets of its own: a register that comes back
// after a cut link needs no certificate and no signature, but once the files
// have changed everybody shows and is shown the new ones.
type tlsDoor struct {
	net.Listener
	files  tlsFiles
	now    atomic.Pointer[tlsSetup]
	failed atomic.Uint64 // readings that were not taken over
}

// tlsFiles are the names; clientCA may be "".
type tlsFiles struct{ cert, key, clientCA string }

// tlsSetup is one reading of the files.
type tlsSetup struct {
	config           *tls.Config
	cert, key, roots []byte // as read
	expires          time.Time
}

func newTLSDoor(ln net.Listener, s *config.Serve) (*tlsDoor, error) {
	if s.TLSCert == "" || s.TLSKey == "" {
		return nil, withHint(errors.New("the TLS door needs a certificate and its key"), "Give --tls-cert and --tls-key")
	}
	d := &tlsDoor{Listener: ln, files: tlsFiles{s.TLSCert, s.TLSKey, s.ClientCA}}
	setup, err := d.files.read()
	if err != nil {
		return nil, err
	}
	d.now.Store(setup)
	return d, nil
}

// Accept implements net.Listener. The handshake is left to who serves the
// connection, for it waits for the peer.
func (d *tlsDoor) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(c, d.now.Load().config), nil
}

// reload takes over what the files say now, or keeps what it has and says why.
func (d *tlsDoor) reload() error {
	setup, err := d.files.read()
	if err != nil {
		d.failed.Add(1)
		return err
	}
	if old := d.now.Load(); !old.same(setup) {
		d.now.Store(setup)
	}
	return nil
}

// read makes a setup of the files: TLS 1.2 and 1.3, and with a client CA
// registers must show a certificate of their own.
func (f tlsFiles) read() (*tlsSetup, error) {
	s := &tlsSetup{}
	for _, one := range []struct {
		into *[]byte
		name string
	}{{&s.cert, f.cert}, {&s.key, f.key}, {&s.roots, f.clientCA}} {
		if one.name == "" {
			continue
		}
		b, err := os.ReadFile(one.name)
		if err != nil {
			return nil, fmt.Errorf("files of the TLS door: %w", err)
		}
		*one.into = b
	}
	pair, err := tls.X509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, fmt.Errorf("certificate of the TLS door, %s with key %s: %w", f.cert, f.key, err)
	}
	s.config = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	for _, der := range pair.Certificate { // a chain holds until the first of it expires
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate of the TLS door, %s: %w", f.cert, err)
		}
		if s.expires.IsZero() || c.NotAfter.Before(s.expires) {
			s.expires = c.NotAfter
		}
	}
	if f.clientCA == "" {
		return s, nil
	}
	s.config.ClientCAs = x509.NewCertPool()
	if !s.config.ClientCAs.AppendCertsFromPEM(s.roots) {
		return nil, fmt.Errorf("authorities of the registers: %s holds no certificate in PEM form", f.clientCA)
	}
	s.config.ClientAuth = tls.RequireAndVerifyClientCert
	return s, nil
}

func (s *tlsSetup) same(o *tlsSetup) bool {
	return bytes.Equal(s.cert, o.cert) && bytes.Equal(s.key, o.key) && bytes.Equal(s.roots, o.roots)
}
