package link_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"openofd/internal/authority/link"
	"openofd/internal/fiscal"
)

// issuer makes certificates.
type issuer struct {
	*testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	life time.Duration // of what it issues, from now; 0 means an hour
}

func newIssuer(t *testing.T, name string) *issuer {
	t.Helper()
	i := &issuer{T: t, dir: t.TempDir()}
	i.cert, i.key = i.issue(name)
	return i
}

// issue writes NAME.crt and NAME.key; the first one is the issuer's own.
func (i *issuer) issue(name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	i.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(cmp.Or(i.life, time.Hour)),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: i.cert == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	parent, by := i.cert, i.key
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		i.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		i.Fatal(err)
	}
	for ending, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(i.file(name+ending), pem.EncodeToMemory(block), 0o600); err != nil {
			i.Fatal(err)
		}
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		i.Fatal(err)
	}
	return made, key
}

func (i *issuer) file(name string) string { return filepath.Join(i.dir, name) }

// Both ends show who they are: a far end that asks for our certificate gets it,
// also a new one without a restart, and one that we do not believe gets nothing.
//
// Req: O-005, P-026, P-027
func TestBothShowWhoTheyAre(t *testing.T) {
	ours, theirs := newIssuer(t, "ours"), newIssuer(t, "theirs")
	ours.issue("operator")
	theirs.issue("far")
	pair, err := tls.LoadX509KeyPair(theirs.file("far.crt"), theirs.file("far.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	var asked []string
	far := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.TLS.PeerCertificates[0].Subject.CommonName)
		w.Header().Set("Connection", "close") // the next one is a handshake again
	}))
	far.Config.ErrorLog = log.New(io.Discard, "", 0)
	far.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	far.StartTLS()
	t.Cleanup(far.Close)

	get := func(cfg link.Config) error {
		cfg.Name, cfg.URL = "far", far.URL
		l, err := link.Open(cfg, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Get(t.Context(), "/", nil, nil)
	}
	good := link.Config{Cert: ours.file("operator.crt"), Key: ours.file("operator.key"), CA: theirs.file("theirs.crt")}
	for name, cfg := range map[string]link.Config{
		"without a certificate": {CA: good.CA}, "believing others": {Cert: good.Cert, Key: good.Key, CA: ours.file("ours.crt")},
		"believing the machine's own": {Cert: good.Cert, Key: good.Key},
	} {
		if err := get(cfg); !errors.Is(err, fiscal.Unavailable) || len(asked) > 0 {
			t.Errorf("%s: error %v, and the far end heard %q; want Unavailable and nothing", name, err, asked)
		}
	}
	cfg := good
	cfg.Name, cfg.URL = "far", far.URL
	l, err := link.Open(cfg, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"operator", "operator renewed"} {
		ours.issue(name)
		for _, ending := range []string{".crt", ".key"} {
			text, err := os.ReadFile(ours.file(name + ending))
			if err == nil {
				err = os.WriteFile(ours.file("operator"+ending), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Get(t.Context(), "/", nil, nil); err != nil || asked[len(asked)-1] != name {
			t.Errorf("Get as %s = %v, and the far end has seen %q", name, err, asked)
		}
	}

	// Files that are none are told at the start.
	for name, cfg := range map[string]link.Config{
		"no key": {Cert: good.Cert}, "no such file": {Cert: "absent", Key: good.Key}, "no certificates": {CA: good.Key}, "no such authority": {CA: "absent"},
	} {
		cfg.Name, cfg.URL = "far", far.URL
		if _, err := link.Open(cfg, time.Now); err == nil {
			t.Errorf("Open with %s = nil, want an error", name)
		}
	}
}
