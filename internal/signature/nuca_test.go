package signature

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"
)

// nuca reads a file of the test hierarchy of Kazakhstan's authority.
func nuca(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "nuca", name))
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := pem.Decode(b); p != nil {
		return p.Bytes
	}
	return b
}

func nucaCertificate(t testing.TB, name string) *certificate {
	t.Helper()
	c, refused := parseCertificate(nuca(t, name))
	if refused != nil {
		t.Fatalf("parseCertificate(%s) = %v", name, refused)
	}
	return c
}

// TestNUCACertificates: what the authority's own software has signed verifies,
// and not by another of its keys.
//
// Req: E-036, T-130
func TestNUCACertificates(t *testing.T) {
	issued := []struct{ child, issuer string }{
		{"root-2004.pem", "root-2004.pem"},
		{"nca-2004.pem", "root-2004.pem"},
		{"head-2004.cer", "nca-2004.pem"},
		{"person-2015.cer", "nca-2015.cer"},
		{"root-rsa.pem", "root-rsa.pem"},
		{"nca-rsa.pem", "root-rsa.pem"},
	}
	for _, tt := range issued {
		child, issuer := nucaCertificate(t, tt.child), nucaCertificate(t, tt.issuer)
		if !issuer.issued(child.Certificate) {
			t.Errorf("%s: the names say that %s did not issue it", tt.child, tt.issuer)
		}
		if refused := issuer.check(child.signed); refused != nil {
			t.Errorf("%s by the key of %s: check() = %v, want nil", tt.child, tt.issuer, refused)
		}
		for _, other := range issued {
			if other.issuer == tt.issuer {
				continue
			}
			if refused := nucaCertificate(t, other.issuer).check(child.signed); !errors.Is(refused, WrongSignature) {
				t.Errorf("%s by the key of %s: check() = %v, want %v", tt.child, other.issuer, refused, WrongSignature)
			}
		}
	}
}

// TestNUCALists: the authority's revocation lists are believed, and name what
// they name; one changed byte, and they are not.
func TestNUCALists(t *testing.T) {
	for list, want := range map[string]struct {
		issuer  string
		revoked int
	}{
		"nca-2004.crl": {"nca-2004.pem", 31},
		"nca-2015.crl": {"nca-2015.cer", 6},
	} {
		authorities := []*certificate{nucaCertificate(t, "root-2004.pem"), nucaCertificate(t, want.issuer)}
		got, err := parseRevocations(nuca(t, list), authorities)
		if err != nil {
			t.Errorf("parseRevocations(%s) = %v", list, err)
			continue
		}
		if len(got.revoked) != want.revoked || got.authority != authorityOf(authorities[1]) {
			t.Errorf("%s: %d certificates revoked, want %d of %s", list, len(got.revoked), want.revoked, want.issuer)
		}
		changed := bytes.Clone(nuca(t, list))
		changed[bytes.Index(changed, []byte("GOST"))+1] ^= 1
		if _, err := parseRevocations(changed, authorities); err == nil {
			t.Errorf("%s: a changed list is believed", list)
		}
		changed = bytes.Clone(nuca(t, list))
		changed[len(changed)-1] ^= 1
		if _, err := parseRevocations(changed, authorities); !errors.Is(err, WrongSignature) {
			t.Errorf("%s with another signature: parseRevocations() = %v, want %v", list, err, WrongSignature)
		}
	}
}

// TestNUCAChain: from the head of an organization to the root of 2018, through
// folders as an operator fills them.
func TestNUCAChain(t *testing.T) {
	roots := fstest.MapFS{
		"root.pem": {Data: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: nuca(t, "root-2004.pem")})},
		"nca.cer":  {Data: nuca(t, "nca-2004.pem")},
	}
	trust, err := readTrust(roots, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC)
	head := nucaCertificate(t, "head-2004.cer")
	chain, refused := trust.chain(head, nil, at, at)
	if refused != nil || len(chain) != 3 {
		t.Fatalf("chain() = %d certificates, %v; want 3", len(chain), refused)
	}
	if refused := forDocuments(head.Certificate); refused != nil {
		t.Errorf("forDocuments() = %v, want nil", refused)
	}
	want := Owner{
		Country: "kz", Name: "ТЕСТОВ ТЕСТ ТЕСТОВИЧ", Organization: `АО "ТЕСТ"`, Role: RoleHead,
		IIN: "123456789011", BIN: "123456789021", Key: KeyGOST, Issuer: "ҰКО 3.0 (GOST TEST)",
		Serial:    "6cbd4560a33a58c0b07c3363c9ae0674a0838e58",
		NotBefore: time.Date(2022, 1, 18, 4, 45, 35, 0, time.UTC), NotAfter: time.Date(2023, 1, 18, 4, 45, 35, 0, time.UTC),
	}
	if got := *ownerOf(head); got != want {
		t.Errorf("ownerOf() = %+v, want %+v", got, want)
	}
	if !ownerOf(head).Signs() || ownerOf(head).Taxpayer() != "123456789021" {
		t.Errorf("the head of %s signs: %t, want true", ownerOf(head).Taxpayer(), ownerOf(head).Signs())
	}
	if _, refused := trust.chain(nucaCertificate(t, "person-2015.cer"), nil, at, at); !errors.Is(refused, Untrusted) {
		t.Errorf("chain() of another hierarchy = %v, want %v", refused, Untrusted)
	}
	if got := ownerOf(nucaCertificate(t, "person-2015.cer")); got.Role != RolePerson || got.Taxpayer() != "123456789011" || got.Entity() {
		t.Errorf("ownerOf(person-2015.cer) = %+v, want a person", got)
	}
}

