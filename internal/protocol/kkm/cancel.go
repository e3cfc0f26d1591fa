package kkm

import (
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// cancel judges COMMAND_CANCEL_TICKET, below 2.0.3: the last receipt is taken
// back by an entry that names it, whose amounts count with the opposite sign.
// Between the two only SYSTEM and INFO may have been sent.
// Source: KKM reference §5.7.
func (j *judgement) cancel() (fiscal.Decision, error) {
	n := j.peer.cancelable
	if n == 0 {
		return j.refuse(fiscal.CannotCancel, "", ""), nil
	}
	if !j.s.Found.Asked {
		return fiscal.Decision{Needs: &fiscal.Needs{Entries: []fiscal.Number{n}}}, nil
	}
	if len(j.s.Found.Entries) != 1 {
		return fiscal.Decision{}, &fiscal.Error{Of: fiscal.Corrupt, Field: "entry", Msg: "the receipt to cancel is gone"}
	}
	original := &j.s.Found.Entries[0]
	doc, err := Read(original)
	if err != nil {
		return fiscal.Decision{}, err
	}
	next := j.s.State.Clone()
	next.CancelReceipt(doc.Receipt, original.Flags.Has(fiscal.FlagReplay))
	rec := fiscal.Record{
		Kind: fiscal.DocCancel, Refers: n, DeviceTime: original.DeviceTime, Shift: next.Shift.Number,
		Op: original.Op, Total: original.Total, Cash: original.Cash, Cashless: original.Cashless,
		OtherPaid: original.OtherPaid, Tax: original.Tax,
	}
	return j.accept(next, document{time: original.DeviceTime}, []fiscal.Record{rec}, &kkmpb.Response{})
}
