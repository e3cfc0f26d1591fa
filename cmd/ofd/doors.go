package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"openofd/internal/config"
)

// doors are the listeners of an operator; nil ones are closed.
type doors struct{ kkm, kkmTLS, http, ops net.Listener }

func (d *doors) bind(f *config.File) error {
	has := func(p config.Part) bool { return len(f.Parts) == 0 || slices.Contains(f.Parts, p) }
	for _, one := range []struct {
		ln   *net.Listener
		name string
		addr config.Addr
		open bool
	}{
		{&d.kkm, "--kkm-addr", f.KKMAddr, has(config.PartGate)},
		{&d.kkmTLS, "--kkm-tls-addr", f.KKMTLSAddr, has(config.PartGate)},
		{&d.http, "--http-addr", f.HTTPAddr, has(config.PartWeb)},
		{&d.ops, "--ops-addr", f.OpsAddr, true},
	} {
		if !one.open || one.addr.HostPort == "" {
			continue
		}
		ln, err := net.Listen("tcp", one.addr.HostPort)
		if err != nil {
			d.close()
			return withHint(err, "Give "+one.name+" another address, or close the door with "+one.name+" off")
		}
		*one.ln = ln
	}
	if d.kkmTLS == nil {
		return nil
	}
	cfg, err := tlsConfig(&f.Serve)
	if err != nil {
		d.close()
		return err
	}
	d.kkmTLS = tls.NewListener(d.kkmTLS, cfg)
	return nil
}

func (d *doors) close() {
	for _, ln := range []net.Listener{d.kkm, d.kkmTLS, d.http, d.ops} {
		if ln != nil {
			ln.Close()
		}
	}
}

func addr(ln net.Listener) string {
	if ln == nil {
		return ""
	}
	return ln.Addr().String()
}

// localSite is where this machine itself finds the pages: good enough to try
// things out, useless in the QR codes of a real shop.
func localSite(ln net.Listener) string {
	if ln == nil {
		return "http://localhost"
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return "http://localhost"
	}
	return "http://localhost:" + port
}

// tlsConfig is that of the TLS door: certificate and key, and with a client CA
// registers must show a certificate of their own.
func tlsConfig(s *config.Serve) (*tls.Config, error) {
	if s.TLSCert == "" || s.TLSKey == "" {
		return nil, withHint(errors.New("the TLS door needs a certificate and its key"), "Give --tls-cert and --tls-key")
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate of the TLS door: %w", err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if s.ClientCA == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(s.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("authorities of the registers: %w", err)
	}
	cfg.ClientCAs = x509.NewCertPool()
	if !cfg.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("authorities of the registers: %s holds no certificate in PEM form", s.ClientCA)
	}
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	return cfg, nil
}

func prefixes(proxies []config.Proxy) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range proxies {
		all = append(all, p.Prefix)
	}
	return all
}
