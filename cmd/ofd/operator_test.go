package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/config"
	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/protocol/kkm/kkmpb"
	"openofd/internal/registry"
)

// localSettings are those of an operator on free ports, in a folder of its own.
func localSettings(t *testing.T) settings {
	t.Helper()
	var s settings
	free := config.Addr{HostPort: "127.0.0.1:0"}
	s.Data, s.KKMAddr, s.HTTPAddr, s.OpsAddr = t.TempDir(), free, free, free
	return s
}

func mustStart(t *testing.T, s settings) *operator {
	t.Helper()
	o, err := startOperator(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// newShop registers a device.
func newShop(t *testing.T, o *operator, serial string) registry.Registered {
	t.Helper()
	r, err := o.registry.AddRegister(t.Context(), registry.NewRegister{
		By: "test", Country: fiscal.Kazakhstan, XIN: "190340024183", Title: fiscal.Text{RU: "Дала Сауда"},
		OutletAddress: fiscal.Text{RU: "Алматы"}, Model: "Test KZ", SerialNumber: serial,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pingFrame is a COMMAND_SYSTEM.
func pingFrame(t *testing.T, r registry.Registered, reqNum uint16) []byte {
	t.Helper()
	frame, err := wire.AppendRequest(nil, wire.Header{Version: wire.V203, ID: uint32(r.Card.Register), Token: r.Token, ReqNum: reqNum},
		&kkmpb.Request{Command: kkmpb.CommandTypeEnum_COMMAND_SYSTEM.Enum()})
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// An operator under load stops in time; every receipt that was answered is
// stored, and what is stored is whole.
func TestStopUnderLoad(t *testing.T) {
	s := localSettings(t)
	o := mustStart(t, s)
	var answered atomic.Int64
	var shops sync.WaitGroup
	for i := range 8 {
		made := newShop(t, o, string(rune('A'+i)))
		memory, err := kkm.OpenFile(filepath.Join(t.TempDir(), "register"))
		if err != nil {
			t.Fatal(err)
		}
		reg, err := kkm.New(kkm.Config{Card: made.Card, Transaction: 3 * time.Second}, memory,
			kkm.NewLink(kkm.LinkConfig{Addr: o.KKMAddr}), time.Now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := reg.SetToken(made.Token); err != nil {
			t.Fatal(err)
		}
		shops.Go(func() {
			defer reg.Close()
			for {
				slip, err := reg.Sell(context.Background(), fiscal.Receipt{Items: []fiscal.Item{{
					Kind: fiscal.ItemGoods, Name: "Нан", Section: "1", Unit: "796", Quantity: fiscal.OneUnit, Price: 100, Cost: 100,
				}}})
				if err != nil || slip.Offline {
					return
				}
				answered.Add(1)
			}
		})
	}
	until(t, "40 receipts are answered", func() bool { return answered.Load() >= 40 })
	began := time.Now()
	if err := o.stop(); err != nil {
		t.Errorf("stop() = %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("stop() took %v", took)
	}
	shops.Wait()

	c, err := startCore(t.Context(), coreConfig{Dir: s.Data})
	if err != nil {
		t.Fatal(err)
	}
	defer c.stop()
	seen, err := verifyStore(t.Context(), c, nil)
	if err != nil {
		t.Errorf("verifyStore() = %v", err)
	}
	if got, least := int64(seen.Signs), answered.Load(); got < least || least == 0 {
		t.Errorf("%d receipts are stored, %d were answered", got, least)
	}
}

// A start that fails leaves nothing behind: neither ports nor the folder.
func TestFailedStart(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	free := freeAddr(t)

	s := localSettings(t)
	s.KKMAddr.HostPort, s.HTTPAddr.HostPort = free, busy.Addr().String()
	var h *hinted
	if _, err := startOperator(t.Context(), s); !errors.As(err, &h) || !strings.Contains(h.next, "--http-addr") {
		t.Fatalf("startOperator() on a busy port = %v, want a hint at --http-addr", err)
	}
	s.HTTPAddr.HostPort = "127.0.0.1:0"
	other := s
	other.KKMAddr.HostPort = "127.0.0.1:0"
	o := mustStart(t, s)
	if o.KKMAddr != free {
		t.Errorf("the KKM door is at %s, want %s", o.KKMAddr, free)
	}
	if _, err := startOperator(t.Context(), other); !errors.Is(err, fiscal.Conflict) {
		t.Errorf("a second operator on one folder: %v, want Conflict", err)
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	if err := mustStart(t, s).stop(); err != nil {
		t.Fatal(err)
	}
}

// Closed doors are closed, and a part that is not asked for opens none.
func TestDoors(t *testing.T) {
	s := localSettings(t)
	s.OpsAddr, s.Parts = config.Addr{}, []config.Part{config.PartWeb}
	o := mustStart(t, s)
	defer o.stop()
	if o.KKMAddr != "" || o.KKMTLSAddr != "" || o.OpsAddr != "" || o.HTTPAddr == "" {
		t.Errorf("doors: kkm %q, kkm-tls %q, ops %q, http %q; want http alone", o.KKMAddr, o.KKMTLSAddr, o.OpsAddr, o.HTTPAddr)
	}
	if want := "http://localhost:" + o.HTTPAddr[strings.LastIndex(o.HTTPAddr, ":")+1:]; o.Site != want {
		t.Errorf("site %q, want %q", o.Site, want)
	}
}

// The TLS door takes registers with a certificate of the named authority and
// nobody else.
//
// Req: P-026
func TestTLSDoor(t *testing.T) {
	dir := t.TempDir()
	authority := makeCertificate(t, dir, "ca", nil)
	makeCertificate(t, dir, "server", authority)
	makeCertificate(t, dir, "register", authority)
	makeCertificate(t, dir, "stranger", nil)
	file := func(name string) string { return filepath.Join(dir, name) }

	s := localSettings(t)
	s.KKMTLSAddr.HostPort = "127.0.0.1:0"
	if _, err := startOperator(t.Context(), s); err == nil || !strings.Contains(err.Error(), "needs a certificate") {
		t.Errorf("startOperator() without a certificate = %v", err)
	}
	s.TLSCert, s.TLSKey, s.ClientCA = file("server.crt"), file("server.key"), file("ca.crt")
	o := mustStart(t, s)
	defer o.stop()
	made := newShop(t, o, "TLS1")

	roots := x509.NewCertPool()
	roots.AddCert(authority.cert)
	for _, tt := range []struct {
		name, cert string
		served     bool
	}{{"a register's certificate", "register", true}, {"a stranger's", "stranger", false}, {"none", "", false}} {
		cfg := &tls.Config{RootCAs: roots, ServerName: "server"}
		if tt.cert != "" {
			pair, err := tls.LoadX509KeyPair(file(tt.cert+".crt"), file(tt.cert+".key"))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Certificates = []tls.Certificate{pair}
		}
		_, err := kkm.NewLink(kkm.LinkConfig{Addr: o.KKMTLSAddr, TLS: cfg}).Exchange(t.Context(), pingFrame(t, made, 1))
		if served := err == nil; served != tt.served {
			t.Errorf("%s: served %t (%v), want %t", tt.name, served, err, tt.served)
		}
	}
	if _, err := kkm.NewLink(kkm.LinkConfig{Addr: o.KKMAddr}).Exchange(t.Context(), pingFrame(t, made, 2)); err != nil {
		t.Errorf("the plain door beside it: %v", err)
	}
}

// issuer is a certificate with its key.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// makeCertificate writes NAME.crt and NAME.key, signed by an issuer or by
// itself.
func makeCertificate(t *testing.T, dir, name string, by *issuer) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: by == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".crt": {Type: "CERTIFICATE", Bytes: der},
		name + ".key": {Type: "EC PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{cert, key}
}
