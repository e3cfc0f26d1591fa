package till

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/store/sqlitefile"
)

// Bound is the company of an account at its operator, and the key by which the
// till acts for it.
type Bound struct {
	Key          string     `json:"key"`
	Organization int64      `json:"organization"`
	XIN          fiscal.XIN `json:"xin"`
	Title        string     `json:"title"`
	Since        time.Time  `json:"since"`
	// Role is what the person is there; "" with a key that was made in the cabinet.
	Role string `json:"role,omitempty"`
}

// Company is an organization as the operator has it.
type Company struct {
	ID             int64       `json:"id"`
	Country        string      `json:"country"`
	XIN            fiscal.XIN  `json:"xin"`
	Title          fiscal.Text `json:"title"`
	Address        Place       `json:"address"`
	AddressText    fiscal.Text `json:"address_text"`
	OKED           string      `json:"oked,omitempty"`
	VATPercent     string      `json:"vat_percent,omitempty"`
	VATCertificate string      `json:"vat_certificate,omitempty"`
}

// Place is an address in parts.
type Place struct {
	Region   string `json:"region,omitempty"`
	Locality string `json:"locality,omitempty"`
	Street   string `json:"street,omitempty"`
	House    string `json:"house,omitempty"`
	Flat     string `json:"flat,omitempty"`
}

// Region is one of the operator's classifier, with its larger places.
type Region struct {
	Code       string        `json:"code"`
	Name       fiscal.Text   `json:"name"`
	Localities []fiscal.Text `json:"localities"`
}

// Link is a contract that waits for its signature: what the operator words from
// this, it words again the same.
type Link struct {
	Date     string // 2026-03-14
	Language string
}

// Signer is whom a signature names.
type Signer struct {
	XIN   fiscal.XIN `json:"xin"`
	Title string     `json:"title"`
	Name  string     `json:"name"`
	Known bool       `json:"known"` // the operator has the organization already
}

type linkBody struct {
	Email     string `json:"email"`
	Language  string `json:"language"`
	Date      string `json:"date,omitempty"`
	Signature []byte `json:"signature,omitempty"`
	Code      string `json:"code,omitempty"`
	Name      string `json:"name,omitempty"`
	Program   string `json:"program,omitempty"`

	Country fiscal.Country `json:"country,omitempty"`
	XIN     fiscal.XIN     `json:"xin,omitempty"`
}

// linkMade is what the operator answers when a company is linked.
type linkMade struct {
	Signer
	Key          string `json:"key"`
	Organization int64  `json:"organization"`
	Role         string `json:"role"`
}

func (m *linkMade) bound() *Bound {
	return &Bound{Key: m.Key, Organization: m.Organization, XIN: m.XIN, Title: m.Title, Role: m.Role}
}

// keyName is what the cabinet calls a till's key.
const keyName = "OpenOFD Till"

// BindByKey links the company whose owner made a key in the cabinet.
//
// Errors: Denied; Invalid with the Field "key"; Unavailable with the Field
// "operator"; those that the operator told.
// Source: requirements E-033, E-041.
func (t *Till) BindByKey(ctx context.Context, s *Seat, lang, key string) error {
	if err := s.must(MaySettings); err != nil {
		return err
	}
	if key = strings.TrimSpace(key); !strings.HasPrefix(key, "ofd_") || len(key) > 100 {
		return bad("key", "no key of a cabinet")
	}
	o := office{t.caller, t.cfg.Check, key, lang}
	var c Company
	if err := o.do(ctx, request{method: http.MethodGet, path: "/organization", out: &c}); err != nil {
		return err
	}
	return t.bind(s, &Bound{Key: key, Organization: c.ID, XIN: c.XIN, Title: c.Title.In("ru")})
}

func (t *Till) bind(s *Seat, b *Bound) error {
	if b != nil {
		b.Since = t.now()
	}
	err := t.change(s, func(_ *sqlitefile.Tx, a *Account) error {
		a.Bound = b
		return nil
	})
	if err == nil {
		s.Account.Bound = b
	}
	return err
}

// Unbind forgets the company and its key. What is registered stays so.
func (t *Till) Unbind(s *Seat) error {
	if err := s.must(MaySettings); err != nil {
		return err
	}
	return t.bind(s, nil)
}

// AskLink asks the operator for the contract and has it send a code to the
// account's address.
//
// Source: requirements E-033, E-034.
func (t *Till) AskLink(ctx context.Context, s *Seat, lang string) (Link, error) {
	if err := s.must(MaySettings); err != nil {
		return Link{}, err
	}
	var offer struct {
		Date string `json:"date"`
	}
	err := t.guest(lang).do(ctx, request{method: http.MethodPost, path: "/links", in: linkBody{Email: s.Account.Email, Language: lang}, out: &offer})
	return Link{offer.Date, lang}, err
}

