package kgd

import (
	"encoding/json"
	"time"

	"openofd/internal/fiscal"
)

// Name is the authority's, and that of the follower that forwards to it.
const Name = "kgd"

// Format names the version of all messages. Another number may mean anything
// else by the same field; what is only added keeps the number.
const Format = "kgd/1"

// Where messages go, below the address of the authority.
const (
	PathReceipts     = "/kgd/v1/receipts"     // POST, NDJSON of Document; answer Taken
	PathApplications = "/kgd/v1/applications" // POST Application; answer ApplicationTaken, 422 for what is none
	PathDecisions    = "/kgd/v1/decisions"    // GET ?after=&limit=; answer Decisions
	PathSummaries    = "/kgd/v1/summaries"    // POST, NDJSON of Summary; answer Taken
	PathCounts       = "/kgd/v1/counts"       // GET ?day=2026-03-14&after=&limit=; answer Counts
	PathReports      = "/kgd/v1/reports"      // POST Report; answer 204
)

// Media types of bodies. Any of them may be gzip by Content-Encoding.
const (
	TypeLines   = "application/x-ndjson"
	TypeJSON    = "application/json"
	TypeProblem = "application/problem+json"
)

// HeaderKey is the header that names a batch. The same key with the same lines
// may come again and takes effect once; so does a line in other company.
const HeaderKey = "Idempotency-Key"

// Bounds that both ends keep. A message beyond them is answered with 413.
const (
	MaxLines  = 1024    // of a batch
	MaxBatch  = 8 << 20 // bytes of a batch, unpacked
	MaxLine   = 2 << 20 // bytes of a line
	MaxAnswer = 4 << 20 // bytes of an answer
	MaxPage   = 1000    // things of a page that is asked for
)

// Document is one line of PathReceipts: a receipt, a cash movement, a report, a
// cancellation, or an act that the authority has to know of.
//
// Lines of one register come in the order of Entry. Between two lines of a
// register numbers may be missing: those are of entries that are none of the
// authority's business.
type Document struct {
	Format   string            `json:"format"` // Format
	ID       string            `json:"id"`     // "200145-58": register and entry; it never changes
	Register fiscal.RegisterID `json:"register"`
	Entry    fiscal.Number     `json:"entry"` // gapless within the register, acts and notices among them
	// RegistrationNumber and BIN are those of the day on which it was made.
	RegistrationNumber string     `json:"registration_number"`
	Provisional        bool       `json:"provisional,omitempty"` // the number is the operator's stand-in
	BIN                fiscal.XIN `json:"bin"`                   // BIN or IIN of the owner
	Kind               string     `json:"kind"`                  // receipt, cash_move, shift_close, report, cancel, act
	// Operation is that of a receipt, a movement and what was canceled: sale,
	// sale_return, purchase, purchase_return, cash_in, cash_out.
	Operation string          `json:"operation,omitempty"`
	Time      fiscal.WallTime `json:"time"`     // of the register; the day of a document is its day
	Received  time.Time       `json:"received"` // by the operator, UTC, microseconds
	Offline   bool            `json:"offline,omitempty"`
	Shift     uint32          `json:"shift,omitempty"`
	// FiscalSign is 12 digits; OfflineCode the one that the register gave itself.
	FiscalSign  string `json:"fiscal_sign,omitempty"`
	OfflineCode string `json:"offline_code,omitempty"`
	// Cancels is the entry that a cancellation takes back. The sums are then
	// those of that entry, which no longer counts, on the day of that entry.
	Cancels fiscal.Number `json:"cancels,omitempty"`

	Total    fiscal.Money `json:"total"`
	Cash     fiscal.Money `json:"cash"`     // net of change
	Cashless fiscal.Money `json:"cashless"` // card and mobile
	Other    fiscal.Money `json:"other"`    // credit, tare, advance
	Tax      fiscal.Money `json:"tax"`

	Cashier  *Cashier     `json:"cashier,omitempty"`
	Payments []Payment    `json:"payments,omitempty"` // of a receipt
	Taxes    []Tax        `json:"taxes,omitempty"`    // of a receipt, summed by rate
	Items    []Item       `json:"items,omitempty"`    // of a receipt
	Discount fiscal.Money `json:"discount,omitempty"` // on the whole receipt
	Markup   fiscal.Money `json:"markup,omitempty"`   // on the whole receipt
	Change   fiscal.Money `json:"change,omitempty"`
	Buyer    fiscal.XIN   `json:"buyer,omitempty"`  // BIN or IIN, where the receipt names it
	Parent   *Parent      `json:"parent,omitempty"` // of a return
	Report   *ShiftReport `json:"report,omitempty"` // of shift_close and report
	Act      *Act         `json:"act,omitempty"`

	Flags []string `json:"flags,omitempty"` // what the operator found, by stable names
	// Hash is the entry's in the chain of its register, 64 hexadecimal digits.
	Hash string `json:"hash"`
}

