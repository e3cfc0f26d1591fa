package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/registry"
)

// fieldOf is what a refusal is about.
func fieldOf(err error) string {
	var e *fiscal.Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}

// catalogs shows that the newest catalog answers: whole, as up to date, or one
// element by GTIN or NTIN.
func catalogs(w *world) {
	ask := func(q fiscal.CatalogQuery) *fiscal.Catalog {
		w.Helper()
		c, err := w.Catalog(w.Context(), q)
		w.must(err)
		return c
	}
	if c := ask(fiscal.CatalogQuery{}); c != nil {
		w.Errorf("Catalog before any = %+v, want nil", c)
	}
	first := fiscal.Catalog{Created: 1_741_944_761, Elements: []fiscal.CatalogElement{{ID: 1, Barcode: "4870000000001", SalePrice: 10_050}}}
	w.must(w.PutCatalog(w.Context(), &first))
	second := fiscal.Catalog{Created: 1_741_944_762, Elements: []fiscal.CatalogElement{
		{ID: 1, Group: true, Title: fiscal.Text{KK: "Нан"}},
		{ID: 9, Parent: 1, Title: fiscal.Text{RU: "Хлеб"}, Barcode: "4870000000001", NTIN: "0200000000001", SalePrice: 17_750, VATPercent: 16_000, Fractional: true},
		{ID: 3, Parent: 1, Barcode: "4870000000002"},
	}}
	w.must(w.PutCatalog(w.Context(), &second))
	if first.Version == 0 || second.Version <= first.Version {
		w.Errorf("PutCatalog gave versions %d and %d, want ascending from 1", first.Version, second.Version)
	}

	pages := func(version uint32, from, limit int) *fiscal.Catalog {
		w.Helper()
		c, err := w.CatalogPage(w.Context(), version, from, limit)
		w.must(err)
		return c
	}
	if c := pages(second.Version+7, 0, 10); c != nil {
		w.Errorf("CatalogPage of a version that is not = %+v, want nil", c)
	}

	defer func() { // as large as shops have
		large := fiscal.Catalog{Created: 3, Elements: make([]fiscal.CatalogElement, 2500)}
		for i := range large.Elements {
			large.Elements[i] = fiscal.CatalogElement{ID: uint64(i), Barcode: fmt.Sprint(4_870_000_000_000 + i)}
		}
		w.must(w.PutCatalog(w.Context(), &large))
		if c := ask(fiscal.CatalogQuery{Have: second.Version}); c.Version != large.Version || !reflect.DeepEqual(c.Elements, large.Elements) {
			w.Errorf("a large catalog comes back with version %d and %d elements, want %d and %d", c.Version, len(c.Elements), large.Version, len(large.Elements))
		}
		if c := ask(fiscal.CatalogQuery{Barcode: "4870000002499"}); len(c.Elements) != 1 || c.Elements[0].ID != 2499 {
			w.Errorf("its last element is %+v, want ID 2499", c.Elements)
		}
	}()

	for _, tt := range []struct {
		version     uint32
		from, limit int
		of          *fiscal.Catalog
		want        []fiscal.CatalogElement
	}{
		{0, 0, 10, &second, second.Elements},
		{0, 0, 0, &second, nil},
		{second.Version, 0, 2, &second, second.Elements[:2]},
		{second.Version, 2, 2, &second, second.Elements[2:]},
		{second.Version, 3, 2, &second, nil},
		{first.Version, 0, 2, &first, first.Elements},
	} {
		c := pages(tt.version, tt.from, tt.limit)
		if c == nil || c.Version != tt.of.Version || c.Created != tt.of.Created || !reflect.DeepEqual(c.Elements, tt.want) {
			w.Errorf("CatalogPage(%d, %d, %d) = %+v, want version %d with %+v", tt.version, tt.from, tt.limit, c, tt.of.Version, tt.want)
		}
	}
	for _, tt := range []struct {
		name string
		q    fiscal.CatalogQuery
		want []fiscal.CatalogElement
	}{
		{"a device without any", fiscal.CatalogQuery{}, second.Elements},
		{"a device with the old one", fiscal.CatalogQuery{Have: first.Version}, second.Elements},
		{"a device from elsewhere", fiscal.CatalogQuery{Have: second.Version + 7}, second.Elements},
		{"a device up to date", fiscal.CatalogQuery{Have: second.Version}, nil},
		{"GTIN", fiscal.CatalogQuery{Barcode: "4870000000001"}, second.Elements[1:2]},
		{"GTIN, up to date", fiscal.CatalogQuery{Have: second.Version, Barcode: "4870000000002"}, second.Elements[2:]},
		{"NTIN", fiscal.CatalogQuery{Barcode: "0200000000001"}, second.Elements[1:2]},
		{"unknown barcode", fiscal.CatalogQuery{Barcode: "5"}, nil},
	} {
		c := ask(tt.q)
		if c == nil || c.Version != second.Version || c.Created != second.Created || !reflect.DeepEqual(c.Elements, tt.want) {
			w.Errorf("Catalog for %s = %+v, want version %d with %+v", tt.name, c, second.Version, tt.want)
		}
	}
}

