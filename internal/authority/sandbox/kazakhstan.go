package sandbox

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"openofd/internal/authority/kgd"
	"openofd/internal/fiscal"
)

// flagUncounted is the operator's word for a document whose sums enter nothing:
// it is one of the day's documents and no more.
const flagUncounted = "uncounted"

// parseKazakh reads a line of kgd/1 and holds it against the rules of its form.
// Fields that nobody knows are passed over: a format grows. A document that the
// operator itself has marked is not refused for its sums.
//
// Errors: *wrong, with d.id set; errNoID; what is no JSON.
func parseKazakh(line []byte) (d document, err error) {
	d = document{country: kazakhstan, body: line}
	var parts, levied fiscal.Money // what should come to the total; the taxes
	var format string
	var items, payments, flags int
	var coded, provisional, uncounted bool
	s := scanner{text: line}
	for s.begin('{'); s.member(); {
		switch string(s.key) {
		case "format":
			format = string(s.str())
		case "id":
			d.id = string(s.str())
		case "register":
			d.register = s.integer()
		case "entry":
			d.entry = s.integer()
		case "registration_number":
			d.registration = string(s.str())
		case "provisional":
			provisional = s.boolean()
		case "bin":
			d.xin = string(s.str())
		case "kind":
			d.kind = string(s.str())
		case "operation":
			d.op = operation(s.str())
		case "time":
			d.time = s.wall()
		case "received":
			d.received = s.instant()
		case "offline":
			d.offline = s.boolean()
		case "fiscal_sign":
			d.sign = s.numeral(12)
		case "offline_code":
			coded = len(s.str()) > 0
		case "cancels":
			d.cancels = s.integer()
		case "total":
			d.total = s.amount()
		case "tax":
			d.tax = s.amount()
		case "cash", "cashless", "other":
			parts += s.amount()
		case "payments":
			for s.begin('['); s.element(); payments++ {
				s.skip()
			}
		case "taxes":
			for s.begin('['); s.element(); {
				levied += s.rate()
			}
		case "items":
			for s.begin('['); s.element(); items++ {
				s.item()
			}
		case "flags":
			for s.begin('['); s.element(); flags++ {
				uncounted = string(s.str()) == flagUncounted || uncounted
			}
		case "hash":
			if d.hash, err = hex.DecodeString(string(s.str())); err != nil || len(d.hash) != 32 {
				s.complain("hash", "it is not 64 hexadecimal digits")
			}
		default:
			s.skip()
		}
	}
	if err = s.end(); err != nil {
		return d, err
	}
	if d.id == "" {
		return d, errNoID
	}
	d.thing, d.number = d.register, d.entry
	d.closes, d.counted = d.kind == kgd.KindShiftClose, d.kind != kgd.KindAct
	if w := d.checkKazakh(format, items, payments, coded); w != nil {
		return d, w
	}
	switch {
	case d.registration != "" && !provisional && !digits(d.registration, 8, 20):
		return d, &wrong{"registration_number", "it has 8 to 20 digits"}
	case d.kind == kgd.KindReceipt && flags == 0 && parts != d.total:
		return d, &wrong{"total", fmt.Sprintf("it is %v, cash, cashless and other come to %v", d.total, parts)}
	case d.kind == kgd.KindReceipt && flags == 0 && d.tax.Abs() > d.total:
		return d, &wrong{"tax", "it is more than the total"}
	}
	if uncounted { // by the register's own counters
		d.op, d.closes = fiscal.OpNone, false
	}
	d.tax = levied // as rates are counted; a discount that is told twice counts once
	return d, nil
}

