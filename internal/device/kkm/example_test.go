package kkm_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"time"

	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
)

// A register's day: it begins with INFO, sells, delivers by itself whatever it
// had to make without the operator, and closes the shift.
func Example() {
	memory, err := kkm.OpenFile("register.memory")
	if err != nil {
		log.Fatal(err)
	}
	register, err := kkm.New(kkm.Config{
		Card:     fiscal.Card{Register: 200145, RegistrationNumber: "010103004571", Zone: "Asia/Almaty"},
		CheckURL: "https://ofd.example",
	}, memory, kkm.NewLink(kkm.LinkConfig{Addr: "ofd.example:7777"}), time.Now, rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	defer register.Close()
	ctx := context.Background()

	// Once, and after a reset: the token that the operator gave.
	if register.Standing().Mode == kkm.ModeNeedsToken {
		if err := register.SetToken(2704817126); err != nil {
			log.Fatal(err)
		}
	}
	go register.Work(ctx, func(err error) { log.Print("the queue waits: ", err) })
	if _, err := register.Info(ctx); errors.Is(err, fiscal.Unavailable) {
		log.Print("no operator; the register works on by itself")
	}

	slip, err := register.Sell(ctx, fiscal.Receipt{
		Cashier: fiscal.Cashier{Code: 1, Name: "Айгүл"},
		Items: []fiscal.Item{{
			Kind: fiscal.ItemGoods, Name: "Нан", Unit: "796", Quantity: fiscal.OneUnit, Price: 21500, Cost: 21500,
		}},
	})
	switch {
	case errors.Is(err, fiscal.ShiftTooLong):
		_, err = register.CloseShift(ctx, fiscal.Cashier{Code: 1}, false)
	case errors.Is(err, kkm.ErrNeedsToken), errors.Is(err, kkm.ErrServerBlocked), errors.Is(err, kkm.ErrStopped):
		log.Print("a person is needed: ", register.Standing().Notice)
	case err == nil && slip.Offline:
		fmt.Println("Автономды / Автономный", slip.OfflineCode, slip.QR)
	case err == nil:
		fmt.Println(slip.FiscalSign, slip.QR)
	}
	if err != nil {
		log.Print(err)
	}
}
