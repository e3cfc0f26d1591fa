package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"testing/fstest"
	"time"
)

// made is a certificate of a test, with its key.
type made struct {
	*certificate
	key crypto.Signer
}

// make issues a certificate: an authority unless change says otherwise. by may
// be nil for a root.
func (by *made) make(t *testing.T, name string, change func(*x509.Certificate)) *made {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return by.makeWith(t, key, name, change)
}

func (by *made) makeWith(t *testing.T, key crypto.Signer, name string, change func(*x509.Certificate)) *made {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             someday.AddDate(-1, 0, 0),
		NotAfter:              someday.AddDate(1, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, refused := parseCertificate(raw)
	if refused != nil {
		t.Fatal(refused)
	}
	return &made{c, key}
}

// leaf is the template of a signer.
func leaf(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid = false, false
	c.KeyUsage = x509.KeyUsageContentCommitment
}

// TestChains: what an authority may and may not, one case each.
//
// Req: P-047
func TestChains(t *testing.T) {
	root := (*made)(nil).make(t, "root", nil)
	tight := (*made)(nil).make(t, "tight root", func(c *x509.Certificate) { c.MaxPathLenZero = true })
	tests := []struct {
		name string
		want Reason
		make func() []*made // from below the root to the signer
	}{
		{"signer below the root", NoReason, func() []*made { return []*made{root.make(t, "s", leaf)} }},
		{"path length of none, signer at once", NoReason, func() []*made { return []*made{tight.make(t, "s", leaf)} }},
		{"path length of none, an authority between", BrokenChain, func() []*made {
			ca := tight.make(t, "ca", nil)
			return []*made{ca, ca.make(t, "s", leaf)}
		}},
		{"a path as long as it may be", NoReason, func() []*made {
			all := []*made{root.make(t, "1", nil)}
			for _, name := range []string{"2", "3", "4"} {
				all = append(all, all[len(all)-1].make(t, name, nil))
			}
			return append(all, all[3].make(t, "s", leaf))
		}},
		{"a path longer than that", Untrusted, func() []*made {
			all := []*made{root.make(t, "1", nil)}
			for _, name := range []string{"2", "3", "4", "5"} {
				all = append(all, all[len(all)-1].make(t, name, nil))
			}
			return append(all, all[4].make(t, "s", leaf))
		}},
		{"an authority that may not sign certificates", BrokenChain, func() []*made {
			ca := root.make(t, "ca", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
			return []*made{ca, ca.make(t, "s", leaf)}
		}},
		{"an authority for servers", BrokenChain, func() []*made {
			ca := root.make(t, "ca", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
			return []*made{ca, ca.make(t, "s", leaf)}
		}},
		{"an authority for mail", NoReason, func() []*made {
			ca := root.make(t, "ca", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })
			return []*made{ca, ca.make(t, "s", leaf)}
		}},
		{"an authority limited to names", UnknownExtension, func() []*made {
			ca := root.make(t, "ca", func(c *x509.Certificate) {
				c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
			})
			return []*made{ca, ca.make(t, "s", leaf)}
		}},
		{"an authority with a riddle", UnknownExtension, func() []*made {
			ca := root.make(t, "ca", func(c *x509.Certificate) {
				c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 398, 99, 1}, Critical: true, Value: []byte{5, 0}}}
			})
			return []*made{ca, ca.make(t, "s", leaf)}
		}},
		{"an authority that is not one yet", AuthorityExpired, func() []*made {
			ca := root.make(t, "ca", func(c *x509.Certificate) { c.NotBefore = someday.Add(time.Hour) })
			return []*made{ca, ca.make(t, "s", leaf)}
		}},
		{"an authority of the same name with another key", Untrusted, func() []*made {
			real, other := root.make(t, "ca", nil), root.make(t, "ca", nil)
			return []*made{other, real.make(t, "s", leaf)}
		}},
		{"authorities that issue each other", Untrusted, func() []*made {
			lone := (*made)(nil).make(t, "lone root", nil)
			first := lone.make(t, "first", nil)
			second := first.make(t, "second", nil)
			again := second.makeWith(t, first.key, "first", nil)
			return []*made{first, again, second, second.make(t, "s", leaf)}
		}},
	}
	for _, tt := range tests {
		trust := &trust{roots: []*certificate{root.certificate, tight.certificate}}
		all := tt.make()
		var given []*certificate
		for _, c := range all {
			given = append(given, c.certificate)
		}
		chain, refused := trust.chain(given[len(given)-1], given, someday, someday)
		switch {
		case tt.want == NoReason && refused != nil:
			t.Errorf("%s: chain() = %v, want a chain", tt.name, refused)
		case tt.want == NoReason && len(chain) != len(all)+1:
			t.Errorf("%s: chain() = %d certificates, want %d", tt.name, len(chain), len(all)+1)
		case tt.want != NoReason && (refused == nil || !errors.Is(refused, tt.want)):
			t.Errorf("%s: chain() = %v, want %v", tt.name, refused, tt.want)
		}
	}
}

