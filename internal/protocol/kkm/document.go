package kkm

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkm/kkmpb"
)

// document is what the retry slot keeps of an accepted document.
type document struct {
	key        [16]byte
	time       fiscal.WallTime
	offline    uint32 // autonomous code
	cancelable bool
}

// sameTime is how far apart the times of a document and its repetition may
// lie: some devices stamp a ticket with the time of sending.
// Source: KKM reference §3.3.
const sameTime = 120 * time.Second

// sameDocument reports whether the request is the slot's document again: the
// command and the business key agree, and if timed the times lie close.
func (j *judgement) sameDocument(timed bool) bool {
	slot := &j.peer.slot
	if j.req.Fault != FaultNone || uint8(j.req.Command) != slot.command {
		return false
	}
	var key [16]byte
	var t fiscal.WallTime
	switch m := j.req.Msg; m.GetCommand() {
	case kkmpb.CommandTypeEnum_COMMAND_TICKET:
		key = ticketKey(m.Ticket)
		t, _ = TimeOf(m.Ticket.DateTime)
	case kkmpb.CommandTypeEnum_COMMAND_MONEY_PLACEMENT:
		key = moveKey(m.MoneyPlacement)
		t, _ = TimeOf(m.MoneyPlacement.Datetime)
	default: // closing and canceling always agree
		return true
	}
	if key != slot.key {
		return false
	}
	d := t.Sub(slot.time)
	return !timed || t == 0 || d <= sameTime && d >= -sameTime
}

// ticketKey is the business key of a receipt: operation, total, and of each
// item type, name or code, quantity and sum, in order. Autonomous code, service
// part and printed fields are not part of it, for they change when the document
// is sent again.
func ticketKey(t *kkmpb.TicketRequest) (key [16]byte) {
	var room [1024]byte // of an ordinary receipt; a longer one takes memory
	k := keyWriter(room[:0]).uint(uint64(t.GetOperation())).money(t.GetAmounts().GetTotal())
	for _, it := range t.Items {
		k = k.uint(uint64(it.GetType()))
		switch {
		case it.Commodity != nil:
			c := it.Commodity
			k = k.text(c.GetName()).uint(c.GetCode()).uint(c.GetQuantity()).money(c.Sum)
		case it.StornoCommodity != nil:
			c := it.StornoCommodity
			k = k.text(c.GetName()).uint(c.GetQuantity()).money(c.Sum)
		default:
			for _, m := range [...]*kkmpb.TicketRequest_Modifier{it.Markup, it.StornoMarkup, it.Discount, it.StornoDiscount} {
				k = k.text(m.GetName()).money(m.GetSum())
			}
		}
	}
	sum := sha256.Sum256(k)
	copy(key[:], sum[:])
	return key
}

func moveKey(m *kkmpb.MoneyPlacementRequest) (key [16]byte) {
	binary.BigEndian.PutUint32(key[:], uint32(m.GetOperation())+1)
	binary.BigEndian.PutUint64(key[4:], m.GetSum().GetBills())
	binary.BigEndian.PutUint32(key[12:], m.GetSum().GetCoins())
	return key
}

// keyWriter gathers what a business key is made of, each value unmistakable.
// Its methods append, so that it can stay on the stack.
type keyWriter []byte

func (k keyWriter) uint(v uint64) keyWriter { return binary.AppendUvarint(k, v) }

func (k keyWriter) money(m *kkmpb.Money) keyWriter {
	return k.uint(m.GetBills()).uint(uint64(m.GetCoins()))
}

func (k keyWriter) text(s string) keyWriter { return append(k.uint(uint64(len(s))), s...) }

// times settles the time of a document. One that cannot be is refused online;
// in a replay, which must not be refused, the time of receipt stands in.
// Source: KKM reference §8 V16, §9.3.
func (j *judgement) times(field string, d *kkmpb.DateTime) fiscal.WallTime {
	if j.replay {
		j.flag(fiscal.FlagReplay)
	}
	t, ok := TimeOf(d)
	if !ok {
		j.bad(at(field), fiscal.FlagTimeInvalid, "no such day or time")
		return j.clock
	}
	switch ahead := t.Sub(j.clock); {
	case ahead > 24*time.Hour:
		j.flag(fiscal.FlagClockAhead)
	case ahead < -24*time.Hour && !j.replay:
		j.flag(fiscal.FlagClockBehind)
	}
	if j.replay && j.clock.Sub(t) > j.limits.Offline {
		j.flag(fiscal.FlagLateReplay)
	}
	return t
}

// settle ends the checks: a refusal that the findings demand, or none.
func (j *judgement) settle() (fiscal.Decision, bool) {
	if r, field, detail := j.verdict(j.replay); r != fiscal.NoReason {
		return j.refuse(r, field, detail), true
	}
	return fiscal.Decision{}, false
}

// checkService is V22, V24 and V25 for documents.
func (j *judgement) checkService(report, cashier bool) {
	s, o := j.req.Msg.GetService(), &j.card.Options
	if j.version >= V125 && (report && s == nil || cashier) {
		j.flag(fiscal.FlagServiceMissing)
		if o.StrictService {
			j.bad(at("service"), 0, "mandatory in this version")
		}
	}
	if j.version >= V203 && s.GetSecurityStats().GetGeoPosition().GetSource() == "" {
		j.flag(fiscal.FlagPosition)
	}
	k, org := s.GetRegInfo_().GetKkm(), s.GetRegInfo_().GetOrg()
	if n := k.GetFnsKkmId(); n != "" && n != j.card.RegistrationNumber || org.GetInn() != "" && org.GetInn() != string(j.card.XIN) {
		j.flag(fiscal.FlagRegisterData)
		if o.StrictRegisterData {
			j.bad(at("service.reg_info"), 0, "other registration data than ours")
		}
	}
}

// checkShift is the stated shift number: a wrong one is a flag, with the strict
// option a refusal.
func (j *judgement) checkShift(stated uint32) {
	if j.card.Options.StrictShiftNumber && !j.s.State.ExpectedShift(stated) {
		j.bad(at("fr_shift_number"), 0, "%d does not follow", stated)
	}
}

// making is how the document was made, for the register's state machine.
func (j *judgement) making(t fiscal.WallTime, shift uint32) fiscal.Making {
	return fiscal.Making{Time: t, Received: j.s.Exchange.Received, Offline: j.replay, Shift: shift}
}

func appendUint(b []byte, v uint64) []byte { return strconv.AppendUint(b, v, 10) }
