package main

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	wire "openofd/internal/protocol/kkm"
)

// tlsOperator is an operator with a TLS door whose files lie in dir: the
// certificate "server" of the authority.
func tlsOperator(t *testing.T, dir string, clientCA string) (*operator, *issuer) {
	t.Helper()
	authority := makeCertificate(t, dir, "ca", nil)
	makeCertificate(t, dir, "server", authority)
	s := localSettings(t)
	s.KKMTLSAddr.HostPort = "127.0.0.1:0"
	s.FNSDir = t.TempDir()
	s.KGD.URL.URL = "http://127.0.0.1:1" // where nobody is
	s.TLSCert, s.TLSKey = filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	if clientCA != "" {
		s.ClientCA = filepath.Join(dir, clientCA)
	}
	o := mustStart(t, s)
	t.Cleanup(func() { o.stop() })
	return o, authority
}

// trusting is a client that believes these authorities and nobody else.
func trusting(all ...*issuer) *tls.Config {
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "server"}
	for _, a := range all {
		cfg.RootCAs.AddCert(a.cert)
	}
	return cfg
}

// exchange sends one ping and reads the answer's header.
func exchange(c net.Conn, frame []byte) error {
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.Write(frame); err != nil {
		return err
	}
	head := make([]byte, wire.HeaderLen)
	if _, err := io.ReadFull(c, head); err != nil {
		return err
	}
	h, err := wire.ParseHeader(head)
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, c, int64(h.Size)-wire.HeaderLen)
	return err
}

// Only what is held for secure may be agreed on.
//
// Req: P-026, P-027
func TestTLSVersions(t *testing.T) {
	o, authority := tlsOperator(t, t.TempDir(), "")
	made := newShop(t, o, "TLS-V")
	for _, tt := range []struct {
		version uint16
		served  bool
	}{{tls.VersionTLS10, false}, {tls.VersionTLS11, false}, {tls.VersionTLS12, true}, {tls.VersionTLS13, true}} {
		cfg := trusting(authority)
		cfg.MinVersion, cfg.MaxVersion = tt.version, tt.version
		c, err := tls.Dial("tcp", o.KKMTLSAddr, cfg)
		if err == nil {
			err = exchange(c, pingFrame(t, made, 1))
			c.Close()
		}
		if served := err == nil; served != tt.served {
			t.Errorf("%s: served %t (%v), want %t", tls.VersionName(tt.version), served, err, tt.served)
		}
	}
}

// A register that comes back shows the ticket of its last visit instead of
// agreeing anew, and a reading that changed nothing leaves tickets good.
func TestTLSTickets(t *testing.T) {
	o, authority := tlsOperator(t, t.TempDir(), "")
	made := newShop(t, o, "TLS-T")
	cfg := trusting(authority)
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	for visit := range 3 {
		if visit == 2 {
			if err := o.ports.reload(); err != nil {
				t.Fatal(err)
			}
		}
		c, err := tls.Dial("tcp", o.KKMTLSAddr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := exchange(c, pingFrame(t, made, uint16(visit+1))); err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().DidResume; got != (visit > 0) {
			t.Errorf("visit %d: resumed %t, want %t", visit, got, visit > 0)
		}
		c.Close()
	}
}

// New files are taken over by a reading, for new connections; what cannot be
// used changes nothing and is told; who is inside stays.
func TestTLSReload(t *testing.T) {
	dir := t.TempDir()
	o, old := tlsOperator(t, dir, "ca.crt")
	made := newShop(t, o, "TLS-R")
	crt, key := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	visit := func(authority *issuer, name string) (net.Conn, error) {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
		if err != nil {
			t.Fatal(err)
		}
		cfg := trusting(authority)
		cfg.Certificates = []tls.Certificate{pair}
		c, err := tls.Dial("tcp", o.KKMTLSAddr, cfg)
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { c.Close() })
		return c, exchange(c, pingFrame(t, made, 1))
	}
	makeCertificate(t, dir, "register-1", old)
	inside, err := visit(old, "register-1")
	if err != nil {
		t.Fatal(err)
	}

	good, err := os.ReadFile(crt)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"empty": nil, "half": good[:len(good)/2], "no certificate": []byte("hello")} {
		if err := os.WriteFile(crt, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := o.ports.reload(); err == nil {
			t.Errorf("reload() of a file that is %s = nil, want an error", name)
		}
		if _, err := visit(old, "register-1"); err != nil {
			t.Errorf("after a file that is %s the old certificate does not hold: %v", name, err)
		}
	}
	if got := o.ports.tls.failed.Load(); got != 3 {
		t.Errorf("%d readings failed, want 3", got)
	}

	// Another authority for both sides.
	fresh := makeCertificate(t, dir, "ca", nil)
	made2 := makeCertificate(t, dir, "server", fresh)
	makeCertificate(t, dir, "register-2", fresh)
	if err := o.ports.reload(); err != nil {
		t.Fatal(err)
	}
	if got := o.ports.tls.now.Load().expires; !got.Equal(made2.cert.NotAfter) {
		t.Errorf("the certificate expires %v, want %v", got, made2.cert.NotAfter)
	}
	if _, err := visit(fresh, "register-2"); err != nil {
		t.Errorf("a register of the new authority: %v", err)
	}
	if _, err := visit(old, "register-2"); err == nil {
		t.Error("the old certificate is still shown")
	}
	if _, err := visit(fresh, "register-1"); err == nil {
		t.Error("a register of the old authority is still let in")
	}
	if err := exchange(inside, pingFrame(t, made, 2)); err != nil {
		t.Errorf("who was inside was put out: %v", err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if err := o.ports.reload(); err == nil {
		t.Error("reload() without the key = nil, want an error")
	}
}

// Metrics and profiles are at the ops door alone.
//
// Req: P-034
func TestOpsAreNotPublic(t *testing.T) {
	o := mustStart(t, localSettings(t))
	defer o.stop()
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars", "/healthz", "/readyz"} {
		for _, tt := range []struct {
			door, addr string
			want       bool
		}{{"http", o.HTTPAddr, false}, {"ops", o.OpsAddr, path != "/debug/vars"}} {
			resp, err := http.Get("http://" + tt.addr + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if there := resp.StatusCode != http.StatusNotFound; there != tt.want {
				t.Errorf("%s door: GET %s = %d, want it there: %t", tt.door, path, resp.StatusCode, tt.want)
			}
		}
	}
	c, err := net.Dial("tcp", o.KKMAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(c, "GET /debug/pprof/ HTTP/1.1\r\nHost: x\r\n\r\n")
	if b, err := io.ReadAll(c); len(b) != 0 || os.IsTimeout(err) {
		t.Errorf("the registers' door answers HTTP with %q, %v; want it closed", b, err)
	}
}
