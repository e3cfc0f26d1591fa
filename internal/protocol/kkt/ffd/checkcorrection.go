package ffd

import (
	"strconv"

	"openofd/internal/fiscal"
)

// Corrected is the receipt whose sign a document names as the wrong one.
type Corrected struct {
	// Receipt is that receipt as it is stored; nil when all receipts of the
	// register were looked through and none has the sign.
	Receipt *fiscal.Record
	// Reversed says that it was taken back and not yet put right.
	Reversed bool
	// Unsure says that earlier corrections may be forgotten.
	Unsure bool
}

// CorrectedSign is the sign of the wrong receipt that a receipt names in 1192,
// 0 if it corrects none. From 1.1 corrections name it; up to 1.05 it is receipts
// that do, where 1192 may also hold anything else.
//
// Source: KKT reference §11.
func (d *Document) CorrectedSign() uint32 {
	if d.fault != nil || !d.Form.Settles() || d.Form.Corrects() != (d.Version >= V110) {
		return 0
	}
	b, ok := d.Value(1192)
	if !ok || len(trim(b)) == 0 || len(trim(b)) > 10 {
		return 0
	}
	n, err := strconv.ParseUint(string(trim(b)), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// Reverses reports whether a receipt takes another back: its operation is the
// opposite one.
func Reverses(wrong, op fiscal.Op) bool {
	opposite := map[fiscal.Op]fiscal.Op{
		fiscal.OpSale: fiscal.OpSaleReturn, fiscal.OpSaleReturn: fiscal.OpSale,
		fiscal.OpPurchase: fiscal.OpPurchaseReturn, fiscal.OpPurchaseReturn: fiscal.OpPurchase,
	}
	return op.Settlement() && opposite[wrong] == op
}

// pair: K4 and K5. An error is corrected by two receipts that name its sign: one
// takes the wrong receipt back, sum for sum, the other is right. A receipt that
// should not be at all is taken back and nothing follows.
func (c *checker) pair() {
	in := c.in.Corrected
	if in == nil {
		return
	}
	d, at := c.d, c.at(1192)
	wrong := in.Receipt
	if wrong == nil {
		if d.Form.Corrects() { // in a receipt of 1.05 the number may be anything
			c.found(ruleCorrectedUnknown, at)
		}
		return
	}
	var made fiscal.Record
	d.Fill(&made)
	switch reverses := Reverses(wrong.Op, made.Op); {
	case reverses && in.Reversed:
		c.found(ruleReversedTwice, at)
	case reverses:
		for _, x := range [...]struct {
			tag        Tag
			wrong, now fiscal.Money
		}{
			{TagTotal, wrong.Total, made.Total}, {TagCash, wrong.Cash, made.Cash}, {TagCashless, wrong.Cashless, made.Cashless},
			{TagPrepaid, wrong.OtherPaid, made.OtherPaid}, {1102, wrong.Tax, made.Tax},
		} {
			if x.wrong != x.now {
				c.found(ruleReverseDiffers, c.at(x.tag), "wrong", x.wrong.String(), "taken_back", x.now.String())
				return
			}
		}
	case !in.Reversed && !in.Unsure:
		c.found(ruleReverseMissing, at)
	}
}
