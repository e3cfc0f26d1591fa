package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/web/ui"
)

// LinkAsk begins the link of an organization from a program that has no key yet.
type LinkAsk struct {
	Email    string `json:"email" maxLength:"254" doc:"Of the person; a code is sent there."`
	Language string `json:"language" enum:"kk,ru,en" doc:"Of the contract and the letter."`
}

// LinkOffer is the contract that is to be signed.
type LinkOffer struct {
	Date    string `json:"date" doc:"Of the contract; belongs to what is sent back." example:"2026-03-14"`
	Content []byte `json:"content" doc:"The very bytes that are to be signed, in base64."`
}

// LinkSigned is a signature of the contract.
type LinkSigned struct {
	LinkAsk
	Date      string `json:"date" maxLength:"10" example:"2026-03-14"`
	Signature []byte `json:"signature" doc:"CMS, detached or with the content in it, in base64."`
}

// LinkSigner is whom a signature speaks for.
type LinkSigner struct {
	Country string `json:"country" enum:"kz,ru"`
	XIN     string `json:"xin" doc:"IIN or BIN, in Russia INN."`
	Title   string `json:"title" doc:"Of the organization, or the name of a person who trades alone."`
	Name    string `json:"name,omitempty" doc:"Of who signed."`
	Known   bool   `json:"known" doc:"The organization is registered here already."`
}

// LinkConfirm is a signature with what proves whose the address is.
type LinkConfirm struct {
	LinkSigned
	Code    string `json:"code" maxLength:"16" doc:"From the letter."`
	Name    string `json:"name" maxLength:"100" doc:"Of the person, if there is no account with the address yet."`
	Program string `json:"program" maxLength:"64" doc:"How the key is called in the cabinet."`
}

// LinkInvited takes up an invitation.
type LinkInvited struct {
	LinkAsk
	Country string `json:"country" enum:"kz,ru"`
	XIN     string `json:"xin" maxLength:"12" doc:"IIN or BIN of the organization, in Russia INN."`
	Code    string `json:"code" maxLength:"16" doc:"From the letter."`
	Name    string `json:"name" maxLength:"100" doc:"Of the person, if there is no account with the address yet."`
	Program string `json:"program" maxLength:"64" doc:"How the key is called in the cabinet."`
}

// Link is an organization that is linked, with a key for the program.
type Link struct {
	LinkSigner
	Organization int64     `json:"organization"`
	Role         string    `json:"role" enum:"owner,administrator,accountant,manager,technician,viewer,service_center" doc:"What the person is in it; the key may no more."`
	Key          string    `json:"key" doc:"Told this once." example:"ofd_…"`
	Ends         time.Time `json:"ends" doc:"Of the key."`
}

// linkRights are those of a key that is made with a link, and linkLife is how
// long it opens anything.
const (
	linkRights = access.SeeStatus | access.SeeDocuments | access.EditOrganization | access.EditOutlets | access.EditRegisters | access.IssueToken | access.Apply
	linkLife   = 730 * 24 * time.Hour
)

// How many calls without a key one address may make: a till is one address of
// many sellers. Each may send a letter, or have a signature verified.
const (
	linksPerSecond = 1
	linksAtOnce    = 100
)

// linking reports whether an address is that of who has no key yet.
func linking(path string) bool {
	return path == Prefix+"/links" || strings.HasPrefix(path, Prefix+"/links/")
}

// withoutKey lets a program in that shows a signature instead.
func (h *Handler) withoutKey(w http.ResponseWriter, r *http.Request) {
	address := h.cfg.Address(r)
	if l := h.links.take(address, 1); l.wait > 0 {
		h.Fail(w, r, &fiscal.Error{Reason: fiscal.RateLimited, Err: &ui.RetryError{After: l.wait}})
		return
	}
	if r.ContentLength > maxSigned {
		h.tooLarge(w, r)
		return
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, maxSigned)
	}
	c := &caller{Actor: &access.Actor{Address: address}, locale: h.cfg.Locales.For(r, language)}
	h.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
}

// offer is the contract for an address.
func (h *Handler) offer(in LinkAsk, date string) (registry.Offer, error) {
	email, err := access.CanonicalEmail(in.Email)
	if err != nil {
		return registry.Offer{}, err
	}
	return h.cfg.Office.Offer(&access.Actor{User: access.User{Email: email}}, in.Language, date)
}

func newSigner(l *registry.Linked) LinkSigner {
	return LinkSigner{Country: string(l.Country), XIN: string(l.XIN), Title: l.Title, Name: l.Verdict.Owner.Name, Known: l.Known}
}