// The kinds of documents, as Document.Kind has them.
const (
	KindReceipt    = "receipt"
	KindCashMove   = "cash_move"
	KindShiftClose = "shift_close"
	KindReport     = "report"
	KindCancel     = "cancel"
	KindAct        = "act"
)

// Cashier is who was at the register.
type Cashier struct {
	Code uint32 `json:"code"`
	Name string `json:"name,omitempty"`
}

// Payment is one way in which a receipt was paid: cash, card, mobile, credit,
// tare, advance.
type Payment struct {
	Kind string       `json:"kind"`
	Sum  fiscal.Money `json:"sum"`
}

// Tax is what one rate came to.
type Tax struct {
	Kind     uint32       `json:"kind"`     // 100 is VAT
	Percent  uint32       `json:"percent"`  // thousandths of a percent: 16000 is 16 %
	Turnover fiscal.Money `json:"turnover"` // what was taxed, with its tax
	Tax      fiscal.Money `json:"tax"`
}

// Item is a line of a receipt. What Storno marks takes an earlier line back.
type Item struct {
	Kind     string       `json:"kind"` // goods, discount, markup
	Storno   bool         `json:"storno,omitempty"`
	Name     string       `json:"name,omitempty"`
	Section  string       `json:"section,omitempty"`
	Quantity string       `json:"quantity,omitempty"` // up to six decimals: "2.5"
	Unit     string       `json:"unit,omitempty"`     // code of the e-invoice system
	Price    fiscal.Money `json:"price"`
	Cost     fiscal.Money `json:"cost"`
	Barcode  string       `json:"barcode,omitempty"` // GTIN
	NTIN     string       `json:"ntin,omitempty"`    // national catalog number
	Marks    []string     `json:"marks,omitempty"`   // identification marks, excise stamps
}

// Parent is the receipt to which a return refers.
type Parent struct {
	FiscalSign         string          `json:"fiscal_sign"` // or the autonomous code
	Time               fiscal.WallTime `json:"time"`
	RegistrationNumber string          `json:"registration_number"`
	Total              fiscal.Money    `json:"total"`
}

// ShiftReport is what a Z report closed a shift with, or an X report showed.
// Operations without receipts are missing.
type ShiftReport struct {
	Kind        string                  `json:"kind"` // x, z
	Shift       uint32                  `json:"shift"`
	Opened      fiscal.WallTime         `json:"opened"`
	Cash        fiscal.Money            `json:"cash"` // in the drawer, signed
	Revenue     fiscal.Money            `json:"revenue"`
	GrandTotals map[string]fiscal.Money `json:"grand_totals"` // by operation, never cleared
	Receipts    map[string]ReceiptTally `json:"receipts"`     // by operation
	Moves       map[string]Tally        `json:"moves"`        // cash_in, cash_out
	Taxes       []TaxTally              `json:"taxes"`
}

// ReceiptTally counts the receipts of one operation in a shift.
type ReceiptTally struct {
	Ever     int64            `json:"ever"` // since registration
	Count    int64            `json:"count"`
	Sum      fiscal.Money     `json:"sum"`
	Offline  int64            `json:"offline"`
	Discount fiscal.Money     `json:"discount"`
	Markup   fiscal.Money     `json:"markup"`
	Change   fiscal.Money     `json:"change"`
	Payments map[string]Tally `json:"payments"` // by kind
}

// Act is what was done to a register: register, card, block, unblock,
// deregister.
type Act struct {
	Kind string `json:"kind"`
	Text string `json:"text,omitempty"` // why it was blocked
}

// Taken is the answer to a batch. Once it is sent, what was taken is safe.
type Taken struct {
	// Batch is the HeaderKey of the batch that this answers. An answer to another
	// one is none; an authority that does not name it is believed.
	Batch   string    `json:"batch,omitempty"`
	Taken   int       `json:"taken"`   // that were new
	Again   int       `json:"again"`   // that were there already
	Refused []Refusal `json:"refused"` // that will never be taken as they are
}

// Refusal is a line that was not taken.
type Refusal struct {
	ID  string `json:"id"`
	Why string `json:"why"` // for a person, at most 500 characters are kept
}

// Application is a taxpayer's signed application.
type Application struct {
	Format             string            `json:"format"`
	ID                 string            `json:"id"`   // "<installation>-<application>"; the same ID gets the same answer
	Kind               string            `json:"kind"` // register, change, deregister
	Country            fiscal.Country    `json:"country"`
	Register           fiscal.RegisterID `json:"register"`
	RegistrationNumber string            `json:"registration_number,omitempty"`
	BIN                fiscal.XIN        `json:"bin"`
	SignedAt           time.Time         `json:"signed_at"`
	Content            []byte            `json:"content"`   // exactly what was signed
	Signature          []byte            `json:"signature"` // CMS
	Control            []FieldError      `json:"control"`   // what the operator's format-logical control found
}

