package cabinet

import "openofd/internal/fiscal"

// Tally sums documents. What was canceled is in none of the sums.
type Tally struct {
	Counts    [fiscal.OpSettlements]int64        // of receipts, by operation
	Sums      [fiscal.OpSettlements]fiscal.Money // of their totals
	Cash      fiscal.Money                       // of receipts, out of the drawer is negative
	Cashless  fiscal.Money                       // likewise
	OtherPaid fiscal.Money                       // likewise
	CashIn    fiscal.Money
	CashOut   fiscal.Money
	Documents int64 // receipts and cash moves, canceled ones too
	Offline   int64 // of these
}

// Revenue is sales less their returns.
func (t *Tally) Revenue() fiscal.Money { return t.Sums[0] - t.Sums[1] }

// Receipts is how many there are of all operations.
func (t *Tally) Receipts() (n int64) {
	for _, c := range t.Counts {
		n += c
	}
	return n
}

// Add adds another tally.
func (t *Tally) Add(o *Tally) {
	for i := range t.Counts {
		t.Counts[i] += o.Counts[i]
		t.Sums[i] += o.Sums[i]
	}
	t.Cash += o.Cash
	t.Cashless += o.Cashless
	t.OtherPaid += o.OtherPaid
	t.CashIn += o.CashIn
	t.CashOut += o.CashOut
	t.Documents += o.Documents
	t.Offline += o.Offline
}

// count adds a document, or with dir −1 takes the sums of one back.
func (t *Tally) count(d *fiscal.Record, dir fiscal.Money) {
	switch d.Kind {
	case fiscal.DocReceipt:
		if !d.Op.Settlement() {
			return
		}
		i, way := d.Op.Index(), dir*d.Op.Inflow()
		t.Counts[i] += int64(dir)
		t.Sums[i] += dir * d.Total
		t.Cash += way * d.Cash
		t.Cashless += way * d.Cashless
		t.OtherPaid += way * d.OtherPaid
	case fiscal.DocCashMove:
		if d.Op == fiscal.OpCashIn {
			t.CashIn += dir * d.Total
		} else {
			t.CashOut += dir * d.Total
		}
	default:
		return
	}
	if dir < 0 { // the document was made all the same
		return
	}
	t.Documents++
	if d.Flags.Has(fiscal.FlagReplay) {
		t.Offline++
	}
}

// Values are the numbers of a tally in the order of an engine's columns.
func (t *Tally) Values() [TallyValues]int64 {
	v := [TallyValues]int64{t.Documents, t.Offline, int64(t.Cash), int64(t.Cashless), int64(t.OtherPaid), int64(t.CashIn), int64(t.CashOut)}
	for i := range t.Counts {
		v[7+2*i], v[8+2*i] = t.Counts[i], int64(t.Sums[i])
	}
	return v
}

// TallyValues is how many there are.
const TallyValues = 7 + 2*fiscal.OpSettlements

// TallyOf is the tally with these values.
func TallyOf(v [TallyValues]int64) Tally {
	t := Tally{
		Documents: v[0], Offline: v[1], Cash: fiscal.Money(v[2]), Cashless: fiscal.Money(v[3]), OtherPaid: fiscal.Money(v[4]),
		CashIn: fiscal.Money(v[5]), CashOut: fiscal.Money(v[6]),
	}
	for i := range t.Counts {
		t.Counts[i], t.Sums[i] = v[7+2*i], fiscal.Money(v[8+2*i])
	}
	return t
}

// ShiftID names a shift.
type ShiftID struct {
	Register fiscal.RegisterID
	Number   uint32
}

// Shift is what a shift came to.
type Shift struct {
	ShiftID
	Taxpayer    fiscal.TaxpayerID
	Partition   fiscal.Partition
	Outlet      fiscal.OutletID
	CardVersion uint32
	Opened      fiscal.WallTime // of its first document
	Last        fiscal.WallTime // of its last document
	Closed      fiscal.WallTime // 0: it is open, as far as we know
	Z           fiscal.Number   // the entry that closed it, 0 none
	Tally
}

// Day is what a register came to on a day of its own clock.
type Day struct {
	Day       fiscal.WallTime // its midnight
	Register  fiscal.RegisterID
	Outlet    fiscal.OutletID
	Taxpayer  fiscal.TaxpayerID
	Partition fiscal.Partition
	Tally
}
