package signature

import (
	"bytes"
	"io/fs"
	"slices"
	"sync/atomic"
	"time"
)

// clockSlack is how far a signer's clock may be ahead of ours, and an
// authority's as well.
const clockSlack = 5 * time.Minute

// Config says whom to believe. Folders are read by suffix: certificates from
// .pem, .cer, .crt and .der, lists from .crl, .pem and .der.
type Config struct {
	Roots fs.FS            // certificates of authorities; those that sign themselves are the roots
	CRLs  fs.FS            // full revocation lists; nil: revocation is not looked at
	Now   func() time.Time // the clock
}

// Verifier judges signatures. Safe for concurrent use.
type Verifier struct {
	cfg   Config
	trust atomic.Pointer[trust]
}

// Open reads the folders. The error names the file that cannot be used, or says
// that there is no root.
func Open(cfg Config) (*Verifier, error) {
	v := &Verifier{cfg: cfg}
	return v, v.Reload()
}

// Reload reads the folders again, for lists are issued every day. After an
// error what was read before still holds.
func (v *Verifier) Reload() error {
	t, err := readTrust(v.cfg.Roots, v.cfg.CRLs)
	if err == nil {
		v.trust.Store(t)
	}
	return err
}

// Verify judges a signature now. file is CMS in DER, in PEM or in base64;
// content is what was signed, nil if the file holds it. The error holds a
// *Refusal.
func (v *Verifier) Verify(file, content []byte) (*Verdict, error) {
	return v.VerifyAt(file, content, v.cfg.Now())
}

// VerifyAt judges a signature for a past instant at which it is known to have
// been there, such as the one at which we accepted it: certificates that have
// expired since and lists that have come since do no harm. Authorities may
// leave expired certificates out of later lists, so what was judged then is to
// be kept as well.
func (v *Verifier) VerifyAt(file, content []byte, at time.Time) (*Verdict, error) {
	verdict, refused := v.judge(file, content, at)
	if refused != nil {
		return nil, crossing(refused)
	}
	return verdict, nil
}

// judge goes from the file to the trust, so that the first complaint is the one
// the signer can do something about.
func (v *Verifier) judge(file, content []byte, at time.Time) (*Verdict, *Refusal) {
	raw, refused := unwrap(file)
	if refused != nil {
		return nil, refused
	}
	m, refused := parseMessage(raw)
	if refused != nil {
		return nil, refused
	}
	if m.kind != oidData {
		return nil, refuse(NotSigned, "signed content of type %s", m.kind)
	}
	if content, refused = m.settle(content); refused != nil {
		return nil, refused
	}
	leaf, given, refused := m.parseCertificates()
	if refused != nil {
		return nil, refused
	}
	owner := ownerOf(leaf)
	verdict, refused := v.hold(m, leaf, given, content, at)
	if refused == nil && owner.Country == "" {
		refused = refuse(NoIdentity, "the subject of serial number %s", owner.Serial)
	}
	if refused != nil {
		refused.Owner = owner
		return nil, refused
	}
	verdict.Owner = *owner
	return verdict, nil
}

// hold checks signature, times, usage and chain.
func (v *Verifier) hold(m *message, leaf *certificate, given []*certificate, content []byte, at time.Time) (*Verdict, *Refusal) {
	how, refused := m.verify(leaf, content)
	if refused != nil {
		return nil, refused
	}
	if refused := inTime(leaf, m.signer.attrs.time, at); refused != nil {
		return nil, refused
	}
	if oid, strange := leaf.strangeExtension(); strange {
		return nil, refuse(UnknownExtension, "%s", oid)
	}
	if refused := forDocuments(leaf.Certificate); refused != nil {
		return nil, refused
	}
	t := v.trust.Load()
	chain, refused := t.chain(leaf, given, at, v.cfg.Now())
	if refused != nil {
		return nil, refused
	}
	return &Verdict{
		Content:    content,
		Attached:   m.enclosed,
		Method:     how.name,
		Digest:     how.digest.name,
		SignedAt:   m.signer.attrs.time.UTC(),
		JudgedAt:   at.UTC().Truncate(time.Microsecond),
		Chain:      links(chain),
		Revocation: t.lists != nil,
	}, nil
}

// settle decides what was signed: the content in the file, the one beside it,
// or both if they are the same.
func (m *message) settle(beside []byte) ([]byte, *Refusal) {
	switch {
	case !m.enclosed && beside == nil:
		return nil, refuse(NoContent, "a detached signature")
	case !m.enclosed:
		return beside, nil
	case beside != nil && !bytes.Equal(beside, m.content):
		return nil, refuse(ContentDiffers, "%d bytes in the file, %d beside it", len(m.content), len(beside))
	}
	return m.content, nil
}

// parseCertificates reads the enclosed certificates and finds the signer's.
// Another that cannot be read is left out: it may be of a kind we do not know
// and need not.
func (m *message) parseCertificates() (leaf *certificate, given []*certificate, refused *Refusal) {
	var unread *Refusal
	for _, raw := range m.certificates {
		c, r := parseCertificate(raw)
		if r != nil {
			unread = r
			continue
		}
		given = append(given, c)
	}
	leaf, refused = m.signerCertificate(given)
	if refused != nil && unread != nil {
		refused = unread // it is among those, as far as we can tell
	}
	return leaf, given, refused
}

// inTime refuses a signer's certificate that does not hold, and a signing time
// that cannot be.
func inTime(c *certificate, signed, at time.Time) *Refusal {
	term := "it holds from " + day(c.NotBefore) + " to " + day(c.NotAfter)
	switch {
	case at.Before(c.NotBefore):
		return refuse(NotYetValid, "%s", term)
	case at.After(c.NotAfter):
		return refuse(Expired, "%s", term)
	case signed.IsZero():
		return nil
	case signed.After(at.Add(clockSlack)):
		return refuse(SignedAhead, "signed at %s, now it is %s", day(signed), day(at))
	case signed.Before(c.NotBefore.Add(-clockSlack)), signed.After(c.NotAfter):
		return refuse(SignedOutOfTerm, "signed at %s, %s", day(signed), term)
	}
	return nil
}

// Authority is one whom the folders name, as operators look at it.
type Authority struct {
	Subject  string    `json:"subject"`
	Serial   string    `json:"serial"` // hexadecimal
	Root     bool      `json:"root"`
	Method   string    `json:"method"` // of its own certificate's signature
	NotAfter time.Time `json:"not_after"`
	ListFrom time.Time `json:"list_from,omitzero"` // its revocation list; zero if there is none
	ListTo   time.Time `json:"list_to,omitzero"`
	Revoked  int       `json:"revoked"` // certificates in the list
}

// Authorities lists the roots and then the authorities below them, as they were
// read last.
func (v *Verifier) Authorities() []Authority {
	t := v.trust.Load()
	var out []Authority
	for _, c := range slices.Concat(t.roots, t.below) {
		a := Authority{Subject: issuedTo(c), Serial: serialOf(c.Certificate), Root: slices.Contains(t.roots, c), Method: methods[c.algorithm.oid].name, NotAfter: c.NotAfter.UTC()}
		if list := t.lists[authorityOf(c)]; list != nil {
			a.ListFrom, a.ListTo, a.Revoked = list.thisUpdate.UTC(), list.nextUpdate.UTC(), len(list.revoked)
		}
		out = append(out, a)
	}
	return out
}