// TestNUCASignature: a document that was signed with the authority's own
// program, by the key of an organization of the generation that is issued now.
//
// Req: P-047, E-036
func TestNUCASignature(t *testing.T) {
	file, err := os.ReadFile("testdata/nuca/head-2015.p7m")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 2, 25, 0, 0, 0, 0, time.UTC)
	v := &Verifier{cfg: Config{Now: func() time.Time { return at }}}
	// The root above this authority was not published, so it stands for one.
	v.trust.Store(&trust{roots: []*certificate{nucaCertificate(t, "nca-2015.cer")}})
	verdict, err := v.Verify(file, nil)
	if err != nil {
		t.Fatalf("Verify() = %v", err)
	}
	o := verdict.Owner
	if o.BIN != "123456789021" || o.IIN != "123456789011" || o.Role != RoleHead || o.Key != KeyGOST || o.Name != "ТЕСТОВ ТЕСТ ТЕСТОВИЧ" {
		t.Errorf("Verify() names %+v, want the head of 123456789021", o)
	}
	if want := time.Date(2025, 2, 24, 19, 23, 13, 0, time.UTC); !verdict.SignedAt.Equal(want) {
		t.Errorf("SignedAt = %s, want %s", verdict.SignedAt, want)
	}
	if verdict.Method != "GOST 34.10-2015, 512 bits" || !bytes.Equal(verdict.Content, []byte{0xb5, 0xeb, 0x2d}) {
		t.Errorf("Verify() = %s over %x, want GOST 34.10-2015 over b5eb2d", verdict.Method, verdict.Content)
	}
	if _, err := v.Verify(file, []byte("other")); !errors.Is(err, ContentDiffers) {
		t.Errorf("Verify() beside another content = %v, want %v", err, ContentDiffers)
	}
	raw, refused := unwrap(file)
	if refused != nil {
		t.Fatal(refused)
	}
	changed := bytes.Replace(raw, []byte{0xb5, 0xeb, 0x2d}, []byte{0xb5, 0xeb, 0x2e}, 1)
	if _, err := v.Verify(changed, nil); !errors.Is(err, DigestDiffers) {
		t.Errorf("Verify() of a changed content = %v, want %v", err, DigestDiffers)
	}
	changed = bytes.Replace(raw, []byte("250224192313Z"), []byte("250224192314Z"), 1)
	if _, err := v.Verify(changed, nil); !errors.Is(err, WrongSignature) {
		t.Errorf("Verify() of a changed signing time = %v, want %v", err, WrongSignature)
	}
}

// TestNUCATimeStamp: CMS of the authority's own service, with 34.310-2004, is
// right in digest and signature; it is no signature of a document.
func TestNUCATimeStamp(t *testing.T) {
	raw := nuca(t, "timestamp-2004.der")
	m, refused := parseMessage(raw)
	if refused != nil {
		t.Fatalf("parseMessage() = %v", refused)
	}
	leaf, _, refused := m.parseCertificates()
	if refused != nil {
		t.Fatalf("parseCertificates() = %v", refused)
	}
	if how, refused := m.verify(leaf, m.content); refused != nil || how.name != "GOST 34.310-2004" {
		t.Errorf("verify() = %s, %v; want GOST 34.310-2004", how.name, refused)
	}
	if refused := nucaCertificate(t, "nca-2004.pem").check(leaf.signed); refused != nil {
		t.Errorf("the service's certificate: check() = %v, want nil", refused)
	}
	changed := bytes.Clone(m.content)
	changed[0] ^= 1
	if _, refused := m.verify(leaf, changed); !errors.Is(refused, DigestDiffers) {
		t.Errorf("verify() of a changed content = %v, want %v", refused, DigestDiffers)
	}
	at := time.Date(2022, 10, 1, 0, 0, 0, 0, time.UTC)
	v := &Verifier{cfg: Config{Now: func() time.Time { return at }}}
	v.trust.Store(&trust{roots: []*certificate{nucaCertificate(t, "root-2004.pem")}})
	if _, err := v.Verify(raw, nil); !errors.Is(err, NotSigned) {
		t.Errorf("Verify() = %v, want %v", err, NotSigned)
	}
	if refused := forDocuments(leaf.Certificate); !errors.Is(refused, WrongUsage) || leaf.KeyUsage&x509.KeyUsageContentCommitment != 0 {
		t.Errorf("forDocuments() = %v, want %v", refused, WrongUsage)
	}
}
