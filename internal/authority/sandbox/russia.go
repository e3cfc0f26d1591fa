package sandbox

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"openofd/internal/fiscal"
)

// russianCode is the code of a kind of document by its name, 0 for none.
//
// Source: KKT reference §6, §12; docs/fns.schema.json.
func russianCode(name string) int64 {
	switch name {
	case "fiscalReport":
		return 1
	case "openShift":
		return 2
	case "receipt":
		return 3
	case "bso":
		return 4
	case "closeShift":
		return 5
	case "closeArchive":
		return 6
	case "fiscalReportCorrection":
		return 11
	case "currentStateReport":
		return 21
	case "receiptCorrection":
		return 31
	case "bsoCorrection":
		return 41
	}
	return 0
}

// parseRussian reads a line of Russia's tax service and holds it against the
// rules of its form.
//
// Errors: as parseKazakh.
func parseRussian(line []byte) (d document, err error) {
	d = document{country: russia, body: line, counted: true}
	var code int64
	var drive string
	var number int64
	named := 0
	s := scanner{text: line}
	for s.begin('{'); s.member(); {
		switch string(s.key) {
		case "id":
			d.id = string(s.str())
		case "register":
			d.register = s.integer()
		case "entry":
			d.entry = s.integer()
		case "received":
			d.received = s.instant()
		case "document":
			for s.begin('{'); s.member(); named++ {
				d.kind = string(s.key)
				code, drive, number = s.fiscalDocument(&d)
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
	ok := false
	d.thing, d.number, ok = pair([]byte(d.id))
	d.closes = code == 5
	switch {
	case !ok || len(d.id) < 18 || !digits(d.id[:16], 16, 16):
		return d, &wrong{"id", "it is not the number of a drive, 16 digits, and that of a document"}
	case d.register <= 0 || d.entry <= 0:
		return d, &wrong{"entry", "register and entry are numbers above zero"}
	case d.received <= 0:
		return d, &wrong{"received", "it is missing"}
	case named != 1:
		return d, &wrong{"document", "it has one member, named for its kind"}
	case code == 0 || code != russianCode(d.kind):
		return d, &wrong{"code", fmt.Sprintf("%d is not that of %q", code, clip([]byte(d.kind)))}
	case len(d.hash) == 0:
		return d, &wrong{"messageFiscalSign", "it is missing"}
	case drive != "" && drive != d.id[:16]:
		return d, &wrong{"fiscalDriveNumber", "it is not that of the id"}
	case number != 0 && number != d.number:
		return d, &wrong{"fiscalDocumentNumber", "it is not that of the id"}
	case d.registration != "" && !digits(d.registration, 16, 16):
		return d, &wrong{"kktRegId", "it has 16 digits"}
	case d.xin != "" && !validRussian(d.xin):
		return d, &wrong{"userInn", "it is no INN: 10 or 12 digits, of which the last check the others"}
	case d.settles(code) && !d.op.Settlement():
		return d, &wrong{"operationType", "it is 1 to 4"}
	case d.settles(code) && d.total < 0:
		return d, &wrong{"totalSum", "it is below zero"}
	}
	return d, nil
}

// settles reports whether a code is that of a receipt, a strict form or a
// correction of one.
func (d *document) settles(code int64) bool {
	return code == 3 || code == 4 || code == 31 || code == 41
}

// fiscalDocument reads the document itself.
func (s *scanner) fiscalDocument(d *document) (code int64, drive string, number int64) {
	for s.begin('{'); s.member(); {
		switch string(s.key) {
		case "code":
			code = s.integer()
		case "fiscalDriveNumber":
			drive = string(s.str())
		case "fiscalDocumentNumber":
			number = s.integer()
		case "fiscalSign":
			d.sign = s.integer()
		case "kktRegId":
			d.registration = strings.TrimSpace(string(s.str()))
		case "userInn":
			d.xin = strings.TrimSpace(string(s.str()))
		case "dateTime":
			d.time = fiscal.WallTime(s.integer())
		case "operationType":
			if op := s.integer(); op >= 1 && op <= 4 {
				d.op = fiscal.OpSale + fiscal.Op(op-1)
			}
		case "totalSum":
			d.total = fiscal.Money(s.integer())
		case "nds18", "nds10", "nds18118", "nds10110":
			d.tax += fiscal.Money(s.integer())
		case "messageFiscalSign":
			d.hash = binary.BigEndian.AppendUint64(nil, s.natural())
		default:
			s.skip()
		}
	}
	return code, drive, number
}

// validRussian reports whether the last digits of an INN check the others: one
// of a company's ten, two of a person's twelve.
func validRussian(inn string) bool {
	weights := [...]int{3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8}
	check := func(n int) bool {
		sum := 0
		for i := range n {
			sum += weights[len(weights)-n+i] * int(inn[i]-'0')
		}
		return sum%11%10 == int(inn[n]-'0')
	}
	switch {
	case digits(inn, 10, 10):
		return check(9)
	case digits(inn, 12, 12) && inn[:2] == "00":
		return validRussian(inn[2:])
	case digits(inn, 12, 12):
		return check(10) && check(11)
	}
	return false
}

// russianNumber is the registration number that Russia's tax service makes: ten
// digits and the five of a checksum over them, the owner's INN padded to 12 and
// the factory number padded to 20, written as six.
//
// Source: KKT reference §14.
func russianNumber(n int64, inn, serial string) string {
	head := fmt.Sprintf("%010d", n)
	text := head + pad(inn, 12) + pad(serial, 20)
	crc := uint16(0xFFFF)
	for i := range len(text) {
		crc ^= uint16(text[i]) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			if crc <<= 1; carry {
				crc ^= 0x1021
			}
		}
	}
	return head + pad(strconv.Itoa(int(crc)), 6)
}

// pad writes zeros before a text.
func pad(s string, size int) string { return strings.Repeat("0", max(0, size-len(s))) + s }
