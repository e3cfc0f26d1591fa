package main

import (
	"net"
	"net/netip"

	"openofd/internal/config"
)

// doors are the listeners of an operator; nil ones are closed.
type doors struct {
	kkm, kkmTLS, kkt, http, ops net.Listener

	tls *tlsDoor // behind kkmTLS; nil if that is closed
}

func (d *doors) bind(f *config.File) error {
	for _, one := range []struct {
		ln   *net.Listener
		name string
		addr config.Addr
		open bool
	}{
		{&d.kkm, "--kkm-addr", f.KKMAddr, f.Does(config.PartGate)},
		{&d.kkmTLS, "--kkm-tls-addr", f.KKMTLSAddr, f.Does(config.PartGate)},
		{&d.kkt, "--kkt-addr", f.KKTAddr, f.Does(config.PartGate)},
		{&d.http, "--http-addr", f.HTTPAddr, f.Does(config.PartWeb)},
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
	door, err := newTLSDoor(d.kkmTLS, &f.Serve)
	if err != nil {
		d.close()
		return err
	}
	d.tls, d.kkmTLS = door, door
	return nil
}

// reload rereads the files of the TLS door. With an error what was there
// before holds.
func (d *doors) reload() error {
	if d.tls == nil {
		return nil
	}
	return d.tls.reload()
}

func (d *doors) close() {
	for _, ln := range []net.Listener{d.kkm, d.kkmTLS, d.kkt, d.http, d.ops} {
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

func prefixes(proxies []config.Proxy) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range proxies {
		all = append(all, p.Prefix)
	}
	return all
}
