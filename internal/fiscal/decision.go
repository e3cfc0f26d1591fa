package fiscal

import (
	"io"
	"time"
)

// Exchange is one request of a device, or one act of a person, to be judged.
type Exchange struct {
	Address  Address
	Request  []byte    // as received, header and all; nil for an act
	Body     any       // what the protocol package parsed from Request; Act for an act
	Received time.Time // ours, UTC, microseconds
	Peer     string    // address it came from; for limits and logs
}

// Address is how a register is found: the kind of number, and the number.
type Address struct {
	Kind AddressKind
	Name string
}

// AddressKind is a space of numbers that lead to registers.
type AddressKind string

// The kinds of numbers.
const (
	ByID                 AddressKind = "id" // the operator's own number
	ByRegistrationNumber AddressKind = "rn" // of the authority
	ByDrive              AddressKind = "fd" // fiscal drive
)

// Field is what an address of the kind is called on a card.
func (k AddressKind) Field() string {
	switch k {
	case ByID:
		return "register"
	case ByDrive:
		return "drive"
	}
	return "registration_number"
}

// Situation is all that a judgement may depend on. Rules must not change it.
type Situation struct {
	Card      *Card
	State     *State
	Exchange  *Exchange
	Now       time.Time
	Keys      Keys
	Rand      io.Reader
	Operator  *Operator
	Confirmed bool  // the peer is known to have the current token
	Found     Found // what an earlier round of the same judgement needed
}

// Keys gives the keys that hold at a moment.
type Keys interface {
	// At is the key for a purpose that holds at t.
	At(purpose KeyPurpose, t time.Time) (Key, error)
	// ByID is one key, however old; NotFound if there is none.
	ByID(id KeyID) (Key, error)
}

// KeyPurpose says what a key is for.
type KeyPurpose string

// The purposes.
const (
	KeyForSign   KeyPurpose = "sign"
	KeyForToken  KeyPurpose = "token"
	KeyForAccess KeyPurpose = "access" // second factors of people
)

// Key is a secret with its name and the instant from which it holds.
type Key struct {
	ID      KeyID
	Purpose KeyPurpose
	From    time.Time
	Secret  [32]byte
}

// Needs is what Rules must read before they can decide. Intake reads it and
// asks again, with the result in Situation.Found.
type Needs struct {
	Entries      []Number // of this register
	DeviceNumber uint64   // the register's documents with this number of the device
	DeviceDay    WallTime // and a device time on this day; devices begin anew
	Drive        string   // or of this fiscal drive, of any day and kind: drives never begin anew
	Sign         *SignQuery
	Lead         *Address // a number that is to lead to this register from now on, if it leads to no other
	Cashier      string   // login
	Catalog      *CatalogQuery
}

// SignQuery asks for a register's documents by fiscal sign. Signs have no index,
// so only the SignWindow documents of a drive before a number are looked through.
type SignQuery struct {
	Drive  string
	Sign   uint64
	Before uint64 // number of a document of the drive
}

// SignWindow is how many documents a SignQuery looks through.
const SignWindow = 2048

// CatalogQuery asks for a catalog: by version the device has, or one element
// by barcode.
type CatalogQuery struct {
	Have    uint32
	Barcode string
}

// Found answers Needs. A thing that is not there is absent, which is no error.
type Found struct {
	Asked    bool // this is the second round
	Rounds   int  // that were read for
	Entries  []Record
	ByDevice []Record // oldest first
	BySign   []Record // oldest first
	Taken    bool     // the number that was to lead here leads to another register
	Cashier  *CashierLogin
	Catalog  *Catalog // nil: nothing published; without elements: the device is up to date
}

// CashierLogin is a cashier kept at the operator.
type CashierLogin struct {
	Taxpayer TaxpayerID
	Login    string
	Hash     string // Argon2id, PHC string
	Code     uint32
	Name     string
	Roles    []CashierRole
}

// CashierRole is a right of a cashier, numbered as on the KKM wire.
type CashierRole uint8

