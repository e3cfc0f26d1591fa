package fiscal

import (
	"encoding/json"
	"sync"
	"time"
)

// Country is a jurisdiction by its lower-case ISO code.
type Country string

// The countries served.
const (
	Kazakhstan Country = "kz"
	Russia     Country = "ru"
)

// Text is something worded in up to three languages.
type Text struct {
	KK string `json:"kk,omitempty" toml:"kk"`
	RU string `json:"ru,omitempty" toml:"ru"`
	EN string `json:"en,omitempty" toml:"en"`
}

// In is the text in lang ("kk", "ru", "en"), or in the first language it has.
func (t Text) In(lang string) string {
	byLang := map[string]string{"kk": t.KK, "ru": t.RU, "en": t.EN}
	for _, s := range []string{byLang[lang], t.RU, t.KK, t.EN} {
		if s != "" {
			return s
		}
	}
	return ""
}

// Operator is the legal entity that runs this installation (O-023).
type Operator struct {
	Title   Text   `json:"title"`
	BIN     XIN    `json:"bin"`
	INN     XIN    `json:"inn,omitempty"` // in Russia; it stands in acknowledgements
	Address Text   `json:"address"`
	Site    string `json:"site"` // where buyers check receipts: "https://ofd.example"
	Ad      Ad     `json:"-"`    // printed on receipts by devices; an empty text is none
}

// AdKind says who speaks in an advertising or service text on receipts.
type AdKind uint8

// The kinds of texts, numbered as on the KKM wire.
const (
	AdOperator AdKind = iota
	AdOrganization
	AdOutlet
	AdRegister
	AdInfo // why the register is blocked
)

// Ad is a text that devices print. A device tells the version it has and gets
// a newer one.
type Ad struct {
	Kind    AdKind `json:"kind"`
	Version uint64 `json:"version"`
	Text    string `json:"text"`
}

// Card is what the registry says of a register. Each change is a new version,
// so that an old receipt shows the address of its day.
type Card struct {
	Register RegisterID `json:"register"`
	Version  uint32     `json:"version"`
	Since    time.Time  `json:"since"`
	Country  Country    `json:"country"`

	Taxpayer        TaxpayerID `json:"taxpayer"`
	XIN             XIN        `json:"xin"`
	Title           Text       `json:"title"`
	LegalAddress    Text       `json:"legal_address"`
	OKED            string     `json:"oked,omitempty"` // kind of activity
	TaxSystem       uint32     `json:"tax_system,omitempty"`
	VATPercent      uint32     `json:"vat_percent,omitempty"` // thousandths of a percent; 0 is no VAT payer
	VATCertificate  string     `json:"vat_certificate,omitempty"`
	Outlet          OutletID   `json:"outlet"`
	OutletTitle     Text       `json:"outlet_title"`
	OutletAddress   Text       `json:"outlet_address"`
	Latitude        int32      `json:"latitude,omitempty"`  // ten-thousandths of a degree
	Longitude       int32      `json:"longitude,omitempty"` // ten-thousandths of a degree
	Zone            string     `json:"zone"`                // IANA name
	Name            string     `json:"name,omitempty"`      // the owner's own name for the register
	Model           string     `json:"model"`
	SerialNumber    string     `json:"serial_number"`
	ManufactureYear int        `json:"manufacture_year,omitempty"`
	// RegistrationNumber is given by the authority; while Provisional it is a
	// stand-in of ours.
	RegistrationNumber string   `json:"registration_number"`
	Provisional        bool     `json:"provisional,omitempty"`
	Drive              string   `json:"drive,omitempty"`    // number of the fiscal drive, where registers have one
	Format             string   `json:"ffd,omitempty"`      // format of the register's documents, as it was registered
	Software           string   `json:"software,omitempty"` // version of the register's own, as it was registered
	Modes              []string `json:"modes,omitempty"`    // how it was registered to work, by name
	Parts              []Part   `json:"parts,omitempty"`    // one of a kind at most, in the order of PartKinds
	// Connection is how the register reaches us; SIM is the number of its card,
	// where it has one. Source: requirements E-070, E-073.
	Connection Connection `json:"connection,omitempty"`
	SIM        string     `json:"sim,omitempty"`
	// Application is the last application by which an authority's decision changed
	// the card, 0 none: so a decision changes it once.
	Application int64 `json:"application,omitempty"`
	// Service is the contract under which the register is served.
	Service Service `json:"service,omitzero"`

	PaymentPoint string    `json:"payment_point,omitempty"`
	Terminal     string    `json:"terminal,omitempty"`
	RegisteredAt time.Time `json:"registered_at"`
	Ads          []Ad      `json:"ads,omitempty"`
	Options      Options   `json:"options,omitzero"`

	location *time.Location // of Zone, found once when the card is read
}

