package ffd_test

import (
	"syscall"
	"testing"
	"time"

	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/testkit"
)

// cpu is the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// perOp reports processor time per operation, which other work on the machine
// disturbs less than the clock.
func perOp(b *testing.B, do func()) {
	b.ReportAllocs()
	start := cpu()
	for b.Loop() {
		do()
	}
	b.ReportMetric(float64((cpu()-start).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// A receipt of 200 items, parsed and judged: less than 100 µs of processor
// time is the aim.
func BenchmarkReceipt200(b *testing.B) {
	body := documentOf(testkit.KKTVectorNamed(b, "receipt-1.2-200-items"))
	in := ffd.Circumstances{Now: now, Registered: registered(b)}
	b.Run("parse", func(b *testing.B) {
		perOp(b, func() {
			if _, err := ffd.Parse(body, ffd.V120); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("parse-again", func(b *testing.B) {
		var d ffd.Document
		perOp(b, func() {
			if err := d.Parse(body, ffd.V120); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("parse-judge", func(b *testing.B) {
		var d ffd.Document
		perOp(b, func() {
			if err := d.Parse(body, ffd.V120); err != nil {
				b.Fatal(err)
			}
			if v := d.Check(in); v.Worst != ffd.Off {
				b.Fatal(v)
			}
		})
	})
	d := parse(b, body, ffd.V120)
	b.Run("record", func(b *testing.B) {
		perOp(b, func() {
			var r fiscal.Record
			d.Fill(&r)
		})
	})
	b.Run("open", func(b *testing.B) {
		perOp(b, func() { d.Open() })
	})
	b.Run("json", func(b *testing.B) {
		var to []byte
		perOp(b, func() { to = d.AppendJSON(to[:0], ffd.JSON{}) })
	})
}

// A receipt of five items, parsed and judged.
func BenchmarkReceipt5(b *testing.B) {
	shop := device.SampleShop(ffd.V120)
	drive, err := kkt.ParseDriveNumber("9999078902001234")
	if err != nil {
		b.Fatal(err)
	}
	requisites, err := shop.Receipt(fiscal.OpSale, 11_000, 5_500, 1_200, 99_900, 350).AppendRequisites(nil, device.Numbers{
		Drive: drive, Number: 3, Time: now, Shift: 1, Receipt: 1,
	})
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := kkt.NewSIM1(kkt.SIM1TestKey()).SealDocument(drive, kkt.CodeReceipt, 3, requisites, false)
	if err != nil {
		b.Fatal(err)
	}
	in := ffd.Circumstances{Now: now, Registered: &ffd.Registered{INN: shop.INN, RegistrationNumber: shop.RegistrationNumber, Serial: shop.Serial}}
	var d ffd.Document
	perOp(b, func() {
		if err := d.Parse(sealed.Document, ffd.V120); err != nil {
			b.Fatal(err)
		}
		if v := d.Check(in); v.Worst != ffd.Off {
			b.Fatal(v)
		}
	})
}

// A receipt of one item, as most are.
func BenchmarkReceipt1(b *testing.B) {
	body := documentOf(testkit.KKTVectorNamed(b, "duplicate-fd"))
	in := ffd.Circumstances{Now: now, Registered: registered(b)}
	var d ffd.Document
	perOp(b, func() {
		if err := d.Parse(body, ffd.V120); err != nil {
			b.Fatal(err)
		}
		if v := d.Check(in); v.Worst != ffd.Off {
			b.Fatal(v)
		}
	})
}