// TestChainSearchEnds: hundreds of authorities of one name cost a bounded
// number of signatures, whoever encloses them.
func TestChainSearchEnds(t *testing.T) {
	root := (*made)(nil).make(t, "root", nil)
	lone := (*made)(nil).make(t, "lone root", nil)
	ca := lone.make(t, "ca", nil)
	signer := ca.make(t, "s", leaf)
	var given []*certificate
	for range 40 { // the same key again and again: each fits
		given = append(given, lone.makeWith(t, ca.key, "ca", func(c *x509.Certificate) { c.Issuer.CommonName = "ca" }).certificate)
	}
	s := &search{trust: &trust{roots: []*certificate{root.certificate}}, given: given, at: someday, now: someday}
	if path := s.from([]*certificate{signer.certificate}); path != nil {
		t.Errorf("from() = %d certificates, want none", len(path))
	}
	if s.checks != maxChecks {
		t.Errorf("%d signatures were checked, want the limit of %d", s.checks, maxChecks)
	}
}

// TestRootWithOldSignature: a root counts because an operator put it there; that
// it signed itself with SHA-1 twenty years ago does no harm. A signature below
// it would.
func TestRootWithOldSignature(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, minRSA)
	if err != nil {
		t.Fatal(err)
	}
	old := func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }
	root := (*made)(nil).makeWith(t, key, "old root", old)
	folder := fstest.MapFS{"root.cer": {Data: root.Raw}}
	trust, err := readTrust(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	good := root.make(t, "s", leaf)
	if _, refused := trust.chain(good.certificate, nil, someday, someday); refused != nil {
		t.Errorf("chain() below an old root = %v, want a chain", refused)
	}
	weak := root.make(t, "s", func(c *x509.Certificate) { leaf(c); old(c) })
	if _, refused := trust.chain(weak.certificate, nil, someday, someday); refused == nil || refused.Reason != WeakAlgorithm {
		t.Errorf("chain() of a certificate signed with SHA-1 = %v, want %v", refused, WeakAlgorithm)
	}
}

// TestListsThatDoNotDo: delta and partial lists, and lists of somebody who may
// not issue them, are not believed.
func TestListsThatDoNotDo(t *testing.T) {
	root := (*made)(nil).make(t, "root", nil)
	mute := root.make(t, "mute", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	list := func(by *made, change func(*x509.RevocationList)) []byte {
		template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: someday.AddDate(0, 0, -1), NextUpdate: someday.AddDate(0, 0, 1)}
		if change != nil {
			change(template)
		}
		issuer := *by.Certificate
		issuer.KeyUsage |= x509.KeyUsageCRLSign // or the library would not issue it
		raw, err := x509.CreateRevocationList(rand.Reader, template, &issuer, by.key)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	critical := func(oid ...int) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: oid, Critical: true, Value: []byte{2, 1, 1}}}
		}
	}
	tests := []struct {
		name string
		raw  []byte
		good bool
	}{
		{"a list", list(root, nil), true},
		{"a delta list", list(root, critical(2, 5, 29, 27)), false},
		{"a list of a part", list(root, critical(2, 5, 29, 28)), false},
		{"a list of somebody who may not", list(mute, nil), false},
	}
	for _, tt := range tests {
		_, err := parseRevocations(tt.raw, []*certificate{root.certificate, mute.certificate})
		if (err == nil) != tt.good {
			t.Errorf("%s: parseRevocations() = %v, want it believed: %t", tt.name, err, tt.good)
		}
	}
}
