package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/config"
	device "openofd/internal/device/kkt"
	"openofd/internal/fiscal"
	"openofd/internal/protocol/kkt"
	"openofd/internal/protocol/kkt/ffd"
	"openofd/internal/registry"
)

// registerWith is a register with a drive of this number.
func registerWith(t *testing.T, addr, number string, encrypted bool) *device.Register {
	t.Helper()
	n, err := kkt.ParseDriveNumber(number)
	if err != nil {
		t.Fatal(err)
	}
	d, err := device.NewDrive(device.DriveConfig{Number: n, Encrypted: encrypted}, &device.Volatile{}, kkt.NewSIM1(kkt.SIM1TestKey()))
	if err != nil {
		t.Fatal(err)
	}
	l := device.NewLink(device.LinkConfig{Addr: addr})
	r := device.New(device.Config{Zone: moscow, Tries: 1, Pause: time.Millisecond}, d, l, l, time.Now, strings.NewReader(strings.Repeat("x", 1<<16)))
	t.Cleanup(func() { r.Close() })
	return r
}

// refusedBy makes and sends a document, and wants no answer.
func refusedBy(t *testing.T, r *device.Register, doc device.Document) {
	t.Helper()
	if _, err := r.Make(doc); err != nil {
		t.Fatal(err)
	}
	if done, err := r.Deliver(t.Context(), device.QueueDocuments); err == nil {
		t.Errorf("a document that nobody should answer: %+v", done)
	}
}

// A taxpayer who is written down needs nothing else: its register's first report
// founds the register, whose card the report fills; a drive that takes the place
// of one that was closed is taken up as well, in another version of the format.
// Nobody else's drive is. Late documents of the old drive are still taken.
//
// Req: F-038, F-039, F-041, F-042
func TestRussianFounding(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, _ := russianOperator(t, engine)
		old, shop := device.SampleShop(ffd.V105), device.SampleShop(ffd.V120)
		for _, s := range []*device.Shop{&old, &shop} {
			s.INN, s.Serial, s.Address = "500100732259", "00106900000077", "Казань, ул. Баумана, 5"
			s.RegistrationNumber = numberOf(t, "0000099999", s.INN, s.Serial)
		}
		const first, second = "9999078902007001", "9999078902007002"
		encrypted := engine == "postgres"
		refusedBy(t, registerWith(t, o.KKTAddr, first, false), old.Registration(0)) // no contract yet
		if _, err := o.registry.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Russia, XIN: "500100732259", Title: fiscal.Text{RU: "ИП Иванова"}}); err != nil {
			t.Fatal(err)
		}
		v := registerWith(t, o.KKTAddr, first, encrypted)
		deliver(t, v, old.Registration(0))
		place, err := o.store.Find(t.Context(), fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: old.RegistrationNumber})
		if err != nil {
			t.Fatal(err)
		}
		l, err := o.registry.Show(t.Context(), place.Register)
		if c := l.Card; err != nil || c.Version != 2 || c.Provisional || c.SerialNumber != old.Serial || c.OutletAddress.RU != old.Address || c.Format != "1.05" || c.Title.RU != "ИП Иванова" {
			t.Fatalf("founded: card %+v, %v", c, err)
		}
		deliver(t, v, old.OpenShift())
		deliver(t, v, old.Receipt(fiscal.OpSale, 500))
		refusedBy(t, registerWith(t, o.KKTAddr, second, false), shop.Registration(1)) // the old drive is not closed
		deliver(t, v, old.CloseShift())
		deliver(t, v, old.CloseDrive())

		fresh := registerWith(t, o.KKTAddr, second, encrypted)
		shop.Address = "Казань, ул. Кремлёвская, 1"
		deliver(t, fresh, shop.Registration(ffd.ChangeDrive|ffd.ChangeFormat|1<<3))
		deliver(t, fresh, shop.OpenShift())
		deliver(t, fresh, shop.Receipt(fiscal.OpSale, 700))
		l, err = o.registry.Show(t.Context(), place.Register)
		if c := l.Card; err != nil || c.Version != 3 || c.Drive != second || c.Format != "1.2" || c.OutletAddress.RU != shop.Address {
			t.Errorf("after the replacement: card %+v, %v", c, err)
		}
		drives, err := kkt.ParseDrives(l.State.Protocol)
		if err != nil || len(drives) != 2 || drives[0].Current || !drives[0].Closed || drives[0].Format != "1.05" || !drives[1].Current || drives[1].Reasons&ffd.ChangeFormat == 0 {
			t.Errorf("drives %+v, %v", drives, err)
		}
		entry, err := o.store.Entry(t.Context(), place.Partition, place.Register, 7) // behind the act and five documents
		if want := fiscal.FlagCardMade; err != nil || entry.Kind != fiscal.DocRegistration || entry.Flags != want || entry.Drive != second {
			t.Errorf("the entry of the replacement: %v with %v of drive %s, %v; want %v", entry.Kind, entry.Flags, entry.Drive, err, want)
		}
		if first, err := o.registry.Registers(t.Context(), l.Card.Taxpayer, 0, 10); err != nil || len(first) != 1 {
			t.Errorf("%d registers of the taxpayer, %v; want one", len(first), err)
		}
		if c, err := o.store.Card(t.Context(), place.Register, 2); err != nil || c.Drive != first {
			t.Errorf("the card before: %+v, %v", c, err)
		}
		if v, err := verifyStore(t.Context(), o.core, nil); err != nil || v.Signs != 8 {
			t.Errorf("verify = %+v, %v; want 8 documents", v, err)
		}
	})
}

