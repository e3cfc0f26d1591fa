package registry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/testkit"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// office is a registry with the real rules behind it.
type office struct {
	*registry.Service
	store  *testkit.MemStore
	intake *intake.Intake
}

func open(t testing.TB) *office {
	t.Helper()
	return openBy(t, &kkm.Rules{Limits: func(fiscal.WallTime) kkm.Limits {
		return kkm.Limits{Shift: 24 * time.Hour, Offline: 72 * time.Hour}
	}})
}

// openBy is open under a country's rules.
func openBy(t testing.TB, rules intake.Rules) *office {
	t.Helper()
	store := testkit.NewMemStore(8)
	keys, err := keyring.Open(t.Context(), store, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	committer := journal.New(journal.Config{}, store, quiet, nil, time.Now)
	go committer.Run(context.Background())
	t.Cleanup(committer.Stop)
	in := intake.New(intake.Config{}, store, committer, rules, keys, &fiscal.Operator{}, quiet, nil, time.Now, rand.Reader)
	return &office{registry.New(store, in, time.Now), store, in}
}

func shop() registry.NewRegister {
	return registry.NewRegister{
		By: "command line", Country: fiscal.Kazakhstan, XIN: "210140012347",
		Title: fiscal.Text{RU: "ТОО «Дастархан»"}, OutletAddress: fiscal.Text{RU: "г. Алматы, ул. Толе би, 59"},
		Model: "Порт DPG-150ФKZ", SerialNumber: "SN-0001", Year: 2026, VATPercent: 16_000,
	}
}

// history is the acts of a register, in order.
func (o *office) history(t testing.TB, p fiscal.Place) string {
	t.Helper()
	all, err := o.store.Scan(t.Context(), p.Partition, 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, e := range all {
		if e.Register == p.Register {
			act, _, _ := strings.Cut(strings.TrimPrefix(string(e.Request), `{"act":"`), `"`)
			acts = append(acts, act)
		}
	}
	return strings.Join(acts, " ")
}

// Req: O-018, O-019, O-034
func TestAddRegister(t *testing.T) {
	o := open(t)
	first, err := o.AddRegister(t.Context(), shop())
	if err != nil {
		t.Fatal(err)
	}
	if first.Card.Register == 0 || first.Token == 0 || first.Card.Version != 1 {
		t.Errorf("register %d, token %d, card %d", first.Card.Register, first.Token, first.Card.Version)
	}
	if want := fmt.Sprintf("99%010d", first.Card.Register); first.Card.RegistrationNumber != want || !first.Card.Provisional {
		t.Errorf("registration number %s, provisional %t; want %s, true", first.Card.RegistrationNumber, first.Card.Provisional, want)
	}
	if first.Card.Zone != "Asia/Almaty" || first.Card.LegalAddress != shop().OutletAddress || first.Card.OutletTitle != shop().Title {
		t.Errorf("card %+v: want the country's zone, the outlet's address, the taxpayer's title", first.Card)
	}
	for kind, name := range map[fiscal.AddressKind]string{fiscal.ByID: fmt.Sprint(first.Card.Register), fiscal.ByRegistrationNumber: first.Card.RegistrationNumber} {
		if p, err := o.store.Find(t.Context(), fiscal.Address{Kind: kind, Name: name}); err != nil || p != first.Place {
			t.Errorf("%s %s leads to %v, %v; want %v", kind, name, p, err, first.Place)
		}
	}
	if got := o.history(t, first.Place); got != "register token" {
		t.Errorf("history %q, want register token", got)
	}
	l, err := o.Show(t.Context(), first.Card.Register)
	if err != nil || l.State.Status != fiscal.StatusActive || l.State.LastNumber != 2 {
		t.Errorf("Show() = %+v, %v", l, err)
	}

	in := shop() // a second register of the same shop, with the authority's number
	in.SerialNumber, in.RegistrationNumber, in.Title = "SN-0002", "010102310125", fiscal.Text{RU: "другое название"}
	second, err := o.AddRegister(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	c := second.Card
	if c.Taxpayer != first.Card.Taxpayer || c.Outlet != first.Card.Outlet || c.Title != first.Card.Title || second.Place.Partition != first.Place.Partition {
		t.Errorf("second register: taxpayer %d, outlet %d, %v in partition %d; want those of the first", c.Taxpayer, c.Outlet, c.Title, second.Place.Partition)
	}
	if c.RegistrationNumber != "010102310125" || c.Provisional {
		t.Errorf("registration number %s, provisional %t", c.RegistrationNumber, c.Provisional)
	}
	in.SerialNumber, in.RegistrationNumber, in.OutletAddress = "SN-0003", "", fiscal.Text{RU: "г. Алматы, пр. Абая, 1"}
	third, err := o.AddRegister(t.Context(), in)
	if err != nil || third.Card.Outlet == c.Outlet || third.Card.Taxpayer != c.Taxpayer {
		t.Errorf("third register at another address: outlet %d, %v", third.Card.Outlet, err)
	}
	if all, err := o.Registers(t.Context(), c.Taxpayer, 0, 10); err != nil || len(all) != 3 {
		t.Errorf("the taxpayer has %d registers, %v; want 3", len(all), err)
	}
}

func TestAddRegisterRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*registry.NewRegister)
		field string
	}{
		{"check digit", func(r *registry.NewRegister) { r.XIN = "210140012348" }, "xin"},
		{"XIN too short", func(r *registry.NewRegister) { r.XIN = "2101" }, "xin"},
		{"no XIN", func(r *registry.NewRegister) { r.XIN = "" }, "xin"},
		{"country", func(r *registry.NewRegister) { r.Country = "us" }, "country"},
		{"no title", func(r *registry.NewRegister) { r.Title = fiscal.Text{} }, "title"},
		{"title too long", func(r *registry.NewRegister) { r.Title.KK = strings.Repeat("ә", 256) }, "title"},
		{"control character", func(r *registry.NewRegister) { r.Title.RU = "ТОО\n«Дастархан»" }, "title"},
		{"not UTF-8", func(r *registry.NewRegister) { r.Title.RU = "\xd2\xce\xce" }, "title"},
		{"no address", func(r *registry.NewRegister) { r.OutletAddress = fiscal.Text{} }, "outlet_address"},
		{"no model", func(r *registry.NewRegister) { r.Model = "" }, "model"},
		{"model too long", func(r *registry.NewRegister) { r.Model = strings.Repeat("M", 65) }, "model"},
		{"no serial number", func(r *registry.NewRegister) { r.SerialNumber = "" }, "serial_number"},
		{"serial number too long", func(r *registry.NewRegister) { r.SerialNumber = strings.Repeat("1", 33) }, "serial_number"},
		{"space at the end", func(r *registry.NewRegister) { r.SerialNumber = "SN-0001 " }, "serial_number"},
		{"made too early", func(r *registry.NewRegister) { r.Year = 1989 }, "manufacture_year"},
		{"made in the future", func(r *registry.NewRegister) { r.Year = time.Now().Year() + 2 }, "manufacture_year"},
		{"number too short", func(r *registry.NewRegister) { r.RegistrationNumber = "01010231012" }, "registration_number"},
		{"number too long", func(r *registry.NewRegister) { r.RegistrationNumber = strings.Repeat("1", 21) }, "registration_number"},
		{"number with letters", func(r *registry.NewRegister) { r.RegistrationNumber = "01010231012A" }, "registration_number"},
		{"zone", func(r *registry.NewRegister) { r.Zone = "Asia/Verny" }, "zone"},
		{"the machine's zone", func(r *registry.NewRegister) { r.Zone = "Local" }, "zone"},
		{"latitude", func(r *registry.NewRegister) { r.Latitude = 900_001 }, "latitude"},
		{"longitude", func(r *registry.NewRegister) { r.Longitude = -1_800_001 }, "longitude"},
		{"VAT", func(r *registry.NewRegister) { r.VATPercent = 100_000 }, "vat_percent"},
	} {
		o := open(t)
		in := shop()
		tt.spoil(&in)
		_, err := o.AddRegister(t.Context(), in)
		var e *fiscal.Error
		if !errors.As(err, &e) || e.Field != tt.field || e.Kind() != fiscal.Invalid {
			t.Errorf("%s: AddRegister() = %v, want a complaint about %q", tt.name, err, tt.field)
		}
		if all, _ := o.Taxpayers(t.Context(), 0, 10); len(all) != 0 {
			t.Errorf("%s: the taxpayer was stored all the same", tt.name)
		}
	}
}

