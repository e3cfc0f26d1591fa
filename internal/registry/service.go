package registry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"openofd/internal/fiscal"
)

// Acts commits what a person does to a register, through the same judgement
// and journal as a document. A refused act is an error with its Reason.
// *intake.Intake is one.
type Acts interface {
	Do(ctx context.Context, place fiscal.Place, act fiscal.Act) (fiscal.Answer, error)
}

// Service registers, changes and shows. Safe for concurrent use.
type Service struct {
	store Store
	acts  Acts
	now   func() time.Time

	founding founding
}

// New makes a service.
func New(store Store, acts Acts, now func() time.Time) *Service {
	return &Service{store: store, acts: acts, now: now}
}

// NewTaxpayer is what is told of a seller.
type NewTaxpayer struct {
	Country        fiscal.Country
	XIN            fiscal.XIN
	Title          fiscal.Text
	LegalAddress   fiscal.Text
	OKED           string
	TaxSystem      uint32
	VATPercent     uint32 // thousandths of a percent; 0 is no VAT payer
	VATCertificate string
}

// NewRegister is what is told of a register, its owner and where it stands.
// What it says of the owner is used if the owner is new; a taxpayer already
// known keeps its record. Of a register of Russia the drive is enough: while it
// is provisional, its registration report tells the rest.
type NewRegister struct {
	By      string // who registers: a user, or "command line"
	Country fiscal.Country

	XIN            fiscal.XIN
	Title          fiscal.Text
	LegalAddress   fiscal.Text // empty: the outlet's
	OKED           string
	TaxSystem      uint32
	VATPercent     uint32 // thousandths of a percent; 0 is no VAT payer
	VATCertificate string

	At            fiscal.OutletID // an outlet that is there; 0: found by what follows, or made
	OutletTitle   fiscal.Text     // empty: the taxpayer's
	OutletAddress fiscal.Text
	OutletWhere   Address // the same in parts, for an outlet that is made; the zero value: not told
	Latitude      int32   // ten-thousandths of a degree
	Longitude     int32   // ten-thousandths of a degree
	Zone          string  // IANA name; empty: the country's

	Name         string // the owner's own name for the register
	Model        string
	SerialNumber string
	Year         int // of manufacture; 0 is not told
	// RegistrationNumber is the authority's, 12 digits or more; empty: a
	// provisional one is made from the register's ID.
	RegistrationNumber string
	Drive              string // number of the fiscal drive, where registers have one
	PaymentPoint       string
	Terminal           string
	Options            fiscal.Options
}

// Registered is a new register.
type Registered struct {
	Card  fiscal.Card
	Place fiscal.Place
	Token uint32 // to be typed into the device; 0 where registers have none
}

// triesForID is how often another process may take the next ID first.
const triesForID = 10

// AddRegister registers: it finds or makes taxpayer and outlet, stores the
// register, and commits the acts that open its history and issue its first
// token.
//
// Errors: Invalid with the Field; AlreadyThere (Conflict) if the registration
// number, or model and serial number together, are taken; those of Acts. After
// an error of Acts the register is there, named in Registered, and Token issues
// what is missing.
//
// Source: order 135 items 5.6, 7, 13; KKM reference §3.4.
func (s *Service) AddRegister(ctx context.Context, in NewRegister) (Registered, error) {
	if in.Title == (fiscal.Text{}) {
		switch known, err := s.store.TaxpayerByXIN(ctx, in.Country, in.XIN); {
		case err == nil:
			in.Title = known.Title
		case !errors.Is(err, fiscal.NotFound):
			return Registered{}, err
		}
	}
	if err := in.check(s.now()); err != nil {
		return Registered{}, err
	}
	t, err := s.taxpayer(ctx, &in)
	if err != nil {
		return Registered{}, err
	}
	o, err := s.outlet(ctx, &t, &in)
	if err != nil {
		return Registered{}, err
	}
	papers, err := s.store.Contracts(ctx, t.ID)
	if err != nil {
		return Registered{}, fmt.Errorf("contracts of taxpayer %d: %w", t.ID, err)
	}
	card := s.card(&t, &o, &in)
	card.Service = serviceOf(papers)
	if err := s.keep(ctx, t.Partition, &card); err != nil {
		return Registered{}, err
	}
	r := Registered{Card: card, Place: fiscal.Place{Partition: t.Partition, Register: card.Register}}
	if _, err := s.acts.Do(ctx, r.Place, fiscal.Act{Kind: fiscal.ActRegister, By: in.By, Card: &card}); err != nil {
		return r, fmt.Errorf("register %d is stored, but its registration is not in the journal: %w", card.Register, err)
	}
	if !countries[in.Country].tokens {
		return r, nil
	}
	r.Token, err = s.token(ctx, r.Place, in.By)
	if err != nil {
		return r, fmt.Errorf("register %d is registered, but has no token: %w", card.Register, err)
	}
	return r, nil
}

// keep stores the first card under the next free ID.
func (s *Service) keep(ctx context.Context, p fiscal.Partition, card *fiscal.Card) error {
	for try := 1; ; try++ {
		id, err := s.store.NextRegisterID(ctx)
		if err != nil {
			return fmt.Errorf("ID of the next register: %w", err)
		}
		card.Register = id
		if card.Provisional {
			card.RegistrationNumber = provisional(id)
		}
		err = s.store.AddRegister(ctx, p, card, addresses(card))
		var e *fiscal.Error
		if errors.As(err, &e) && e.Reason == fiscal.AlreadyThere && e.Field == "register" && try < triesForID {
			continue
		}
		if err != nil {
			return fmt.Errorf("store the register: %w", err)
		}
		return nil
	}
}

