package kkt_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"openofd/internal/device/kkt"
	wire "openofd/internal/protocol/kkt"
)

// A register is registered, opens a shift and sells; what waits is sent later.
func Example() {
	dir, err := os.MkdirTemp("", "drive")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	memory, err := kkt.OpenFile(filepath.Join(dir, "drive"))
	if err != nil {
		fmt.Println(err)
		return
	}
	number, _ := wire.ParseDriveNumber("9999078902001234")
	drive, err := kkt.NewDrive(kkt.DriveConfig{Number: number}, memory, wire.NewSIM1(wire.SIM1TestKey()))
	if err != nil {
		fmt.Println(err)
		return
	}
	morning := func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }
	link := kkt.NewLink(kkt.LinkConfig{Addr: "localhost:7778"})
	register := kkt.New(kkt.Config{Tries: 1}, drive, link, link, morning, rand.Reader)
	defer register.Close()
	for _, code := range []wire.DocCode{wire.CodeRegistration, wire.CodeOpenShift, wire.CodeReceipt} {
		made, err := register.Make(kkt.Ready{Kind: code})
		fmt.Println(made.Code, made.Numbers.Number, made.Sign, err)
	}
	away, stop := context.WithCancel(context.Background())
	stop() // no operator today
	_, err = register.Deliver(away, kkt.QueueDocuments)
	fmt.Println(err != nil)
	fmt.Println(register.Standing())
	// Output:
	// fiscalReport 1 492562568 <nil>
	// openShift 2 3044845368 <nil>
	// receipt 3 672511853 <nil>
	// true
	// drive 9999078902001234, fiscal: 3 documents, shift 1 open, 3 documents and 0 notifications wait
}
