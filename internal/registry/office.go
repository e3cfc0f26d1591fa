package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/signature"
)

// OfficeStore is what the office asks of an engine beside Store. Each read is of
// one taxpayer's rows, and what is another's is not there.
type OfficeStore interface {
	Store
	ApplicationStore
	// TaxpayerOf reads one taxpayer; NotFound if there is none.
	TaxpayerOf(ctx context.Context, t fiscal.TaxpayerID) (Taxpayer, error)
	// SetTaxpayer replaces what may change of a taxpayer: not its ID, partition,
	// country and number.
	SetTaxpayer(ctx context.Context, t *Taxpayer) error
	OutletsOf(ctx context.Context, t fiscal.TaxpayerID) ([]Outlet, error)
	// SetOutlet replaces an outlet; NotFound if its taxpayer has no such one.
	SetOutlet(ctx context.Context, o *Outlet) error

	// AddContract appends a contract and sets its ID.
	AddContract(ctx context.Context, c *Contract) error
	// Contract reads one with its bytes.
	Contract(ctx context.Context, t fiscal.TaxpayerID, id ContractID) (Contract, error)

	// RegistersOf lists a taxpayer's registers from after (exclusive) by ID.
	RegistersOf(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]Listed, error)
	// OutlinesOf is RegistersOf with what lists are chosen and sorted by: of the
	// card what fiscal.ParseCardOutline reads, of the state status, last time and
	// shift, of the last contact its time.
	OutlinesOf(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]Listed, error)
	// RegistersBySerial lists registers with a factory number, whoever's, of
	// whatever model and case; limit at most. It is for the operator's staff.
	RegistersBySerial(ctx context.Context, serial string, limit int) ([]Listed, error)
	// RegisterOf reads one register of a taxpayer.
	RegisterOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) (Listed, error)
	// CardsOf reads every version of a register's card, newest first.
	CardsOf(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID) ([]fiscal.Card, error)

	// Catalog answers a query for what is published now: nil if nothing is.
	Catalog(ctx context.Context, q fiscal.CatalogQuery) (*fiscal.Catalog, error)
	// CatalogPage reads elements of a published catalog in their order, from a
	// place on, limit at most; of the newest if version is 0. It is nil if there
	// is no such version. A published catalog never changes.
	CatalogPage(ctx context.Context, version uint32, from, limit int) (*fiscal.Catalog, error)

	// Groups lists a taxpayer's groups by title.
	Groups(ctx context.Context, t fiscal.TaxpayerID) ([]Group, error)
	// PutGroup adds a group and sets its ID, or replaces the one with its ID.
	PutGroup(ctx context.Context, g *Group) error
	// RemoveGroup removes a group; its registers are in none then.
	RemoveGroup(ctx context.Context, t fiscal.TaxpayerID, g GroupID) error
	// Grouped tells which register of a taxpayer is in which group.
	Grouped(ctx context.Context, t fiscal.TaxpayerID) (map[fiscal.RegisterID]GroupID, error)
	// SetGroup puts a register into a group; 0: into none.
	SetGroup(ctx context.Context, t fiscal.TaxpayerID, r fiscal.RegisterID, g GroupID) error
}

// Judge verifies signatures; *signature.Verifier is one.
type Judge interface {
	Verify(file, content []byte) (*signature.Verdict, error)
}

// Office is where people look after their organization, its outlets and its
// registers. The actor is part of every question: what they may not do is
// Denied, what is another's is NotFound, and what they did is recorded. Safe for
// concurrent use.
type Office struct {
	registry *Service
	store    OfficeStore
	access   *access.Service
	judge    Judge // nil: signatures cannot be verified here
	operator fiscal.Operator
	models   []Model // the operator's own, beside those that come with the program
	now      func() time.Time
}

// NewOffice makes an office. Without a judge no organization is linked.
func NewOffice(registry *Service, store OfficeStore, people *access.Service, judge Judge, operator fiscal.Operator, now func() time.Time) *Office {
	return &Office{registry: registry, store: store, access: people, judge: judge, operator: operator, now: now}
}

