package storetest

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// BenchRegisters fills an organization with registers, as many as REGISTERS says
// (2,000 without it), and measures its lists.
//
// Req: P-045
func BenchRegisters(b *testing.B, e Engine, partition fiscal.Partition) {
	n, err := strconv.Atoi(os.Getenv("REGISTERS"))
	if err != nil || n <= 0 {
		n = 2000
	}
	t := registry.Taxpayer{Partition: partition, Country: fiscal.Kazakhstan, XIN: "960640000017", Title: fiscal.Text{RU: "Сеть", KK: "Желі"}, Created: morning}
	if err := e.AddTaxpayer(b.Context(), &t); err != nil {
		b.Fatal(err)
	}
	var outlets []registry.Outlet
	for i := range 200 {
		o := registry.Outlet{Taxpayer: t.ID, Title: fiscal.Text{RU: fmt.Sprintf("Магазин %d", i)}, Zone: "Asia/Almaty"}
		if err := e.AddOutlet(b.Context(), &o); err != nil {
			b.Fatal(err)
		}
		outlets = append(outlets, o)
	}
	began := time.Now()
	fill(b, e, &t, outlets, n)
	b.Logf("%d registers added, %.0f a second", n, float64(n)/time.Since(began).Seconds())
	office := registry.NewOffice(nil, e, nil, nil, fiscal.Operator{}, func() time.Time { return morning.Add(time.Hour) })
	a := &access.Actor{User: access.User{ID: 1}, Taxpayer: t.ID, Member: access.Member{User: 1, Taxpayer: t.ID, Role: access.Owner}}
	for _, q := range []struct {
		name string
		registry.RegisterQuery
	}{
		{"first page", registry.RegisterQuery{}},
		{"by contact", registry.RegisterQuery{Order: registry.ByContact}},
		{"by name", registry.RegisterQuery{Order: registry.ByName}},
		{"of a standing", registry.RegisterQuery{Standing: registry.StandsNew}},
		{"of no standing", registry.RegisterQuery{Standing: registry.StandsBlocked, Order: registry.ByContact}},
		{"of an outlet", registry.RegisterQuery{Outlet: outlets[7].ID}},
		{"by a serial number", registry.RegisterQuery{Text: fmt.Sprintf("s-%d", n-1)}},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := office.Registers(b.Context(), a, q.RegisterQuery); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill adds registers, several at once, and when half of them were heard of.
func fill(b *testing.B, e Engine, t *registry.Taxpayer, outlets []registry.Outlet, n int) {
	var group sync.WaitGroup
	contacts := make([]fiscal.Contact, n)
	failed := make(chan error, n)
	const hands = 64
	for hand := range hands {
		group.Go(func() {
			for i := hand; i < n; i += hands {
				o := &outlets[i%len(outlets)]
				c := fiscal.Card{
					Since: morning, Country: fiscal.Kazakhstan, Taxpayer: t.ID, XIN: t.XIN, Title: t.Title, Outlet: o.ID, OutletTitle: o.Title, Zone: o.Zone,
					OutletAddress: fiscal.Text{KK: "Алматы қ., Абай даңғылы, 1", RU: "г. Алматы, пр. Абая, 1"}, LegalAddress: fiscal.Text{RU: "г. Алматы, ул. Сатпаева, 90"},
					Name: fmt.Sprintf("Касса %d", i), Model: "ПОРТ DPG-25 ФKZ", SerialNumber: fmt.Sprintf("S-%d", i), RegistrationNumber: fmt.Sprintf("%012d", i), RegisteredAt: morning,
				}
				if err := e.AddRegister(b.Context(), t.Partition, &c, nil); err != nil {
					failed <- err
					return
				}
				contacts[i] = fiscal.Contact{Register: c.Register, Partition: t.Partition, At: morning.Add(time.Duration(i) * time.Second), Peer: "192.0.2.1:5000", Version: 203}
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
	for from := 0; from < n; from += 1000 {
		if err := e.KeepContacts(b.Context(), contacts[from:min(from+1000, n)]); err != nil {
			b.Fatal(err)
		}
	}
}
