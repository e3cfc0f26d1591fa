package ffd_test

import (
	"encoding/json"
	"testing"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// Documents as people read them.
// Req: F-003, F-009, F-011, F-014, F-016, F-017, F-018, F-029, F-030, F-031, F-032, F-033, F-034, F-035, F-036, F-053, F-054
func TestOpenGolden(t *testing.T) {
	for _, name := range []string{
		"receipt-1.05-agent", "receipt-1.05-internet-1125-1234", "receipt-1.05-prepaid-credit", "receipt-1.2-vat-5-7-mixed", "receipt-1.2-marked-fraction",
		"receipt-1.2-measure-kg", "correction-1.2-return", "close-shift-1.1-counters", "close-shift-1.05", "current-state-1.2", "reg-1.2",
	} {
		t.Run(name, func(t *testing.T) {
			v := testkit.KKTVectorNamed(t, name)
			doc := parse(t, documentOf(v), unstated(v)).Open()
			b, err := json.MarshalIndent(doc, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "open-"+name+".golden", append(b, '\n'))
		})
	}
}

// The columns of an entry.
func TestFill(t *testing.T) {
	for _, c := range []struct {
		name string
		want fiscal.Record
	}{
		{"receipt-1.05-prepaid-credit", fiscal.Record{
			Kind: fiscal.DocReceipt, Drive: sampleDrive, DeviceNumber: 9, DeviceTime: 1763722200, Shift: 1, FiscalSign: 2952575369,
			Op: fiscal.OpSale, Total: 500000, Cash: 100000, OtherPaid: 400000, Tax: 83333,
		}},
		{"receipt-1.2-vat-5-7-mixed", fiscal.Record{
			Kind: fiscal.DocReceipt, Drive: sampleDrive, DeviceNumber: 7, DeviceTime: 1763722080, Shift: 1, FiscalSign: 3622565324,
			Op: fiscal.OpSale, Total: 43900, Cash: 43900, Tax: 3900,
		}},
		{"correction-1.2-return", fiscal.Record{
			Kind: fiscal.DocReceipt, Drive: sampleDrive, DeviceNumber: 30, DeviceTime: 1763726600, Shift: 1, FiscalSign: 1487642842,
			Op: fiscal.OpSaleReturn, Total: 11000, Cash: 11000, Tax: 1000,
		}},
		{"close-shift-1.05", fiscal.Record{Kind: fiscal.DocShiftClose, Drive: sampleDrive, DeviceNumber: 20, DeviceTime: 1763761600, Shift: 1, FiscalSign: 3324468928}},
		{"current-state-1.2", fiscal.Record{Kind: fiscal.DocReport, Drive: sampleDrive, DeviceNumber: 21, DeviceTime: 1763762600, Shift: 1}},
		{"reg-1.2", fiscal.Record{Kind: fiscal.DocRegistration, Drive: sampleDrive, DeviceNumber: 1, DeviceTime: 1763721600, FiscalSign: 3759222956}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := testkit.KKTVectorNamed(t, c.name)
			var got fiscal.Record
			d := parse(t, documentOf(v), unstated(v))
			d.Fill(&got)
			if c.want.FiscalSign == 0 {
				c.want.FiscalSign = uint64(d.Sign())
			}
			if !equalRecords(got, c.want) {
				t.Errorf("Fill() = %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// Counters that take a receipt as it is counted are those that take it as it
// is read.
func TestCounted(t *testing.T) {
	counted := 0
	for _, v := range testkit.KKTVectors(t) {
		body := documentOf(v)
		if body == nil {
			continue
		}
		d, err := ffd.Parse(body, unstated(v))
		if err != nil || !d.Form.Settles() || d.Uint(ffd.TagOperation) > 4 {
			continue
		}
		counted++
		var want, got fiscal.Counters
		r := d.Counted()
		got.Receipt(&r, false, 1)
		want.Receipt(d.Open().Receipt, false, 1)
		x, _ := json.Marshal(got)
		if y, _ := json.Marshal(want); string(x) != string(y) {
			t.Errorf("%s: counted %s\nwant %s", v.Name, x, y)
		}
	}
	if counted < 20 {
		t.Errorf("%d receipts among the vectors, want at least 20", counted)
	}
}

func equalRecords(a, b fiscal.Record) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// The units of tag 2108 are those of the classifier.
func TestUnits(t *testing.T) {
	v := testkit.KKTVectorNamed(t, "receipt-1.2-measure-kg")
	if it := parse(t, documentOf(v), ffd.V120).Open().Receipt.Items[0]; it.Unit != "166" || it.Quantity != 1_254_000 {
		t.Errorf("item = %+v, want 1.254 of unit 166", it)
	}
}

// The sign of a marked item, for every result of a check.
// Req: F-019
func TestMarkSign(t *testing.T) {
	for result := range uint8(32) {
		want := ffd.MarkUnknown
		switch result {
		case 15:
			want = ffd.MarkPositive
		case 1, 5, 7, 17:
			want = ffd.MarkNegative
		}
		if got := ffd.Checked(result); got != want {
			t.Errorf("Checked(%d) = %s, want %s", result, got, want)
		}
	}
}
