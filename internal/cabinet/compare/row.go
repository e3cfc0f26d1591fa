package compare

import "openofd/internal/fiscal"

// Column is something that both sides say of a receipt, or a set of such.
type Column uint16

// The columns.
const (
	ColTotal Column = 1 << iota
	ColCash
	ColCashless
	ColOther
	ColTax
	ColTime
	ColCashier
	ColOperation
	ColRegister
	ColSign
	ColCanceled // the register took it back, and the books did not
	columnEnd
)

// Amounts are the columns that are money.
const Amounts = ColTotal | ColCash | ColCashless | ColOther | ColTax

var columnNames = map[Column]string{
	ColTotal: "total", ColCash: "cash", ColCashless: "cashless", ColOther: "other", ColTax: "tax", ColTime: "time", ColCashier: "cashier",
	ColOperation: "operation", ColRegister: "register", ColSign: "sign", ColCanceled: "canceled",
}

// Columns lists every column, in the order in which people read them.
func Columns() (all []Column) {
	for c := Column(1); c < columnEnd; c <<= 1 {
		all = append(all, c)
	}
	return all
}

// String is the stable name of one column, for JSON and locale keys.
func (c Column) String() string { return columnNames[c] }

// Names are those of a set.
func (c Column) Names() []string {
	all := []string{}
	for _, one := range Columns() {
		if c&one != 0 {
			all = append(all, one.String())
		}
	}
	return all
}

// Sums are the amounts of a receipt, or of many. Those of a return are positive.
type Sums struct {
	Total, Cash, Cashless, Other, Tax fiscal.Money
}

// Of is the amount of one column, 0 for one that is no money.
func (s *Sums) Of(c Column) fiscal.Money {
	if p := s.at(c); p != nil {
		return *p
	}
	return 0
}

// Set sets the amount of one column of money.
func (s *Sums) Set(c Column, m fiscal.Money) {
	if p := s.at(c); p != nil {
		*p = m
	}
}

func (s *Sums) at(c Column) *fiscal.Money {
	switch c {
	case ColTotal:
		return &s.Total
	case ColCash:
		return &s.Cash
	case ColCashless:
		return &s.Cashless
	case ColOther:
		return &s.Other
	case ColTax:
		return &s.Tax
	}
	return nil
}

func (s *Sums) add(o *Sums, way fiscal.Money) {
	for _, c := range [...]Column{ColTotal, ColCash, ColCashless, ColOther} {
		*s.at(c) += way * o.Of(c)
	}
}

// Grain is how exactly the books tell a time.
type Grain uint8

// The grains.
const (
	NoTime Grain = iota
	OfDay
	OfMinute
	OfSecond
)

// MaxAmount bounds an amount of the books, in minor units: so many rows as there
// may be of it can be added up.
const MaxAmount fiscal.Money = 10_000_000_000_000

// Row is what the books say of one receipt or, where they are compared by
// totals, of many.
type Row struct {
	Line     int    // in the file, from 1
	Register string // as the books name it: number, registration or serial number, name; "" untold
	Outlet   string // its title; "" untold
	Time     fiscal.WallTime
	Grain    Grain
	Op       fiscal.Op // OpNone: untold
	Sign     uint64    // fiscal sign or autonomous code; 0 untold
	Number   uint64    // on the paper; 0 untold
	Has      Column    // which of the amounts are told
	Sums
	Cashier string
}

// op is what the row did: who says nothing has sold.
func (r *Row) op() fiscal.Op {
	if r.Op == fiscal.OpNone {
		return fiscal.OpSale
	}
	return r.Op
}

// Receipt is what a register sent: one receipt or, by totals, many.
type Receipt struct {
	Register    fiscal.RegisterID // 0: of several
	Entry       fiscal.Number     // of the journal, within its register
	CardVersion uint32
	Outlet      fiscal.OutletID
	Time        fiscal.WallTime // by totals the midnight of the day, 0 of all days
	Op          fiscal.Op       // OpNone: sales less their returns
	Sign        uint64
	Device      uint64 // the device's own number of it; of an autonomous receipt the code
	Printed     uint64 // number on its paper
	Sums
	Cashier  string
	Offline  bool
	Canceled bool
	Count    int // receipts
}

// signed reports whether a sign or an autonomous code is the receipt's.
func (r *Receipt) signed(code uint64) bool {
	return code == r.Sign || r.Offline && code == r.Device
}

// Settle makes a row that was read ready to be compared. The total is what the
// payments come to, if it is not told. A receipt with a negative total was given
// back; a total that tells no operation is of sales less their returns and keeps
// its sign. wrong is "" or what the row lacks or has too much of: "total", "time".
func (r *Row) Settle(totals bool) (wrong string) {
	if paid := ColCash | ColCashless | ColOther; r.Has&ColTotal == 0 && r.Has&paid != 0 {
		r.Has |= ColTotal
		r.Total = r.Cash + r.Cashless + r.Other
	}
	named := !totals && (r.Sign != 0 || r.Number != 0)
	switch {
	case r.Total.Abs() > MaxAmount, r.Has == 0 && !named:
		return "total"
	case r.Grain == NoTime && !totals && !named:
		return "time"
	case totals && r.Op == fiscal.OpNone:
		return ""
	}
	if r.Total < 0 {
		switch r.Op {
		case fiscal.OpNone, fiscal.OpSale:
			r.Op = fiscal.OpSaleReturn
		case fiscal.OpPurchase:
			r.Op = fiscal.OpPurchaseReturn
		}
	}
	if r.Op.Return() {
		for _, c := range Columns() {
			r.Set(c, r.Of(c).Abs())
		}
	} else if r.Op == fiscal.OpNone {
		r.Op = fiscal.OpSale
	}
	return ""
}
