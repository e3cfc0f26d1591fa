package signature

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"openofd/internal/signature/gost"
)

// KeyKind is the family of a key.
type KeyKind uint8

// The kinds of keys.
const (
	KeyUnknown KeyKind = iota
	KeyRSA
	KeyECDSA
	KeyGOST
	keyKindCount
)

var keyKindNames = [keyKindCount]string{"", "rsa", "ecdsa", "gost"}

// String is the kind's stable name.
func (k KeyKind) String() string {
	if k < keyKindCount {
		return keyKindNames[k]
	}
	return ""
}

// MarshalText gives a kind to JSON by its name.
func (k KeyKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a stored kind; a name that is not known is KeyUnknown.
func (k *KeyKind) UnmarshalText(b []byte) error {
	*k = KeyUnknown
	for i, name := range keyKindNames {
		if name == string(b) {
			*k = KeyKind(i)
		}
	}
	return nil
}

// The lengths of RSA keys that we take, in bits. Longer ones would only cost
// us time.
const (
	minRSA = 2048
	maxRSA = 8192
)

// key is a public key; one of the pointers is set.
type key struct {
	rsa   *rsa.PublicKey
	ecdsa *ecdsa.PublicKey
	gost  *gost.PublicKey
	form  form // of GOST signatures: russian or kazakh
}

func (k *key) kind() KeyKind {
	switch {
	case k.rsa != nil:
		return KeyRSA
	case k.ecdsa != nil:
		return KeyECDSA
	}
	return KeyGOST
}

// curves are the GOST parameter sets by their identifiers, with how their
// signatures are written. The examples of the standard are left out: their
// secrets are printed in it. Sources: RFC 4357 §10.8, RFC 9215 §4.2.
var curves = map[string]struct {
	curve *gost.Curve
	form  form
}{
	"1.2.643.2.2.35.1":       {gost.CryptoProA, russian},
	"1.2.643.2.2.35.2":       {gost.CryptoProB, russian},
	"1.2.643.2.2.35.3":       {gost.CryptoProC, russian},
	"1.2.643.2.2.36.0":       {gost.CryptoProA, russian},
	"1.2.643.2.2.36.1":       {gost.CryptoProC, russian},
	"1.2.643.7.1.2.1.1.1":    {gost.TC26A256, russian},
	"1.2.643.7.1.2.1.1.2":    {gost.CryptoProA, russian},
	"1.2.643.7.1.2.1.1.3":    {gost.CryptoProB, russian},
	"1.2.643.7.1.2.1.1.4":    {gost.CryptoProC, russian},
	"1.2.643.7.1.2.1.2.1":    {gost.TC26A512, russian},
	"1.2.643.7.1.2.1.2.2":    {gost.TC26B512, russian},
	"1.2.643.7.1.2.1.2.3":    {gost.TC26C512, russian},
	"1.2.398.3.10.1.1.1.1.1": {gost.CryptoProA, kazakh},
	"1.2.398.3.10.1.1.2.2.1": {gost.TC26A512, kazakh},
}

// gostKeys are the identifiers of GOST keys, with the length of a coordinate
// in bytes.
var gostKeys = map[string]int{
	"1.2.643.2.2.19":       32,
	"1.2.643.7.1.1.1.1":    32,
	"1.2.643.7.1.1.1.2":    64,
	"1.2.398.3.10.1.1.1.1": 32,
	"1.2.398.3.10.1.1.2.2": 64,
}

// keyOf reads the public key of a certificate.
func keyOf(cert *x509.Certificate) (*key, *Refusal) {
	switch k := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSA {
			return nil, refuse(WeakAlgorithm, "an RSA key of %d bits; %d are the least", bits, minRSA)
		} else if bits > maxRSA {
			return nil, refuse(UnknownAlgorithm, "an RSA key of %d bits; %d are the most", bits, maxRSA)
		}
		return &key{rsa: k}, nil
	case *ecdsa.PublicKey:
		if bits := k.Curve.Params().BitSize; bits < 256 {
			return nil, refuse(WeakAlgorithm, "an ECDSA key of %d bits", bits)
		}
		return &key{ecdsa: k}, nil
	}
	return gostKeyOf(cert.RawSubjectPublicKeyInfo)
}

