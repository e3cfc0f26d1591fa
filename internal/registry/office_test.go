package registry_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/delivery"
	"openofd/internal/fiscal"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	"openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/signature"
	"openofd/internal/store/sqlite"
)

// pen is a judge that takes what was signed by the owner that it knows: the
// content with a mark before it. What is wrong with real files is signature's.
type pen struct{ owner signature.Owner }

func (p *pen) sign(content []byte) []byte { return append([]byte("signed:"), content...) }

func (p *pen) Verify(file, content []byte) (*signature.Verdict, error) {
	if !bytes.Equal(file, p.sign(content)) {
		return nil, &fiscal.Error{Of: fiscal.Invalid, Field: "signature", Err: &signature.Refusal{Reason: signature.DigestDiffers}}
	}
	return &signature.Verdict{Owner: p.owner, Content: content, Method: "RSA, 2048 bits", Chain: []signature.Link{{Encoded: []byte{1}}}}, nil
}

type letters struct{}

func (letters) Send(context.Context, access.Mail) error { return nil }

// bureau is an office on a real database with real rules behind it, the owner of
// an organization with one outlet, and a register there.
type bureau struct {
	*testing.T
	*registry.Office
	service *registry.Service
	db      *sqlite.DB
	owner   *access.Actor
	pen     *pen
	outlet  registry.Outlet
	mu      sync.Mutex
	clock   time.Time
}

func (b *bureau) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bureau) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

const trader fiscal.XIN = "960624350642"

func newBureau(t *testing.T) *bureau {
	t.Helper()
	ctx := t.Context()
	b := &bureau{T: t, clock: time.Date(2026, 3, 16, 6, 0, 0, 0, time.UTC), pen: &pen{signature.Owner{Country: "kz", Name: "ӘСЕЛ", IIN: trader, Key: signature.KeyRSA}}}
	db, err := sqlite.Open(ctx, sqlite.Options{Dir: t.TempDir(), Serve: true, Now: b.now})
	b.must(err)
	t.Cleanup(func() { db.Close() })
	ring, err := keyring.Open(ctx, db, filepath.Join(t.TempDir(), "master.key"), true, b.now, rand.Reader)
	b.must(err)
	committer := journal.New(journal.Config{}, db, quiet, nil, b.now)
	done := make(chan struct{})
	go func() { defer close(done); committer.Run(context.Background()) }()
	t.Cleanup(func() { committer.Stop(); <-done })
	rules := &kkm.Rules{Limits: func(fiscal.WallTime) kkm.Limits { return kkm.Limits{Shift: 24 * time.Hour, Offline: 72 * time.Hour} }}
	in := intake.New(intake.Config{}, db, committer, rules, ring, &fiscal.Operator{}, quiet, nil, b.now, rand.Reader)
	people, err := access.New(access.Config{}, db, letters{}, access.NewPasswords(1, rand.Reader), ring, b.now, rand.Reader)
	b.must(err)
	b.db, b.service = db, registry.New(db, in, b.now)
	self := fiscal.Operator{Title: fiscal.Text{RU: "ОФД"}, BIN: "190340024183"}
	b.Office = registry.NewOffice(b.service, db, people, b.pen, self, b.now)

	taxpayer, err := b.service.AddTaxpayer(ctx, registry.NewTaxpayer{Country: fiscal.Kazakhstan, XIN: trader, Title: fiscal.Text{RU: "ИП Әсел"}, LegalAddress: fiscal.Text{RU: "Алматы, Абая, 10"}})
	b.must(err)
	who := access.User{ID: 1, Email: "asel@example.kz"}
	b.owner = &access.Actor{User: who, Taxpayer: taxpayer.ID, Member: access.Member{User: who.ID, Taxpayer: taxpayer.ID, Role: access.Owner}}
	b.outlet = registry.Outlet{Title: fiscal.Text{RU: "Лавка"}, Where: registry.Address{Region: "75", Locality: "Алматы", Street: "Абая", House: "10"}}
	b.must(b.PutOutlet(ctx, b.owner, &b.outlet))
	return b
}

func (b *bureau) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bureau) wants(what string, err, kind error, field string) {
	b.Helper()
	var e *fiscal.Error
	if !errors.Is(err, kind) || field != "" && (!errors.As(err, &e) || e.Field != field) {
		b.Errorf("%s: error %v, want %v about %q", what, err, kind, field)
	}
}

// register adds a register to the outlet.
func (b *bureau) register(serial string) fiscal.RegisterID {
	b.Helper()
	made, err := b.AddRegister(b.Context(), b.owner, registry.AddedRegister{Outlet: b.outlet.ID, Name: "Касса " + serial, Model: "E-kassa", SerialNumber: serial, Year: 2026})
	b.must(err)
	return made.Card.Register
}

// authority decides at once and remembers what it was given.
type authority struct {
	mu       sync.Mutex
	given    map[string]delivery.Submission
	order    []string
	decide   func(s delivery.Submission) delivery.Decision
	away     error
	decision []delivery.Decision
}

func (*authority) Name() string { return "kgd" }

func (a *authority) Submit(_ context.Context, s delivery.Submission) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away != nil {
		return "", a.away
	}
	if _, again := a.given[s.ID]; !again {
		a.order = append(a.order, s.ID)
		a.given[s.ID] = s
		d := a.decide(s)
		d.ID, d.Number = s.ID, "KGD-"+s.ID
		a.decision = append(a.decision, d)
	}
	return "KGD-" + s.ID, nil
}

func (a *authority) Decisions(_ context.Context, after string, limit int) ([]delivery.Decision, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from := len(after) // a place is as many strokes as decisions stand before it
	to := min(from+limit, len(a.decision))
	if to == from {
		return nil, after, nil
	}
	return a.decision[from:to], "||||||||||||||||||||||||||||||"[:to], nil
}

func (b *bureau) courier(a *authority) *delivery.Courier {
	if a.given == nil {
		a.given = map[string]delivery.Submission{}
	}
	return delivery.NewCourier(delivery.CourierConfig{Installation: "test", Country: fiscal.Kazakhstan}, a, b.db, b.service, quiet, nil, b.now, func(n int64) int64 { return n / 2 })
}

// carry goes round until nothing is due.
func (b *bureau) carry(c *delivery.Courier) {
	b.Helper()
	for {
		n, err := c.Carry(b.Context())
		b.must(err)
		m, err := c.Fetch(b.Context())
		b.must(err)
		if n+m == 0 {
			return
		}
	}
}
