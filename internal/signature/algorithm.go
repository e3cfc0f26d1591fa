package signature

import (
	"crypto"
	"hash"

	"openofd/internal/signature/gost"
)

// digest is a hash that a signature may use.
type digest struct {
	name string
	std  crypto.Hash // 0 for those that the standard library does not have
	make func() hash.Hash
}

func (d *digest) sum(parts ...[]byte) []byte {
	h := d.make()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func standard(name string, h crypto.Hash) *digest { return &digest{name, h, h.New} }

// The hashes.
var (
	sha256      = standard("SHA-256", crypto.SHA256)
	sha384      = standard("SHA-384", crypto.SHA384)
	sha512      = standard("SHA-512", crypto.SHA512)
	streebog256 = &digest{name: "Streebog-256", make: gost.New256}
	streebog512 = &digest{name: "Streebog-512", make: gost.New512}
	hash94      = &digest{name: "GOST R 34.11-94", make: func() hash.Hash { return gost.New94(gost.CryptoPro) }}
	hash95      = &digest{name: "GOST 34.311-95", make: func() hash.Hash { return gost.New94(gost.Example) }}
)

// digests are the hashes by their identifiers. Sources: RFC 5754 §2, RFC 9215
// §2, RFC 4357 §2; Kazakhstan's authority.
var digests = map[string]*digest{
	"2.16.840.1.101.3.4.2.1": sha256,
	"2.16.840.1.101.3.4.2.2": sha384,
	"2.16.840.1.101.3.4.2.3": sha512,
	"1.2.643.7.1.1.2.2":      streebog256,
	"1.2.643.7.1.1.2.3":      streebog512,
	"1.2.643.2.2.9":          hash94,
	"1.2.398.3.10.1.3.1":     hash95,
	"1.2.398.3.10.1.3.3":     streebog512,
}

// form is how a signature is written and checked.
type form uint8

const (
	pkcs1   form = iota + 1 // RSA, PKCS #1 v1.5
	pss                     // RSA-PSS: the parameters name the digest
	ecdsaRS                 // ECDSA, a sequence of r and s
	russian                 // GOST: s and r, highest byte first
	kazakh                  // GOST: r and s, lowest byte first
)

// method is an algorithm of signatures.
type method struct {
	name   string
	form   form
	digest *digest // nil where it is told apart
}

// methods are the algorithms by their identifiers. CMS may name the key's
// algorithm alone; the digest then stands beside it. Sources: RFC 4055, RFC
// 5758, RFC 4491 §2.2, RFC 9215 §3; Kazakhstan's authority.
var methods = map[string]method{
	"1.2.840.113549.1.1.1":   {"RSA", pkcs1, nil},
	"1.2.840.113549.1.1.10":  {"RSA-PSS", pss, nil},
	"1.2.840.113549.1.1.11":  {"RSA with SHA-256", pkcs1, sha256},
	"1.2.840.113549.1.1.12":  {"RSA with SHA-384", pkcs1, sha384},
	"1.2.840.113549.1.1.13":  {"RSA with SHA-512", pkcs1, sha512},
	"1.2.840.10045.4.3.2":    {"ECDSA with SHA-256", ecdsaRS, sha256},
	"1.2.840.10045.4.3.3":    {"ECDSA with SHA-384", ecdsaRS, sha384},
	"1.2.840.10045.4.3.4":    {"ECDSA with SHA-512", ecdsaRS, sha512},
	"1.2.643.2.2.3":          {"GOST R 34.10-2001", russian, hash94},
	"1.2.643.2.2.19":         {"GOST R 34.10-2001", russian, hash94},
	"1.2.643.7.1.1.3.2":      {"GOST R 34.10-2012, 256 bits", russian, streebog256},
	"1.2.643.7.1.1.1.1":      {"GOST R 34.10-2012, 256 bits", russian, streebog256},
	"1.2.643.7.1.1.3.3":      {"GOST R 34.10-2012, 512 bits", russian, streebog512},
	"1.2.643.7.1.1.1.2":      {"GOST R 34.10-2012, 512 bits", russian, streebog512},
	"1.2.398.3.10.1.1.1.2":   {"GOST 34.310-2004", kazakh, hash95},
	"1.2.398.3.10.1.1.2.3.2": {"GOST 34.10-2015, 512 bits", kazakh, streebog512},
}

// weak are the identifiers that name what proves nothing today: MD5 and SHA-1,
// alone, with RSA and with ECDSA.
var weak = map[string]string{
	"1.2.840.113549.2.5":   "MD5",
	"1.3.14.3.2.26":        "SHA-1",
	"1.2.840.113549.1.1.4": "RSA with MD5",
	"1.2.840.113549.1.1.5": "RSA with SHA-1",
	"1.2.840.10045.4.1":    "ECDSA with SHA-1",
}

// digestOf finds a digest.
func digestOf(id identifier) (*digest, *Refusal) {
	if d, ok := digests[id.oid]; ok {
		return d, nil
	}
	return nil, strange("digest", id.oid)
}

// methodOf finds how a signature is checked; d is the digest named beside the
// algorithm, nil where there is none (certificates, lists). What both name must
// be the same.
func methodOf(id identifier, d *digest) (method, *pssParams, *Refusal) {
	m, ok := methods[id.oid]
	if !ok {
		return m, nil, strange("signature algorithm", id.oid)
	}
	var params *pssParams
	if m.form == pss {
		if params = readPSS(id.params); params == nil {
			return m, nil, refuse(UnknownAlgorithm, "unusual parameters of RSA-PSS")
		}
		m.digest = params.digest
		m.name += " with " + m.digest.name
	}
	switch {
	case m.digest == nil && d == nil:
		return m, nil, refuse(UnknownAlgorithm, "%s names no digest", m.name)
	case m.digest == nil:
		m.digest = d
		m.name += " with " + d.name
	case d != nil && m.digest != d:
		return m, nil, refuse(UnknownAlgorithm, "the digest is %s, but the signature is %s", d.name, m.name)
	}
	if m.form == pkcs1 && m.digest.std == 0 {
		return m, nil, refuse(UnknownAlgorithm, "%s", m.name)
	}
	return m, params, nil
}

// strange refuses an identifier that is in no table.
func strange(what, oid string) *Refusal {
	if name, ok := weak[oid]; ok {
		return refuse(WeakAlgorithm, "%s %s", what, name)
	}
	return refuse(UnknownAlgorithm, "%s %s", what, oid)
}