// gostKeyOf reads a GOST key: the parameter set stands with the algorithm, the
// point is an octet string inside the bit string. Source: RFC 9215 §4.
func gostKeyOf(info []byte) (*key, *Refusal) {
	damaged := refuse(Malformed, "the public key of the certificate")
	s := cryptobyte.String(info)
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) {
		return nil, damaged
	}
	id, ok := readIdentifier(&seq)
	if !ok {
		return nil, damaged
	}
	size, known := gostKeys[id.oid]
	if !known {
		return nil, refuse(UnknownAlgorithm, "key algorithm %s", id.oid)
	}
	params := cryptobyte.String(id.params)
	var set cryptobyte.String
	if !params.ReadASN1(&set, der.SEQUENCE) {
		return nil, damaged
	}
	oid, ok := readOID(&set)
	if !ok {
		return nil, damaged
	}
	at, known := curves[oid]
	if !known || at.curve.Size() != size {
		return nil, refuse(UnknownAlgorithm, "GOST parameter set %s of key algorithm %s", oid, id.oid)
	}
	var bits []byte
	if !seq.ReadASN1BitStringAsBytes(&bits) || !seq.Empty() {
		return nil, damaged
	}
	var point cryptobyte.String
	inner := cryptobyte.String(bits)
	if !inner.ReadASN1(&point, der.OCTET_STRING) || !inner.Empty() {
		return nil, damaged
	}
	public, err := gost.ParsePublicKey(at.curve, point)
	if err != nil {
		return nil, refuse(Malformed, "the public key of the certificate: %v", err)
	}
	return &key{gost: public, form: at.form}, nil
}

// verify checks a signature over a message by a method that methodOf found.
func (k *key) verify(m method, params *pssParams, message, signature []byte) *Refusal {
	wrong := refuse(WrongSignature, "%s", m.name)
	sum := m.digest.sum(message)
	switch {
	case k.rsa != nil && m.form == pkcs1:
		if rsa.VerifyPKCS1v15(k.rsa, m.digest.std, sum, signature) == nil {
			return nil
		}
	case k.rsa != nil && m.form == pss:
		if rsa.VerifyPSS(k.rsa, m.digest.std, sum, signature, &rsa.PSSOptions{SaltLength: params.salt}) == nil {
			return nil
		}
	case k.ecdsa != nil && m.form == ecdsaRS:
		if ecdsa.VerifyASN1(k.ecdsa, sum, signature) {
			return nil
		}
	case k.gost != nil && m.form == k.form && len(sum) == k.gost.Curve.Size():
		r, s, ok := splitGOST(m.form, signature, len(sum))
		if ok && k.gost.Verify(sum, r, s) {
			return nil
		}
	default:
		return refuse(WrongSignature, "the signature is %s, but the key is of another kind", m.name)
	}
	return wrong
}

// splitGOST takes a signature apart. Russia writes s and r, highest byte first
// (RFC 4491 §2.2.2); Kazakhstan r and s, lowest byte first, as the certificates
// of its authority show.
func splitGOST(f form, signature []byte, size int) (r, s *big.Int, ok bool) {
	if len(signature) != 2*size {
		return nil, nil, false
	}
	first, second := slices.Clone(signature[:size]), slices.Clone(signature[size:])
	if f == russian {
		return new(big.Int).SetBytes(second), new(big.Int).SetBytes(first), true
	}
	slices.Reverse(first)
	slices.Reverse(second)
	return new(big.Int).SetBytes(first), new(big.Int).SetBytes(second), true
}