func TestAddRegisterTaken(t *testing.T) {
	o := open(t)
	in := shop()
	in.RegistrationNumber = "010102310125"
	first, err := o.AddRegister(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		change func(*registry.NewRegister)
		field  string
	}{
		{func(r *registry.NewRegister) { r.SerialNumber = "SN-0002" }, "registration_number"},
		{func(r *registry.NewRegister) { r.RegistrationNumber = "010102310126" }, "serial_number"},
	} {
		again := in
		tt.change(&again)
		_, err := o.AddRegister(t.Context(), again)
		var e *fiscal.Error
		if !errors.As(err, &e) || e.Field != tt.field || !errors.Is(err, fiscal.AlreadyThere) {
			t.Errorf("AddRegister() = %v, want %s already there", err, tt.field)
		}
	}
	// A device that was sold is registered anew, after it was taken off the record.
	if err := o.Deregister(t.Context(), first.Card.Register, "owner"); err != nil {
		t.Fatal(err)
	}
	sold := shop()
	sold.XIN = "171040007895"
	if _, err := o.AddRegister(t.Context(), sold); err != nil {
		t.Errorf("a sold device: %v", err)
	}
}

// Registers added at the same time get different IDs, and their taxpayer is
// made once.
func TestAddRegisterTogether(t *testing.T) {
	o := open(t)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			in := shop()
			in.SerialNumber = fmt.Sprintf("SN-%04d", i)
			if r, err := o.AddRegister(context.Background(), in); err != nil || r.Token == 0 {
				t.Errorf("register %d: token %d, %v", i, r.Token, err)
			}
		})
	}
	all.Wait()
	taxpayers, _ := o.Taxpayers(t.Context(), 0, 10)
	registers, _ := o.Registers(t.Context(), 0, 0, 10)
	if len(taxpayers) != 1 || len(registers) != 6 {
		t.Errorf("%d taxpayers, %d registers; want 1, 6", len(taxpayers), len(registers))
	}
}

