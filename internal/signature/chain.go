package signature

import (
	"crypto/x509"
	"time"
)

// The limits of a search for a chain.
const (
	maxChain  = 6  // certificates, with signer and root
	maxChecks = 24 // signatures of certificates checked for one signature
)

// search looks for a chain from a certificate to a root of ours.
type search struct {
	trust    *trust
	given    []*certificate // enclosed by the signer: nobody believes them by themselves
	at, now  time.Time
	checks   int
	obstacle *Refusal // the most telling reason met so far
}

// chain returns the certificates from the signer's to a root, all of which
// hold at the instant.
func (t *trust) chain(leaf *certificate, given []*certificate, at, now time.Time) ([]*certificate, *Refusal) {
	s := &search{trust: t, given: given, at: at, now: now}
	if path := s.from([]*certificate{leaf}); path != nil {
		return path, nil
	}
	if s.obstacle != nil {
		return nil, s.obstacle
	}
	return nil, refuse(Untrusted, "issued by %s", issuerOf(leaf.Certificate))
}

// from goes on from the end of a path; nil means that no root was reached.
func (s *search) from(path []*certificate) []*certificate {
	child := path[len(path)-1]
	for _, root := range s.trust.roots {
		if s.step(path, root) {
			return append(path, root)
		}
	}
	if len(path)+1 >= maxChain {
		return nil
	}
	for _, pool := range [][]*certificate{s.trust.below, s.given} {
		for _, c := range pool {
			if c == child || !s.step(path, c) {
				continue
			}
			if found := s.from(append(path[:len(path):len(path)], c)); found != nil {
				return found
			}
		}
	}
	return nil
}

// step reports whether c issued the end of the path and was allowed to.
func (s *search) step(path []*certificate, c *certificate) bool {
	child := path[len(path)-1]
	if !c.issued(child.Certificate) || s.checks >= maxChecks {
		return false
	}
	s.checks++
	if r := c.check(child.signed); r != nil {
		if r.Reason == WeakAlgorithm {
			s.meet(r)
		}
		return false
	}
	if r := s.allowed(c, len(path)-1); r != nil {
		s.meet(r)
		return false
	}
	reason := Revoked
	if len(path) > 1 {
		reason = AuthorityRevoked
	}
	if r := s.trust.revocation(child, c, s.at, s.now, reason); r != nil {
		s.meet(r)
		return false
	}
	return true
}

// allowed refuses an authority that may not issue: below is the number of
// authorities between it and the signer.
func (s *search) allowed(c *certificate, below int) *Refusal {
	name := issuedTo(c)
	if oid, strange := c.strangeExtension(); strange {
		return refuse(UnknownExtension, "%s in the certificate of %s", oid, name)
	}
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return refuse(BrokenChain, "serial number %s is no authority's", serialOf(c.Certificate)) // perhaps a person's, so no name
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return refuse(BrokenChain, "the key usage of %s lacks certificate signing", name)
	case (c.MaxPathLen > 0 || c.MaxPathLenZero) && below > c.MaxPathLen:
		return refuse(BrokenChain, "below %s may be %d authorities, here are %d", name, c.MaxPathLen, below)
	case !purposeFits(c.Certificate):
		return refuse(BrokenChain, "the extended key usage of %s names no documents", name)
	case s.at.Before(c.NotBefore), s.at.After(c.NotAfter):
		return refuse(AuthorityExpired, "%s holds from %s to %s", name, day(c.NotBefore), day(c.NotAfter))
	}
	return nil
}

// meet remembers the first reason: it stands nearest to the signer.
func (s *search) meet(r *Refusal) {
	if s.obstacle == nil {
		s.obstacle = r
	}
}