// registerLinks offers the way of a program whose person has no cabinet yet: a
// contract is asked for, signed, and brought back with the code of a letter.
func (h *Handler) registerLinks() {
	type ask struct{ Body LinkAsk }
	route(h, operation{id: "link-ask", method: http.MethodPost, path: "/links", tag: "links", open: true,
		doc: "A letter with a code is sent. Nothing is stored of the offer: it can be asked for again by its date."},
		func(ctx context.Context, _ *caller, in *ask) (*struct{ Body LinkOffer }, error) {
			o, err := h.offer(in.Body, "")
			if err == nil {
				err = h.cfg.Access.AskLink(ctx, in.Body.Email, in.Body.Language)
			}
			return &struct{ Body LinkOffer }{LinkOffer{o.Date, o.Content}}, err
		})
	type again struct {
		Email    string `query:"email" required:"true" maxLength:"254" doc:"As it was asked with."`
		Language string `query:"language" required:"true" enum:"kk,ru,en" doc:"As it was asked with."`
		Date     string `query:"date" required:"true" maxLength:"10" doc:"Of the offer."`
	}
	route(h, operation{id: "link-content", method: http.MethodGet, path: "/links/content", tag: "links", open: true, kind: "text/plain; charset=utf-8",
		doc: "The very bytes that are to be signed; no letter is sent."},
		func(_ context.Context, _ *caller, in *again) (*file, error) {
			o, err := h.offer(LinkAsk{in.Email, in.Language}, in.Date)
			return &file{"text/plain; charset=utf-8", attached("contract-" + o.Date + ".txt"), o.Content}, err
		})
	type signed struct{ Body LinkSigned }
	route(h, operation{id: "link-examine", method: http.MethodPost, path: "/links/examination", tag: "links", open: true, doc: "Whom a signature names. Nothing is stored."},
		func(ctx context.Context, _ *caller, in *signed) (*struct{ Body LinkSigner }, error) {
			o, err := h.offer(in.Body.LinkAsk, in.Body.Date)
			if err != nil {
				return nil, err
			}
			l, err := h.cfg.Office.Examine(ctx, o, in.Body.Signature)
			if err != nil {
				return nil, err
			}
			return &struct{ Body LinkSigner }{newSigner(&l)}, nil
		})
	type confirm struct{ Body LinkConfirm }
	route(h, operation{id: "link", method: http.MethodPost, path: "/links/signature", tag: "links", open: true, status: http.StatusCreated,
		doc: "The organization is found or made, and so is the person; the contract is kept. In an organization that somebody else owns its head, or who trades alone, becomes an administrator; for others it is not linked (409) unless they are invited."},
		func(ctx context.Context, c *caller, in *confirm) (*struct{ Body Link }, error) {
			l, err := h.link(ctx, c, &in.Body)
			return &struct{ Body Link }{l}, err
		})
	type invited struct{ Body LinkInvited }
	route(h, operation{id: "link-invited", method: http.MethodPost, path: "/links/invitation", tag: "links", open: true, status: http.StatusCreated,
		doc: "For who is invited and has nothing to sign with: a code of link-ask proves the address. Whether there is the organization nobody learns without an invitation (404)."},
		func(ctx context.Context, c *caller, in *invited) (*struct{ Body Link }, error) {
			b := &in.Body
			if _, err := access.KeyName(b.Program); err != nil {
				return nil, err
			}
			a, t, err := h.cfg.Office.Invited(ctx, access.NewUser{Email: b.Email, Code: b.Code, Name: b.Name, Language: b.Language}, access.Visit{Address: c.Address}, fiscal.Country(b.Country), fiscal.XIN(b.XIN))
			if err != nil {
				return nil, err
			}
			l, err := h.linked(ctx, &a, b.Program)
			l.LinkSigner = LinkSigner{Country: string(t.Country), XIN: string(t.XIN), Title: t.Title.In("ru"), Name: a.User.Name, Known: true}
			return &struct{ Body Link }{l}, err
		})
}

// link judges the signature and what is told of the key before it looks at the
// code, so that a code is not spent on what is not accepted.
func (h *Handler) link(ctx context.Context, c *caller, in *LinkConfirm) (out Link, err error) {
	if _, err := access.KeyName(in.Program); err != nil {
		return out, err
	}
	o, err := h.offer(in.LinkAsk, in.Date)
	if err != nil {
		return out, err
	}
	if _, err := h.cfg.Office.Examine(ctx, o, in.Signature); err != nil {
		return out, err
	}
	a, err := h.cfg.Access.Prove(ctx, access.NewUser{Email: in.Email, Code: in.Code, Name: in.Name, Language: in.Language}, access.Visit{Address: c.Address})
	if err != nil {
		return out, err
	}
	l, err := h.cfg.Office.Link(ctx, &a, o, in.Signature)
	if err != nil {
		return out, err
	}
	if a, err = h.cfg.Access.At(ctx, a, l.Taxpayer); err != nil {
		return out, err
	}
	out, err = h.linked(ctx, &a, in.Program)
	out.LinkSigner = newSigner(&l)
	return out, err
}

// linked makes the key of who has just come into an organization.
func (h *Handler) linked(ctx context.Context, a *access.Actor, program string) (Link, error) {
	token, key, err := h.cfg.Access.LinkKey(ctx, a, access.NewKey{Name: program, Scopes: linkRights, Ends: h.cfg.Now().Add(linkLife)})
	if err != nil {
		return Link{}, err
	}
	return Link{Organization: int64(a.Taxpayer), Role: string(a.Member.Role), Key: token, Ends: key.Ends}, nil
}

// RegionRecord is a region with its larger places, for addresses.
type RegionRecord struct {
	Code       string `json:"code" example:"75"`
	Name       Text   `json:"name"`
	Localities []Text `json:"localities" nullable:"false" doc:"Cities and districts; villages are typed."`
}

func (h *Handler) registerRegions() {
	type regions struct {
		Country string `query:"country" required:"true" enum:"kz,ru" doc:"Whose."`
	}
	route(h, operation{id: "regions", method: http.MethodGet, path: "/regions", tag: "outlets"},
		func(_ context.Context, _ *caller, in *regions) (*listOf[RegionRecord], error) {
			var items []RegionRecord
			for _, r := range registry.Regions(fiscal.Country(in.Country)) {
				one := RegionRecord{Code: r.Code, Name: Text(r.Name), Localities: make([]Text, 0, len(r.Localities))}
				for _, l := range r.Localities {
					one.Localities = append(one.Localities, Text(l))
				}
				items = append(items, one)
			}
			return newList(items, ""), nil
		})
}