func TestActs(t *testing.T) {
	o := open(t)
	r, err := o.AddRegister(t.Context(), shop())
	if err != nil {
		t.Fatal(err)
	}
	id := r.Card.Register
	token, err := o.Token(t.Context(), id, "staff")
	if err != nil || token == 0 || token == r.Token {
		t.Errorf("Token() = %d, %v; the first was %d", token, err, r.Token)
	}
	for _, step := range []struct {
		name string
		do   func() error
		want error
		then fiscal.Status
	}{
		{"unblock what is not blocked", func() error { return o.Unblock(t.Context(), id, "staff") }, fiscal.NothingThere, fiscal.StatusActive},
		{"block without a text", func() error { return o.Block(t.Context(), id, "staff", "") }, fiscal.MissingParameter, fiscal.StatusActive},
		{"block", func() error { return o.Block(t.Context(), id, "staff", "Договор расторгнут") }, nil, fiscal.StatusBlocked},
		{"block again", func() error { return o.Block(t.Context(), id, "staff", "Обратитесь к оператору") }, nil, fiscal.StatusBlocked},
		{"unblock", func() error { return o.Unblock(t.Context(), id, "staff") }, nil, fiscal.StatusActive},
		{"deregister", func() error { return o.Deregister(t.Context(), id, "staff") }, nil, fiscal.StatusDeregistered},
		{"token for it", func() error { _, err := o.Token(t.Context(), id, "staff"); return err }, fiscal.RegisterDeregistered, fiscal.StatusDeregistered},
		{"block it", func() error { return o.Block(t.Context(), id, "staff", "x") }, fiscal.RegisterDeregistered, fiscal.StatusDeregistered},
		{"nobody", func() error { return o.Unblock(t.Context(), id+9, "staff") }, fiscal.NotFound, fiscal.StatusDeregistered},
	} {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
		if l, err := o.Show(t.Context(), id); err != nil || l.State.Status != step.then {
			t.Errorf("%s: register is %v, %v; want %v", step.name, l.State.Status, err, step.then)
		}
	}
	if got, want := o.history(t, r.Place), "register token token block block unblock deregister"; got != want {
		t.Errorf("history %q, want %q", got, want)
	}
	entries, _ := o.store.Scan(t.Context(), r.Place.Partition, 1, 100)
	for _, e := range entries {
		for _, secret := range []uint32{r.Token, token} {
			if strings.Contains(string(e.Request)+string(e.Answer), fmt.Sprint(secret)) {
				t.Errorf("entry %d holds a token: %s %s", e.Number, e.Request, e.Answer)
			}
		}
	}
}