// Location is the outlet's zone; a zone nobody knows is UTC.
func (c *Card) Location() *time.Location {
	if c.location != nil && c.location.String() == c.Zone { // a changed copy may have another zone
		return c.location
	}
	return zoneOf(c.Zone)
}

// zones are the zones that have been read, by name: a memory of what files say,
// on which nothing depends. A zone is some kilobytes, and a million cards have
// a handful of them.
var zones sync.Map // string to *time.Location

func zoneOf(name string) *time.Location {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location)
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	kept, _ := zones.LoadOrStore(z.String(), z)
	return kept.(*time.Location)
}

// UnmarshalJSON reads a stored card and finds its zone, which is a file's
// reading and must not be paid at each exchange.
func (c *Card) UnmarshalJSON(b []byte) error {
	type plain Card
	if err := json.Unmarshal(b, (*plain)(c)); err != nil {
		return err
	}
	c.location = zoneOf(c.Zone)
	if name := c.location.String(); name == c.Zone {
		c.Zone = name // the very same text, so that comparing them looks no further
	}
	return nil
}

// ParseCardOutline reads of a stored card what lists of registers are chosen and
// sorted by: whose and where it is, its name and numbers.
func ParseCardOutline(b []byte) (Card, error) {
	var o struct {
		Register           RegisterID `json:"register"`
		Version            uint32     `json:"version"`
		Country            Country    `json:"country"`
		Taxpayer           TaxpayerID `json:"taxpayer"`
		Outlet             OutletID   `json:"outlet"`
		Zone               string     `json:"zone"`
		Name               string     `json:"name"`
		Model              string     `json:"model"`
		SerialNumber       string     `json:"serial_number"`
		RegistrationNumber string     `json:"registration_number"`
		Drive              string     `json:"drive"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return Card{}, err
	}
	return Card{
		Register: o.Register, Version: o.Version, Country: o.Country, Taxpayer: o.Taxpayer, Outlet: o.Outlet, Zone: o.Zone, Name: o.Name,
		Model: o.Model, SerialNumber: o.SerialNumber, RegistrationNumber: o.RegistrationNumber, Drive: o.Drive, location: zoneOf(o.Zone),
	}, nil
}

// Service says under which contract a register is served. The zero value is
// that nobody said anything.
type Service struct {
	Contract int64     `json:"contract,omitempty"` // the newest paper
	Ended    time.Time `json:"ended,omitzero"`     // when the contract ended; zero while it holds
}

// Options are an operator's choices for one register, all off by default.
type Options struct {
	TolerateRenumberedRetry bool `json:"tolerate_renumbered_retry,omitempty"`
	KeepToken               bool `json:"keep_token,omitempty"`           // do not rotate the token
	StrictShiftNumber       bool `json:"strict_shift_number,omitempty"`  // refuse a wrong shift number online
	StrictRegisterData      bool `json:"strict_register_data,omitempty"` // refuse documents with other registration data
	StrictService           bool `json:"strict_service,omitempty"`       // refuse a missing service part, report or cashier
	MissingIsBadValue       bool `json:"missing_is_bad_value,omitempty"` // 13 instead of 15 for a missing requisite
}
