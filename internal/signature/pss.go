package signature

import (
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// pssParams are what RSA-PSS says beside its identifier.
type pssParams struct {
	digest *digest
	salt   int // bytes
}

// maxSalt bounds the salt of RSA-PSS: more than the longest digest is of no use.
const maxSalt = 64

// readPSS reads the parameters of RSA-PSS. It wants one digest of SHA-2 for
// both the content and the mask, and the usual trailer; nil means anything
// else. The defaults of the standard are SHA-1, so nothing may be left out but
// the trailer. Source: RFC 4055 §3.1.
func readPSS(params []byte) *pssParams {
	s := cryptobyte.String(params)
	var seq, hash, mask, salt cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() ||
		!seq.ReadASN1(&hash, explicit0) || !seq.ReadASN1(&mask, explicit1) ||
		!seq.ReadASN1(&salt, der.Tag(2).Constructed().ContextSpecific()) || !seq.Empty() {
		return nil
	}
	first, ok := readIdentifier(&hash)
	if !ok || !first.plain() {
		return nil
	}
	var mgf cryptobyte.String
	if !mask.ReadASN1(&mgf, der.SEQUENCE) {
		return nil
	}
	if oid, ok := readOID(&mgf); !ok || oid != "1.2.840.113549.1.1.8" {
		return nil
	}
	second, ok := readIdentifier(&mgf)
	if !ok || second.oid != first.oid || !second.plain() {
		return nil
	}
	p := &pssParams{digest: digests[first.oid]}
	if p.digest == nil || p.digest.std == 0 || !salt.ReadASN1Integer(&p.salt) || p.salt < 0 || p.salt > maxSalt {
		return nil
	}
	return p
}
