package signature

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzVerify: whatever the file, nothing panics, every refusal has a reason,
// and nothing is accepted but the document that was really signed.
func FuzzVerify(f *testing.F) {
	v := verifier(f, someday, "crls")
	document := fixture(f, "document.txt")
	files, err := filepath.Glob(fixtures + "/signed/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, name := range append(files, "testdata/nuca/timestamp-2004.der", "testdata/nuca/head-2015.p7m") {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, content := range [][]byte{nil, document} {
			verdict, err := v.Verify(file, content)
			switch {
			case err == nil && !bytes.Equal(verdict.Content, document):
				t.Fatalf("Verify(%x) accepts %q, which nobody signed", file, verdict.Content)
			case err != nil && (RefusalOf(err) == nil || RefusalOf(err).Reason == NoReason):
				t.Fatalf("Verify(%x) = %v, which has no reason", file, err)
			}
		}
	})
}

// FuzzRevocations: whatever the list, nothing panics, and nothing is believed
// but a list that an authority signed.
func FuzzRevocations(f *testing.F) {
	authorities := []*certificate{parse(f, "roots/ca-rsa.pem"), parse(f, "roots/root-ru.pem"), nucaCertificate(f, "nca-2015.cer")}
	believed := make(map[string]bool)
	for _, name := range []string{"crls/ca-rsa.crl", "stale/ca-rsa.crl", "crls/root-ru.crl", "stale/root-ru.crl"} {
		f.Add(fixture(f, name))
		believed[string(fixture(f, name))] = true
	}
	f.Add(nuca(f, "nca-2015.crl"))
	believed[string(nuca(f, "nca-2015.crl"))] = true
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := parseRevocations(raw, authorities)
		if err == nil && !believed[string(raw)] {
			t.Fatalf("parseRevocations(%x) believes a list that nobody issued: %+v", raw, list)
		}
	})
}

// FuzzCertificate: whatever the certificate, nothing panics.
func FuzzCertificate(f *testing.F) {
	for _, name := range []string{"ca-rsa.pem", "ca-gost.pem", "root-gost.pem", "root-ru.pem", "ca-ru.pem"} {
		f.Add(parse(f, "roots/"+name).Raw)
	}
	f.Add(nuca(f, "head-2004.cer"))
	f.Add(nuca(f, "person-2015.cer"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, refused := parseCertificate(raw)
		if refused != nil {
			return
		}
		c.root()
		ownerOf(c)
		forDocuments(c.Certificate)
	})
}
