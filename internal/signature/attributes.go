package signature

import (
	"bytes"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// The signed attributes that we know; others are signed but say nothing to us.
const (
	oidContentType        = "1.2.840.113549.1.9.3"
	oidMessageDigest      = "1.2.840.113549.1.9.4"
	oidSigningTime        = "1.2.840.113549.1.9.5"
	oidSigningCertificate = "1.2.840.113549.1.9.16.2.47"
)

// attributes are what the signer signed beside the content.
type attributes struct {
	contentType string
	digest      []byte
	time        time.Time // as the signer's clock had it; zero if not said

	certDigest *digest // with certHash: which certificate the signer meant; nil if not said
	certHash   []byte
}

// read takes the SET of attributes apart. What we know may stand once, with
// one value. Source: RFC 5652 §11, RFC 5035 §3.
func (a *attributes) read(b []byte) *Refusal {
	s := cryptobyte.String(b)
	var set cryptobyte.String
	if !s.ReadASN1(&set, der.SET) || !s.Empty() {
		return damaged("signedAttrs")
	}
	seen := make(map[string]bool)
	for !set.Empty() {
		var one, values, value cryptobyte.String
		if !set.ReadASN1(&one, der.SEQUENCE) {
			return damaged("signedAttrs")
		}
		oid, ok := readOID(&one)
		if !ok || !one.ReadASN1(&values, der.SET) || !one.Empty() {
			return damaged("signedAttrs")
		}
		if len(seen) == maxAttributes {
			return refuse(TooLarge, "more than %d signed attributes", maxAttributes)
		}
		if seen[oid] {
			return refuse(NoAttributes, "the signed attribute %s stands twice", oid)
		}
		seen[oid] = true
		var read func(*cryptobyte.String) bool
		switch oid {
		case oidContentType:
			read = func(s *cryptobyte.String) (ok bool) { a.contentType, ok = readOID(s); return ok }
		case oidMessageDigest:
			read = func(s *cryptobyte.String) bool { return s.ReadASN1Bytes(&a.digest, der.OCTET_STRING) }
		case oidSigningTime:
			read = a.readTime
		case oidSigningCertificate:
			read = a.readCertificate
		default:
			continue
		}
		var tag der.Tag
		if !values.ReadAnyASN1Element(&value, &tag) || !values.Empty() || !read(&value) || !value.Empty() {
			return damaged("signed attribute " + oid)
		}
	}
	if a.contentType == "" || a.digest == nil {
		return refuse(NoAttributes, "contentType or messageDigest is missing")
	}
	return nil
}

func (a *attributes) readTime(s *cryptobyte.String) bool {
	if s.PeekASN1Tag(der.UTCTime) {
		return s.ReadASN1UTCTime(&a.time)
	}
	return s.ReadASN1GeneralizedTime(&a.time)
}

// readCertificate reads the first of the certificates that the signer names by
// their hash: his own. SHA-256 is the hash unless another is named.
func (a *attributes) readCertificate(s *cryptobyte.String) bool {
	var seq, certs, first, hash cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !seq.ReadASN1(&certs, der.SEQUENCE) || !certs.ReadASN1(&first, der.SEQUENCE) {
		return false
	}
	id := identifier{oid: "2.16.840.1.101.3.4.2.1"}
	if first.PeekASN1Tag(der.SEQUENCE) {
		var ok bool
		if id, ok = readIdentifier(&first); !ok {
			return false
		}
	}
	if !first.ReadASN1(&hash, der.OCTET_STRING) {
		return false
	}
	a.certDigest, a.certHash = digests[id.oid], hash
	return a.certDigest != nil
}

// names refuses another certificate than the one the signer meant: the same
// key may stand in several, with different names in them.
func (a *attributes) names(c *certificate) *Refusal {
	if a.certDigest != nil && !bytes.Equal(a.certDigest.sum(c.Raw), a.certHash) {
		return refuse(WrongSignature, "the signer named another certificate")
	}
	return nil
}
