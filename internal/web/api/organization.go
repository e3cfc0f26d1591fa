package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// KeyInfo is the key that asks.
type KeyInfo struct {
	ID           int64     `json:"id"`
	Name         string    `json:"name"`
	Rights       []string  `json:"rights" nullable:"false" doc:"What it may do by now: its own rights, as far as its maker has them."`
	Outlets      []int64   `json:"outlets,omitempty" nullable:"false" doc:"The outlets that it is limited to; left out: none."`
	Maker        string    `json:"maker" doc:"Address of the person for whom it acts."`
	Organization int64     `json:"organization"`
	Created      time.Time `json:"created"`
	Ends         time.Time `json:"ends"`
}

func (h *Handler) registerKey() {
	route(h, operation{id: "key", method: http.MethodGet, path: "/key", tag: "key"},
		func(_ context.Context, c *caller, _ *struct{}) (*answer[KeyInfo], error) {
			k := KeyInfo{ID: int64(c.key.ID), Name: c.key.Name, Rights: []string{}, Maker: c.User.Email, Organization: int64(c.Taxpayer), Created: c.key.Created, Ends: c.key.Ends}
			for _, r := range access.Rights() {
				if c.May(r) {
					k.Rights = append(k.Rights, r.String())
				}
			}
			for _, o := range c.Member.Outlets {
				k.Outlets = append(k.Outlets, int64(o))
			}
			return tagged(k)
		})
}

// Address is where something is, in parts.
type Address struct {
	Region   string `json:"region,omitempty" maxLength:"16" doc:"Code: in Kazakhstan the first two digits of KATO, in Russia that of the subject." example:"75"`
	Locality string `json:"locality,omitempty" maxLength:"128" doc:"City or village." example:"Алматы"`
	Street   string `json:"street,omitempty" maxLength:"128" example:"Абая"`
	House    string `json:"house,omitempty" maxLength:"64" example:"10"`
	Flat     string `json:"flat,omitempty" maxLength:"64"`
}

// Organization is the taxpayer for whom the key acts.
type Organization struct {
	ID             int64     `json:"id"`
	Country        string    `json:"country" enum:"kz,ru"`
	XIN            string    `json:"xin" doc:"IIN or BIN, in Russia INN."`
	Title          Text      `json:"title"`
	Address        Address   `json:"address" doc:"The legal address in parts, as far as it was told so."`
	AddressText    Text      `json:"address_text" doc:"The legal address as receipts show it."`
	OKED           string    `json:"oked,omitempty" doc:"Kind of activity."`
	VATPercent     string    `json:"vat_percent,omitempty" doc:"Left out: pays no VAT." example:"16"`
	VATCertificate string    `json:"vat_certificate,omitempty" doc:"Series and number."`
	Created        time.Time `json:"created"`
}

// OrganizationChange is what may be changed of it.
type OrganizationChange struct {
	Title          Text    `json:"title"`
	Address        Address `json:"address" doc:"Legal."`
	OKED           string  `json:"oked,omitempty" maxLength:"64"`
	VATPercent     string  `json:"vat_percent,omitempty" maxLength:"8" doc:"Empty: pays no VAT." example:"16"`
	VATCertificate string  `json:"vat_certificate,omitempty" maxLength:"64"`
}

// Contract is a paper between the operator and the organization.
type Contract struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at" doc:"When the operator accepted it, UTC."`
	Kind     string    `json:"kind" enum:"signed,paper,ended" doc:"signed electronically; on paper; ended: the contract before it is over."`
	InForce  bool      `json:"in_force" doc:"It is the newest and holds."`
	Edition  int       `json:"edition,omitempty" doc:"Of the text."`
	Language string    `json:"language,omitempty"`
	By       string    `json:"by" doc:"Account."`
	Number   string    `json:"number,omitempty" doc:"Of a contract on paper; of an ended one, its ID."`
	Method   string    `json:"method,omitempty" doc:"Of the signature."`
	Signer   *Signer   `json:"signer,omitempty"`
}

// Signer is whom a certificate names.
type Signer struct {
	Name         string    `json:"name,omitempty"`
	Organization string    `json:"organization,omitempty"`
	XIN          string    `json:"xin,omitempty" doc:"Of the taxpayer for whom was signed."`
	Serial       string    `json:"serial" doc:"Of the certificate, hexadecimal."`
	Issuer       string    `json:"issuer"`
	SignedAt     time.Time `json:"signed_at,omitzero" doc:"By the signer's clock."`
}

type ByID struct {
	ID int64 `path:"id" minimum:"1"`
}

func textOf(t Text) fiscal.Text { return fiscal.Text(t) }

func (a Address) of() registry.Address { return registry.Address(a) }

func newOrganization(t *registry.Taxpayer) Organization {
	o := Organization{ID: int64(t.ID), Country: string(t.Country), XIN: string(t.XIN), Title: Text(t.Title), Address: Address(t.Where), AddressText: Text(t.Address),
		OKED: t.OKED, VATCertificate: t.VATCertificate, Created: t.Created}
	if t.VATPercent != 0 {
		o.VATPercent = percent(t.VATPercent)
	}
	return o
}

