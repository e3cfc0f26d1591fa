package fiscal

import "time"

// Identifiers of ours. They are never reused.
type (
	RegisterID int64 // on the KKM wire it is the header's ID
	TaxpayerID int64
	OutletID   int64
	// Number is the gapless number of an entry within its register, from 1.
	Number uint64
	// Partition is the unit of order, chain and distribution.
	Partition int32
	// KeyID names a key of ours. 0 is none.
	KeyID int32
)

// Place is where a register lives: chosen once, with its taxpayer.
type Place struct {
	Partition Partition
	Register  RegisterID
}

// DocumentKind is the kind of an entry.
type DocumentKind uint8

// What an entry can be.
const (
	DocNone         DocumentKind = iota
	DocReceipt                   // a settlement
	DocCashMove                  // cash in or out
	DocShiftClose                // Z report
	DocReport                    // an X or Z report that was asked for
	DocCancel                    // takes the last receipt back; names it in Refers
	DocNotice                    // something a register told without a document: an offline period, new software, a document sent twice
	DocAct                       // what staff or an owner did to the register
	DocUnreadable                // accepted although its body cannot be read
	DocRegistration              // a fiscal drive states the data it was registered with
	DocShiftOpen                 // opens a shift
	DocDriveClose                // the last document of a fiscal drive
	DocMarkRequest               // asks the marking system about a code; drives number these by themselves
	DocMarkNotice                // tells the marking system of a sale; drives number these by themselves
	documentKindCount
)

var documentKindNames = [documentKindCount]string{"none", "receipt", "cash_move", "shift_close", "report", "cancel", "notice", "act", "unreadable", "registration", "shift_open", "drive_close", "mark_request", "mark_notice"}

func (k DocumentKind) String() string {
	if k < documentKindCount {
		return documentKindNames[k]
	}
	return "unknown"
}

// Marking reports whether an entry of this kind is of the marking channel: for
// the marking system alone, and with a number that is none of a fiscal document.
func (k DocumentKind) Marking() bool { return k == DocMarkRequest || k == DocMarkNotice }

// MarshalText gives a kind to JSON by its name.
func (k DocumentKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Record is one entry as the country's Rules word it: the columns that others
// read without decoding, and the bytes. Intake adds Register, Taxpayer,
// CardVersion, Number and ReceivedAt; the journal adds its place, salt and
// hashes.
type Record struct {
	Register    RegisterID
	Number      Number
	Taxpayer    TaxpayerID
	CardVersion uint32
	Format      string // which decoder reads it: "kkm/203", "act/1"
	Kind        DocumentKind
	Outcome     uint16 // the protocol's result, 0 is accepted
	Flags       Flags
	Drive       string // fiscal drive number, where there is one
	// DeviceNumber is the number the device itself gave: an autonomous code or
	// the number of a fiscal document. 0 is none.
	DeviceNumber uint64
	DeviceTime   WallTime
	ReceivedAt   time.Time // ours, UTC, microseconds
	Shift        uint32
	FiscalSign   uint64
	SignKey      KeyID
	Op           Op
	Total        Money
	Cash         Money // net of change
	Cashless     Money // card and mobile
	OtherPaid    Money // credit, tare, advance
	Tax          Money
	// Refers is the entry this one is about: the receipt a cancel takes back,
	// the document of which a notice is the repetition. 0 is none.
	Refers Number
	// Carrier is the entry of the same exchange that holds the bytes, when this
	// one does not. 0 is this one itself.
	Carrier Number
	Request []byte // as received
	Answer  []byte // as sent
}

// Document is an entry opened by its decoder.
type Document struct {
	Record  `json:"-"`
	Receipt *Receipt    `json:"receipt,omitempty"`
	Move    *CashMove   `json:"cash_move,omitempty"`
	Report  *Report     `json:"report,omitempty"`
	Act     *Act        `json:"act,omitempty"`
	Extra   []Requisite `json:"requisites,omitempty"`
}
