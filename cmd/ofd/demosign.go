package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"

	"openofd/internal/fiscal"
)

// demoAuthority issues certificates to invented traders of both countries and
// signs for them, so that a newcomer can walk the way to an organization. Its root is
// made anew with each demo and believed by that demo alone.
type demoAuthority struct {
	root *x509.Certificate
	key  *rsa.PrivateKey
	now  func() time.Time
	rand io.Reader
}

// demoAuthorityName stands in certificates.
const demoAuthorityName = "OpenOFD demo authority: nothing it signs is valid"

func newDemoAuthority(now func() time.Time, random io.Reader) (*demoAuthority, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: demoAuthorityName},
		NotBefore: now().Add(-time.Hour), NotAfter: now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	root, err := x509.ParseCertificate(der)
	return &demoAuthority{root, key, now, random}, err
}

// keep writes the authority's certificate, alone, into a folder: the roots.
func (d *demoAuthority) keep(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "demo.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.root.Raw}), 0o600)
}

// authority makes the demo's own, whose signatures this operator believes.
func (s *settings) authority(dir string) error {
	d, err := newDemoAuthority(time.Now, rand.Reader)
	if err == nil {
		s.Signature.Roots = filepath.Join(dir, "demo-authority")
		err = d.keep(s.Signature.Roots)
	}
	if err != nil {
		return fmt.Errorf("authority of the demo: %w", err)
	}
	s.DemoSign = d.sign
	return nil
}

// sign makes a detached signature of an invented trader who bears the person's
// name, with the number that they were given before or, with "", one that nobody
// has had here.
func (d *demoAuthority) sign(content []byte, person string, iin fiscal.XIN) ([]byte, error) {
	if iin == "" {
		var err error
		if iin, err = d.inventIIN(); err != nil {
			return nil, err
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		return nil, err
	}
	subject := pkix.Name{CommonName: "ДЕМО " + person, SerialNumber: "IIN" + string(iin), Country: []string{"KZ"}}
	if fiscal.CheckXIN(iin, "iin") != nil && fiscal.ValidINN(string(iin)) {
		subject = pkix.Name{CommonName: "ДЕМО " + person, Country: []string{"RU"}, ExtraNames: []pkix.AttributeTypeAndValue{{Type: oidINN, Value: string(iin)}}}
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: subject,
		NotBefore: d.now().Add(-time.Hour), NotAfter: d.now().AddDate(0, 1, 0), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, UnknownExtKeyUsage: []asn1.ObjectIdentifier{{1, 2, 398, 3, 3, 4, 1, 1}},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, d.root, &key.PublicKey, d.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return signCMS(content, cert, key, d.now())
}

// inventIIN makes a number of the year 1990 that passes its check.
func (d *demoAuthority) inventIIN() (fiscal.XIN, error) {
	for {
		n, err := rand.Int(d.rand, big.NewInt(28*12*10_000))
		if err != nil {
			return "", err
		}
		v := n.Int64()
		first := fmt.Sprintf("90%02d%02d4%04d", 1+v/28%12, 1+v%28, v/(28*12))
		for digit := range 10 {
			if x := fiscal.XIN(fmt.Sprint(first, digit)); fiscal.CheckXIN(x, "iin") == nil {
				return x, nil
			}
		}
	}
}

// The object identifiers of a signature. Sources: RFC 5652; the order of Russia's
// security service 795 of 27.12.2011 (INN).
var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidINN        = asn1.ObjectIdentifier{1, 2, 643, 3, 131, 1, 1} // of a person in Russia
	oidRSA        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
)

// signCMS makes a detached signature: SignedData with one signer, RSA and
// SHA-256, and the attributes that every signature has.
func signCMS(content []byte, cert *x509.Certificate, key *rsa.PrivateKey, at time.Time) ([]byte, error) {
	type attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue `asn1:"set"`
	}
	sum := sha256.Sum256(content)
	var attributes [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
	}{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}, oidData},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, sum[:]},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}, at.UTC().Truncate(time.Second)},
	} {
		value, err := asn1.Marshal(a.value)
		if err != nil {
			return nil, err
		}
		b, err := asn1.Marshal(attribute{a.oid, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: value}})
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, b)
	}
	slices.SortFunc(attributes, bytes.Compare)
	signed := slices.Concat(attributes...)
	set, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: signed})
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(set)
	sign, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, err
	}
	type issuerAndSerial struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	type signer struct {
		Version    int
		ID         issuerAndSerial
		Digest     pkix.AlgorithmIdentifier
		Attributes asn1.RawValue
		Algorithm  pkix.AlgorithmIdentifier
		Signature  []byte
	}
	type signedData struct {
		Version int
		Digests []pkix.AlgorithmIdentifier `asn1:"set"`
		Content struct{ Type asn1.ObjectIdentifier }
		Certs   asn1.RawValue
		Signers []signer `asn1:"set"`
	}
	hash := pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}
	data := signedData{
		Version: 1, Digests: []pkix.AlgorithmIdentifier{hash},
		Certs: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: cert.Raw},
		Signers: []signer{{
			Version: 1, ID: issuerAndSerial{asn1.RawValue{FullBytes: cert.RawIssuer}, cert.SerialNumber}, Digest: hash,
			Attributes: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: signed},
			Algorithm:  pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}, Signature: sign,
		}},
	}
	data.Content.Type = oidData
	inner, err := asn1.Marshal(data)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidSignedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}})
}