// The roles.
const (
	RoleCashier      CashierRole = 1
	RoleChiefCashier CashierRole = 2
	RoleAdmin        CashierRole = 3
)

// Catalog is a published list of goods.
type Catalog struct {
	Version  uint32           `json:"version"`
	Created  WallTime         `json:"created"`
	Elements []CatalogElement `json:"elements"`
}

// CatalogElement is a group of goods or one of them.
type CatalogElement struct {
	ID              uint64 `json:"id"`
	Parent          uint64 `json:"parent,omitempty"` // 0: at the root
	Group           bool   `json:"group,omitempty"`
	Title           Text   `json:"title"`
	Article         string `json:"article,omitempty"`
	Barcode         string `json:"barcode,omitempty"` // GTIN
	NTIN            string `json:"ntin,omitempty"`
	Description     string `json:"description,omitempty"`
	PurchasePrice   Money  `json:"purchase_price,omitempty"`
	SalePrice       Money  `json:"sale_price,omitempty"`
	DiscountPercent uint32 `json:"discount_percent,omitempty"` // thousandths of a percent
	DiscountSum     Money  `json:"discount_sum,omitempty"`
	MarkupPercent   uint32 `json:"markup_percent,omitempty"`
	MarkupSum       Money  `json:"markup_sum,omitempty"`
	TaxSystem       uint32 `json:"tax_system,omitempty"`
	VATPercent      uint32 `json:"vat_percent,omitempty"` // thousandths of a percent
	Unit            string `json:"unit,omitempty"`
	UnitTitle       string `json:"unit_title,omitempty"`
	UnitCount       uint32 `json:"unit_count,omitempty"` // thousandths
	Fractional      bool   `json:"fractional,omitempty"`
	Marked          bool   `json:"marked,omitempty"`
	Social          bool   `json:"social,omitempty"`
}

// Decision is what Rules say of an exchange. Exactly one of these holds: Needs
// is set; or Records and Next are (to be committed before Answer leaves); or
// neither (Answer alone).
type Decision struct {
	Needs    *Needs
	Records  []Record // one to a few; the last carries the bytes
	Next     *State   // without version, last number and hash, which intake sets
	Card     *Card    // a new version, stored with the commit
	Answer   []byte   // whole frame
	PassOn   bool     // nothing is decided: somebody else has to answer first, and the exchange comes again with that answer
	Reason   Reason   // why refused; NoReason is accepted
	Field    string   // what the refusal is about
	Detail   string   // for the log and the list of refused documents
	Replayed bool     // Answer was given before
	Close    bool     // the door closes after the answer
	Confirms bool     // the peer has shown that it has the current token
	Result   uint16   // the protocol's result code, for metrics
	Contact  Contact  // what the exchange tells of the link
}

// Contact is what the last exchanges tell of a register's link. It lives
// beside the followers' tables, not in the state.
type Contact struct {
	Register  RegisterID
	Partition Partition
	At        time.Time
	Peer      string
	Version   uint16        // protocol version as on the wire
	Quality   *LinkQuality  // nil: nothing told
	Position  *Position     // nil: nothing told
	Software  string        // one line; "" nothing told
	AdsKnown  []Ad          // texts the device has, without the text
	Offline   time.Duration // length of the last autonomous period told
}

// LinkQuality is what a device measured of its link.
type LinkQuality struct {
	ConnectMillis uint32 `json:"connect_ms"`
	PingMillis    uint32 `json:"ping_ms"`
	LossPercent   uint32 `json:"loss_percent"`
}

// Position is where a device says it is, in ten-thousandths of a degree.
type Position struct {
	Latitude  int32  `json:"latitude"`
	Longitude int32  `json:"longitude"`
	Source    string `json:"source,omitempty"`
}

// Answer is what leaves the door: the bytes, and whether to close after them.
type Answer struct {
	Frame    []byte
	Close    bool
	Reason   Reason
	Result   uint16
	Replayed bool
	PassOn   bool // there is none yet: somebody else has to be asked, see Decision.PassOn
}
