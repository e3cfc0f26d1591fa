package till_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"openofd/internal/access"
	"openofd/internal/device/kkm"
	"openofd/internal/fiscal"
	"openofd/internal/fiscal/policy"
	"openofd/internal/gate"
	"openofd/internal/intake"
	"openofd/internal/journal"
	"openofd/internal/keyring"
	wire "openofd/internal/protocol/kkm"
	"openofd/internal/registry"
	"openofd/internal/store/sqlite"
	"openofd/internal/till"
)

var quiet = slog.New(slog.DiscardHandler)

// operator is a real one on a real socket.
type operator struct {
	addr     string
	registry *registry.Service
	store    *sqlite.DB
}

func startOperator(t testing.TB) *operator {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Serve: true})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Open(t.Context(), db, filepath.Join(t.TempDir(), "master.key"), true, time.Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	law := policy.For(fiscal.Kazakhstan)
	rules := &wire.Rules{Limits: func(day fiscal.WallTime) wire.Limits {
		terms := law.At(day)
		return wire.Limits{Shift: terms.Shift, Offline: terms.Offline}
	}}
	committer := journal.New(journal.Config{Committers: 1}, db, quiet, nil, time.Now)
	in := intake.New(intake.Config{}, db, committer, rules, keys, &fiscal.Operator{Site: "https://ofd.example"}, quiet, nil, time.Now, rand.Reader)
	door := gate.New(gate.Config{AddressFrames: -1, RegisterFrames: -1}, in, quiet, nil, time.Now)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	behind, end := context.WithCancel(context.Background())
	ended := make(chan struct{}, 3)
	for _, run := range []func(){
		func() { committer.Run(context.Background()) }, func() { in.Run(behind) }, func() { _ = door.Serve(behind, listener) },
	} {
		go func() { run(); ended <- struct{}{} }()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = door.Drain(ctx)
		committer.Stop()
		end()
		for range cap(ended) {
			<-ended
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &operator{addr: listener.Addr().String(), registry: registry.New(db, in, time.Now), store: db}
}

func (o *operator) add(t testing.TB, serial string) registry.Registered {
	t.Helper()
	r, err := o.registry.AddRegister(t.Context(), registry.NewRegister{
		By: "test", Country: fiscal.Kazakhstan, XIN: "190340024183", Title: fiscal.Text{RU: "ТОО «Дала»", KK: "«Дала» ЖШС"},
		OutletTitle: fiscal.Text{RU: "Магазин"}, OutletAddress: fiscal.Text{RU: "г. Алматы, ул. Толе би, 59"}, Zone: "Asia/Almaty", Model: till.Model, SerialNumber: serial, TaxSystem: 101,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// cable is a link that can be cut.
type cable struct {
	kkm.Exchanger
	cut *atomic.Bool
}

func (c cable) Exchange(ctx context.Context, frame []byte) (kkm.Reply, error) {
	if c.cut.Load() {
		return kkm.Reply{}, &kkm.LinkError{Stage: kkm.AtConnect, Err: errors.New("the cable is cut")}
	}
	return c.Exchanger.Exchange(ctx, frame)
}

// letters keeps the last code for each address.
type letters map[string]string

func (l letters) Send(_ context.Context, m access.Mail) error {
	l[m.To] = m.Code
	return nil
}

// shop is a till with a seller who is signed in, and a register that works.
type shop struct {
	*till.Till
	t        testing.TB
	operator *operator
	letters  letters
	cut      *atomic.Bool
	ahead    *atomic.Int64 // of the clock
	path     string
	secret   string
	goods    time.Duration // between two looks at the catalog; 0: a day
	id       fiscal.RegisterID
	made     registry.Registered
}

func openShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{t: t, operator: startOperator(t), letters: letters{}, cut: new(atomic.Bool), ahead: new(atomic.Int64), path: filepath.Join(t.TempDir(), "till.db")}
	s.open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.secret = s.signIn("seller@example.kz", "Phone")
	if err := s.SetPIN(t.Context(), s.seat(), "", "1234", "1234"); err != nil {
		t.Fatal(err)
	}
	s.made = s.operator.add(t, "OT260000000018")
	s.id = s.made.Card.Register
	if err := s.Connect(t.Context(), s.seat(), s.id, s.made.Token); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) open() {
	s.t.Helper()
	var err error
	s.Till, err = till.Open(context.Background(), till.Config{
		Path: s.path, Mailer: s.letters, Check: "https://ofd.example", Rand: rand.Reader, Log: quiet,
		Now:     func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		Link:    func() kkm.Exchanger { return cable{kkm.NewLink(kkm.LinkConfig{Addr: s.operator.addr}), s.cut} },
		Options: till.Options{Transaction: 300 * time.Millisecond, Pause: 20 * time.Millisecond, Reconnect: 50 * time.Millisecond, Goods: s.goods},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) signIn(email, device string) string {
	s.t.Helper()
	if err := s.SendCode(s.t.Context(), email, "ru"); err != nil {
		s.t.Fatal(err)
	}
	secret, _, err := s.SignIn(s.t.Context(), email, s.letters[email], device, "ru")
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

func (s *shop) seat() *till.Seat {
	s.t.Helper()
	seat, err := s.Seat(s.t.Context(), s.secret)
	if err != nil {
		s.t.Fatal(err)
	}
	return seat
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}