// A drive that broke is replaced by hand, and what it held comes late; only the
// drive need be known of a register.
func TestRussianDriveEnteredByHand(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, _ := russianOperator(t, engine)
		shop := device.SampleShop(ffd.V120)
		shop.Serial = "00106900000077"
		shop.RegistrationNumber = numberOf(t, "0000099999", shop.INN, shop.Serial)
		const first, second = "9999078902007001", "9999078902007002"
		made, err := o.registry.AddRegister(t.Context(), registry.NewRegister{By: "test", Country: fiscal.Russia, XIN: "7704358518", Drive: first})
		if err != nil {
			t.Fatal(err)
		}
		v := registerWith(t, o.KKTAddr, first, false)
		deliver(t, v, shop.Registration(0))
		deliver(t, v, shop.OpenShift())
		if _, err := v.Make(shop.Receipt(fiscal.OpSale, 100)); err != nil { // waits
			t.Fatal(err)
		}
		card, err := o.registry.ChangeCard(t.Context(), made.Card.Register, "test", func(c *fiscal.Card) error { c.Drive = second; return nil })
		if err != nil || card.RegistrationNumber != shop.RegistrationNumber || card.Version != 3 {
			t.Fatalf("ChangeCard = %+v, %v; want the data of the report in version 2", card, err)
		}
		fresh := registerWith(t, o.KKTAddr, second, false)
		deliver(t, fresh, shop.Registration(1))
		deliver(t, fresh, shop.OpenShift())
		if done, err := v.Deliver(t.Context(), device.QueueDocuments); err != nil || len(done) != 1 {
			t.Fatalf("the old drive's document: %+v, %v; want it taken", done, err)
		}
		l, err := o.registry.Show(t.Context(), made.Card.Register)
		if err != nil {
			t.Fatal(err)
		}
		late, err := o.store.Entry(t.Context(), made.Place.Partition, made.Card.Register, l.State.LastNumber)
		if want := fiscal.FlagDocumentLate | fiscal.FlagUncounted; err != nil || late.Drive != first || late.Flags != want {
			t.Errorf("the last entry is of drive %s with %v, %v; want the late one with %v", late.Drive, late.Flags, err, want)
		}
		reregistered, err := o.store.Entry(t.Context(), made.Place.Partition, made.Card.Register, l.State.LastNumber-2)
		if err != nil || !reregistered.Flags.Has(fiscal.FlagReregistered) {
			t.Errorf("a drive replaced in an open shift: flags %v, %v", reregistered.Flags, err)
		}
		if _, err := verifyStore(t.Context(), o.core, nil); err != nil {
			t.Error(err)
		}
	})
}

// numberOf completes ten digits to a registration number.
func numberOf(t *testing.T, ten, inn, serial string) string {
	t.Helper()
	for check := range 65536 {
		n := ten + "000000"
		for i, at := len(n)-1, check; at > 0; i, at = i-1, at/10 {
			n = n[:i] + string(rune('0'+at%10)) + n[i+1:]
		}
		if fiscal.ValidRussianNumber(n, inn, serial) {
			return n
		}
	}
	t.Fatal("no check digits fit")
	return ""
}

