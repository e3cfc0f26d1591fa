package registry

import (
	"context"
	"time"

	"openofd/internal/fiscal"
)

// Taxpayer is the seller, and the tenant.
type Taxpayer struct {
	ID             fiscal.TaxpayerID `json:"id"`
	Partition      fiscal.Partition  `json:"partition"` // chosen once
	Country        fiscal.Country    `json:"country"`
	XIN            fiscal.XIN        `json:"xin"`
	Title          fiscal.Text       `json:"title"`
	Address        fiscal.Text       `json:"address"`
	OKED           string            `json:"oked,omitempty"`
	TaxSystem      uint32            `json:"tax_system,omitempty"`
	VATPercent     uint32            `json:"vat_percent,omitempty"` // thousandths of a percent
	VATCertificate string            `json:"vat_certificate,omitempty"`
	Where          Address           `json:"where,omitzero"` // the address in parts, if it was told so
	Created        time.Time         `json:"created"`
}

// Outlet is where registers stand.
type Outlet struct {
	ID        fiscal.OutletID   `json:"id"`
	Taxpayer  fiscal.TaxpayerID `json:"taxpayer"`
	Title     fiscal.Text       `json:"title"`
	Address   fiscal.Text       `json:"address"`
	Latitude  int32             `json:"latitude,omitempty"`
	Longitude int32             `json:"longitude,omitempty"`
	Zone      string            `json:"zone"`
	Where     Address           `json:"where,omitzero"` // the address in parts, if it was told so
}

// Listed is a register as lists show it.
type Listed struct {
	Card        fiscal.Card
	Partition   fiscal.Partition
	State       *fiscal.State
	LastContact *fiscal.Contact // nil: never
}

// Store is what the registry asks of an engine.
type Store interface {
	// Partitions is P, fixed when the installation was made.
	Partitions(ctx context.Context) (int, error)

	// AddTaxpayer stores a new taxpayer and sets its ID; AlreadyThere if the
	// country has one with this XIN.
	AddTaxpayer(ctx context.Context, t *Taxpayer) error
	TaxpayerByXIN(ctx context.Context, c fiscal.Country, x fiscal.XIN) (Taxpayer, error)
	// Taxpayers lists from after (exclusive) by ID, limit at most.
	Taxpayers(ctx context.Context, after fiscal.TaxpayerID, limit int) ([]Taxpayer, error)

	// AddOutlet stores a new outlet and sets its ID.
	AddOutlet(ctx context.Context, o *Outlet) error
	// Outlets lists a taxpayer's outlets.
	Outlets(ctx context.Context, t fiscal.TaxpayerID) ([]Outlet, error)

	// NextRegisterID is an ID for the next register. An engine with one writer
	// reserves nothing, and AddRegister answers AlreadyThere when another was
	// faster; one with many may give each caller another.
	NextRegisterID(ctx context.Context) (fiscal.RegisterID, error)
	// AddRegister stores a new register in one transaction: its first card, an
	// empty state of version 0 that names card version 1, and its addresses, the
	// ByID one among them. It sets card.Register, unless that is already set,
	// and Version 1. AlreadyThere if the ID (Field "register"), an address
	// (Field as its kind says), or model and serial number together (Field
	// "serial_number") are taken; the latter by a register that is not
	// deregistered, for a device that was sold is registered anew.
	AddRegister(ctx context.Context, p fiscal.Partition, card *fiscal.Card, addresses []fiscal.Address) error
	// AddAddress leads one more number to a register. Old ones go on leading to
	// it, for old receipts bear them. Once more is no error; AlreadyThere if it
	// leads to another register.
	AddAddress(ctx context.Context, a fiscal.Address, r fiscal.RegisterID) error
	// Find leads from a number to a register; NotFound if there is none.
	Find(ctx context.Context, a fiscal.Address) (fiscal.Place, error)
	// Register reads one register; NotFound if there is none.
	Register(ctx context.Context, r fiscal.RegisterID) (Listed, error)
	// Registers lists from after (exclusive) by ID, limit at most; of one
	// taxpayer, or of all if t is 0.
	Registers(ctx context.Context, t fiscal.TaxpayerID, after fiscal.RegisterID, limit int) ([]Listed, error)
	// Contracts lists a taxpayer's, newest first, without their bytes.
	Contracts(ctx context.Context, t fiscal.TaxpayerID) ([]Contract, error)
	// Card reads one version of a register's card.
	Card(ctx context.Context, r fiscal.RegisterID, version uint32) (fiscal.Card, error)

	// PutCashier stores a cashier or replaces the one with this login.
	PutCashier(ctx context.Context, c fiscal.CashierLogin) error
	Cashiers(ctx context.Context, t fiscal.TaxpayerID) ([]fiscal.CashierLogin, error)
	RemoveCashier(ctx context.Context, t fiscal.TaxpayerID, login string) error

	// PutCatalog publishes a catalog with a version above the current one; it
	// sets Version.
	PutCatalog(ctx context.Context, c *fiscal.Catalog) error
}