// The kinds of applications.
const (
	ApplicationRegister   = "register"
	ApplicationChange     = "change"
	ApplicationDeregister = "deregister"
)

// FieldError is one finding of the format-logical control.
type FieldError struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// ApplicationTaken answers an application.
type ApplicationTaken struct {
	ID     string `json:"id,omitempty"` // of the application that this answers; as Taken.Batch
	Number string `json:"number"`       // what the authority calls it
}

// Decision is what became of an application.
type Decision struct {
	ID                 string      `json:"id"` // of the application
	Number             string      `json:"number"`
	Granted            bool        `json:"granted"`
	RegistrationNumber string      `json:"registration_number,omitempty"`
	Why                fiscal.Text `json:"why,omitzero"` // of a refusal
	At                 time.Time   `json:"at"`
}

// Decisions is a page of decisions, in their order.
type Decisions struct {
	Decisions []Decision `json:"decisions"`
	Next      string     `json:"next"` // ask with it as after; "" only while there is none at all
}

// Summary is one line of PathSummaries: what a register did on a day. A later
// version replaces earlier ones; an earlier one that comes late changes nothing.
//
// Documents are what Document has, but for acts. A document that was canceled
// is in Documents and not in the sums, and so is its cancellation. Taxes of a
// discount or markup on the whole receipt count unless lines have such ones too.
type Summary struct {
	Format             string            `json:"format"`
	ID                 string            `json:"id"`      // "200145/2026-03-14/1": register, day, version
	Day                string            `json:"day"`     // of the documents' own time: "2026-03-14"
	Version            int64             `json:"version"` // rises; 0 is a day without documents
	Register           fiscal.RegisterID `json:"register"`
	RegistrationNumber string            `json:"registration_number"`
	BIN                fiscal.XIN        `json:"bin"`
	Documents          int64             `json:"documents"`
	Offline            int64             `json:"offline"`
	Shifts             int64             `json:"shifts"` // that were closed
	First              *Edge             `json:"first,omitempty"`
	Last               *Edge             `json:"last,omitempty"`
	Receipts           map[string]Tally  `json:"receipts"` // by operation
	Moves              map[string]Tally  `json:"moves"`    // cash_in, cash_out
	Taxes              []TaxTally        `json:"taxes"`
	Cash               fiscal.Money      `json:"cash"` // signed: what came in less what was given back
	Cashless           fiscal.Money      `json:"cashless"`
	Mobile             fiscal.Money      `json:"mobile"` // contained in Cashless
	Other              fiscal.Money      `json:"other"`
	CashInDrawer       fiscal.Money      `json:"cash_in_drawer"`
	ChainHash          string            `json:"chain_hash"` // Hash of Last
}

// Edge is the first or last document of a day, by entry.
type Edge struct {
	Entry fiscal.Number   `json:"entry"`
	Time  fiscal.WallTime `json:"time"`
}

// Tally is how often and how much.
type Tally struct {
	Count int64        `json:"count"`
	Sum   fiscal.Money `json:"sum"`
}

// TaxTally is what one rate came to by operation.
type TaxTally struct {
	Kind      uint32       `json:"kind"`
	Percent   uint32       `json:"percent"`
	Operation string       `json:"operation"`
	Turnover  fiscal.Money `json:"turnover"`
	Tax       fiscal.Money `json:"tax"`
}

// Count is what the authority itself makes of the documents of a register and
// a day, whatever the summaries say.
type Count struct {
	Register           fiscal.RegisterID `json:"register"`
	RegistrationNumber string            `json:"registration_number"`
	Documents          int64             `json:"documents"` // as in Summary
	Receipts           map[string]Tally  `json:"receipts"`  // likewise, without what was canceled
	Last               fiscal.Number     `json:"last"`      // highest entry
	ChainHash          string            `json:"chain_hash"`
}

// Counts is a page of counts, by register, ascending.
type Counts struct {
	Counts []Count `json:"counts"`
	Next   string  `json:"next"` // ask with it as after; "" when there are no more
}

// Report is the operator's daily report on how data were transmitted. What is
// in Content is for people at the authority, by stable names.
//
// Source: order 626 of 24.10.2025.
type Report struct {
	Format  string          `json:"format"`
	Day     string          `json:"day"`
	Made    time.Time       `json:"made"`
	Content json.RawMessage `json:"content"`
}

// Problem is the body of an answer that is an error. Source: RFC 9457.
type Problem struct {
	Type   string `json:"type"` // about:blank
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}