// What the file says of severities reaches the judgement of an operator that is
// alive; a rule that is not there is named.
func TestSeveritiesSetting(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ofd.toml")
	started := func(text string) (*operator, error) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := config.Open(file)
		if err != nil {
			return nil, err
		}
		s := settings{File: *f}
		s.Data = t.TempDir()
		any := config.Addr{HostPort: "127.0.0.1:0"}
		s.KKMAddr, s.KKTAddr, s.HTTPAddr, s.OpsAddr, s.KKTCrypto.Name = any, any, any, any, config.CryptoSIM1
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return startOperator(ctx, s)
	}
	const head = "[operator]\ninn = \"7704211201\"\n[kkt.severities]\n"
	for text, want := range map[string]string{
		"K9 = \"warn\"":               `no rule "K9"`,
		"\"K4 1.3\" = \"warn\"":       `no version "1.3"`,
		"form = \"off\"":              "stays unreadable",
		"K4 = \"deny\"":               "no severity",
		"\"total 1.2\" = \"refuse\"":  `no rule "total"`,
		"\"phone 1.2 \" = \"refuse\"": "no version",
	} {
		o, err := started(head + text)
		if err == nil {
			o.stop()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a word about %q", text, err, want)
		}
	}

	o, err := started(head + "P1 = \"off\"\n\"phone 1.2\" = \"refuse\"\n")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	}()
	shop := device.SampleShop(ffd.V120)
	if _, err := o.registry.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}}); err != nil {
		t.Fatal(err)
	}
	v := registerWith(t, o.KKTAddr, testDrive, false)
	deliver(t, v, shop.Registration(0))
	deliver(t, v, shop.OpenShift())
	if _, err := v.Make(shop.Settle(ffd.FormReceipt, ffd.Receipt{Operation: 1, BuyerContact: "8 916 000", Items: []ffd.Item{{Name: "Яблоки", Price: 100, Rate: 2}}})); err != nil {
		t.Fatal(err)
	}
	done, err := v.Deliver(t.Context(), device.QueueDocuments)
	if err != nil || len(done) != 1 || done[0].Ack.Accepted() {
		t.Errorf("an odd phone, where that is refused: %+v, %v", done, err)
	}
}

// Where nobody is to be taken up, nobody is.
func TestUnknownDrivesDropped(t *testing.T) {
	var s settings
	s.Data = t.TempDir()
	any := config.Addr{HostPort: "127.0.0.1:0"}
	s.KKMAddr, s.KKTAddr, s.HTTPAddr, s.OpsAddr = any, any, any, any
	s.KKTCrypto.Name, s.Operator.INN.Number, s.KKT.UnknownDrives.Name = config.CryptoSIM1, "7704211201", config.UnknownDrop
	o, err := startOperator(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer o.stop()
	if _, err := o.registry.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Russia, XIN: "7704358518", Title: fiscal.Text{RU: "ООО Ромашка"}}); err != nil {
		t.Fatal(err)
	}
	refusedBy(t, registerWith(t, o.KKTAddr, testDrive, false), device.SampleShop(ffd.V120).Registration(0))
	if _, err := o.store.Find(t.Context(), fiscal.Address{Kind: fiscal.ByDrive, Name: testDrive}); !errors.Is(err, fiscal.NotFound) && !errors.Is(err, fiscal.UnknownRegister) {
		t.Errorf("the drive leads somewhere: %v", err)
	}
}

// The same report of an unknown drive comes by many connections at once: one
// register is founded, the report is stored once, and whoever is answered hears
// the same.
func TestRussianFoundedAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, engine string) {
		o, made := russianOperator(t, engine)
		shop := device.SampleShop(ffd.V120)
		shop.Serial = "00106900000077"
		shop.RegistrationNumber = numberOf(t, "0000099999", shop.INN, shop.Serial)
		const drive = "9999078902007001"
		n, err := kkt.ParseDriveNumber(drive)
		if err != nil {
			t.Fatal(err)
		}
		d, err := device.NewDrive(device.DriveConfig{Number: n}, &device.Volatile{}, kkt.NewSIM1(kkt.SIM1TestKey()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Make(fiscal.WallIn(time.Now(), moscow), shop.Registration(0)); err != nil {
			t.Fatal(err)
		}
		job, _ := d.Oldest(device.QueueDocuments)
		message, err := kkt.AppendMessage(nil, kkt.Header{Service: kkt.ServiceDocuments, Version: kkt.P120, Drive: n, Flags: kkt.FlagsDocument}, job.Frame)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		answers := map[string]int{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				answer, _ := speak(t, o.KKTAddr, message, false)
				mu.Lock()
				defer mu.Unlock()
				answers[string(answer)]++
			})
		}
		all.Wait()
		delete(answers, "") // closed without a word; it would ask again
		again, _ := speak(t, o.KKTAddr, message, false)
		if len(answers) > 1 || len(answers) == 1 && answers[string(again)] == 0 || len(again) < 100 {
			t.Errorf("%d different answers, the last of %d bytes; want one", len(answers), len(again))
		}
		list, err := o.registry.Registers(t.Context(), made.Card.Taxpayer, 0, 10)
		if err != nil || len(list) != 2 || list[1].Card.RegistrationNumber != shop.RegistrationNumber {
			t.Errorf("registers %+v, %v; want the one that was there and one more", list, err)
		}
		if v, err := verifyStore(t.Context(), o.core, nil); err != nil || v.Signs != 1 {
			t.Errorf("verify = %+v, %v; want one document", v, err)
		}
	})
}
