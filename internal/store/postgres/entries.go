package postgres

import (
	"encoding/binary"
	"slices"
	"strconv"

	"openofd/internal/journal"
)

// entryColumns is the order of the columns of entries, and the order in which
// they travel both ways.
const entryColumns = `seq, register, number, taxpayer, card_version, flags, device_number, device_time, received_at, shift, fiscal_sign,
	total, cash, cashless, other_paid, tax, refers, carrier, partition, month, sign_key, outcome, kind, operation, codec,
	format, drive, salt, digest, hash, chain, request, answer`

// entryWidth is how many there are.
const entryWidth = 33

// insert writes the entries of the fresh commits, a statement for each month,
// which nearly always is one. It goes to the month's own table, past the
// routing.
//
// The rows are one parameter, an array of rows. COPY is as quick, but a node
// that froze with half of it sent would keep its heads: a server that waits for
// the rest of a COPY is not idle, and no timeout of its ends that wait.
func (a *appender) insert(w *talk) (statements int) {
	a.each(func(e *journal.Entry) {
		if !slices.Contains(a.months, e.Month) {
			a.months = append(a.months, e.Month)
		}
	})
	o := &a.out
	for _, m := range a.months {
		name := insertName(m)
		if !w.prepared(name) {
			o.parse(name, `INSERT INTO entries_`+strconv.Itoa(int(m))+` (`+entryColumns+`) SELECT `+entryColumns+` FROM unnest($1::entries[])`)
		}
		rows := 0
		o.bind(name, 1)
		at := o.array(w.db.entryType, 0)
		a.each(func(e *journal.Entry) {
			if e.Month == m {
				o.entry(e)
				rows++
			}
		})
		binary.BigEndian.PutUint32(o.b[at+16:], uint32(rows))
		o.end(at)
		o.execute()
		statements++
	}
	return statements
}

func insertName(month int32) string { return "entries_" + strconv.Itoa(int(month)) }

// each calls do with every entry that is stored.
func (a *appender) each(do func(*journal.Entry)) {
	for i := range a.batch {
		for j := range a.batch[i].Entries {
			if a.fresh[i] {
				do(&a.batch[i].Entries[j])
			}
		}
	}
}

// inserted remembers which months are prepared on the connection. When a batch
// fails that should have prepared one, it cannot be told whether it did, and
// the connection is not used again.
func (a *appender) inserted(w *talk, err error) error {
	if err == nil {
		for _, m := range a.months {
			w.setPrepared(insertName(m))
		}
		return nil
	}
	if !w.lost && slices.ContainsFunc(a.months, func(m int32) bool { return !w.prepared(insertName(m)) }) {
		w.hangUp()
	}
	if code(err) == noTable && w.done < len(a.months) {
		return &monthClosed{a.months[w.done], err}
	}
	return err
}

// entry writes a row as an element of an array: how many fields, and each with
// its type.
func (o *out) entry(e *journal.Entry) {
	begin := len(o.b)
	o.uint32(0) // length, later
	o.uint32(entryWidth)
	for _, v := range [...]uint64{
		uint64(e.Seq), uint64(e.Register), uint64(e.Number), uint64(e.Taxpayer), uint64(e.CardVersion), uint64(e.Flags), e.DeviceNumber,
		uint64(e.DeviceTime), uint64(journal.Micros(e.ReceivedAt)), uint64(e.Shift), e.FiscalSign,
		uint64(e.Total), uint64(e.Cash), uint64(e.Cashless), uint64(e.OtherPaid), uint64(e.Tax), uint64(e.Refers), uint64(e.Carrier),
	} {
		o.uint32(oidInt8)
		o.int8(v)
	}
	for _, v := range [...]int32{int32(e.Partition), e.Month, int32(e.SignKey), int32(e.Outcome)} {
		o.uint32(oidInt4)
		o.int4(v)
	}
	for _, v := range [...]uint8{uint8(e.Kind), uint8(e.Op), uint8(e.Codec)} {
		o.uint32(oidInt2)
		o.uint32(2)
		o.uint16(uint16(v))
	}
	for _, v := range [...]string{e.Format, e.Drive} {
		o.uint32(oidText)
		o.uint32(uint32(len(v)))
		o.b = append(o.b, v...)
	}
	for _, v := range [...][]byte{e.Salt[:], e.Digest[:], e.Hash[:], e.Chain[:], e.Request, e.Answer} {
		o.uint32(oidBytea)
		o.bytes(v)
	}
	o.end(begin)
}
