package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
)

// issuer issues certificates to operators.
type issuer struct {
	*testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{T: t}
	i.key, i.cert = i.issue("issuer", nil)
	return i
}

func (i *issuer) issue(name string, by *issuer) (*ecdsa.PrivateKey, *x509.Certificate) {
	i.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: by == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		i.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		i.Fatal(err)
	}
	return key, c
}

// TestOperators: who sends is told by the certificate, and nobody sees what is
// another's; people at the screens need none.
//
// Req: O-107, O-108
func TestOperators(t *testing.T) {
	t.Parallel()
	ca := newIssuer(t)
	s, err := Open(t.Context(), Config{Dir: t.TempDir(), Certificates: true, DecideAfter: -1})
	if err != nil {
		t.Fatal(err)
	}
	door := httptest.NewUnstartedServer(s.Handler())
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	door.TLS = &tls.Config{ClientCAs: roots, ClientAuth: tls.VerifyClientCertIfGiven}
	door.StartTLS()
	t.Cleanup(func() {
		door.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client := func(name string) *http.Client {
		way := door.Client().Transport.(*http.Transport).Clone()
		if name != "" {
			key, cert := ca.issue(name, ca)
			way.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}
		}
		t.Cleanup(way.CloseIdleConnections)
		return &http.Client{Transport: way, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	north, south, nobody := client("North"), client("South"), client("")
	ask := func(c *http.Client, method, path, body string, into any) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, door.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if into != nil {
			if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
				t.Fatal(err)
			}
		}
		return resp.StatusCode
	}
	if status := ask(nobody, "POST", kgd.PathReceipts, ndjson(t, sale(7, 1, 100_00)), nil); status != http.StatusForbidden {
		t.Errorf("without a certificate: %d, want 403", status)
	}
	if status := ask(nobody, "GET", "/signin", "", nil); status != http.StatusOK {
		t.Errorf("the screens without a certificate: %d", status)
	}
	if status := ask(client(strings.Repeat("x", 65)), "GET", kgd.PathDecisions, "", nil); status != http.StatusForbidden {
		t.Errorf("a name of 65 bytes: %d, want 403", status)
	}
	// The same register, the same application: two different ones.
	for _, one := range []struct {
		c     *http.Client
		total fiscal.Money
	}{{north, 100_00}, {south, 700_00}} {
		var got kgd.Taken
		if ask(one.c, "POST", kgd.PathReceipts, ndjson(t, sale(7, 1, one.total)), &got); got.Taken != 1 {
			t.Errorf("%+v, want it new", got)
		}
		var page kgd.Counts
		if ask(one.c, "GET", kgd.PathCounts+"?day=2026-03-14", "", &page); len(page.Counts) != 1 || page.Counts[0].Receipts["sale"].Sum != one.total {
			t.Errorf("counts %+v, want those of %v", page, one.total)
		}
	}
	text, err := json.Marshal(paper("a-1", kgd.ApplicationRegister, ownerBIN, "1"))
	if err != nil {
		t.Fatal(err)
	}
	var taken kgd.ApplicationTaken
	if ask(north, "POST", kgd.PathApplications, string(text), &taken); taken.Number == "" {
		t.Error("North's application was not taken")
	}
	var page kgd.Decisions
	for end := time.Now().Add(time.Minute); len(page.Decisions) == 0 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		ask(north, "GET", kgd.PathDecisions, "", &page)
	}
	if len(page.Decisions) != 1 {
		t.Errorf("North's decisions: %+v", page)
	}
	if ask(south, "GET", kgd.PathDecisions, "", &page); len(page.Decisions) != 0 {
		t.Errorf("South sees %+v", page)
	}
}
