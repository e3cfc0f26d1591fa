package signature

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"openofd/internal/fiscal"
)

const fixtures = "testdata/pki"

// someday is a day on which the fixtures are good: signed before, and not yet
// expired.
var someday = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// verifier opens the fixtures as they are on a day; crls may be empty.
func verifier(t testing.TB, now time.Time, crls string) *Verifier {
	t.Helper()
	cfg := Config{Roots: os.DirFS(fixtures + "/roots"), Now: func() time.Time { return now }}
	if crls != "" {
		cfg.CRLs = os.DirFS(filepath.Join(fixtures, crls))
	}
	v, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The owners in the fixtures, as far as tests compare them.
var (
	testPerson  = Owner{Country: "kz", Name: "ТЕСТОВ ТЕСТ ТЕСТОВИЧ", Role: RolePerson, IIN: "800101300125"}
	testHead    = Owner{Country: "kz", Name: "ТЕСТОВА АЙГҮЛ ТЕСТҚЫЗЫ", Organization: `ТОО "ӘЛЕМ ТЕСТ"`, Role: RoleHead, IIN: "900512450034", BIN: "150340000179"}
	testRussian = Owner{Country: "ru", Name: "Иванов Иван Иванович", Role: RolePerson, INN: "770012345606", OGRNIP: "304770012345674", SNILS: "11223344595"}
	testRuHead  = Owner{Country: "ru", Name: "Петрова Мария Павловна", Organization: `ООО "Тест"`, Title: "Генеральный директор", Role: RoleHead,
		INN: "781123456765", OrgINN: "7700123459", OGRN: "1027700123450", SNILS: "11223344595"}
)

func with(o Owner, change func(*Owner)) Owner {
	change(&o)
	return o
}

// accepted are the fixtures that must be accepted.
var accepted = []struct {
	file, method string
	key          KeyKind
	owner        Owner
}{
	{"person.p7s", "RSA with SHA-256", KeyRSA, testPerson},
	{"person.p7m", "RSA with SHA-256", KeyRSA, testPerson},
	{"person-pem.p7s", "RSA with SHA-256", KeyRSA, testPerson},
	{"person-base64.p7s", "RSA with SHA-256", KeyRSA, testPerson},
	{"person-cades.p7s", "RSA with SHA-256", KeyRSA, testPerson},
	{"person-keyid.p7s", "RSA with SHA-256", KeyRSA, testPerson},
	{"person-sha512.p7s", "RSA with SHA-512", KeyRSA, testPerson},
	{"person-pss.p7s", "RSA-PSS with SHA-256", KeyRSA, testPerson},
	{"person-ec.p7s", "ECDSA with SHA-256", KeyECDSA, testPerson},
	{"person-ec384.p7s", "ECDSA with SHA-256", KeyECDSA, testPerson},
	{"person-gost.p7s", "GOST R 34.10-2012, 512 bits", KeyGOST, testPerson},
	{"head.p7s", "GOST R 34.10-2012, 256 bits", KeyGOST, testHead},
	{"head.p7m", "GOST R 34.10-2012, 256 bits", KeyGOST, testHead},
	{"head-512.p7s", "GOST R 34.10-2012, 512 bits", KeyGOST, testHead},
	{"head-512.p7m", "GOST R 34.10-2012, 512 bits", KeyGOST, testHead},
	{"signs.p7s", "GOST R 34.10-2012, 256 bits", KeyGOST, with(testHead, func(o *Owner) { o.Role = RoleSigns })},
	{"employee.p7s", "GOST R 34.10-2012, 256 bits", KeyGOST, with(testHead, func(o *Owner) { o.Role = RoleEmployee })},
	{"ru-person.p7s", "GOST R 34.10-2012, 256 bits", KeyGOST, testRussian},
	{"ru-2001.p7s", "GOST R 34.10-2001", KeyGOST, with(testRussian, func(o *Owner) { o.OGRNIP, o.SNILS = "", "" })},
	{"ru-head.p7s", "GOST R 34.10-2012, 512 bits", KeyGOST, testRuHead},
	{"ru-head.p7m", "GOST R 34.10-2012, 512 bits", KeyGOST, testRuHead},
	{"ru-seal.p7s", "GOST R 34.10-2012, 256 bits", KeyGOST, Owner{Country: "ru", Organization: `ООО "Тест"`, Role: RoleOrganization, OrgINN: "7700123459", OGRN: "1027700123450"}},
}

// refused are the fixtures that must be refused, each for its own reason.
var refused = []struct {
	file string
	want Reason
}{
	{"no-signer.p7s", NoSigner},
	{"several.p7s", SeveralSigned},
	{"no-certificate.p7s", NoCertificate},
	{"no-attributes.p7s", NoAttributes},
	{"encrypted.p7m", NotSigned},
	{"ber.p7m", BER},
	{"sha1.p7s", WeakAlgorithm},
	{"small.p7s", WeakAlgorithm},
	{"sha3.p7s", UnknownAlgorithm},
	{"expired.p7s", Expired},
	{"future.p7s", NotYetValid},
	{"over.p7s", AuthorityExpired},
	{"revoked.p7s", Revoked},
	{"gone.p7s", AuthorityRevoked},
	{"stranger.p7s", Untrusted},
	{"impostor.p7s", BrokenChain},
	{"auth.p7s", WrongUsage},
	{"server.p7s", WrongUsage},
	{"puzzle.p7s", UnknownExtension},
	{"nobody.p7s", NoIdentity},
	{"../document.txt", Malformed},
	{"../crls/ca-rsa.crl", Malformed},
}

// TestAccepted: every good signature is accepted, and the verdict says who
// signed what, how and when.
//
// Req: P-047, P-049, E-036, E-075
func TestAccepted(t *testing.T) {
	v := verifier(t, someday, "crls")
	document := fixture(t, "document.txt")
	for _, tt := range accepted {
		attached := strings.HasSuffix(tt.file, ".p7m")
		content := document
		if attached {
			content = nil
		}
		verdict, err := v.Verify(fixture(t, "signed/"+tt.file), content)
		if err != nil {
			t.Errorf("%s: Verify() = %v, want a verdict", tt.file, err)
			continue
		}
		got := verdict.Owner
		if got.Key != tt.key || got.Serial == "" || got.Issuer == "" || got.NotAfter.IsZero() {
			t.Errorf("%s: the owner is %+v", tt.file, got)
		}
		got.Key, got.Serial, got.Issuer, got.NotBefore, got.NotAfter = KeyUnknown, "", "", time.Time{}, time.Time{}
		if got != tt.owner {
			t.Errorf("%s: the owner is %+v, want %+v", tt.file, got, tt.owner)
		}
		if verdict.Method != tt.method || verdict.Attached != attached || !bytes.Equal(verdict.Content, document) {
			t.Errorf("%s: %s, attached %t, over %q; want %s, %t, over the document", tt.file, verdict.Method, verdict.Attached, verdict.Content, tt.method, attached)
		}
		if !verdict.Revocation || len(verdict.Chain) != 3 || !verdict.JudgedAt.Equal(someday) {
			t.Errorf("%s: revocation checked %t, %d links at %s; want true, 3 at %s", tt.file, verdict.Revocation, len(verdict.Chain), verdict.JudgedAt, someday)
		}
		if verdict.SignedAt.Year() < 2026 || verdict.SignedAt.After(someday) {
			t.Errorf("%s: signed at %s", tt.file, verdict.SignedAt)
		}
	}
}

// TestRefused: every bad signature has its own reason.
//
// Req: P-047
func TestRefused(t *testing.T) {
	v := verifier(t, someday, "crls")
	document := fixture(t, "document.txt")
	for _, tt := range refused {
		verdict, err := v.Verify(fixture(t, "signed/"+tt.file), document)
		if verdict != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: Verify() = %v, want %v", tt.file, err, tt.want)
		}
	}
}

