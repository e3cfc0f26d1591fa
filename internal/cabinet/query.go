package cabinet

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"openofd/internal/fiscal"
)

// Param is a parameter of a check as QR codes spell it. Errors of ParseQuery
// name it in their Field.
type Param string

// The parameters of a receipt's QR code in Kazakhstan; sum and time are
// Russia's as well. Source: KKM reference §11.
const (
	ParamCode     Param = "i" // fiscal sign or autonomous code
	ParamRegister Param = "f" // registration number of the register
	ParamSum      Param = "s" // total
	ParamTime     Param = "t" // date and time on the receipt
)

// Params lists the parameters of a country in the order of its QR codes.
func Params(country fiscal.Country) []Param {
	if country == fiscal.Russia {
		return []Param{ParamTime, ParamSum, ParamDrive, ParamNumber, ParamSign, ParamOperation}
	}
	return []Param{ParamCode, ParamRegister, ParamSum, ParamTime}
}

// Query is what a buyer reads from paper or a QR code.
type Query struct {
	Country fiscal.Country
	Sum     *fiscal.Money // in Russia always set
	Time    fiscal.WallTime
	Minute  bool // t had no seconds: the minute is compared

	Code               string // i: digits
	RegistrationNumber string // f: as printed, leading zeros included

	Drive  string    // fn: 16 digits
	Number uint32    // i, in Russia: of the fiscal document in its drive
	Sign   uint32    // fp
	Op     fiscal.Op // n
}

// maxParam bounds each value before anything is done with it. The longest
// honest one is a date with spaces around it.
const maxParam = 64

// CountryOf is whose receipt a check is about: only Russia's have a drive and a
// sign of their own.
func CountryOf(values map[string][]string) fiscal.Country {
	for _, p := range []Param{ParamDrive, ParamSign} {
		if _, ok := values[string(p)]; ok {
			return fiscal.Russia
		}
	}
	return fiscal.Kazakhstan
}

// ParseQuery reads a check from the values of an URL or a form. It is lenient
// in what devices and people do differently: order of keys, keys of others,
// one or two decimals, a comma, no sum, no seconds, spaces.
//
// A code that can be autonomous (below 2^32) needs the sum or the seconds:
// such codes are small and consecutive on some devices, so code and minute
// alone could be tried out in a day.
//
// Errors are Invalid (MissingParameter, BadValue), one for each parameter, which
// they name, joined in the order of QR codes.
// Sources: KKM reference §11, KKT reference §13.
func ParseQuery(values map[string][]string) (Query, error) {
	if CountryOf(values) == fiscal.Russia {
		return parseRussian(values)
	}
	q := Query{Country: fiscal.Kazakhstan}
	var wrong [4]error
	var number uint64
	q.Code, number, wrong[0] = parseCode(values)
	q.RegistrationNumber, wrong[1] = parseRegister(values)
	q.Sum, wrong[2] = parseSum(values)
	q.Time, q.Minute, wrong[3] = parseTime(values)
	err := errors.Join(wrong[:]...)
	if err == nil && q.Minute && q.Sum == nil && number <= math.MaxUint32 {
		err = &fiscal.Error{Reason: fiscal.MissingParameter, Field: string(ParamSum), Msg: "an autonomous code with a time without seconds is checked together with the sum"}
	}
	return q, err
}

func parseCode(values map[string][]string) (code string, number uint64, err error) {
	if code, err = text(values, ParamCode); err != nil {
		return "", 0, err
	}
	if number, err = strconv.ParseUint(code, 10, 64); err != nil || code[0] == '+' {
		return "", 0, bad(ParamCode, "%q is not a number: a fiscal sign or an autonomous code has digits only", code)
	}
	return code, number, nil
}

func parseRegister(values map[string][]string) (string, error) {
	s, err := text(values, ParamRegister)
	if err != nil {
		return "", err
	}
	if strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '-' && (r < 'A' || r > 'Z') }) {
		return "", bad(ParamRegister, "%q holds what no registration number has", s)
	}
	return s, nil
}

// text is a parameter that must be there, without spaces.
func text(values map[string][]string, p Param) (string, error) {
	s, err := optional(values, p)
	if err == nil && s == "" {
		err = &fiscal.Error{Reason: fiscal.MissingParameter, Field: string(p), Msg: "copy it from the receipt"}
	}
	return s, err
}

// optional is a parameter without spaces, "" if absent. Receipts group digits.
func optional(values map[string][]string, p Param) (string, error) {
	if len(values[string(p)]) == 0 {
		return "", nil
	}
	s := values[string(p)][0]
	if len(s) > maxParam {
		return "", bad(p, "%d bytes are more than any receipt has", len(s))
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s), nil
}

func parseSum(values map[string][]string) (*fiscal.Money, error) {
	s, err := optional(values, ParamSum)
	if err != nil {
		return nil, err
	}
	if s = strings.TrimRight(s, "₸₽"); s == "" {
		return nil, nil
	}
	sum, err := fiscal.ParseMoney(s)
	if err != nil || sum < 0 {
		return nil, bad(ParamSum, "%q is not an amount like 1777.50", s)
	}
	return &sum, nil
}

func parseTime(values map[string][]string) (t fiscal.WallTime, minute bool, err error) {
	if _, err := text(values, ParamTime); err != nil {
		return 0, false, err
	}
	t, minute, ok := ParseTime(values[string(ParamTime)][0])
	if !ok {
		return 0, false, bad(ParamTime, "%q is not a time like 20260314T091241", values[string(ParamTime)][0])
	}
	return t, minute, nil
}

// Times as QR codes, browsers and receipts write them. The year of a receipt
// may have two digits; a dot may stand for each colon.
var (
	compactTime = regexp.MustCompile(`^(\d{4})(\d\d)(\d\d)[Tt ](\d\d)(\d\d)(\d\d)?$`)
	isoTime     = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d))?$`)
	paperTime   = regexp.MustCompile(`^(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d\d)[\pZ,/Tt]+(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?$`)
)

// ParseTime reads a time in any of the ways in which it stands in a QR code, on
// a receipt or in a form; minute is set when it has no seconds.
func ParseTime(s string) (t fiscal.WallTime, minute, ok bool) {
	s = strings.TrimSpace(s)
	m := compactTime.FindStringSubmatch(s)
	if m == nil {
		m = isoTime.FindStringSubmatch(s)
	}
	if m == nil {
		if m = paperTime.FindStringSubmatch(s); m == nil {
			return 0, false, false
		}
		m[1], m[3] = m[3], m[1]
		if len(m[1]) == 2 {
			m[1] = "20" + m[1]
		}
	}
	var n [7]int
	for i := 1; i < len(n); i++ {
		n[i], _ = strconv.Atoi(m[i]) // digits, or "" for no seconds
	}
	t, ok = fiscal.WallDate(n[1], n[2], n[3], n[4], n[5], n[6])
	return t, m[6] == "", ok
}

func bad(p Param, format string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: string(p), Msg: fmt.Sprintf(format, args...)}
}
