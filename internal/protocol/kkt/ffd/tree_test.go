package ffd_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// tree draws a list of requisites: known and unknown tags, values of any
// length, lists within lists where the table has lists.
func tree(t *rapid.T, depth int) []byte {
	var b []byte
	defs := ffd.Definitions()
	for range rapid.IntRange(0, 6).Draw(t, "requisites") {
		tag := ffd.Tag(rapid.Uint16().Draw(t, "tag"))
		var value []byte
		if rapid.Bool().Draw(t, "known") {
			def := rapid.SampledFrom(defs).Draw(t, "definition")
			tag = def.Tag
			if def.Type == ffd.STLV && depth > 0 {
				value = tree(t, depth-1)
			}
		} else {
			value = rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "value")
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(tag))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
	}
	return b
}

// What is parsed is written as the same bytes, and everything else made of it
// holds together.
func TestTreesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.SampledFrom(ffd.Forms()).Draw(t, "form").Form
		body := tree(t, 4)
		b := binary.LittleEndian.AppendUint16(nil, uint16(form))
		b = binary.LittleEndian.AppendUint16(b, uint16(len(body)))
		b = append(b, body...)
		for _, v := range ffd.Versions() {
			d, err := ffd.Parse(b, v)
			if err != nil {
				continue // a random value stood where a list belongs
			}
			again, err := d.AppendBinary(nil)
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("AppendBinary() = %x, %v\nwant %x", again, err, b)
			}
			holds(t, d)
		}
	})
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// holds checks what must be true of any document, good or bad.
func holds(t fataler, d *ffd.Document) {
	t.Helper()
	verdict := d.Check(ffd.Circumstances{Now: now, Registered: &sampleRegistered})
	worst := ffd.Off
	for _, f := range verdict.Findings {
		worst = max(worst, f.Severity)
		if f.Offset < 0 || f.Offset > len(d.Bytes()) {
			t.Fatalf("finding %+v lies outside of the document", f)
		}
	}
	if verdict.More == 0 && worst != verdict.Worst {
		t.Fatalf("Worst = %s, want %s of %+v", verdict.Worst, worst, verdict.Findings)
	}
	if text := d.AppendJSON(nil, ffd.JSON{Sign: make([]byte, 8)}); !json.Valid(text) {
		t.Fatalf("AppendJSON() = %s, which is no JSON", text)
	}
	if _, err := json.Marshal(d.Explain(ffd.Circumstances{})); err != nil {
		t.Fatalf("Explain(): %v", err)
	}
	opened := d.Open()
	if opened.Total < 0 || opened.Tax < 0 || opened.OtherPaid < 0 {
		t.Fatalf("Open() has negative sums: %+v", opened.Record)
	}
	var r ffd.Receipt
	d.Read(&r)
}

func FuzzParse(f *testing.F) {
	for _, v := range testkit.KKTVectors(f) {
		if b := documentOf(v); b != nil && len(b) < 2000 {
			f.Add(b, byte(ffd.ParseVersion(v.Version)))
		}
	}
	for _, p := range testkit.KKTParts(f) {
		if p.Layer == "document" {
			f.Add([]byte(p.Bytes), byte(ffd.V100))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, version byte) {
		d, err := ffd.Parse(b, ffd.Version(version%6))
		if err == nil {
			if again, err := d.AppendBinary(nil); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("AppendBinary() = %x, %v\nwant %x", again, err, b)
			}
		} else if v := d.Check(ffd.Circumstances{}); v.Code() != 11 {
			t.Fatalf("Parse() = %v, and yet code %d", err, v.Code())
		}
		holds(t, d)
	})
}

// A document may be parsed over another one, and says nothing of it.
func TestParseAgain(t *testing.T) {
	big := documentOf(testkit.KKTVectorNamed(t, "receipt-1.2-200-items"))
	small := documentOf(testkit.KKTVectorNamed(t, "open-shift-1.0"))
	var d ffd.Document
	for _, b := range [][]byte{big, small, big[:40], small} {
		_ = d.Parse(b, ffd.V100)
	}
	want := parse(t, small, ffd.V100)
	if got := d.AppendJSON(nil, ffd.JSON{}); !bytes.Equal(got, want.AppendJSON(nil, ffd.JSON{})) {
		t.Errorf("parsed over another: %s", got)
	}
	if d.Has(ffd.TagItem) || d.Money(ffd.TagTotal) != 0 {
		t.Error("the items of the former document are still there")
	}
}

// Parsing and judging a good document takes no memory once there is some.
func TestNoAllocationPerTag(t *testing.T) {
	b := documentOf(testkit.KKTVectorNamed(t, "receipt-1.2-200-items"))
	in := ffd.Circumstances{Now: now, Registered: registered(t)}
	var d ffd.Document
	got := testing.AllocsPerRun(20, func() {
		if err := d.Parse(b, ffd.V120); err != nil {
			t.Fatal(err)
		}
		d.Check(in)
	})
	if got > 0 {
		t.Errorf("%v allocations per receipt, want none", got)
	}
}

// The sums of a receipt as random as they come agree with its record.
// Req: F-001, F-002, F-004, F-010, F-012, F-013
func TestReceiptsOpen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := moment(t, 2026, 2, 3)
		r := sampleReceipt(ffd.V120, at)
		op := rapid.Uint8Range(1, 4).Draw(rt, "operation")
		r.Operation, r.Items, r.VAT10 = op, nil, nil
		var total, untaxed fiscal.Money
		for range rapid.IntRange(1, 20).Draw(rt, "items") {
			price := fiscal.Money(rapid.Int64Range(0, 1_000_000).Draw(rt, "price"))
			count := rapid.Uint64Range(1, 1000).Draw(rt, "count")
			sum := price * fiscal.Money(count)
			r.Items = append(r.Items, ffd.Item{Name: "Товар", Price: price, Quantity: ffd.Decimal{Digits: count}, Sum: sum, PaymentType: 4, ProductType: 1, Rate: 6})
			total += sum
			untaxed += sum
		}
		r.Total, r.Untaxed = total, &untaxed
		parts := make([]fiscal.Money, 5)
		left := total
		for i := range 4 {
			parts[i] = fiscal.Money(rapid.Int64Range(0, int64(left)).Draw(rt, "part"))
			left -= parts[i]
		}
		parts[4] = left
		r.Cash, r.Cashless, r.Prepaid, r.Credit, r.InKind = parts[0], parts[1], parts[2], parts[3], parts[4]
		d := parse(t, write(t, ffd.FormReceipt, ffd.V120, r), ffd.V120)
		if v := d.Check(ffd.Circumstances{}); v.Worst != ffd.Off {
			rt.Fatalf("Check() = %+v, want nothing", v.Findings)
		}
		doc := d.Open()
		if doc.Op.Index()+1 != int(op) || doc.Total != total || doc.Cash+doc.Cashless+doc.OtherPaid != total || doc.Cash != r.Cash {
			rt.Fatalf("Open() = %+v, want operation %d and total %s", doc.Record, op, total)
		}
		if len(doc.Receipt.Items) != len(r.Items) || doc.Receipt.Items[0].Cost != r.Items[0].Sum {
			rt.Fatalf("Open().Items = %+v", doc.Receipt.Items)
		}
	})
}