func (t *Till) guest(lang string) office {
	return office{caller: t.caller, site: t.cfg.Check, lang: lang}
}

// LinkContent are the very bytes that are to be signed.
func (t *Till) LinkContent(ctx context.Context, s *Seat, l Link) (b []byte, err error) {
	if err := s.must(MaySettings); err != nil {
		return nil, err
	}
	q := url.Values{"email": {s.Account.Email}, "language": {l.Language}, "date": {l.Date}}
	err = t.guest(l.Language).do(ctx, request{method: http.MethodGet, path: "/links/content?" + q.Encode(), out: &b})
	return b, err
}

// ExamineLink tells whom a signature names; nothing is linked.
//
// Source: requirement E-039.
func (t *Till) ExamineLink(ctx context.Context, s *Seat, lang string, l Link, signature []byte) (who Signer, err error) {
	if err := s.must(MaySettings); err != nil {
		return who, err
	}
	in := linkBody{Email: s.Account.Email, Language: l.Language, Date: l.Date, Signature: signature}
	err = t.guest(lang).do(ctx, request{method: http.MethodPost, path: "/links/examination", in: in, out: &who})
	return who, err
}

// Link links the organization that signed, with the code from the operator's
// letter. The person gets a user of their own, as Bound.Role tells. To do it
// again changes nothing but the key.
//
// Errors: those that the operator told; Conflict with the Field "organization"
// where its owner has to invite.
// Source: requirements E-040 to E-044, E-047.
func (t *Till) Link(ctx context.Context, s *Seat, lang string, l Link, signature []byte, code string) (who Signer, err error) {
	in := linkBody{Email: s.Account.Email, Language: l.Language, Date: l.Date, Signature: signature, Code: strings.TrimSpace(code)}
	return t.link(ctx, s, lang, "/links/signature", &in)
}

// LinkInvited links the company with a BIN that has invited the account's
// address, by the code from the operator's letter, see AskLink. Nothing is
// signed: the rights are those of the invitation.
//
// Errors: NotFound with the Field "invitation"; Invalid with the Field "xin" or
// "code"; those that the operator told.
// Source: requirement E-047.
func (t *Till) LinkInvited(ctx context.Context, s *Seat, lang string, x fiscal.XIN, code string) error {
	if err := fiscal.CheckXIN(x, "xin"); err != nil {
		return err
	}
	in := linkBody{Email: s.Account.Email, Language: lang, Country: fiscal.Kazakhstan, XIN: x, Code: strings.TrimSpace(code)}
	_, err := t.link(ctx, s, lang, "/links/invitation", &in)
	return err
}

func (t *Till) link(ctx context.Context, s *Seat, lang, path string, in *linkBody) (Signer, error) {
	if err := s.must(MaySettings); err != nil {
		return Signer{}, err
	}
	in.Name, in.Program = or(s.Account.Name, s.Account.Email), keyName
	var made linkMade
	if err := t.guest(lang).do(ctx, request{method: http.MethodPost, path: path, in: in, out: &made}); err != nil {
		return Signer{}, err
	}
	return made.Signer, t.bind(s, made.bound())
}

// Company is the one that the account is linked to.
//
// Source: requirement E-046.
func (t *Till) Company(ctx context.Context, s *Seat, lang string) (c Company, err error) {
	o, err := t.office(s, lang)
	if err != nil {
		return c, err
	}
	err = o.do(ctx, request{method: http.MethodGet, path: "/organization", out: &c})
	return c, err
}

// SetAddress sets the company's legal address.
//
// Source: requirements E-043, E-045.
func (t *Till) SetAddress(ctx context.Context, s *Seat, lang string, p Place) error {
	o, err := t.office(s, lang)
	if err != nil {
		return err
	}
	c, err := t.Company(ctx, s, lang)
	if err != nil {
		return err
	}
	in := struct {
		Title          fiscal.Text `json:"title"`
		Address        Place       `json:"address"`
		OKED           string      `json:"oked,omitempty"`
		VATPercent     string      `json:"vat_percent,omitempty"`
		VATCertificate string      `json:"vat_certificate,omitempty"`
	}{c.Title, p, c.OKED, c.VATPercent, c.VATCertificate}
	return o.do(ctx, request{method: http.MethodPut, path: "/organization", in: in})
}

// Regions are those of the operator's classifier.
func (t *Till) Regions(ctx context.Context, s *Seat, lang string) ([]Region, error) {
	o, err := t.office(s, lang)
	if err != nil {
		return nil, err
	}
	return list[Region](ctx, o, "/regions?country=kz", 1000)
}