// TestCircumstances: what depends on the day, on what is given beside the file,
// and on the lists that are there.
//
// Req: P-047, P-049
func TestCircumstances(t *testing.T) {
	document := fixture(t, "document.txt")
	tests := []struct {
		name, file, crls string
		now              time.Time
		content          []byte
		want             Reason
	}{
		{"no content", "person.p7s", "crls", someday, nil, NoContent},
		{"empty content", "person.p7s", "crls", someday, []byte{}, DigestDiffers},
		{"another content", "person.p7s", "crls", someday, append(bytes.Clone(document), '\n'), DigestDiffers},
		{"another content beside an enclosed one", "person.p7m", "crls", someday, document[1:], ContentDiffers},
		{"the same content beside an enclosed one", "person.p7m", "crls", someday, document, NoReason},
		{"before it was signed", "person.p7s", "crls", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), document, SignedAhead},
		{"signed before the term", "future.p7s", "crls", time.Date(2044, 7, 1, 0, 0, 0, 0, time.UTC), document, SignedOutOfTerm},
		{"before the term", "person.p7s", "crls", time.Date(2019, 12, 31, 23, 59, 59, 0, time.UTC), document, NotYetValid},
		{"after the term", "person.p7s", "crls", time.Date(2045, 1, 1, 0, 0, 1, 0, time.UTC), document, Expired},
		{"old lists", "person.p7s", "stale", someday, document, RevocationStale},
		{"no lists", "person.p7s", "", someday, document, NoReason},
		{"revoked, and no lists", "revoked.p7s", "", someday, document, NoReason},
	}
	for _, tt := range tests {
		_, err := verifier(t, tt.now, tt.crls).Verify(fixture(t, "signed/"+tt.file), tt.content)
		if tt.want == NoReason && err != nil || tt.want != NoReason && !errors.Is(err, tt.want) {
			t.Errorf("%s: Verify(%s) = %v, want %v", tt.name, tt.file, err, tt.want)
		}
	}
}