func (h *Handler) organization(ctx context.Context, c *caller) (Organization, error) {
	t, err := h.cfg.Office.Organization(ctx, c.Actor)
	return newOrganization(&t), err
}

func (h *Handler) registerOrganization() {
	route(h, operation{id: "organization", method: http.MethodGet, path: "/organization", tag: "organization"},
		func(ctx context.Context, c *caller, _ *struct{}) (*answer[Organization], error) {
			o, err := h.organization(ctx, c)
			if err != nil {
				return nil, err
			}
			return tagged(o)
		})
	type change struct {
		Matching
		Body OrganizationChange
	}
	route(h, operation{id: "organization-change", method: http.MethodPut, path: "/organization", tag: "organization", rights: access.EditOrganization,
		doc: "Cards of registers keep what they say until they are changed."},
		func(ctx context.Context, c *caller, in *change) (*answer[Organization], error) {
			vat, err := percentOf(in.Body.VATPercent)
			if err != nil {
				return nil, err
			}
			d := registry.Details{Title: textOf(in.Body.Title), Address: in.Body.Address.of(), OKED: in.Body.OKED, VATPercent: vat, VATCertificate: in.Body.VATCertificate}
			err = unchanged(h, c, in.Matching, func() (Organization, error) { return h.organization(ctx, c) },
				func() error { return h.cfg.Office.SetDetails(ctx, c.Actor, d) })
			if err != nil {
				return nil, err
			}
			o, err := h.organization(ctx, c)
			if err != nil {
				return nil, err
			}
			return tagged(o)
		})
	route(h, operation{id: "contracts", method: http.MethodGet, path: "/contracts", tag: "organization", rights: access.SeeDocuments},
		func(ctx context.Context, c *caller, _ *struct{}) (*listOf[Contract], error) {
			all, err := h.cfg.Office.Contracts(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			var items []Contract
			for i := range all {
				items = append(items, newContract(&all[i], i == 0 && registry.InForce(all)))
			}
			return newList(items, ""), nil
		})
	route(h, operation{id: "contract", method: http.MethodGet, path: "/contracts/{id}", tag: "organization", rights: access.SeeDocuments},
		func(ctx context.Context, c *caller, in *ByID) (*answer[Contract], error) {
			one, err := h.cfg.Office.Contract(ctx, c.Actor, registry.ContractID(in.ID))
			if err != nil {
				return nil, err
			}
			all, err := h.cfg.Office.Contracts(ctx, c.Actor)
			if err != nil {
				return nil, err
			}
			return tagged(newContract(&one, registry.InForce(all) && all[0].ID == one.ID))
		})
	route(h, operation{id: "contract-content", method: http.MethodGet, path: "/contracts/{id}/content", tag: "organization", rights: access.SeeDocuments, kind: "text/plain; charset=utf-8",
		doc: "The very bytes that were signed."},
		func(ctx context.Context, c *caller, in *ByID) (*file, error) {
			one, err := h.paper(ctx, c, in.ID)
			return &file{"text/plain; charset=utf-8", attached("contract-" + strconv.FormatInt(in.ID, 10) + ".txt"), one.Content}, err
		})
	route(h, operation{id: "contract-signature", method: http.MethodGet, path: "/contracts/{id}/signature", tag: "organization", rights: access.SeeDocuments, kind: "application/pkcs7-signature",
		doc: "The file with the signature, as it came."},
		func(ctx context.Context, c *caller, in *ByID) (*file, error) {
			one, err := h.paper(ctx, c, in.ID)
			return &file{"application/pkcs7-signature", attached("contract-" + strconv.FormatInt(in.ID, 10) + ".p7s"), one.Signature}, err
		})
}

// paper is a contract that was signed: one on paper has no bytes.
func (h *Handler) paper(ctx context.Context, c *caller, id int64) (registry.Contract, error) {
	one, err := h.cfg.Office.Contract(ctx, c.Actor, registry.ContractID(id))
	if err == nil && len(one.Signature) == 0 {
		err = &fiscal.Error{Reason: fiscal.NothingThere, Field: "contract"}
	}
	return one, err
}

func attached(name string) string { return `attachment; filename="` + name + `"` }

func newContract(c *registry.Contract, holds bool) Contract {
	out := Contract{ID: int64(c.ID), At: c.At, Kind: string(c.Kind), InForce: holds, Edition: c.Edition, Language: c.Language, By: c.By, Number: c.Number, Method: c.Method}
	if o := c.Owner; o != nil {
		out.Signer = &Signer{Name: o.Name, Organization: o.Organization, XIN: string(o.Taxpayer()), Serial: o.Serial, Issuer: o.Issuer}
		if c.Verdict != nil {
			out.Signer.SignedAt = c.Verdict.SignedAt
		}
	}
	return out
}

// percentOf reads a rate: "16" is 16000 thousandths; "" is 0.
func percentOf(s string) (uint32, error) {
	if s = strings.TrimSpace(s); s == "" {
		return 0, nil
	}
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole+(part + "000")[:3], 10, 20)
	if err != nil || whole == "" || len(part) > 3 {
		return 0, &fiscal.Error{Reason: fiscal.BadValue, Field: "vat_percent"}
	}
	return uint32(n), nil
}