// keys shows that keys are kept in order, each ID once.
func keys(w *world) {
	var want []keyring.Row
	for i, purpose := range []fiscal.KeyPurpose{fiscal.KeyForSign, fiscal.KeyForToken, fiscal.KeyForSign} {
		id, err := w.NextKeyID(w.Context())
		if err != nil || id != fiscal.KeyID(i+1) {
			w.Fatalf("NextKeyID = %d, %v, want %d", id, err, i+1)
		}
		row := keyring.Row{ID: id, Purpose: purpose, From: morning.Add(time.Duration(i) * time.Microsecond), Sealed: []byte{0, byte(i), 0}, Created: morning}
		w.must(w.AddKey(w.Context(), row))
		want = append(want, row)
	}
	w.wants("AddKey with an ID that is taken", w.AddKey(w.Context(), want[1]), fiscal.AlreadyThere)
	if got, err := w.Keys(w.Context()); err != nil || !reflect.DeepEqual(got, want) {
		w.Errorf("Keys = %+v, %v, want %+v", got, err, want)
	}
}

// refusedBounded shows that a register cannot fill the store with what is
// refused: so many a day and no more, each register for itself.
func refusedBounded(w *world) {
	refused := func(r fiscal.RegisterID, at time.Time) journal.Refused {
		return journal.Refused{Partition: w.partition, Register: r, At: at, Reason: fiscal.StaleToken, Field: "token", Detail: "Ескі", Peer: "192.0.2.1:7", Request: []byte{0x81, 0xa2}}
	}
	var flood []journal.Refused
	for i := range 10 {
		at := morning.Add(time.Duration(i) * time.Second)
		flood = append(flood, refused(1, at), refused(2, at), refused(0, at), refused(1, at.Add(24*time.Hour)))
	}
	for range 2 {
		w.must(w.KeepRefused(w.Context(), flood, 4))
	}
	w.must(w.KeepRefused(w.Context(), nil, 4))
	for register, want := range map[string]int64{"1": 8, "2": 4, "0": 4} {
		got, err := w.QueryInt(w.Context(), `SELECT count(*) FROM refused WHERE reason = 'stale_token' AND register = `+register)
		if err != nil || got != want {
			w.Errorf("%d refused documents of register %s kept, %v, want %d", got, register, err, want)
		}
	}
	newest, err := w.Refused(w.Context(), 1, 5)
	w.must(err)
	if len(newest) != 5 || !newest[0].At.After(newest[4].At) {
		w.Fatalf("Refused = %d documents, want the newest 5: %+v", len(newest), newest)
	}
	if got, want := newest[0], refused(1, newest[0].At); got.At.Before(morning.Add(24*time.Hour)) || !reflect.DeepEqual(got, want) {
		w.Errorf("Refused begins with %+v, want one of the second day like %+v", got, want)
	}
	if all := w.all(); len(all) != 0 {
		w.Errorf("refused documents stand in the journal: %+v", all)
	}
}

// contactsNewest shows that the newest contact wins and keeps what it does not
// tell.
func contactsNewest(w *world) {
	r := w.till("1")
	keep := func(all ...fiscal.Contact) {
		w.Helper()
		for i := range all {
			all[i].Register, all[i].Partition = r.place.Register, r.place.Partition
		}
		w.must(w.KeepContacts(w.Context(), all))
	}
	told := fiscal.Contact{
		At: morning.Add(time.Minute), Peer: "192.0.2.1:7", Version: 203, Quality: &fiscal.LinkQuality{ConnectMillis: 31, LossPercent: 2},
		Position: &fiscal.Position{Latitude: 432_220, Longitude: -768_510, Source: "gps"}, Software: "ПОРТ 1.4",
		AdsKnown: []fiscal.Ad{{Kind: fiscal.AdInfo, Version: 1 << 40}}, Offline: 90 * time.Minute,
	}
	keep(told)
	keep(fiscal.Contact{At: morning, Peer: "192.0.2.9:9", Version: 201}) // older: late
	keep()
	want := told
	want.Register, want.Partition = r.place.Register, r.place.Partition
	w.lastContact(r, want)

	keep(fiscal.Contact{At: morning.Add(time.Hour), Peer: "192.0.2.2:8", Quality: &fiscal.LinkQuality{PingMillis: 5}})
	want.At, want.Peer, want.Quality = morning.Add(time.Hour), "192.0.2.2:8", &fiscal.LinkQuality{PingMillis: 5}
	w.lastContact(r, want)
}

func (w *world) lastContact(r *till, want fiscal.Contact) {
	w.Helper()
	l, err := w.Register(w.Context(), r.place.Register)
	w.must(err)
	if got := l.LastContact; got == nil || !reflect.DeepEqual(*got, want) {
		w.Errorf("last contact %+v, want %+v", got, want)
	}
	page, err := w.Registers(w.Context(), 0, 0, 100)
	w.must(err)
	if !slices.ContainsFunc(page, func(l registry.Listed) bool { return l.LastContact != nil && reflect.DeepEqual(*l.LastContact, want) }) {
		w.Errorf("Registers does not show the contact %+v", want)
	}
}
