package storetest

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
)

// taxpayers shows that one with an XIN comes once in a country, is found by it,
// and that lists page.
func taxpayers(w *world) {
	var want []registry.Taxpayer
	want = append(want, w.owner)
	for i := range 5 {
		want = append(want, w.taxpayer(fiscal.XIN(fmt.Sprintf("99999999900%d", i))))
	}
	twin := w.owner
	w.wants("AddTaxpayer with a known XIN", w.AddTaxpayer(w.Context(), &twin), fiscal.AlreadyThere)
	abroad := w.owner
	abroad.Country = fiscal.Russia
	w.must(w.AddTaxpayer(w.Context(), &abroad))
	want = append(want, abroad)

	for _, t := range want {
		got, err := w.TaxpayerByXIN(w.Context(), t.Country, t.XIN)
		if err != nil || !reflect.DeepEqual(got, t) {
			w.Errorf("TaxpayerByXIN(%s, %s) = %+v, %v, want %+v", t.Country, t.XIN, got, err, t)
		}
	}
	_, err := w.TaxpayerByXIN(w.Context(), fiscal.Kazakhstan, "0")
	w.wants("TaxpayerByXIN of nobody", err, fiscal.NotFound)

	var got []registry.Taxpayer
	for after := fiscal.TaxpayerID(0); ; after = got[len(got)-1].ID {
		page, err := w.Taxpayers(w.Context(), after, 2)
		w.must(err)
		if len(page) > 2 {
			w.Fatalf("Taxpayers gave %d, limit 2", len(page))
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
	}
	if !reflect.DeepEqual(got, want) {
		w.Errorf("Taxpayers = %+v, want %+v", got, want)
	}
}

// outlets shows that a taxpayer's outlets, and no other's, are listed.
func outlets(w *world) {
	other := w.taxpayer("999999999001")
	second := registry.Outlet{Taxpayer: w.owner.ID, Title: fiscal.Text{EN: "Second"}, Zone: "Asia/Aqtau", Longitude: -1}
	w.must(w.AddOutlet(w.Context(), &second))
	theirs := registry.Outlet{Taxpayer: other.ID, Zone: "UTC"}
	w.must(w.AddOutlet(w.Context(), &theirs))

	for t, want := range map[fiscal.TaxpayerID][]registry.Outlet{w.owner.ID: {w.outlet, second}, other.ID: {theirs}, 77: nil} {
		got, err := w.Outlets(w.Context(), t)
		if err != nil || !reflect.DeepEqual(got, want) {
			w.Errorf("Outlets(%d) = %+v, %v, want %+v", t, got, err, want)
		}
	}
	nobodys := registry.Outlet{Taxpayer: 77}
	w.wants("AddOutlet of nobody", w.AddOutlet(w.Context(), &nobodys), fiscal.NotFound)
}

// addRegister shows what a new register is: an ID, card 1, numbers that lead to
// it.
func addRegister(w *world) {
	next, err := w.NextRegisterID(w.Context())
	w.must(err)
	r := w.till("1")
	if r.card.Register < next || r.card.Version != 1 {
		w.Errorf("AddRegister set ID %d and version %d, want %d or more and 1", r.card.Register, r.card.Version, next)
	}
	next = r.card.Register
	for _, a := range []fiscal.Address{{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(next), 10)}, {Kind: fiscal.ByRegistrationNumber, Name: "rn-1"}} {
		if p, err := w.Find(w.Context(), a); err != nil || p != r.place {
			w.Errorf("Find(%v) = %+v, %v, want %+v", a, p, err, r.place)
		}
	}
	got, err := w.Register(w.Context(), next)
	w.must(err)
	if got.Partition != w.partition || !equal(cardOnly(got.Card), cardOnly(r.card)) || got.State.Version != 0 || got.LastContact != nil {
		w.Errorf("Register = %+v, want card %+v", got, r.card)
	}

	// An ID may be chosen, and the next one lies behind it.
	chosen := w.card("2")
	chosen.Register = next + 100
	own := []fiscal.Address{{Kind: fiscal.ByID, Name: strconv.FormatInt(int64(next+100), 10)}}
	w.must(w.AddRegister(w.Context(), w.partition, &chosen, own))
	if chosen.Register != next+100 {
		w.Errorf("AddRegister changed the chosen ID to %d", chosen.Register)
	}
	if after, err := w.NextRegisterID(w.Context()); err != nil || after < next+101 {
		w.Errorf("NextRegisterID = %d, %v, want %d or more", after, err, next+101)
	}

	for name, a := range map[string]fiscal.Address{"no kind": {Name: "rn-1"}, "another kind": {Kind: fiscal.ByDrive, Name: "rn-1"}, "another number": {Kind: fiscal.ByID, Name: "7"}} {
		_, err := w.Find(w.Context(), a)
		w.wants("Find by "+name, err, fiscal.UnknownRegister)
	}
}