// Req: O-071
func TestChangeCard(t *testing.T) {
	o := open(t)
	r, err := o.AddRegister(t.Context(), shop())
	if err != nil {
		t.Fatal(err)
	}
	id := r.Card.Register
	change := func(f func(*fiscal.Card) error) (fiscal.Card, error) {
		return o.ChangeCard(t.Context(), id, "staff", f)
	}
	moved, err := change(func(c *fiscal.Card) error {
		c.OutletAddress = fiscal.Text{RU: "г. Алматы, пр. Абая, 1"}
		return nil
	})
	if err != nil || moved.Version != 2 {
		t.Fatalf("ChangeCard() = version %d, %v; want 2", moved.Version, err)
	}
	if same, err := change(func(*fiscal.Card) error { return nil }); err != nil || same.Version != 2 {
		t.Errorf("changing nothing made version %d, %v", same.Version, err)
	}
	old, err := o.store.Card(t.Context(), id, 1)
	if err != nil || old.OutletAddress != shop().OutletAddress {
		t.Errorf("card 1 shows %v, %v; want the old address", old.OutletAddress, err)
	}
	token := func() fiscal.State { l, _ := o.Show(t.Context(), id); return *l.State }
	before := token()
	numbered, err := change(func(c *fiscal.Card) error { c.RegistrationNumber = "010102310125"; return nil })
	if err != nil || numbered.Provisional || numbered.Version != 3 {
		t.Errorf("a number of the authority's: %+v, %v", numbered, err)
	}
	if string(token().Protocol) == string(before.Protocol) {
		t.Error("the new registration number left the token as it was")
	}
	for _, name := range []string{r.Card.RegistrationNumber, "010102310125"} {
		if p, err := o.store.Find(t.Context(), fiscal.Address{Kind: fiscal.ByRegistrationNumber, Name: name}); err != nil || p != r.Place {
			t.Errorf("number %s leads to %v, %v", name, p, err)
		}
	}
	for _, tt := range []struct {
		field  string
		change func(*fiscal.Card)
	}{
		{"register", func(c *fiscal.Card) { c.Register++ }},
		{"version", func(c *fiscal.Card) { c.Version++ }},
		{"country", func(c *fiscal.Card) { c.Country = fiscal.Russia }},
		{"taxpayer", func(c *fiscal.Card) { c.Taxpayer++ }},
		{"taxpayer", func(c *fiscal.Card) { c.XIN = "171040007895" }},
		{"model", func(c *fiscal.Card) { c.Model = "другая" }},
		{"serial_number", func(c *fiscal.Card) { c.SerialNumber = "SN-0002" }},
		{"registered_at", func(c *fiscal.Card) { c.RegisteredAt = c.RegisteredAt.Add(1) }},
		{"zone", func(c *fiscal.Card) { c.Zone = "Mars/Olympus" }},
		{"registration_number", func(c *fiscal.Card) { c.RegistrationNumber = "12" }},
		{"outlet_address", func(c *fiscal.Card) { c.OutletAddress = fiscal.Text{} }},
	} {
		_, err := change(func(c *fiscal.Card) error { tt.change(c); return nil })
		var e *fiscal.Error
		if !errors.As(err, &e) || e.Field != tt.field {
			t.Errorf("ChangeCard() = %v, want a complaint about %q", err, tt.field)
		}
	}
	in := shop()
	in.SerialNumber, in.RegistrationNumber = "SN-0009", "010102319999"
	if _, err := o.AddRegister(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := change(func(c *fiscal.Card) error { c.RegistrationNumber = "010102319999"; return nil }); !errors.Is(err, fiscal.AlreadyThere) {
		t.Errorf("another register's number: %v, want %v", err, fiscal.AlreadyThere)
	}
}

// Two who change a card at once both get their way, one after the other.
func TestChangeCardTogether(t *testing.T) {
	o := open(t)
	r, err := o.AddRegister(t.Context(), shop())
	if err != nil {
		t.Fatal(err)
	}
	meanwhile := true
	got, err := o.ChangeCard(t.Context(), r.Card.Register, "first", func(c *fiscal.Card) error {
		c.Name = "Касса 1"
		if meanwhile {
			meanwhile = false
			_, err := o.ChangeCard(t.Context(), r.Card.Register, "second", func(c *fiscal.Card) error { c.Terminal = "T1"; return nil })
			return err
		}
		return nil
	})
	if err != nil || got.Version != 3 || got.Name != "Касса 1" || got.Terminal != "T1" {
		t.Errorf("ChangeCard() = version %d, %q, %q, %v; want 3 with both changes", got.Version, got.Name, got.Terminal, err)
	}
}

// A taxpayer's partition follows from its number alone, and taxpayers spread.
func TestPartitions(t *testing.T) {
	o := open(t)
	used := map[fiscal.Partition]int{}
	for i := range 200 {
		x := numbered(i)
		tax, err := o.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Kazakhstan, XIN: x, Title: fiscal.Text{RU: "ИП"}})
		if err != nil {
			t.Fatal(err)
		}
		used[tax.Partition]++
	}
	if len(used) != 8 {
		t.Errorf("200 taxpayers use partitions %v, want all 8", used)
	}
	_, err := o.AddTaxpayer(t.Context(), registry.NewTaxpayer{Country: fiscal.Kazakhstan, XIN: numbered(0), Title: fiscal.Text{RU: "ИП"}})
	if !errors.Is(err, fiscal.AlreadyThere) {
		t.Errorf("the same taxpayer again: %v, want %v", err, fiscal.AlreadyThere)
	}
	if tax, err := o.Taxpayer(t.Context(), fiscal.Kazakhstan, numbered(0)); err != nil || tax.ID != 1 {
		t.Errorf("Taxpayer() = %d, %v; want 1", tax.ID, err)
	}
}

// numbered is a valid BIN for each i.
func numbered(i int) fiscal.XIN {
	for d := '0'; d <= '9'; d++ {
		if x := fiscal.XIN(fmt.Sprintf("%011d%c", 99_014_000_000+i, d)); fiscal.CheckXIN(x, "") == nil {
			return x
		}
	}
	return numbered(i + 1000) // no digit fits: such a number was never issued
}
