package postgres

import (
	"fmt"
	"time"

	"openofd/internal/journal"
)

// entryColumns is the order in which rows of entries travel both ways.
const entryColumns = `seq, register, number, taxpayer, card_version, flags, device_number, device_time, received_at, shift, fiscal_sign,
	total, cash, cashless, other_paid, tax, refers, carrier, partition, month, sign_key, outcome, kind, operation, codec,
	format, drive, salt, digest, hash, chain, request, answer`

const entryWidth = 33

// insertMode is how entries travel.
var insertMode = "row"

// insert writes the entries of the fresh commits, by month. Its statements are
// prepared when a connection first meets a month.
func (a *appender) insert(w *talk) (statements int, err error) {
	o := &a.out
	for i := range a.batch {
		if !a.fresh[i] {
			continue
		}
		for j := range a.batch[i].Entries {
			m := a.batch[i].Entries[j].Month
			found := false
			for _, had := range a.months {
				found = found || had == m
			}
			if !found {
				a.months = append(a.months, m)
			}
		}
	}
	for _, m := range a.months {
		n := 0
		each := func(do func(e *journal.Entry)) {
			for i := range a.batch {
				if !a.fresh[i] {
					continue
				}
				for j := range a.batch[i].Entries {
					if e := &a.batch[i].Entries[j]; e.Month == m {
						do(e)
					}
				}
			}
		}
		each(func(*journal.Entry) { n++ })
		name := fmt.Sprintf("%s%d", insertMode, m)
		if w.conn.Conn().PgConn().CustomData()[name] == nil {
			a.parse(name, insertSQL(m))
		}
		switch insertMode {
		case "row":
			o.bind(name, 1)
			at := o.array(w.db.entryType, n)
			each(func(e *journal.Entry) {
				begin := len(o.b)
				o.uint32(0)
				o.uint32(entryWidth)
				o.entry(e, true)
				o.end(begin)
			})
			o.end(at)
			o.execute()
		case "copy":
			o.bind(name, 0)
			o.execute()
			begin := len(o.b)
			o.b = append(o.b, 'd', 0, 0, 0, 0)
			o.b = append(o.b, "PGCOPY\n\377\r\n\000"...)
			o.uint32(0)
			o.uint32(0)
			each(func(e *journal.Entry) {
				o.uint16(entryWidth)
				o.entry(e, false)
			})
			o.uint16(0xffff)
			n := len(o.b) - begin - 1
			o.b[begin+1], o.b[begin+2], o.b[begin+3], o.b[begin+4] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
			o.b = append(o.b, 'c', 0, 0, 0, 4)
		}
		statements++
	}
	return statements, nil
}

func insertSQL(m int32) string {
	switch insertMode {
	case "copy":
		return fmt.Sprintf(`COPY entries_%d (%s) FROM STDIN (FORMAT binary)`, m, entryColumns)
	}
	return fmt.Sprintf(`INSERT INTO entries_%d (%s) SELECT %s FROM unnest($1::entries[])`, m, entryColumns, entryColumns)
}

func (a *appender) parse(name, sql string) {
	o := &a.out
	o.at = len(o.b)
	o.b = append(o.b, 'P', 0, 0, 0, 0)
	o.b = append(o.b, name...)
	o.b = append(o.b, 0)
	o.b = append(o.b, sql...)
	o.b = append(o.b, 0, 0, 0)
	n := len(o.b) - o.at - 1
	o.b[o.at+1], o.b[o.at+2], o.b[o.at+3], o.b[o.at+4] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
}

// inserted remembers which months are prepared.
func (a *appender) inserted(w *talk, err error) error {
	if err == nil {
		for _, m := range a.months {
			w.conn.Conn().PgConn().CustomData()[fmt.Sprintf("%s%d", insertMode, m)] = true
		}
		return nil
	}
	if code(err) == noTable {
		w.hangUp()
		return &monthClosed{a.months[min(w.done, len(a.months)-1)], err}
	}
	w.hangUp()
	return err
}

// entry writes the fields of a row in the order of entryColumns, each with its
// type in front where rows are elements of an array.
func (o *out) entry(e *journal.Entry, typed bool) {
	for _, v := range [...]uint64{
		uint64(e.Seq), uint64(e.Register), uint64(e.Number), uint64(e.Taxpayer), uint64(e.CardVersion), uint64(e.Flags), e.DeviceNumber,
		uint64(e.DeviceTime), uint64(micros(e.ReceivedAt)), uint64(e.Shift), e.FiscalSign,
		uint64(e.Total), uint64(e.Cash), uint64(e.Cashless), uint64(e.OtherPaid), uint64(e.Tax), uint64(e.Refers), uint64(e.Carrier),
	} {
		if typed {
			o.uint32(oidInt8)
		}
		o.int8(v)
	}
	for _, v := range [...]int32{int32(e.Partition), e.Month, int32(e.SignKey), int32(e.Outcome)} {
		if typed {
			o.uint32(oidInt4)
		}
		o.int4(v)
	}
	for _, v := range [...]uint8{uint8(e.Kind), uint8(e.Op), uint8(e.Codec)} {
		if typed {
			o.uint32(21)
		}
		o.uint32(2)
		o.uint16(uint16(v))
	}
	for _, v := range [...]string{e.Format, e.Drive} {
		if typed {
			o.uint32(25)
		}
		o.uint32(uint32(len(v)))
		o.b = append(o.b, v...)
	}
	for _, v := range [...][]byte{e.Salt[:], e.Digest[:], e.Hash[:], e.Chain[:], e.Request, e.Answer} {
		if typed {
			o.uint32(oidBytea)
		}
		o.bytes(v)
	}
}

// micros is how times are stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