// cardOnly is a card without what is derived when it is read.
func cardOnly(c fiscal.Card) string {
	return fmt.Sprintf("%+v", struct{ A, B, C, D, E, F, G any }{c.Register, c.Version, c.Since, c.XIN, c.Ads, c.Options, c.OutletAddress})
}

// addRegisterAtomic shows that a register whose numbers are taken is refused
// with the name of what is taken, and leaves nothing behind.
func addRegisterAtomic(w *world) {
	r := w.till("1")
	next, err := w.NextRegisterID(w.Context())
	w.must(err)
	rn := func(name string) fiscal.Address { return fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: name} }
	for _, tt := range []struct {
		name      string
		change    func(*fiscal.Card)
		addresses []fiscal.Address
		field     string
	}{
		{"the ID", func(c *fiscal.Card) { c.Register = r.place.Register }, nil, "register"},
		{"model and serial number", func(c *fiscal.Card) { c.SerialNumber = r.card.SerialNumber }, []fiscal.Address{rn("fresh")}, "serial_number"},
		{"an address", func(*fiscal.Card) {}, []fiscal.Address{rn("fresh"), rn("rn-1")}, "registration_number"},
	} {
		c := w.card("2")
		tt.change(&c)
		was := c
		err := w.AddRegister(w.Context(), w.partition, &c, tt.addresses)
		w.wants("AddRegister when "+tt.name+" is taken", err, fiscal.AlreadyThere)
		if got := fieldOf(err); got != tt.field {
			w.Errorf("AddRegister when %s is taken: field %q, want %q", tt.name, got, tt.field)
		}
		if !reflect.DeepEqual(c, was) {
			w.Errorf("AddRegister failed and changed the card to %+v", c)
		}
		if after, err := w.NextRegisterID(w.Context()); err != nil || after < next {
			w.Errorf("NextRegisterID = %d, %v after a failure, want %d or more", after, err, next)
		}
		_, err = w.Find(w.Context(), rn("fresh"))
		w.wants("Find by a number of a register that failed", err, fiscal.UnknownRegister)
	}
	// A device that was taken off the record and sold is registered anew.
	off := r.commit()
	gone := r.state()
	gone.Status = fiscal.StatusDeregistered
	off.State = gone.Append(nil)
	w.append(off)
	sold := w.card("2")
	sold.SerialNumber = r.card.SerialNumber
	w.must(w.AddRegister(w.Context(), w.partition, &sold, nil))
	again := w.card("3")
	again.SerialNumber = r.card.SerialNumber
	w.wants("AddRegister of a device in use again", w.AddRegister(w.Context(), w.partition, &again, nil), fiscal.AlreadyThere)

	// Another model may have the serial number, and a register may have none.
	for range 2 {
		c := w.card("")
		w.must(w.AddRegister(w.Context(), w.partition, &c, nil))
	}
	c := w.card("1")
	c.Model = "another"
	w.must(w.AddRegister(w.Context(), w.partition, &c, nil))
	nobodys := w.card("5")
	nobodys.Taxpayer = 77
	w.wants("AddRegister of nobody", w.AddRegister(w.Context(), w.partition, &nobodys, nil), fiscal.NotFound)
}

// oldNumbers shows that a register is found by every number it ever had.
func oldNumbers(w *world) {
	r, other := w.till("1"), w.till("2")
	renewed := fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: "rn-new"}
	w.must(w.AddAddress(w.Context(), renewed, r.place.Register))
	w.must(w.AddAddress(w.Context(), renewed, r.place.Register)) // once more does no harm
	for _, name := range []string{"rn-1", "rn-new"} {
		if p, err := w.Find(w.Context(), fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: name}); err != nil || p != r.place {
			w.Errorf("Find(%s) = %+v, %v, want %+v", name, p, err, r.place)
		}
	}
	w.wants("AddAddress of another register's number", w.AddAddress(w.Context(), renewed, other.place.Register), fiscal.AlreadyThere)
	w.wants("AddAddress to no register", w.AddAddress(w.Context(), fiscal.Address{Kind: fiscal.ByDrive, Name: "1"}, 77), fiscal.NotFound)
}

