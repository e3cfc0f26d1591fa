package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"openofd/internal/config"
	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
	"openofd/internal/testkit/pgcluster"
)

// BenchmarkRussianReceipts is an operator under the load of 256 registers on 64
// connections, client included: receipts of five items in FFD 1.2, SIM1,
// durable.
func BenchmarkRussianReceipts(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			var s settings
			s.Data = b.TempDir()
			s.KKTAddr = config.Addr{HostPort: "127.0.0.1:0"}
			s.KKTCrypto.Name = config.CryptoSIM1
			s.Operator.INN.Number = "7704211201"
			if engine == "postgres" {
				s.DB.URL = pgcluster.Database(b)
				if err := migrateServer(b.Context(), coreConfig{Dir: s.Data, DB: s.DB.URL}, false, nil); err != nil {
					b.Fatal(err)
				}
			}
			o, err := startOperator(b.Context(), s)
			if err != nil {
				b.Fatal(err)
			}
			defer o.stop()
			sellers := benchSellers(b, o, 256)
			const connections = 64
			var next atomic.Int64
			var failed atomic.Int64
			before, began := processorTime(b), time.Now()
			b.ResetTimer()
			var all sync.WaitGroup
			for c := range connections {
				all.Go(func() {
					conn, err := net.Dial("tcp", o.KKTAddr)
					if err != nil {
						failed.Add(1)
						return
					}
					defer conn.Close()
					answer := make([]byte, 1024)
					for i := c; next.Add(1) <= int64(b.N); i += connections {
						message := sellers[i%len(sellers)].receipt()
						if _, err := conn.Write(message); err != nil {
							failed.Add(1)
							return
						}
						if _, err := io.ReadAtLeast(conn, answer, kkt.HeaderLen+100); err != nil {
							failed.Add(1)
							return
						}
					}
				})
			}
			all.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "receipts/s")
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N)/1000, "cpu-µs/op")
			if n := failed.Load(); n > 0 {
				b.Errorf("%d connections failed", n)
			}
		})
	}
}

// processorTime is what this process has used, user and system.
func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// benchSeller makes receipts of one drive without keeping them. One goroutine
// uses it, for its registers belong to one connection.
type benchSeller struct {
	number kkt.DriveNumber
	shop   device.Shop
	crypto *kkt.SIM1
	last   uint32

	requisites []byte // of the last receipt
}

func benchSellers(b *testing.B, o *operator, n int) []*benchSeller {
	b.Helper()
	var all []*benchSeller
	crypto := kkt.NewSIM1(kkt.SIM1TestKey())
	for i := range n {
		inn := benchINN(i / 10)
		drive := fmt.Sprintf("99990789%08d", i)
		shop := device.SampleShop(ffd.V120)
		shop.INN, shop.Serial = inn, fmt.Sprintf("B%08d", i)
		if _, err := o.registry.AddRegister(b.Context(), registry.NewRegister{
			By: "bench", Country: fiscal.Russia, XIN: fiscal.XIN(inn), Title: fiscal.Text{RU: "Магазин"}, OutletAddress: fiscal.Text{RU: "Москва"},
			Model: "Bench", SerialNumber: shop.Serial, Drive: drive,
		}); err != nil {
			b.Fatal(err)
		}
		number, err := kkt.ParseDriveNumber(drive)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, &benchSeller{number: number, shop: shop, crypto: crypto, last: 2})
	}
	return all
}

// benchINN is an INN with its check digit.
func benchINN(i int) string {
	for digit := range 10 {
		if inn := fmt.Sprintf("77%07d%d", 1000+i, digit); fiscal.ValidINN(inn) {
			return inn
		}
	}
	panic("bench: no check digit fits")
}

func (s *benchSeller) receipt() []byte {
	s.last++
	if s.requisites == nil {
		doc := s.shop.Receipt(fiscal.OpSale, 11_000, 5_500, 1_200, 99_900, 350)
		now := fiscal.WallIn(time.Now(), moscow)
		var err error
		if s.requisites, err = doc.AppendRequisites(nil, device.Numbers{Drive: s.number, Number: s.last, Time: now, Shift: 1, Receipt: 1}); err != nil {
			panic(err)
		}
	}
	// Writing a document anew would cost as much as taking it.
	at := bytes.Index(s.requisites, []byte{1040 & 0xFF, 1040 >> 8, 4, 0})
	binary.LittleEndian.PutUint32(s.requisites[at+4:], s.last)
	sealed, err := s.crypto.SealDocument(s.number, kkt.CodeReceipt, s.last, s.requisites, false)
	if err != nil {
		panic(err)
	}
	h := kkt.Header{Service: kkt.ServiceDocuments, Version: kkt.P120, Drive: s.number, Flags: kkt.FlagsDocument}
	message, err := kkt.AppendMessage(nil, h, sealed.Frame)
	if err != nil {
		panic(err)
	}
	return message
}
