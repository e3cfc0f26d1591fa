package signature

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
)

// maxCertificate bounds a certificate, in bytes. Those of the authorities have
// one or two thousand.
const maxCertificate = 32 << 10

// certificate is a certificate with what we need beside the standard library,
// which knows GOST neither in keys nor in signatures but reads the rest.
type certificate struct {
	*x509.Certificate
	signed
	key *key
}

// parseCertificate reads one certificate. That its key is known is part of it:
// one of a key that we cannot use helps nobody.
func parseCertificate(raw []byte) (*certificate, *Refusal) {
	if len(raw) > maxCertificate {
		return nil, refuse(TooLarge, "a certificate of %d bytes; %d are the most", len(raw), maxCertificate)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, refuse(Malformed, "a certificate: %v", err)
	}
	c := &certificate{Certificate: parsed}
	var ok bool
	if c.signed, ok = readSigned(raw); !ok {
		return nil, refuse(Malformed, "a certificate's outer sequence")
	}
	var refused *Refusal
	c.key, refused = keyOf(parsed)
	return c, refused
}

// issued reports whether the names and key identifiers say that c issued child.
func (c *certificate) issued(child *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, child.RawIssuer) &&
		(len(c.SubjectKeyId) == 0 || len(child.AuthorityKeyId) == 0 || bytes.Equal(c.SubjectKeyId, child.AuthorityKeyId))
}

// check verifies what c has signed.
func (c *certificate) check(what signed) *Refusal {
	m, params, refused := methodOf(what.algorithm, nil)
	if refused != nil {
		return refused
	}
	return c.key.verify(m, params, what.body, what.signature)
}

// root reports whether a certificate is its own issuer. Its own signature only
// shows that it is whole, so the old algorithms of old roots do.
func (c *certificate) root() bool {
	if !c.issued(c.Certificate) {
		return false
	}
	refused := c.check(c.signed)
	return refused == nil || refused.Reason == WeakAlgorithm
}

// understood are the critical extensions whose meaning we keep to.
var understood = []asn1.ObjectIdentifier{
	{2, 5, 29, 15}, // key usage
	{2, 5, 29, 19}, // basic constraints
	{2, 5, 29, 32}, // certificate policies: none is asked for
	{2, 5, 29, 37}, // extended key usage
	{2, 5, 29, 17}, // subject alternative names: not looked at
	{2, 5, 29, 14}, // subject key identifier
	{2, 5, 29, 35}, // authority key identifier
}

// strangeExtension returns a critical extension that we do not understand.
func (c *certificate) strangeExtension() (asn1.ObjectIdentifier, bool) {
	for _, e := range c.Extensions {
		if !e.Critical {
			continue
		}
		known := false
		for _, u := range understood {
			known = known || e.Id.Equal(u)
		}
		if !known {
			return e.Id, true
		}
	}
	return nil, false
}