// registersList shows that lists page, keep to their taxpayer, and show the
// present card, state and contact.
func registersList(w *world) {
	mine := []*till{w.till("1"), w.till("2"), w.till("3")}
	owner, outlet := w.owner, w.outlet
	w.owner = w.taxpayer("999999999001")
	w.outlet = registry.Outlet{Taxpayer: w.owner.ID}
	w.must(w.AddOutlet(w.Context(), &w.outlet))
	theirs := w.till("4")
	w.owner, w.outlet = owner, outlet

	moved := mine[1].card
	moved.Version, moved.Name = 2, "by the door"
	mine[1].card = moved
	c := mine[1].commit()
	c.Card = &moved
	w.append(c)
	w.must(w.KeepContacts(w.Context(), []fiscal.Contact{{Register: mine[1].place.Register, Partition: w.partition, At: morning, Peer: "192.0.2.1:7"}}))

	pages := func(t fiscal.TaxpayerID) (ids []fiscal.RegisterID) {
		for after := fiscal.RegisterID(0); ; after = ids[len(ids)-1] {
			page, err := w.Registers(w.Context(), t, after, 2)
			w.must(err)
			if len(page) == 0 {
				return ids
			}
			for _, l := range page {
				ids = append(ids, l.Card.Register)
				if l.Card.Register != mine[1].place.Register {
					continue
				}
				if l.Card.Name != moved.Name || l.State.Version != 1 || l.State.LastNumber != 1 || l.LastContact == nil || l.LastContact.Peer != "192.0.2.1:7" {
					w.Errorf("Registers shows %+v, want card 2, state 1 and a contact", l)
				}
			}
		}
	}
	all := []fiscal.RegisterID{mine[0].place.Register, mine[1].place.Register, mine[2].place.Register, theirs.place.Register}
	for t, want := range map[fiscal.TaxpayerID][]fiscal.RegisterID{0: all, w.owner.ID: all[:3], theirs.card.Taxpayer: all[3:], 77: nil} {
		if got := pages(t); !slices.Equal(got, want) {
			w.Errorf("Registers(%d) = %v, want %v", t, got, want)
		}
	}
	_, err := w.Register(w.Context(), 77)
	w.wants("Register(77)", err, fiscal.NotFound)
}

// cashiers shows that a login belongs to its taxpayer and that the last word on
// it holds.
func cashiers(w *world) {
	other := w.taxpayer("999999999001")
	aizhan := fiscal.CashierLogin{Taxpayer: w.owner.ID, Login: "айжан", Hash: "$argon2id$1", Code: 4_000_000_000, Name: "Айжан", Roles: []fiscal.CashierRole{fiscal.RoleCashier, fiscal.RoleAdmin}}
	bolat := fiscal.CashierLogin{Taxpayer: w.owner.ID, Login: "bolat", Hash: "$argon2id$2"}
	theirs := fiscal.CashierLogin{Taxpayer: other.ID, Login: "bolat", Hash: "$argon2id$3"}
	for _, c := range []fiscal.CashierLogin{aizhan, bolat, theirs} {
		w.must(w.PutCashier(w.Context(), c))
	}
	bolat.Hash, bolat.Roles = "$argon2id$4", []fiscal.CashierRole{fiscal.RoleChiefCashier}
	w.must(w.PutCashier(w.Context(), bolat))

	for _, want := range []fiscal.CashierLogin{aizhan, bolat, theirs} {
		if got, err := w.Cashier(w.Context(), want.Taxpayer, want.Login); err != nil || got == nil || !reflect.DeepEqual(*got, want) {
			w.Errorf("Cashier(%s) = %+v, %v, want %+v", want.Login, got, err, want)
		}
	}
	if got, err := w.Cashiers(w.Context(), w.owner.ID); err != nil || len(got) != 2 {
		w.Errorf("Cashiers = %+v, %v, want two", got, err)
	}
	w.must(w.RemoveCashier(w.Context(), w.owner.ID, "bolat"))
	if got, err := w.Cashier(w.Context(), w.owner.ID, "bolat"); err != nil || got != nil {
		w.Errorf("Cashier after its removal = %+v, %v, want none", got, err)
	}
	if got, err := w.Cashier(w.Context(), other.ID, "bolat"); err != nil || got == nil {
		w.Errorf("removing a cashier took another taxpayer's: %+v, %v", got, err)
	}
	w.wants("RemoveCashier of nobody", w.RemoveCashier(w.Context(), w.owner.ID, "bolat"), fiscal.NotFound)
	w.wants("PutCashier of nobody", w.PutCashier(w.Context(), fiscal.CashierLogin{Taxpayer: 77, Login: "x"}), fiscal.NotFound)
}
