package signature

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// The tags that CMS and keys use beside the universal ones. cryptobyte takes
// DER alone: definite lengths, each as short as it can be, and never copies, so
// what a length claims is compared with the bytes that are there.
var (
	explicit0 = der.Tag(0).Constructed().ContextSpecific()
	explicit1 = der.Tag(1).Constructed().ContextSpecific()
	implicit0 = der.Tag(0).ContextSpecific()
)

// identifier is the algorithm of a key, digest or signature, with its
// parameters as they stand: empty, NULL or anything.
type identifier struct {
	oid    string
	params []byte
}

// readIdentifier reads an AlgorithmIdentifier.
func readIdentifier(s *cryptobyte.String) (id identifier, ok bool) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) {
		return id, false
	}
	id.oid, ok = readOID(&seq)
	id.params = seq
	return id, ok
}

// plain reports whether the parameters are absent or NULL.
func (id identifier) plain() bool {
	return len(id.params) == 0 || string(id.params) == "\x05\x00"
}

// readOID reads an object identifier in its dotted form.
func readOID(s *cryptobyte.String) (string, bool) {
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&oid) {
		return "", false
	}
	return oid.String(), true
}

// signed is what certificates and revocation lists have in common: bytes, and a
// signature over them.
type signed struct {
	body      []byte
	algorithm identifier
	signature []byte
}

// readSigned takes a certificate or list apart.
func readSigned(raw []byte) (out signed, ok bool) {
	s := cryptobyte.String(raw)
	var seq, body cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() || !seq.ReadASN1Element(&body, der.SEQUENCE) {
		return out, false
	}
	out.body = body
	if out.algorithm, ok = readIdentifier(&seq); !ok {
		return out, false
	}
	return out, seq.ReadASN1BitStringAsBytes(&out.signature) && seq.Empty()
}
