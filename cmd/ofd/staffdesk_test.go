package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/testkit"
	"openofd/internal/web/room"
)

// TestGuessStaff: what staff type is taken for what it is.
func TestGuessStaff(t *testing.T) {
	for text, want := range map[string]staffGuess{
		"":                       {},
		"  Дала  САУДА ":         {Words: "дала сауда"},
		"190340024183":           {Number: "190340024183", Words: "190340024183"},
		"6203 0047 1826":         {Number: "620300471826", Words: "6203 0047 1826"},
		"305512 123456789012":    {Register: "305512", Document: "123456789012", Number: "305512123456789012", Words: "305512 123456789012"},
		"№ 17":                   {Application: 17},
		"#17":                    {Application: 17},
		"№17б":                   {Words: "№17б"},
		"№":                      {Words: "№"},
		"№ 99999999999999999999": {Words: "№ 99999999999999999999"},
		"KZT26B00471826":         {Words: "kzt26b00471826"},
	} {
		if got := guessStaff(text); !reflect.DeepEqual(got, want) {
			t.Errorf("guessStaff(%q) = %+v, want %+v", text, got, want)
		}
	}
	kz := guessStaff("https://ofd.example/?i=362397639340&f=620300471826&s=1777.50&t=20260314T091241")
	if kz.Check == nil || kz.Check.Code != "362397639340" || kz.Words != "" {
		t.Errorf("a QR code of Kazakhstan is %+v", kz)
	}
	ru := guessStaff("t=20260314T0912&s=110.00&fn=9999078902001234&i=1002&fp=2952594410&n=1")
	if ru.Check == nil || ru.Check.Drive != "9999078902001234" || ru.Check.Number != 1002 {
		t.Errorf("a QR code of Russia is %+v", ru)
	}
}

// TestStaffDesk: staff find a client, a register and a document of a real
// journal by whatever number they were told, and stop a register and let it go.
func TestStaffDesk(t *testing.T) {
	v := newVectorOperator(t, 305512)
	v.player(t).SetClock(time.Date(2026, 3, 14, 4, 0, 5, 0, time.UTC))
	token, err := v.o.registry.Token(t.Context(), 305512, "test")
	if err != nil {
		t.Fatal(err)
	}
	frame := bytes.Clone(testkit.KKMDeposit(t))
	binary.LittleEndian.PutUint32(frame[12:], token)
	binary.LittleEndian.PutUint16(frame[16:], 1)
	if answer, _ := v.exchange(t, frame, 0); answer == nil {
		t.Fatal("a deposit was not answered")
	}
	d, card := staffDesk{v.o.core}, testkit.KKMCard(305512)
	entry := func(n fiscal.Number) fiscal.Number {
		e, err := v.o.store.Entry(t.Context(), v.place.Partition, 305512, n)
		if err != nil || e.Kind != fiscal.DocCashMove {
			return 0
		}
		return e.Number
	}
	deposit := fiscal.Number(0)
	for n := fiscal.Number(1); deposit == 0 && n < 10; n++ {
		deposit = entry(n)
	}
	if deposit == 0 {
		t.Fatal("the deposit is not in the journal")
	}
	client, register, document := "client", "register", "document"
	for text, want := range map[string][]string{
		"190340024183":                          {client},
		"305512":                                {register},
		card.RegistrationNumber:                 {register},
		"6203 0047 1826":                        {register},
		card.SerialNumber:                       {register},
		"kzt26b00471826":                        {register},
		"дала":                                  {client},
		"ДАЛА сауда":                            {client},
		fmt.Sprintf("305512 %d", deposit):       {document},
		fmt.Sprintf("620300471826 %d", deposit): {document},
		"305512 999999":                         nil,
		"№ 1":                                   nil,
		"нет такого":                            nil,
		"i=362397639340&f=620300471826&s=1&t=20260314T091241": nil,
	} {
		found, err := d.Search(t.Context(), text)
		if err != nil {
			t.Errorf("Search(%q): %v", text, err)
			continue
		}
		var kinds []string
		for _, f := range found {
			kinds = append(kinds, f.Kind())
			if f.XIN != card.XIN || f.Kind() == document && f.Number != deposit || f.Kind() != client && f.Register != 305512 {
				t.Errorf("Search(%q) found %+v", text, f)
			}
		}
		if !reflect.DeepEqual(kinds, want) {
			t.Errorf("Search(%q) = %v, want %v", text, kinds, want)
		}
	}
	doc, l, err := d.Document(t.Context(), 305512, deposit)
	if err != nil || doc.Move == nil || l.Card.Register != 305512 {
		t.Errorf("the deposit is %+v of %+v, %v", doc, l.Card, err)
	}
	if _, _, err := d.Client(t.Context(), 99); !errors.Is(err, fiscal.NotFound) {
		t.Errorf("a client who is not there: %v", err)
	}
	if all, err := d.Applications(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%d applications wait, %v", len(all), err)
	}
	if err := d.Block(t.Context(), 305512, "staff@ofd.example", "Дело 12"); err != nil {
		t.Fatal(err)
	}
	if l, err := d.Register(t.Context(), 305512); err != nil || l.State.Status != fiscal.StatusBlocked || l.State.Block.Text != "Дело 12" {
		t.Errorf("after the block the register is %+v, %v", l.State, err)
	}
	if err := d.Unblock(t.Context(), 305512, "staff@ofd.example"); err != nil {
		t.Fatal(err)
	}
	if l, err := d.Register(t.Context(), 305512); err != nil || l.State.Status == fiscal.StatusBlocked {
		t.Errorf("after the unblock the register is %+v, %v", l.State, err)
	}
	var _ room.Desk = d
}