// checkKazakh is the control of the form.
//
// Source: order 135 item 9.
func (d *document) checkKazakh(format string, items, payments int, coded bool) *wrong {
	settles := d.kind == kgd.KindReceipt
	switch {
	case format != kgd.Format:
		return &wrong{"format", fmt.Sprintf("%q is not %s", clip([]byte(format)), kgd.Format)}
	case d.register <= 0 || d.entry <= 0:
		return &wrong{"entry", "register and entry are numbers above zero"}
	case d.id != strconv.FormatInt(d.register, 10)+"-"+strconv.FormatInt(d.entry, 10):
		return &wrong{"id", "it is not register and entry"}
	case !validKazakh(d.xin):
		return &wrong{"bin", "it is no BIN or IIN: 12 digits, of which the last checks the others"}
	case d.time <= 0 && d.kind != kgd.KindAct:
		return &wrong{"time", "it is missing"}
	case d.received <= 0:
		return &wrong{"received", "it is missing"}
	case len(d.hash) == 0:
		return &wrong{"hash", "it is missing"}
	case settles && !d.op.Settlement():
		return &wrong{"operation", "a receipt is a sale, a purchase or a return of one"}
	case d.kind == kgd.KindCashMove && d.op != fiscal.OpCashIn && d.op != fiscal.OpCashOut:
		return &wrong{"operation", "a movement is cash_in or cash_out"}
	case d.kind == kgd.KindCancel && (d.cancels <= 0 || d.cancels >= d.entry):
		return &wrong{"cancels", "it names no earlier entry"}
	case settles && d.total < 0:
		return &wrong{"total", "it is below zero"}
	case settles && items == 0:
		return &wrong{"items", "a receipt has at least one"}
	case settles && payments == 0 && d.total > 0:
		return &wrong{"payments", "a receipt has at least one"}
	case settles && d.sign == 0 && !coded:
		return &wrong{"fiscal_sign", "a receipt has one, or an autonomous code"}
	}
	switch d.kind {
	case kgd.KindReceipt, kgd.KindCashMove, kgd.KindShiftClose, kgd.KindReport, kgd.KindCancel, kgd.KindAct:
		return nil
	}
	return &wrong{"kind", fmt.Sprintf("%q is none that there is", clip([]byte(d.kind)))}
}

func (s *scanner) complain(field, what string) {
	if s.err == nil {
		s.err = &wrong{field, what}
	}
}

// numeral reads a number that is written as a text of so many digits at most.
func (s *scanner) numeral(most int) (v int64) {
	b := s.str()
	if s.err == nil && !digits(b, 0, most) {
		s.complain(string(s.key), fmt.Sprintf("it has more than %d digits, or something else in it", most))
		return 0
	}
	for _, c := range b {
		v = v*10 + int64(c-'0')
	}
	return v
}

// rate reads one of the taxes and gives what it came to.
func (s *scanner) rate() (tax fiscal.Money) {
	for s.begin('{'); s.member(); {
		switch string(s.key) {
		case "percent":
			if p := s.natural(); p > 100_000 {
				s.complain("percent", "it is more than 100 %")
			}
		case "tax":
			tax = s.amount()
		case "turnover":
			s.amount()
		default:
			s.skip()
		}
	}
	return tax
}

// item reads one line of a receipt.
func (s *scanner) item() {
	kind := ""
	for s.begin('{'); s.member(); {
		switch string(s.key) {
		case "kind":
			kind = string(s.str())
		case "price", "cost":
			s.amount()
		default:
			s.skip()
		}
	}
	switch kind {
	case "goods", "discount", "markup":
	default:
		s.complain("items", "an item is goods, discount or markup")
	}
}

// operation is that of a word, OpNone for another.
func operation(word []byte) fiscal.Op {
	for op := fiscal.OpSale; op <= fiscal.OpCashOut; op++ {
		if op.String() == string(word) {
			return op
		}
	}
	return fiscal.OpNone
}

// validKazakh reports whether the last digit of a BIN or IIN checks the others.
// The sum of the first eleven, weighted 1 to 11, is taken by 11; where that
// leaves 10, with the weights 3 to 11, 1, 2.
func validKazakh(xin string) bool {
	if !digits(xin, 12, 12) {
		return false
	}
	for _, shift := range [...]int{0, 2} {
		sum := 0
		for i := range 11 {
			sum += ((i+shift)%11 + 1) * int(xin[i]-'0')
		}
		if sum %= 11; sum < 10 {
			return sum == int(xin[11]-'0')
		}
	}
	return false
}
