package kkt_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"openofd/internal/protocol/kkt"
	"openofd/internal/testkit"
)

// cpu begins to count the processor time that the process takes; the function
// it returns reports it by operation, which other programs cannot disturb.
func cpu(b *testing.B) (report func()) {
	used := func() time.Duration {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	begin := used()
	return func() { b.ReportMetric(float64((used()-begin).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

// BenchmarkReceipt is one receipt as an operator takes it, without the format's
// rules: header, container, signs of SIM1, outline, acknowledgement.
func BenchmarkReceipt(b *testing.B) {
	for _, name := range []string{"receipt-1.2-measure-kg", "receipt-1.2-200-items"} {
		message := testkit.KKTVectorNamed(b, name).Message
		for _, m := range []struct {
			name   string
			module kkt.CryptoModule
		}{{"SIM1", sim1()}, {"plain", kkt.Plain{}}} {
			b.Run(name+"/"+m.name, func(b *testing.B) {
				b.SetBytes(int64(len(message)))
				b.ReportAllocs()
				reply := make([]byte, 0, 512)
				defer cpu(b)()
				for b.Loop() {
					r, err := receive(message, m.module, kkt.Limits{})
					if err != nil {
						b.Fatal(err)
					}
					ack := kkt.NewAck(operatorINN, r.frame.FrameHeader, r.outline.Version, 1763728660, kkt.ResponseAccepted)
					if reply, err = ack.Seal(context.Background(), m.module, reply[:0], r.header, r.opened); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkParse is header and container alone: it allocates nothing.
func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"receipt-1.2-measure-kg", "receipt-1.1-full-crc", "receipt-1.2-200-items"} {
		message := testkit.KKTVectorNamed(b, name).Message
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			var limits kkt.Limits
			defer cpu(b)()
			for b.Loop() {
				h, _, err := limits.Admit(message)
				if err == nil {
					_, err = kkt.ParseRequest(h, message[kkt.HeaderLen:])
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Reading a message in order, opening it and looking into it allocates nothing.
func TestReadingAllocatesNothing(t *testing.T) {
	for _, name := range []string{"receipt-1.2-200-items", "receipt-1.1-full-crc", "mark-notification-82"} {
		message := testkit.KKTVectorNamed(t, name).Message
		module := sim1()
		got := testing.AllocsPerRun(100, func() {
			if _, err := receive(message, module, kkt.Limits{}); err != nil {
				t.Fatal(err)
			}
		})
		if got >= 1 { // the pool may be emptied by a collection
			t.Errorf("%s: %v allocations, want none", name, got)
		}
	}
}
