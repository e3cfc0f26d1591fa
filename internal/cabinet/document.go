package cabinet

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
)

// Document is an entry of the journal as lists of the cabinet show it: the
// columns, what a person calls it, and what was sold. Whatever else stands in
// it is read from the journal.
type Document struct {
	Taxpayer     fiscal.TaxpayerID
	Partition    fiscal.Partition
	Seq          journal.Seq
	Time         fiscal.WallTime // of the register's clock
	ReceivedAt   time.Time
	Register     fiscal.RegisterID
	Number       fiscal.Number // of the entry within its register
	CardVersion  uint32
	Outlet       fiscal.OutletID // where the register stood then, 0 unknown
	Kind         fiscal.DocumentKind
	Op           fiscal.Op
	Shift        uint32
	Flags        fiscal.Flags
	Canceled     bool
	DeviceNumber uint64
	FiscalSign   uint64
	Total        fiscal.Money
	Cash         fiscal.Money
	Cashless     fiscal.Money
	OtherPaid    fiscal.Money
	Printed      string // the number on its paper, "" if the entry's own
	Cashier      string // name, else code
	Goods        string // names of what was sold, lower case, each on a line of its own
}

// Place is where a document stands in lists, which are by time.
type Place struct {
	Time fiscal.WallTime
	Seq  journal.Seq
}

// String is the place as an address writes it.
func (p Place) String() string { return fmt.Sprintf("%d.%d", p.Time, p.Seq) }

// ParsePlace reads what String writes; false if it is no place.
func ParsePlace(s string) (Place, bool) {
	left, right, _ := strings.Cut(s, ".")
	at, err := strconv.ParseInt(left, 10, 64)
	seq, failed := strconv.ParseUint(right, 10, 63)
	return Place{fiscal.WallTime(at), journal.Seq(seq)}, err == nil && failed == nil
}

// Place is where the document stands.
func (d *Document) Place() Place { return Place{d.Time, d.Seq} }

// Offline reports whether the register made it without a link.
func (d *Document) Offline() bool { return d.Flags.Has(fiscal.FlagReplay) }

// FindingFlags are those that somebody should look at: all but what tells how a
// document came and what became of it.
const FindingFlags = 1<<63 - 1 - fiscal.FlagReplay - fiscal.FlagRounded - fiscal.FlagCardMade - fiscal.FlagGapFilled

// Findings are the flags of the document that somebody should look at.
func (d *Document) Findings() fiscal.Flags { return d.Flags & FindingFlags }

// Bounds of what is kept of a document for finding it. A receipt with more
// goods is found by its first ones.
const (
	maxGoods   = 1024 // bytes of their names
	maxWords   = 16   // by which its goods are found
	maxCashier = 64   // bytes
	maxPrinted = 32   // bytes
)
