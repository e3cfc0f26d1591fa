package signature

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// forDocuments reports whether the certificate's key may sign documents. The
// usage must say that its owner cannot deny what is signed: keys for signing in
// lack it. An extended usage, if there is one, must fit as well.
func forDocuments(c *x509.Certificate) *Refusal {
	if c.KeyUsage&x509.KeyUsageContentCommitment == 0 {
		return refuse(WrongUsage, "the key usage lacks non-repudiation")
	}
	if !purposeFits(c) {
		return refuse(WrongUsage, "the extended key usage names no documents")
	}
	return nil
}

// documents are the extended key usages that fit documents beside those of the
// standard library: RFC 9336 and the owners of Kazakhstan's authority.
var documents = []asn1.ObjectIdentifier{
	{1, 3, 6, 1, 5, 5, 7, 3, 36},
	{1, 2, 398, 3, 3, 4, 1, 1},
	{1, 2, 398, 3, 3, 4, 1, 2},
}

// purposeFits reports whether an extended key usage, if there is one, allows
// documents. It holds for authorities as well: what they name limits what they
// issue.
func purposeFits(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageAny || u == x509.ExtKeyUsageEmailProtection {
			return true
		}
	}
	for _, u := range c.UnknownExtKeyUsage {
		if slices.ContainsFunc(documents, u.Equal) {
			return true
		}
	}
	return false
}
