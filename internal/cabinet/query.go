package cabinet

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"openofd/internal/fiscal"
)

// Param is a parameter of a check as QR codes spell it. Errors of ParseQuery
// name it in their Field.
type Param string

// The parameters of a receipt's QR code. Source: KKM reference §11.
const (
	ParamCode     Param = "i" // fiscal sign or autonomous code
	ParamRegister Param = "f" // registration number of the register
	ParamSum      Param = "s" // total
	ParamTime     Param = "t" // date and time on the receipt
)

// Params lists the parameters in the order of QR codes.
func Params() []Param { return []Param{ParamCode, ParamRegister, ParamSum, ParamTime} }

// Query is what a buyer reads from paper or a QR code.
type Query struct {
	Code               string // i: digits
	RegistrationNumber string // f: as printed, leading zeros included
	Sum                *fiscal.Money
	Time               fiscal.WallTime
	Minute             bool // t had no seconds: the minute is compared
}

// maxParam bounds each value before anything is done with it. The longest
// honest one is a date with spaces around it.
const maxParam = 64

// timeForms are the ways in which receipts, QR codes and browsers' forms write
// a time, each with and without seconds.
var timeForms = []struct {
	layout string
	minute bool
}{
	{"20060102T150405", false},
	{"20060102T1504", true},
	{"2006-01-02T15:04:05", false},
	{"2006-01-02T15:04", true},
	{"02.01.2006T15:04:05", false},
	{"02.01.2006T15:04", true},
}

// ParseQuery reads a check from the values of an URL or a form. It is lenient
// in what devices and people do differently: order of keys, keys of others,
// one or two decimals, a comma, no sum, no seconds, spaces.
//
// A code that can be autonomous (below 2^32) needs the sum or the seconds:
// such codes are small and consecutive on some devices, so code and minute
// alone could be tried out in a day.
//
// Errors are Invalid (MissingParameter, BadValue) and name the parameter.
// Source: KKM reference §11.
func ParseQuery(values map[string][]string) (Query, error) {
	var q Query
	code, err := text(values, ParamCode)
	if err != nil {
		return q, err
	}
	q.Code = code
	number, err := strconv.ParseUint(q.Code, 10, 64)
	if err != nil || q.Code[0] == '+' {
		return q, bad(ParamCode, "%q is not a number: a fiscal sign or an autonomous code has digits only", q.Code)
	}
	if q.RegistrationNumber, err = text(values, ParamRegister); err != nil {
		return q, err
	}
	if i := strings.IndexFunc(q.RegistrationNumber, func(r rune) bool { return (r < '0' || r > '9') && r != '-' && (r < 'A' || r > 'Z') }); i >= 0 {
		return q, bad(ParamRegister, "%q holds what no registration number has", q.RegistrationNumber)
	}
	if q.Sum, err = parseSum(values); err != nil {
		return q, err
	}
	if q.Time, q.Minute, err = parseTime(values); err != nil {
		return q, err
	}
	if q.Minute && q.Sum == nil && number <= math.MaxUint32 {
		return q, &fiscal.Error{Reason: fiscal.MissingParameter, Field: string(ParamSum), Msg: "an autonomous code with a time without seconds is checked together with the sum"}
	}
	return q, nil
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
	if s = strings.TrimSuffix(s, "₸"); s == "" {
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

// ParseTime reads a time in any of the ways in which it stands in a QR code, on
// a receipt or in a form; minute is set when it has no seconds.
func ParseTime(s string) (t fiscal.WallTime, minute, ok bool) {
	// A space, comma or slash between date and time is a separator.
	s = strings.ToUpper(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '/' }), "T"))
	for _, form := range timeForms {
		if at, err := time.Parse(form.layout, s); err == nil && at.Nanosecond() == 0 {
			return fiscal.WallTime(at.Unix()), form.minute, true
		}
	}
	return 0, false, false
}

func bad(p Param, format string, args ...any) error {
	return &fiscal.Error{Reason: fiscal.BadValue, Field: string(p), Msg: fmt.Sprintf(format, args...)}
}
