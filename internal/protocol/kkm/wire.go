package kkm

import "openofd/internal/protocol/kkm/kkmpb"

// Units of the wire.
// Source: KKM 2.0.2 §3.3.2, §4.4.
const (
	QuantityScale = 1000   // quantity 1000 is one unit
	PercentScale  = 1000   // percent 12000 is 12 %
	CoinsPerBill  = 100    // tiyn in a tenge
	DegreeScale   = 10_000 // latitude 432380 is 43.2380 degrees
)

// IsZeroDateTime reports whether d says "none": absent, or zeros throughout,
// as online registers of 2.0.2 fill a period they do not mean.
func IsZeroDateTime(d *kkmpb.DateTime) bool {
	date, clock := d.GetDate(), d.GetTime()
	return date.GetYear() == 0 && date.GetMonth() == 0 && date.GetDay() == 0 &&
		clock.GetHour() == 0 && clock.GetMinute() == 0 && clock.GetSecond() == 0
}

// ValidDateTime reports whether d is a day of the calendar and a time of the
// day. Years have four digits. Absent seconds are 0. What says "none" is not
// valid.
func ValidDateTime(d *kkmpb.DateTime) bool {
	_, ok := TimeOf(d)
	return ok
}

// NewDateTime builds the message; the parts are not checked.
func NewDateTime(year, month, day, hour, minute, second uint32) *kkmpb.DateTime {
	return &kkmpb.DateTime{
		Date: &kkmpb.Date{Year: &year, Month: &month, Day: &day},
		Time: &kkmpb.Time{Hour: &hour, Minute: &minute, Second: &second},
	}
}