// The acts that are recorded here.
const (
	ActContractSigned      access.Act = "contract_signed"
	ActContractEnded       access.Act = "contract_ended"
	ActContractRecorded    access.Act = "contract_recorded"
	ActOrganizationChanged access.Act = "organization_changed"
	ActOutletAdded         access.Act = "outlet_added"
	ActOutletChanged       access.Act = "outlet_changed"
	ActGroupChanged        access.Act = "group_changed"
	ActGroupRemoved        access.Act = "group_removed"
	ActRegisterAdded       access.Act = "register_added"
	ActRegisterRenamed     access.Act = "register_renamed"
	ActRegisterGrouped     access.Act = "register_grouped"
	ActRegisterCarried     access.Act = "register_carried" // what was changed of its owner or outlet is on its card
	ActTokenIssued         access.Act = "token_issued"
)

// OfficeActs lists them, for the tests of the locales.
func OfficeActs() []access.Act {
	return []access.Act{ActContractSigned, ActContractEnded, ActContractRecorded, ActOrganizationChanged, ActOutletAdded, ActOutletChanged, ActGroupChanged,
		ActGroupRemoved, ActRegisterAdded, ActRegisterRenamed, ActRegisterGrouped, ActRegisterCarried, ActTokenIssued,
		ActApplicationDrafted, ActApplicationSigned, ActApplicationWithdrawn, ActApplicationHurried}
}

// Organization is the actor's, which each of its people may see.
func (o *Office) Organization(ctx context.Context, a *access.Actor) (Taxpayer, error) {
	if err := member(a); err != nil {
		return Taxpayer{}, err
	}
	return o.store.TaxpayerOf(ctx, a.Taxpayer)
}

// member is Denied for who has no place in an organization.
func member(a *access.Actor) error {
	if a.Taxpayer == 0 || a.Member.Taxpayer != a.Taxpayer || a.Member.User != a.User.ID || a.User.Disabled {
		return &fiscal.Error{Of: fiscal.Denied, Field: "organization"}
	}
	return nil
}

// everywhere is Denied for who is limited to some outlets: the organization as a
// whole is not theirs.
func everywhere(a *access.Actor) error {
	if len(a.Member.Outlets) > 0 {
		return &fiscal.Error{Of: fiscal.Denied, Field: "outlet", Msg: "limited to some outlets"}
	}
	return nil
}

// Details are what may be changed of an organization.
type Details struct {
	Title          fiscal.Text
	Address        Address // legal
	OKED           string
	VATPercent     uint32 // thousandths of a percent; 0 is no VAT payer
	VATCertificate string
}

// SetDetails changes the organization. Its registers keep what their cards say
// until these are changed.
//
// Errors: Denied; Invalid with the Field.
// Source: requirements E-045, P-053.
func (o *Office) SetDetails(ctx context.Context, a *access.Actor, d Details) error {
	if err := first(a.Must(access.EditOrganization), everywhere(a)); err != nil {
		return err
	}
	t, err := o.store.TaxpayerOf(ctx, a.Taxpayer)
	if err != nil {
		return err
	}
	if err := d.Address.check(t.Country, "title", d.Title); err != nil {
		return err
	}
	before := t
	t.Title, t.Address, t.Where = d.Title, d.Address.Text(t.Country), d.Address
	t.OKED, t.VATPercent, t.VATCertificate = strings.TrimSpace(d.OKED), d.VATPercent, strings.TrimSpace(d.VATCertificate)
	in := NewTaxpayer{Country: t.Country, XIN: t.XIN, Title: t.Title, LegalAddress: t.Address, OKED: t.OKED, VATPercent: t.VATPercent, VATCertificate: t.VATCertificate}
	if err := in.check(); err != nil {
		return err
	}
	if t == before {
		return nil
	}
	if err := o.store.SetTaxpayer(ctx, &t); err != nil {
		return fmt.Errorf("change the organization: %w", err)
	}
	return o.access.Note(ctx, a, ActOrganizationChanged, string(t.XIN), t.Address.In("ru"))
}
