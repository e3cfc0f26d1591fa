package signature

import (
	"bytes"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// The limits of a signature file. The content of an attached signature counts.
const (
	MaxFile         = 16 << 20 // bytes
	maxCertificates = 16       // enclosed
	maxAttributes   = 32
)

// The types of content.
const (
	oidSignedData = "1.2.840.113549.1.7.2"
	oidData       = "1.2.840.113549.1.7.1"
)

// message is a CMS file taken apart: one signature, the content if it is
// enclosed, and the certificates that came along. Enclosed revocation lists and
// unsigned attributes are left aside: nobody answers for them.
type message struct {
	kind         string // what was signed, by its identifier
	content      []byte // nil if it is kept elsewhere
	enclosed     bool
	certificates [][]byte
	signer       signer
}

// signer is who signed and what is signed beside the content.
type signer struct {
	issuer     []byte // of the signer's certificate, with serial
	serial     *big.Int
	keyID      []byte // instead of both
	digest     identifier
	method     identifier
	attributes []byte // as they are hashed: a SET
	attrs      attributes
	signature  []byte
}

// parseMessage reads a CMS signature in strict DER.
//
//	ContentInfo: SEQUENCE { signedData, [0] SignedData }
//	SignedData:  SEQUENCE { version, SET OF digest, content, [0] certificates?, [1] lists?, SET OF SignerInfo }
//	content:     SEQUENCE { type, [0] OCTET STRING? }
//
// Source: RFC 5652 §3, §5.1, §5.2.
func parseMessage(b []byte) (*message, *Refusal) {
	if len(b) > MaxFile {
		return nil, refuse(TooLarge, "%d bytes; %d are the most", len(b), MaxFile)
	}
	if len(b) > 1 && b[0] == 0x30 && b[1] == 0x80 {
		return nil, refuse(BER, "an indefinite length at the beginning")
	}
	whole := cryptobyte.String(b)
	var info, wrap, data cryptobyte.String
	if !whole.ReadASN1(&info, der.SEQUENCE) || !whole.Empty() {
		return nil, damaged("ContentInfo")
	}
	kind, ok := readOID(&info)
	if !ok {
		return nil, damaged("contentType")
	}
	if kind != oidSignedData {
		return nil, refuse(NotSigned, "content of type %s", kind)
	}
	if !info.ReadASN1(&wrap, explicit0) || !info.Empty() || !wrap.ReadASN1(&data, der.SEQUENCE) || !wrap.Empty() {
		return nil, damaged("content")
	}
	return parseSignedData(data)
}

func parseSignedData(s cryptobyte.String) (*message, *Refusal) {
	m := new(message)
	var version int
	var names, content cryptobyte.String
	if !s.ReadASN1Integer(&version) || version < 1 || version > 5 {
		return nil, damaged("SignedData.version")
	}
	if !s.ReadASN1(&names, der.SET) { // repeated in SignerInfo, which is what counts
		return nil, damaged("digestAlgorithms")
	}
	if !s.ReadASN1(&content, der.SEQUENCE) || !m.readContent(content) {
		return nil, damaged("encapContentInfo")
	}
	var certificates cryptobyte.String
	var there bool
	if !s.ReadOptionalASN1(&certificates, &there, explicit0) {
		return nil, damaged("certificates")
	}
	for !certificates.Empty() {
		if len(m.certificates) == maxCertificates {
			return nil, refuse(TooLarge, "more than %d certificates", maxCertificates)
		}
		var one cryptobyte.String
		if !certificates.ReadASN1Element(&one, der.SEQUENCE) {
			return nil, damaged("certificates")
		}
		m.certificates = append(m.certificates, one)
	}
	var lists, signers, one cryptobyte.String
	if !s.ReadOptionalASN1(&lists, &there, explicit1) {
		return nil, damaged("crls")
	}
	if !s.ReadASN1(&signers, der.SET) || !s.Empty() {
		return nil, damaged("signerInfos")
	}
	if signers.Empty() {
		return nil, refuse(NoSigner, "no SignerInfo")
	}
	if !signers.ReadASN1(&one, der.SEQUENCE) {
		return nil, damaged("SignerInfo")
	}
	if !signers.Empty() {
		return nil, refuse(SeveralSigned, "more than one SignerInfo")
	}
	refused := m.signer.read(one)
	return m, refused
}

func (m *message) readContent(s cryptobyte.String) (ok bool) {
	if m.kind, ok = readOID(&s); !ok {
		return false
	}
	var wrap, content cryptobyte.String
	if !s.ReadOptionalASN1(&wrap, &m.enclosed, explicit0) || !s.Empty() {
		return false
	}
	if m.enclosed {
		if !wrap.ReadASN1(&content, der.OCTET_STRING) || !wrap.Empty() {
			return false
		}
		m.content = content
	}
	return true
}

// read takes a SignerInfo apart. Source: RFC 5652 §5.3.
//
//	SEQUENCE { version, issuerAndSerialNumber or [0] keyId, digest, [0] signed attributes,
//	           signature algorithm, OCTET STRING, [1] unsigned attributes? }
func (g *signer) read(s cryptobyte.String) *Refusal {
	var version int
	if !s.ReadASN1Integer(&version) || version != 1 && version != 3 {
		return damaged("SignerInfo.version")
	}
	if s.PeekASN1Tag(implicit0) {
		var id cryptobyte.String
		if !s.ReadASN1(&id, implicit0) || id.Empty() || version != 3 {
			return damaged("subjectKeyIdentifier")
		}
		g.keyID = id
	} else {
		var both, issuer cryptobyte.String
		g.serial = new(big.Int)
		if !s.ReadASN1(&both, der.SEQUENCE) || !both.ReadASN1Element(&issuer, der.SEQUENCE) ||
			!both.ReadASN1Integer(g.serial) || !both.Empty() || version != 1 {
			return damaged("issuerAndSerialNumber")
		}
		g.issuer = issuer
	}
	var ok, there bool
	if g.digest, ok = readIdentifier(&s); !ok {
		return damaged("digestAlgorithm")
	}
	if !s.PeekASN1Tag(explicit0) {
		return refuse(NoAttributes, "no signed attributes")
	}
	var attrs cryptobyte.String
	if !s.ReadASN1Element(&attrs, explicit0) {
		return damaged("signedAttrs")
	}
	// They are signed as a SET and sent as [0]: the first byte differs.
	g.attributes = bytes.Clone(attrs)
	g.attributes[0] = byte(der.SET)
	if refused := g.attrs.read(g.attributes); refused != nil {
		return refused
	}
	if g.method, ok = readIdentifier(&s); !ok {
		return damaged("signatureAlgorithm")
	}
	var value, unsigned cryptobyte.String
	if !s.ReadASN1(&value, der.OCTET_STRING) {
		return damaged("signature")
	}
	g.signature = value
	if !s.ReadOptionalASN1(&unsigned, &there, explicit1) || !s.Empty() {
		return damaged("unsignedAttrs")
	}
	return nil
}

// signerCertificate finds the certificate that the signer names.
func (m *message) signerCertificate(all []*certificate) (*certificate, *Refusal) {
	g := &m.signer
	for _, c := range all {
		if g.keyID != nil && bytes.Equal(c.SubjectKeyId, g.keyID) ||
			g.keyID == nil && bytes.Equal(c.RawIssuer, g.issuer) && c.SerialNumber.Cmp(g.serial) == 0 {
			return c, nil
		}
	}
	if g.keyID != nil {
		return nil, refuse(NoCertificate, "key identifier %x", g.keyID)
	}
	return nil, refuse(NoCertificate, "serial number %x", g.serial)
}

// verify checks the signature itself: the content has the digest that the
// attributes name, and the attributes are signed with the certificate's key.
func (m *message) verify(c *certificate, content []byte) (method, *Refusal) {
	g := &m.signer
	d, refused := digestOf(g.digest)
	if refused != nil {
		return method{}, refused
	}
	how, params, refused := methodOf(g.method, d)
	if refused != nil {
		return how, refused
	}
	if g.attrs.contentType != m.kind {
		return how, refuse(NoAttributes, "the signed content type is %s, the content's is %s", g.attrs.contentType, m.kind)
	}
	if !bytes.Equal(d.sum(content), g.attrs.digest) {
		return how, refuse(DigestDiffers, "%s", d.name)
	}
	if refused := g.attrs.names(c); refused != nil {
		return how, refused
	}
	return how, c.key.verify(how, params, g.attributes, g.signature)
}

// damaged refuses bytes that are not what a field must be.
func damaged(field string) *Refusal { return refuse(Malformed, "%s", field) }
