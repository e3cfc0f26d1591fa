package signature

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// revocations is one authority's list, whose signature was checked when it was
// read.
type revocations struct {
	authority  string
	thisUpdate time.Time
	nextUpdate time.Time
	revoked    map[string]time.Time // by the bytes of the serial number
}

// authorityOf names an authority by name and key: a renewed certificate for the
// same key issues the same list.
func authorityOf(c *certificate) string {
	return string(sha256.sum(c.RawSubject)) + string(sha256.sum(c.RawSubjectPublicKeyInfo))
}

// parseRevocations reads a full revocation list and checks its signature by one
// of the authorities. Delta lists and lists for a part of the certificates are
// refused: they cannot say that a certificate is good. Source: RFC 5280 §5.
func parseRevocations(raw []byte, authorities []*certificate) (*revocations, error) {
	parsed, err := x509.ParseRevocationList(raw)
	if err != nil {
		return nil, fmt.Errorf("no revocation list: %w", err)
	}
	for _, e := range parsed.Extensions {
		if e.Critical {
			return nil, fmt.Errorf("a list with the critical extension %s, as delta and partial lists have; give the full one", e.Id)
		}
	}
	if parsed.NextUpdate.IsZero() {
		return nil, errors.New("the list does not say when the next one comes")
	}
	body, ok := readSigned(raw)
	if !ok {
		return nil, errors.New("no revocation list: its outer sequence")
	}
	issuer, err := issuerOfList(parsed, body, authorities)
	if err != nil {
		return nil, err
	}
	list := &revocations{
		authority:  authorityOf(issuer),
		thisUpdate: parsed.ThisUpdate,
		nextUpdate: parsed.NextUpdate,
		revoked:    make(map[string]time.Time, len(parsed.RevokedCertificateEntries)),
	}
	for i := range parsed.RevokedCertificateEntries {
		e := &parsed.RevokedCertificateEntries[i]
		list.revoked[string(e.SerialNumber.Bytes())] = e.RevocationTime
	}
	return list, nil
}

// issuerOfList finds the authority whose signature the list bears.
func issuerOfList(list *x509.RevocationList, body signed, authorities []*certificate) (*certificate, error) {
	as := &x509.Certificate{RawIssuer: list.RawIssuer, AuthorityKeyId: list.AuthorityKeyId}
	var refused error
	for _, c := range authorities {
		if !c.issued(as) {
			continue
		}
		if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCRLSign == 0 {
			refused = errors.New("its authority may not sign lists")
			continue
		}
		r := c.check(body)
		if r == nil {
			return c, nil
		}
		refused = r
	}
	if refused != nil {
		return nil, refused
	}
	return nil, fmt.Errorf("nobody among the roots issues this list (%s)", list.Issuer)
}

// revocation holds one certificate against the list of its issuer. What was
// revoked after the instant was good then; the list itself must have come by
// now and reach to the instant.
func (t *trust) revocation(c, issuer *certificate, at, now time.Time, reason Reason) *Refusal {
	if t.lists == nil {
		return nil
	}
	list := t.lists[authorityOf(issuer)]
	if list == nil {
		return refuse(RevocationUnknown, "no list of %s", issuedTo(issuer))
	}
	if when, there := list.revoked[string(c.SerialNumber.Bytes())]; there && !when.After(at) {
		return refuse(reason, "serial number %s, on %s", serialOf(c.Certificate), day(when))
	}
	if list.thisUpdate.After(now.Add(clockSlack)) || list.nextUpdate.Before(at) {
		return refuse(RevocationStale, "the list of %s holds from %s to %s", issuedTo(issuer), day(list.thisUpdate), day(list.nextUpdate))
	}
	return nil
}

// day writes a time for a detail.
func day(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }
