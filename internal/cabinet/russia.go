package cabinet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"openofd/internal/fiscal"
)

// The parameters of a receipt's QR code that only Russia has.
// Source: KKT reference §13.
const (
	ParamDrive     Param = "fn" // number of the fiscal drive
	ParamNumber    Param = "i"  // number of the fiscal document
	ParamSign      Param = "fp" // fiscal sign of the document
	ParamOperation Param = "n"  // 1 sale, 2 sale return, 3 purchase, 4 purchase return
)

// The ends of the country, between whose clocks that of a receipt goes.
var (
	kaliningrad = time.FixedZone("UTC+2", 2*60*60)
	kamchatka   = time.FixedZone("UTC+12", 12*60*60)
)

// parseRussian is ParseQuery for a receipt of Russia, whose code holds all six
// parameters. Zeros in front of numbers are left out by some devices and
// written by others.
func parseRussian(values map[string][]string) (Query, error) {
	q := Query{Country: fiscal.Russia}
	var wrong [6]error
	q.Time, q.Minute, wrong[0] = parseTime(values)
	if q.Sum, wrong[1] = parseSum(values); q.Sum == nil && wrong[1] == nil {
		_, wrong[1] = text(values, ParamSum)
	}
	q.Drive, wrong[2] = parseDrive(values)
	q.Number, wrong[3] = parseNumber(values, ParamNumber)
	q.Sign, wrong[4] = parseNumber(values, ParamSign)
	n, err := parseNumber(values, ParamOperation)
	if wrong[5] = err; err == nil {
		if n < 1 || n > fiscal.OpSettlements {
			wrong[5] = bad(ParamOperation, "%d is no kind of settlement", n)
		}
		q.Op = fiscal.OpSale + fiscal.Op(n-1)
	}
	if wrong[3] == nil && q.Number == 0 {
		wrong[3] = bad(ParamNumber, "documents are numbered from 1")
	}
	return q, errors.Join(wrong[:]...)
}

// driveDigits is how many digits the number of a fiscal drive has.
const driveDigits = 16

func parseDrive(values map[string][]string) (string, error) {
	s, err := text(values, ParamDrive)
	if err == nil && (len(s) != driveDigits || strings.Trim(s, "0123456789") != "") {
		err = bad(ParamDrive, "%q is not a number of %d digits", s, driveDigits)
	}
	return s, err
}

func parseNumber(values map[string][]string, p Param) (uint32, error) {
	s, err := text(values, p)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || s[0] == '+' {
		return 0, bad(p, "%q is not such a number", s)
	}
	return uint32(n), nil
}

// checkRussian looks a receipt of Russia up. A document that is no receipt is
// not there for buyers.
func (c *Checker) checkRussian(ctx context.Context, q Query) (Result, error) {
	p, err := c.store.Find(ctx, fiscal.Address{Kind: fiscal.ByDrive, Name: q.Drive})
	if absent(err) {
		return c.nothing(q), nil
	}
	if err != nil {
		return Result{}, fmt.Errorf("find the register of a receipt: %w", err)
	}
	entries, err := c.store.ByDriveNumber(ctx, p, q.Drive, uint64(q.Number))
	if err != nil && !absent(err) {
		return Result{}, fmt.Errorf("look for document %d of drive %s: %w", q.Number, q.Drive, err)
	}
	for i := range entries {
		e := &entries[i]
		if e.Kind != fiscal.DocReceipt {
			continue
		}
		differs, told := q.differsRussian(&e.Record)
		switch {
		case !told:
		case len(differs) > 0:
			return Result{Verdict: Differs, Query: q, Differs: differs}, nil
		default:
			found, err := c.open(ctx, e)
			return Result{Verdict: Genuine, Query: q, Found: found}, err
		}
	}
	return c.nothing(q), nil
}

// differsRussian lists what the receipt contradicts, in the order of QR codes.
// told is false when the asker knows too little of the receipt to be told
// anything. Source: KKT reference §13.
func (q *Query) differsRussian(r *fiscal.Record) (d []Param, told bool) {
	if q.Time-q.Time%60 != r.DeviceTime-r.DeviceTime%60 {
		d = append(d, ParamTime)
	}
	if *q.Sum != r.Total {
		d = append(d, ParamSum)
	}
	sign := uint64(q.Sign) == r.FiscalSign
	if q.Op != r.Op {
		return append(d, ParamOperation), sign
	}
	if !sign {
		return append(d, ParamSign), len(d) == 0
	}
	return d, true
}

// Russian reports whether the receipt is Russia's.
func (f *Found) Russian() bool { return f.Document.Drive != "" }

// Country is whose receipt it is.
func (f *Found) Country() fiscal.Country {
	if f.Russian() {
		return fiscal.Russia
	}
	return fiscal.Kazakhstan
}

// russianQuery is the check of this very receipt, as devices print it.
// Source: KKT reference §13.
func (f *Found) russianQuery() string {
	d := &f.Document
	return fmt.Sprintf("t=%s&s=%v&fn=%s&i=%d&fp=%d&n=%d",
		d.DeviceTime.UTC().Format("20060102T1504"), d.Total, d.Drive, d.DeviceNumber, d.FiscalSign, d.Op-fiscal.OpSale+1)
}

// Requisite is the value of the first requisite of the receipt with the key,
// "" if there is none.
func (f *Found) Requisite(key string) string {
	for _, q := range f.Document.Receipt.Requisites {
		if q.Key == key {
			return q.Value
		}
	}
	return ""
}

// raised is the day from which the main rate of VAT in Russia is 20 % in the
// place of 18 %; the numbers of the rates stayed. Source: law 303-FZ.
const raised fiscal.WallTime = 1_546_300_800 // 1 January 2019

// stated are the rates of VAT that have a requisite of their own, and rates
// those that tag 1199 numbers, in thousandths of a percent. A calculated rate
// is the tax's part of the sum, which its percent says as well.
var (
	stated = map[string]uint32{"nds18": 20_000, "nds18118": 20_000, "nds10": 10_000, "nds10110": 10_000}
	rates  = map[string]uint32{
		"1": 20_000, "2": 10_000, "3": 20_000, "4": 10_000, "7": 5_000, "8": 7_000, "9": 5_000, "10": 7_000, "11": 22_000, "12": 22_000,
	}
)

// statedTaxes is the VAT by rate as the receipt itself states it, highest rate
// first. Turnover without tax is no tax.
func (f *Found) statedTaxes() []TaxLine {
	var lines []TaxLine
	add := func(percent uint32, value string) {
		sum, err := fiscal.ParseMoney(value)
		if err != nil || percent == 0 {
			return
		}
		if percent == 20_000 && f.Document.DeviceTime < raised {
			percent = 18_000
		}
		i := slices.IndexFunc(lines, func(l TaxLine) bool { return l.Percent == percent })
		if i < 0 {
			i = len(lines)
			lines = append(lines, TaxLine{Kind: fiscal.KindVAT, Percent: percent, Included: true})
		}
		lines[i].Sum += sum
	}
	for _, q := range f.Document.Receipt.Requisites {
		add(stated[q.Key], q.Value)
		if q.Key != "amountsReceiptNds" {
			continue
		}
		for _, one := range q.Children {
			var percent uint32
			var value string
			for _, part := range one.Children {
				switch part.Key {
				case "nds":
					percent = rates[part.Value]
				case "ndsSum":
					value = part.Value
				}
			}
			add(percent, value)
		}
	}
	slices.SortStableFunc(lines, func(a, b TaxLine) int { return cmp.Compare(b.Percent, a.Percent) })
	return lines
}