// addresses are the numbers that lead to a register.
func addresses(c *fiscal.Card) []fiscal.Address {
	all := []fiscal.Address{
		{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(c.Register), 10)},
		{Kind: fiscal.ByRegistrationNumber, Name: c.RegistrationNumber},
	}
	if c.Drive != "" {
		all = append(all, fiscal.Address{Kind: fiscal.ByDrive, Name: c.Drive})
	}
	return all
}

// provisional is a stand-in for the authority's number: 12 digits as that one
// has, beginning with two nines, which no region's numbers do.
func provisional(id fiscal.RegisterID) string { return fmt.Sprintf("99%010d", id) }

// taxpayer finds the owner or makes it.
func (s *Service) taxpayer(ctx context.Context, in *NewRegister) (Taxpayer, error) {
	t, err := s.store.TaxpayerByXIN(ctx, in.Country, in.XIN)
	if !errors.Is(err, fiscal.NotFound) {
		return t, err
	}
	legal := in.LegalAddress
	if legal == (fiscal.Text{}) {
		legal = in.OutletAddress
	}
	t, err = s.AddTaxpayer(ctx, NewTaxpayer{
		Country: in.Country, XIN: in.XIN, Title: in.Title, LegalAddress: legal, OKED: in.OKED,
		TaxSystem: in.TaxSystem, VATPercent: in.VATPercent, VATCertificate: in.VATCertificate,
	})
	if errors.Is(err, fiscal.AlreadyThere) { // another was faster
		return s.store.TaxpayerByXIN(ctx, in.Country, in.XIN)
	}
	return t, err
}

// AddTaxpayer stores a new taxpayer in the partition of its number. Errors:
// Invalid with the Field; AlreadyThere.
func (s *Service) AddTaxpayer(ctx context.Context, in NewTaxpayer) (Taxpayer, error) {
	if err := in.check(); err != nil {
		return Taxpayer{}, err
	}
	p, err := s.store.Partitions(ctx)
	if err != nil {
		return Taxpayer{}, fmt.Errorf("number of partitions: %w", err)
	}
	t := Taxpayer{
		Partition: partitionOf(in.Country, in.XIN, p), Country: in.Country, XIN: in.XIN, Title: in.Title, Address: in.LegalAddress,
		OKED: in.OKED, TaxSystem: in.TaxSystem, VATPercent: in.VATPercent, VATCertificate: in.VATCertificate, Created: s.instant(),
	}
	if err := s.store.AddTaxpayer(ctx, &t); err != nil {
		return Taxpayer{}, fmt.Errorf("store the taxpayer: %w", err)
	}
	return t, nil
}

// partitionOf spreads taxpayers over the partitions. It is asked once, when the
// taxpayer is new; what it said is written down.
func partitionOf(c fiscal.Country, x fiscal.XIN, partitions int) fiscal.Partition {
	h := sha256.Sum256([]byte(string(c) + ":" + string(x)))
	return fiscal.Partition(binary.BigEndian.Uint64(h[:8]) % uint64(max(partitions, 1)))
}

// outlet finds the place among the taxpayer's or makes it.
func (s *Service) outlet(ctx context.Context, t *Taxpayer, in *NewRegister) (Outlet, error) {
	o := Outlet{
		Taxpayer: t.ID, Title: in.OutletTitle, Address: in.OutletAddress,
		Latitude: in.Latitude, Longitude: in.Longitude, Zone: in.zone(),
	}
	if o.Title == (fiscal.Text{}) {
		o.Title = t.Title
	}
	all, err := s.store.Outlets(ctx, t.ID)
	if err != nil {
		return Outlet{}, fmt.Errorf("outlets of taxpayer %d: %w", t.ID, err)
	}
	for _, had := range all {
		if in.At != 0 && had.ID == in.At {
			return had, nil
		}
		o.ID, o.Where = had.ID, had.Where
		if in.At == 0 && had == o {
			return had, nil
		}
	}
	if in.At != 0 {
		return Outlet{}, &fiscal.Error{Reason: fiscal.NothingThere, Field: "outlet"}
	}
	o.ID, o.Where = 0, in.OutletWhere
	if o.Where != (Address{}) {
		if err := o.Where.check(t.Country, "outlet_title", o.Title); err != nil {
			return Outlet{}, err
		}
	}
	if err := s.store.AddOutlet(ctx, &o); err != nil {
		return Outlet{}, fmt.Errorf("store the outlet: %w", err)
	}
	return o, nil
}

// card is the first card of a register, still without its ID.
func (s *Service) card(t *Taxpayer, o *Outlet, in *NewRegister) fiscal.Card {
	now := s.instant()
	return fiscal.Card{
		Since: now, Country: t.Country,
		Taxpayer: t.ID, XIN: t.XIN, Title: t.Title, LegalAddress: t.Address, OKED: t.OKED,
		TaxSystem: t.TaxSystem, VATPercent: t.VATPercent, VATCertificate: t.VATCertificate,
		Outlet: o.ID, OutletTitle: o.Title, OutletAddress: o.Address, Latitude: o.Latitude, Longitude: o.Longitude, Zone: o.Zone,
		Name: in.Name, Model: in.Model, SerialNumber: in.SerialNumber, ManufactureYear: in.Year,
		RegistrationNumber: in.RegistrationNumber, Provisional: in.RegistrationNumber == "",
		Drive: in.Drive, PaymentPoint: in.PaymentPoint, Terminal: in.Terminal, RegisteredAt: now, Options: in.Options,
	}
}

// instant is our clock as it is stored.
func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