// TestListMissing: without the list of one authority in the chain nothing is
// accepted, whichever it is.
func TestListMissing(t *testing.T) {
	for _, missing := range []string{"ca-rsa.crl", "root-rsa.crl"} {
		lists := fstest.MapFS{}
		for _, name := range []string{"ca-rsa.crl", "root-rsa.crl", "ca-gost.crl"} {
			if name != missing {
				lists[name] = &fstest.MapFile{Data: fixture(t, "crls/"+name)}
			}
		}
		v, err := Open(Config{Roots: os.DirFS(fixtures + "/roots"), CRLs: lists, Now: func() time.Time { return someday }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(fixture(t, "signed/person.p7s"), fixture(t, "document.txt")); !errors.Is(err, RevocationUnknown) || !errors.Is(err, fiscal.Unavailable) {
			t.Errorf("without %s: Verify() = %v, want %v, which is %v", missing, err, RevocationUnknown, fiscal.Unavailable)
		}
	}
}

// TestVerifyAt: what was good when we accepted it stays good: after its term,
// and when it was revoked later. Before it, it is not.
//
// Req: P-049
func TestVerifyAt(t *testing.T) {
	document := fixture(t, "document.txt")
	late := verifier(t, time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC), "crls")
	person := fixture(t, "signed/person.p7s")
	if _, err := late.Verify(person, document); !errors.Is(err, Expired) {
		t.Errorf("Verify() after the term = %v, want %v", err, Expired)
	}
	if _, err := late.VerifyAt(person, document, someday); err != nil {
		t.Errorf("VerifyAt(%s) after the term = %v, want a verdict", someday, err)
	}
	var when time.Time
	for _, at := range late.trust.Load().lists {
		for _, day := range at.revoked {
			if at.authority == authorityOf(parse(t, "roots/ca-rsa.pem")) {
				when = day
			}
		}
	}
	revoked := fixture(t, "signed/revoked.p7s")
	if _, err := late.VerifyAt(revoked, document, when.Add(-time.Minute)); err != nil {
		t.Errorf("VerifyAt() a minute before it was revoked = %v, want a verdict", err)
	}
	if _, err := late.VerifyAt(revoked, document, when); !errors.Is(err, Revoked) {
		t.Errorf("VerifyAt() when it was revoked = %v, want %v", err, Revoked)
	}
}

func parse(t testing.TB, name string) *certificate {
	t.Helper()
	var c *certificate
	err := eachBlock(fixture(t, name), "CERTIFICATE", func(raw []byte) error {
		var refused *Refusal
		if c, refused = parseCertificate(raw); refused != nil {
			return refused
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDamage: whichever bit of a signature is turned, it is refused or says
// the same: bits that nothing is signed over mean nothing.
func TestDamage(t *testing.T) {
	v := verifier(t, someday, "crls")
	document := fixture(t, "document.txt")
	for _, name := range []string{"signed/person-ec.p7s", "signed/person-cades.p7s", "signed/person.p7m"} {
		file := fixture(t, name)
		content := document
		if strings.HasSuffix(name, ".p7m") {
			content = nil
		}
		want, err := v.Verify(file, content)
		if err != nil {
			t.Fatal(err)
		}
		refusedOf := 0
		for i := range file {
			changed := bytes.Clone(file)
			changed[i] ^= 1 << (i % 8)
			got, err := v.Verify(changed, content)
			if err != nil {
				refusedOf++
				if RefusalOf(err) == nil {
					t.Fatalf("%s, byte %d: Verify() = %v, which holds no refusal", name, i, err)
				}
				continue
			}
			if got.Owner != want.Owner || !got.SignedAt.Equal(want.SignedAt) || !bytes.Equal(got.Content, document) {
				t.Errorf("%s, byte %d: Verify() = %+v, want a refusal or %+v", name, i, got, want)
			}
		}
		if refusedOf < len(file)*9/10 {
			t.Errorf("%s: %d of %d damaged files are refused, want nearly all", name, refusedOf, len(file))
		}
	}
}

// TestLimits: what is too large is refused before it is read.
func TestLimits(t *testing.T) {
	v := verifier(t, someday, "")
	many := bytes.Repeat([]byte{0x30, 0x00}, maxCertificates+1)
	tests := []struct {
		name string
		file []byte
		want Reason
	}{
		{"a large file", append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, make([]byte, MaxFile)...), TooLarge},
		{"a larger file", make([]byte, 2*MaxFile), TooLarge},
		{"a length of two gigabytes", []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x06, 0x00}, Malformed},
		{"many certificates", signedDataWith(many), TooLarge},
		{"nothing", nil, Malformed},
		{"base64 of nothing", []byte("AAAA"), Malformed},
		{"PEM of a certificate", fixture(t, "roots/ca-rsa.pem"), Malformed},
	}
	for _, tt := range tests {
		if _, err := v.Verify(tt.file, []byte("x")); !errors.Is(err, tt.want) {
			t.Errorf("%s: Verify() = %v, want %v", tt.name, err, tt.want)
		}
	}
}

// signedDataWith is a signature file up to its certificates.
func signedDataWith(certificates []byte) []byte {
	wrap := func(tag byte, b []byte) []byte { return append([]byte{tag, byte(len(b))}, b...) }
	oid := func(last byte) []byte { return []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last} }
	data := append([]byte{2, 1, 1, 0x31, 0}, wrap(0x30, oid(1))...)
	data = append(data, wrap(0xa0, certificates)...)
	data = append(data, 0x31, 0)
	return wrap(0x30, append(oid(2), wrap(0xa0, wrap(0x30, data))...))
}

// TestTrust: a folder that cannot be used says so, naming the file; what does
// not belong there is left alone.
func TestTrust(t *testing.T) {
	root, ca := fixture(t, "roots/root-rsa.pem"), fixture(t, "roots/ca-rsa.pem")
	list := fixture(t, "crls/ca-rsa.crl")
	file := func(b []byte) *fstest.MapFile { return &fstest.MapFile{Data: b} }
	tests := []struct {
		name  string
		roots fstest.MapFS
		crls  fs.FS
		want  string // part of the error; empty for none
	}{
		{"root and authority in one file", fstest.MapFS{"all.pem": file(append(bytes.Clone(root), ca...))}, fstest.MapFS{"a.CRL": file(list)}, ""},
		{"other files", fstest.MapFS{"root.crt": file(root), "README.md": file([]byte("words")), "old/x.pem": file([]byte("words"))}, nil, ""},
		{"no root", fstest.MapFS{"ca.pem": file(ca)}, nil, "holds no root"},
		{"an empty folder", fstest.MapFS{}, nil, "holds no root"},
		{"words for a root", fstest.MapFS{"root.pem": file(root), "words.cer": file([]byte("words"))}, nil, "words.cer"},
		{"a key for a root", fstest.MapFS{"root.pem": file([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))}, nil, "root.pem: no block \"CERTIFICATE\""},
		{"a certificate for a list", fstest.MapFS{"root.pem": file(root)}, fstest.MapFS{"ca.pem": file(ca)}, "ca.pem: no block \"X509 CRL\""},
		{"a list of a stranger", fstest.MapFS{"root.pem": file(root)}, fstest.MapFS{"ca.crl": file(list)}, "ca.crl: nobody among the roots issues this list"},
		{"a changed list", fstest.MapFS{"root.pem": file(root), "ca.pem": file(ca)}, fstest.MapFS{"ca.crl": file(append(bytes.Clone(list[:len(list)-1]), list[len(list)-1]^1))}, "ca.crl: wrong signature"},
	}
	for _, tt := range tests {
		_, err := Open(Config{Roots: tt.roots, CRLs: tt.crls, Now: func() time.Time { return someday }})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: Open() = %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestReload: a new list takes effect when the folders are read again; a
// damaged one leaves everything as it was.
func TestReload(t *testing.T) {
	file := func(name string) *fstest.MapFile { return &fstest.MapFile{Data: fixture(t, name)} }
	lists := fstest.MapFS{"ca.crl": file("stale/ca-rsa.crl"), "root.crl": file("crls/root-rsa.crl")}
	v, err := Open(Config{Roots: os.DirFS(fixtures + "/roots"), CRLs: lists, Now: func() time.Time { return someday }})
	if err != nil {
		t.Fatal(err)
	}
	verify := func(name string) error {
		_, err := v.Verify(fixture(t, "signed/"+name), fixture(t, "document.txt"))
		return err
	}
	if err := verify("person.p7s"); !errors.Is(err, RevocationStale) {
		t.Errorf("with an old list: Verify() = %v, want %v", err, RevocationStale)
	}
	lists["new.crl"] = file("crls/ca-rsa.crl") // beside the old one: the newer counts
	if err := v.Reload(); err != nil {
		t.Fatal(err)
	}
	if err := verify("person.p7s"); err != nil {
		t.Errorf("with a new list: Verify() = %v, want a verdict", err)
	}
	lists["damaged.crl"] = &fstest.MapFile{Data: []byte("words")}
	if err := v.Reload(); err == nil || !strings.Contains(err.Error(), "damaged.crl") {
		t.Errorf("Reload() with a damaged list = %v, want its name", err)
	}
	if err := verify("person.p7s"); err != nil {
		t.Errorf("after a failed Reload: Verify() = %v, want a verdict", err)
	}
	if err := verify("revoked.p7s"); !errors.Is(err, Revoked) {
		t.Errorf("after a failed Reload: Verify(revoked) = %v, want %v", err, Revoked)
	}
}

// TestAuthorities: an operator sees whom he trusts, and how fresh the lists are.
func TestAuthorities(t *testing.T) {
	var roots, below int
	for _, a := range verifier(t, someday, "crls").Authorities() {
		if a.Root {
			roots++
		} else {
			below++
		}
		if a.Subject == "" || a.Method == "" || a.ListTo.Year() != 2045 {
			t.Errorf("an authority without name, method or list: %+v", a)
		}
		if a.Subject == "OpenOFD TEST AUTHORITY (RSA)" && a.Revoked != 1 {
			t.Errorf("%s has revoked %d, want 1", a.Subject, a.Revoked)
		}
	}
	if roots != 3 || below != 5 {
		t.Errorf("%d roots and %d authorities below, want 3 and 5", roots, below)
	}
}

// TestConcurrently: signatures are judged while the folders are read again.
func TestConcurrently(t *testing.T) {
	v := verifier(t, someday, "crls")
	document, good, bad := fixture(t, "document.txt"), fixture(t, "signed/person-ec.p7s"), fixture(t, "signed/revoked.p7s")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				if _, err := v.Verify(good, document); err != nil {
					t.Errorf("Verify() = %v, want a verdict", err)
				}
				if _, err := v.Verify(bad, document); !errors.Is(err, Revoked) {
					t.Errorf("Verify(revoked) = %v, want %v", err, Revoked)
				}
			}
		})
	}
	all.Go(func() {
		for range 3 {
			if err := v.Reload(); err != nil {
				t.Errorf("Reload() = %v", err)
			}
		}
	})
	all.Wait()
}
