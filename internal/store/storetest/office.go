package storetest

import (
	"bytes"
	"reflect"

	"openofd/internal/fiscal"
	"openofd/internal/registry"
	"openofd/internal/signature"
)

// office shows what people keep of their organization: each reads and changes
// their own, and what was signed stays.
//
// Req: P-049, P-053, P-057, O-017, O-066, O-088, O-089
func office(w *world) {
	ctx := w.Context()
	other := registry.Taxpayer{Country: fiscal.Kazakhstan, XIN: "220540013371", Title: fiscal.Text{RU: "ИП Оспанов"}, Created: morning}
	w.must(w.AddTaxpayer(ctx, &other))

	t, err := w.TaxpayerOf(ctx, w.owner.ID)
	w.must(err)
	t.Where = registry.Address{Region: "75", Locality: "Алматы", Street: "Абая", House: "10"}
	t.OKED = "47111"
	w.must(w.SetTaxpayer(ctx, &t))
	if got, err := w.TaxpayerOf(ctx, t.ID); err != nil || !reflect.DeepEqual(got, t) {
		w.Errorf("TaxpayerOf() = %+v, %v, want %+v", got, err, t)
	}
	changed := t
	changed.XIN = other.XIN
	w.wants("a taxpayer with another number", w.SetTaxpayer(ctx, &changed), fiscal.NotFound)
	_, err = w.TaxpayerOf(ctx, 99)
	w.wants("a taxpayer who is not there", err, fiscal.NotFound)

	o := registry.Outlet{Taxpayer: t.ID, Title: fiscal.Text{RU: "Лавка"}, Zone: "Asia/Almaty"}
	w.must(w.AddOutlet(ctx, &o))
	o.Title.KK = "Дүкен"
	w.must(w.SetOutlet(ctx, &o))
	stolen := o
	stolen.Taxpayer = other.ID
	w.wants("another's outlet", w.SetOutlet(ctx, &stolen), fiscal.NotFound)
	all, err := w.OutletsOf(ctx, t.ID)
	w.must(err)
	if len(all) == 0 || all[len(all)-1] != o {
		w.Errorf("OutletsOf() = %+v, want %+v last", all, o)
	}
	if all, err := w.OutletsOf(ctx, other.ID); err != nil || len(all) != 0 {
		w.Errorf("another sees outlets %+v, %v", all, err)
	}

	c := registry.Contract{Taxpayer: t.ID, At: morning, Kind: registry.ContractSigned, Edition: 1, Language: "kk", By: "asel@example.kz", Method: "RSA, 2048 bits",
		Owner: &signature.Owner{Country: "kz", Name: "ӘСЕЛ", IIN: "960624350642"}, Content: []byte("договор\x00"), Signature: []byte{0x30, 0, 1}}
	w.must(w.AddContract(ctx, &c))
	end := registry.Contract{Taxpayer: t.ID, At: morning, Kind: registry.ContractEnded, By: "asel@example.kz"}
	w.must(w.AddContract(ctx, &end))
	papers, err := w.Contracts(ctx, t.ID)
	w.must(err)
	if len(papers) != 2 || papers[0].ID != end.ID || papers[1].ID != c.ID || papers[1].Method != c.Method || !papers[1].At.Equal(morning) {
		w.Errorf("Contracts() = %+v, want %d and %d", papers, end.ID, c.ID)
	}
	one, err := w.Contract(ctx, t.ID, c.ID)
	if w.must(err); !bytes.Equal(one.Content, c.Content) || !bytes.Equal(one.Signature, c.Signature) || one.Owner.Name != c.Owner.Name {
		w.Errorf("Contract() = %+v, want %+v", one, c)
	}
	_, err = w.Contract(ctx, other.ID, c.ID)
	w.wants("another's contract", err, fiscal.NotFound)
	for _, sql := range []string{`UPDATE contracts SET taxpayer = 2`, `DELETE FROM contracts`} {
		if w.Exec(ctx, sql) == nil {
			w.Errorf("%s was done", sql)
		}
	}

	r := w.till("office").place.Register
	if l, err := w.RegisterOf(ctx, t.ID, r); err != nil || l.Card.Register != r || l.State == nil {
		w.Errorf("RegisterOf() = %+v, %v", l, err)
	}
	_, err = w.RegisterOf(ctx, other.ID, r)
	w.wants("another's register", err, fiscal.NotFound)
	mine, err := w.RegistersOf(ctx, t.ID, 0, 10)
	w.must(err)
	theirs, err := w.RegistersOf(ctx, other.ID, 0, 10)
	if w.must(err); len(mine) == 0 || len(theirs) != 0 {
		w.Errorf("the owner sees %d registers, another %d", len(mine), len(theirs))
	}
	w.must(w.KeepContacts(ctx, []fiscal.Contact{{Register: r, Partition: w.partition, At: morning, Peer: "192.0.2.1:1"}}))
	outlines, err := w.OutlinesOf(ctx, t.ID, r-1, 10)
	w.must(err)
	if len(outlines) != 1 || outlines[0].LastContact == nil || !outlines[0].LastContact.At.Equal(morning) || outlines[0].Card.SerialNumber != "office" ||
		outlines[0].Card.Outlet != w.outlet.ID || outlines[0].Card.Location().String() != "Asia/Almaty" || outlines[0].State.Status != mine[len(mine)-1].State.Status {
		w.Errorf("OutlinesOf() = %+v, want register %d", outlines, r)
	}
	if theirs, err := w.OutlinesOf(ctx, other.ID, 0, 10); err != nil || len(theirs) != 0 {
		w.Errorf("another sees the outlines of %d registers, %v", len(theirs), err)
	}
	for serial, want := range map[string]int{"OFFICE": 1, "office": 1, "": 0, "offic": 0, "%": 0} {
		if all, err := w.RegistersBySerial(ctx, serial, 5); err != nil || len(all) != want || want == 1 && all[0].Card.Register != r {
			w.Errorf("RegistersBySerial(%q) = %+v, %v, want %d", serial, all, err, want)
		}
	}
	if cards, err := w.CardsOf(ctx, t.ID, r); err != nil || len(cards) != 1 || cards[0].Register != r {
		w.Errorf("CardsOf() = %+v, %v", cards, err)
	}
	if cards, err := w.CardsOf(ctx, other.ID, r); err != nil || len(cards) != 0 {
		w.Errorf("another sees cards %+v, %v", cards, err)
	}

	g := registry.Group{Taxpayer: t.ID, Title: "Юг"}
	w.must(w.PutGroup(ctx, &g))
	inner := registry.Group{Taxpayer: t.ID, Title: "Алматы", Parent: g.ID}
	w.must(w.PutGroup(ctx, &inner))
	w.must(w.SetGroup(ctx, t.ID, r, g.ID))
	w.must(w.SetGroup(ctx, t.ID, r, inner.ID))
	w.wants("another's register into a group", w.SetGroup(ctx, other.ID, r, g.ID), fiscal.NotFound)
	inner.Title = "Астана"
	w.must(w.PutGroup(ctx, &inner))
	moved := inner
	moved.Taxpayer = other.ID
	w.wants("another's group", w.PutGroup(ctx, &moved), fiscal.NotFound)
	in, err := w.Grouped(ctx, t.ID)
	if w.must(err); len(in) != 1 || in[r] != inner.ID {
		w.Errorf("Grouped() = %v, want register %d in %d", in, r, inner.ID)
	}
	w.must(w.RemoveGroup(ctx, other.ID, g.ID)) // another's: nothing goes
	w.must(w.RemoveGroup(ctx, t.ID, g.ID))
	inner.Parent = 0
	groups, err := w.Groups(ctx, t.ID)
	if w.must(err); !reflect.DeepEqual(groups, []registry.Group{inner}) {
		w.Errorf("Groups() = %+v, want %+v", groups, inner)
	}
	w.must(w.SetGroup(ctx, t.ID, r, 0))
	if in, err := w.Grouped(ctx, t.ID); err != nil || len(in) != 0 {
		w.Errorf("Grouped() = %v, %v, want none", in, err)
	}
	if groups, err := w.Groups(ctx, other.ID); err != nil || len(groups) != 0 {
		w.Errorf("another sees groups %+v, %v", groups, err)
	}
}
