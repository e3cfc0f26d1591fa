package kkt

import (
	"fmt"

	"openofd/internal/protocol/kkt/ffd"
)

// QR is the text that a register prints as a QR code below a receipt, empty for
// what is no receipt. Behind an operator's address and /check? it is the page on
// which the buyer sees that the receipt is genuine.
//
// Source: KKT reference §13.
func (m Made) QR() string {
	if !m.Code.Receipt() {
		return ""
	}
	d, err := ffd.Parse(m.Bytes, 0)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("t=%s&s=%v&fn=%s&i=%d&fp=%d&n=%d",
		d.Time().UTC().Format("20060102T1504"), d.Money(ffd.TagTotal), d.Drive(), d.Number(), d.Sign(), d.Uint(ffd.TagOperation))
}
